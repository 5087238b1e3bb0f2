"""`mnuts report`: what it prints, what it writes, what it refuses."""

import json

import pandas as pd
import pytest

from mnuts_core import LogitBundle, MixConfig
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.functional.statistics import share


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mix(mnuts, toy, tmp_path):
    path = tmp_path / "mix.json"
    words = ("--s", 2, "--p", 2, "--c", -0.5, "--beta", 0.9, "--out", path)
    assert mnuts("export", toy, *words).code == 0
    return path


def verify(path, right: int, n: int = 100):
    config = MixConfig.load(path)
    card = VerifiedCard(
        accuracy=EstimateCard.of(share(right, n, "verified")),
        attack="transfer-based adaptive AutoAttack",
        digest="sha256:" + "0" * 64,
    )
    config.model_copy(update={"verified": card}).save(path)


def test_prints_and_writes(mnuts, toy, tmp_path):
    code, out, err = mnuts("report", toy, "--beta", 0.9)
    assert code == 0
    for word in ("ABC: g", "RBC: h", "Mixed, T = 1, accuracy by margin", "MixedNUTS, β = 0.9", "paper"):
        assert word in out
    assert "71.07" in out  # the paper's own
    folder = tmp_path / "report-toy"
    assert {"report.md", "report.html", "report.csv", "report.png"} <= {p.name for p in folder.iterdir()}
    assert str(folder.name) in err
    assert f"mnuts report {toy} --beta 0.9" in (folder / "report.md").read_text("utf-8").replace("\\", "")


def test_json_csv_and_table_agree(mnuts, toy, tmp_path):
    code, out, _ = mnuts("report", toy, "--out", tmp_path / "r", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["provenance"]["bundle"] == f"toy, {LogitBundle.load(toy).digest}"
    frame = pd.read_csv(tmp_path / "r" / "report.csv").set_index("key")
    for row in answer["rows"]:
        assert frame.loc[row["key"], "clean"] == pytest.approx(row["clean"])
        assert row["verified"] is None
    assert {"rbc", "mixednuts-beta-0.985", "mixednuts-beta-0.95-mixed-t0-by-margin"} <= set(frame.index)
    assert {claim["holds"] for claim in answer["statements"]} <= {True, False, None}
    assert len(answer["paper_rows"]) == 12


def test_json_into_a_file(mnuts, toy, tmp_path):
    code, out, _ = mnuts("report", toy, "--json", tmp_path / "x.json")
    assert code == 0
    assert "MixedNUTS" in out
    assert json.loads((tmp_path / "x.json").read_text("utf-8"))["bundle"] == "toy"


def test_configurations_with_and_without_verified(mnuts, toy, mix, tmp_path):
    words = ("report", toy, "--config", mix, "--json", "--force")
    answer = json.loads(mnuts(*words).out)
    (row,) = [row for row in answer["rows"] if row["key"] == "mixednuts-beta-0.9"]
    assert row["verified"] is None
    assert not list((tmp_path / "report-toy").glob("mixednuts-beta-0.9.json"))  # it was given, not made
    verify(mix, 70)
    answer = json.loads(mnuts(*words).out)
    (row,) = [row for row in answer["rows"] if row["key"] == "mixednuts-beta-0.9"]
    assert (row["verified"], row["verified_n"]) == (0.7, 100)
    assert "transfer-based adaptive AutoAttack" in json.dumps(answer["provenance"])
    assert "70.00" in mnuts("report", toy, "--config", mix, "--force").out


def test_a_verified_figure_of_another_bundle_is_left_out(mnuts, mix, tmp_path):
    from tests.cli.conftest import make_bundle

    other = make_bundle("other", n=100).save(tmp_path / "other.safetensors")
    unverified = mnuts("report", other, "--config", mix, "--out", tmp_path / "unverified").err
    assert "made on another bundle, 'toy': it brings its α from there" in unverified
    verify(mix, 70)
    code, out, err = mnuts("report", other, "--config", mix, "--json")
    assert code == 0
    assert all(row["verified"] is None for row in json.loads(out)["rows"])
    assert "verified accuracy left out: the configuration names bundle 'toy'" in err


def test_without_an_attacked_part(mnuts, clean_only, tmp_path):
    code, out, _ = mnuts("report", clean_only)
    assert code == 0
    assert "no attacked part" in out
    folder = tmp_path / "report-clean-only"
    assert not (folder / "report.png").exists()
    assert "no attacked part" in (folder / "report.html").read_text("utf-8")


def test_digits_again_from_its_own_files(mnuts, mmaa_file, tmp_path):
    """The matched Mixed, given back as a configuration, is not listed twice."""
    assert mnuts("report", mmaa_file, "--beta", 0.95).code == 0
    folder = tmp_path / "report-digits"
    configs = [folder / f"mixednuts-beta-0.95{end}.json" for end in ("", "-mixed-t1-by-margin")]
    words = [word for path in configs for word in ("--config", path)]
    first = pd.read_csv(folder / "report.csv").set_index("key")
    answer = json.loads(mnuts("report", mmaa_file, *words, "--out", tmp_path / "two", "--json").out)
    keys = [row["key"] for row in answer["rows"]]
    assert keys == first.index.dropna().tolist()
    for row in answer["rows"]:
        assert row["clean"] == first.loc[row["key"], "clean"]


BAD = {
    "bundle": (("nope",), "'nope'"),
    "no bundle": ((), "issing argument"),
    "config": (("{toy}", "--config", "{folder}/none.json"), "cannot read"),
    "broken": (("{toy}", "--config", "{text}"), "not valid JSON"),
    "twice": (("{toy}", "--config", "{mix}", "--config", "{mix}"), "given twice"),
    "both": (("{toy}", "--config", "{mix}", "--beta", 0.9), "not both"),
    "percentage": (("{toy}", "--beta", 98.5), "give 0.985"),
    "paper": (("{toy}", "--paper", "mnist"), "cifar10, cifar100, imagenet, got 'mnist'"),
    "a file": (("{toy}", "--out", "{text}"), "--out must name a folder"),
    "no folder": (("{toy}", "--out", "/dev/null/x"), "cannot be made"),
    "json folder": (("{toy}", "--json", "/no-such/x.json"), "--json must name a file"),
    "there": (("{toy}", "--out", "{there}"), "exists already"),
    "device": (("{toy}", "--device", "abacus"), "device must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(mnuts, toy, mix, tmp_path, case):
    text, there = tmp_path / "text.json", tmp_path / "there"
    text.write_text("{")
    there.mkdir()
    (there / "report.md").write_text("mine")
    words, message = BAD[case]
    places = {"toy": toy, "mix": mix, "text": text, "there": there, "folder": tmp_path}
    code, out, err = mnuts("report", *(str(word).format(**places) for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("mnuts: ")
    assert err.count("\n") == 1
    assert message in err
    assert (there / "report.md").read_text() == "mine"
    assert not (tmp_path / "report-toy").exists()
