"""`mnuts refine`: options, tables, JSON, files and errors."""

from __future__ import annotations

import json

import pytest

from mnuts_core import LogitBundle, MixConfig

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")
QUICK = (
    *PAIR,
    "--precision",
    "full",
    "--beta",
    0.95,
    "--n-adv",
    30,
    "--steps",
    1,
    "--n-targets",
    1,
    "--components",
    "apgd-ce",
)


def test_bundle_and_configurations_are_written_and_rounds_are_printed(mnuts, tmp_path):
    out = tmp_path / "pool.safetensors"
    result = mnuts("refine", "digits", *QUICK, "--rounds", 1, "--out", out)
    assert result.code == 0, result.err
    for words in (
        "round 1: the choice's attacked accuracy moved by",
        "plain mix, same clean accuracy",
        "final",
    ):
        assert words in result.out
    paths = [tmp_path / f"pool-{name}.json" for name in ("choice", "plain-by-clean", "plain-by-margin")]
    assert sorted(tmp_path.iterdir()) == [*paths, out], "the work folder is gone"
    configs = [MixConfig.load(path) for path in paths]
    assert {config.bundle.digest for config in configs} == {LogitBundle.load(out).digest}
    assert [config.params.plain for config in configs] == [False, True, True]
    again = mnuts("refine", "digits", *QUICK, "--rounds", 1, "--out", tmp_path / "other.safetensors")
    assert again.code == 0
    clash = mnuts("refine", "digits", *QUICK, "--out", tmp_path / "x.safetensors", "--json", paths[0])
    assert (clash.code, clash.out) == (2, "")
    assert "exists already" in clash.err


def test_as_json(mnuts, tmp_path):
    (tmp_path / "configs").mkdir()
    words = ("--configs", tmp_path / "configs", "--verify", 4, "--rounds", 1, "--json")
    result = mnuts("refine", "digits", *QUICK, *words, "--out", tmp_path / "pool.safetensors")
    data = json.loads(result.out)
    assert data["digest"] == LogitBundle.load(tmp_path / "pool.safetensors").digest
    (only,) = data["rounds"]
    choice = only["mixes"]["choice"]
    assert only["moved"] == choice["moved"] == choice["before"]["value"] - choice["attacked"]["value"]
    assert set(data["configs"]) == {"choice", "plain-by-margin", "plain-by-clean"}
    for name, entry in data["configs"].items():
        assert entry["path"] == str(tmp_path / "configs" / f"pool-{name}.json")
        assert entry["config"]["verified"]["accuracy"]["n"] == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--beta", 98.5), "give 0.985 for 98.5 %"),
        (("--grid", "none"), "none"),
        (("--verify", 1001), "n must be at most 1000"),
        (("--components", "pgd"), "components must be some of"),
        (("--configs", "missing"), "--configs (choice) must name a file in an existing folder"),
        (("--configs", "pyproject.toml"), "got pyproject.toml/pool-choice.json: pyproject.toml is no folder"),
        (("--work-dir", "pyproject.toml"), "pyproject.toml: it is a file, give the path of a folder"),
        (("--work-dir", "pyproject.toml/below"), "pyproject.toml/below: Not a directory"),
        (("--rob", "demo:digits/std"), "rob_model must answer the clean images as bundle"),
    ],
)
def test_what_is_refused_before_any_work(mnuts, tmp_path, words, message):
    result = mnuts("refine", "digits", *QUICK, *words, "--out", tmp_path / "pool.safetensors")
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") <= 2
    assert not list(tmp_path.iterdir())
