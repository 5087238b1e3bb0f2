"""`mnuts ablate`: tables, CSV and JSON, and what it refuses."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from mnuts_core.ablations import ABLATIONS


@pytest.fixture
def mix(mnuts, toy, tmp_path):
    path = tmp_path / "mix.json"
    words = ("--s", 2, "--p", 2, "--c", -0.5, "--beta", 0.9, "--out", path)
    assert mnuts("export", toy, *words).code == 0
    return path


def test_list(mnuts):
    code, out, _ = mnuts("ablate", "--list")
    assert code == 0
    assert all(name in out for name in ABLATIONS)


@pytest.mark.parametrize("name", [a.name for a in ABLATIONS.values() if "models" not in a.options])
def test_table_csv_and_json_agree(mnuts, toy, tmp_path, name):
    path = tmp_path / "out.csv"
    few = ("--widen", 0) if name == "table7" else ()
    code, out, _ = mnuts("ablate", name, toy, *few, "--csv", path)
    assert code == 0
    assert ABLATIONS[name].where in out
    assert ("the paper's own numbers" in out) == (ABLATIONS[name].printed is not None)
    answer = json.loads(mnuts("ablate", name, toy, *few, "--json").out)
    frame = pd.read_csv(path)
    assert len(answer["rows"]) == len(frame)
    assert (answer["ablation"], answer["bundle"]) == (name, "toy")
    for column in frame.select_dtypes("number"):
        ours = [np.nan if row[column] is None else row[column] for row in answer["rows"]]
        assert frame[column].to_numpy(float) == pytest.approx(np.array(ours, float), nan_ok=True)


def test_csv_on_standard_output(mnuts, toy):
    code, out, _ = mnuts("ablate", "table4", toy, "--csv", "-")
    assert code == 0
    assert pd.read_csv(io.StringIO(out))["classifier"].tolist() == ["h", "LN h", "M(h)"]


def test_options_reach_the_function(mnuts, toy, mix):
    answer = json.loads(mnuts("ablate", "table8", toy, "--n-optimised", 30, "--seed", 3, "--json").out)
    assert (answer["settings"]["n_optimised"], answer["settings"]["seed"]) == (30, 3)
    answer = json.loads(mnuts("ablate", "table9", toy, "--size", 40, "--repeats", 2, "--json").out)
    assert [row["n_optimised"] for row in answer["rows"]] == [40, 40]
    answer = json.loads(mnuts("ablate", "fig6", toy, "--config", mix, "--json").out)
    assert answer["settings"]["mix"]["s"] == 2.0
    answer = json.loads(mnuts("ablate", "fig9", toy, "--beta", 0.9, "--grid", "cifar100", "--json").out)
    assert answer["settings"]["beta"] == 0.9
    assert {row["c"] for row in answer["rows"]} >= {-2.5, -0.4}
    answer = json.loads(mnuts("ablate", "fig7", toy, "--also", "digits", "--json").out)
    assert {row["bundle"] for row in answer["rows"]} == {"toy", "digits"}


def test_d9_attacks_the_models(mnuts):
    models = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits")
    code, out, _ = mnuts("ablate", "d9", "digits", *models, "--n", 20, "--n-iter", 2, "--json")
    assert code == 0
    rows = json.loads(out)["rows"]
    assert [row["points"] for row in rows] == ["LN∘h", "M∘h"]
    assert {row["n_attacked"] for row in rows} == {20}


def test_pool_attacks_mixes_of_ones_own(mnuts, mix, mmaa_file, tmp_path):
    models = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits")
    few = ("--n", 20, "--n-iter", 2, "--n-targets", 1, "--components", "apgd-ce, apgd-t")
    words = ("ablate", "pool", mmaa_file, *models, *few, "--mix", mix, "--work-dir", tmp_path / "work")
    code, out, err = mnuts(*words, "--json")
    assert code == 0
    assert "MMAA points only: the bundle's live figures are optimistic" in err
    answer = json.loads(out)
    assert [row["own_n"] for row in answer["rows"]] == [20]
    assert (answer["mixes"][0]["s"], answer["settings"]["components"]) == (2.0, "apgd-ce, apgd-t")
    assert (tmp_path / "work" / "mix-1").is_dir()
    code, out, _ = mnuts(*words)
    assert code == 0
    assert "live minus own" in out
    assert "first margin minus own" in " ".join(out.split())


BAD = {
    "nothing": ((), "give NAME and BUNDLE"),
    "no bundle": (("fig6",), "give NAME and BUNDLE"),
    "name": (("fig1", "{toy}"), "must be one of fig6, fig7"),
    "bundle": (("fig6", "nope"), "'nope'"),
    "unattacked": (("fig6", "{clean}"), "holds no attacked examples"),
    "foreign option": (
        ("fig6", "{toy}", "--widen", 2),
        "--widen is not an option of fig6: it belongs to table7",
    ),
    "config and beta": (("fig6", "{toy}", "--config", "{mix}", "--beta", 0.9), "not both"),
    "percentage": (("fig9", "{toy}", "--beta", 98.5), "give 0.985"),
    "grid": (("fig9", "{toy}", "--grid", "mnist"), "got 'mnist'"),
    "config": (("table4", "{toy}", "--config", "/no-such/x.json"), "cannot read"),
    "also": (("fig7", "{toy}", "--also", "nope"), "'nope'"),
    "d9 without models": (("d9", "{toy}"), "give --std, --rob and --data"),
    "d9 without data": (("d9", "{toy}", "--std", "x", "--rob", "y"), "give --std, --rob and --data"),
    "d9 without std": (("d9", "{toy}", "--rob", "y", "--data", "digits"), "give --std, --rob and --data"),
    "pool without models": (("pool", "{toy}"), "pool attacks the models: give --std, --rob and --data"),
    "too many": (("table8", "{toy}", "--n-optimised", 999), "n must lie in [1, 120]"),
    "size": (("table9", "{toy}", "--size", 999), "n must lie in [1, 120]"),
    "two on stdout": (("fig6", "{toy}", "--json", "--csv", "-"), "cannot both"),
    "csv folder": (("fig6", "{toy}", "--csv", "/no-such/x.csv"), "--csv must name a file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(mnuts, toy, clean_only, mix, case):
    words, message = BAD[case]
    places = {"toy": toy, "clean": clean_only, "mix": mix}
    code, out, err = mnuts("ablate", *(str(word).format(**places) for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("mnuts: ")
    assert err.count("\n") == 1
    assert message in err
