"""`mnuts attack`: options, tables, JSON, files and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")
QUICK = (*PAIR, "--n-adv", 30, "--steps", 2, "--n-targets", 1)


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    return MixConfig.from_params(MixParams(s=5, p=4, c=-0.6, alpha=0.94)).save(tmp_path / "mix.json")


def test_into_a_new_bundle(mnuts, mix, mmaa_file, tmp_path):
    out = tmp_path / "more.safetensors"
    result = mnuts("attack", mmaa_file, *QUICK, "--on", mix, "--on", "g", "--out", out)
    assert result.code == 0, result.err
    assert f"written: {out}" in result.out
    before, after = LogitBundle.load(mmaa_file), LogitBundle.load(out)
    assert (after.n_clean, after.n_adv) == (before.n_clean, before.n_adv)
    assert len(after.require_attacked()) > len(before.require_attacked())
    assert [source.target for source in after.manifest.attacks][-1] == "g"
    assert sorted(tmp_path.iterdir()) == [mix, out], "the work folder is gone"
    again = mnuts("attack", mmaa_file, *QUICK, "--on", mix, "--on", "g", "--out", out)
    assert (again.code, again.out) == (2, "")
    assert "exists already" in again.err


def test_as_json(mnuts, mix, tmp_path):
    out, work = tmp_path / "more.safetensors", tmp_path / "work"
    words = ("--components", "apgd-ce, square", "--work-dir", work, "--watch", mix, "--json")
    data = json.loads(mnuts("attack", "digits", *QUICK, "--on", "g", "--out", out, *words).out)
    assert data["digest"] == LogitBundle.load(out).digest
    (source,) = data["sources"]
    assert (source["on"], source["target"], source["not_finite"]) == ("g", "g", [])
    assert source["plan"]["components"] == "apgd-ce, square"
    assert 0 < source["images"] <= 30
    assert source["points"] >= source["images"] > source["settled"]
    assert not work.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--on", "none.json"), "none.json"),
        (("--on", "g", "--on", "g"), "--on must name each target once, got g twice"),
        (("--on", "g", "--components", "apgd-t,apgd-ce"), "components must be some of apgd-ce, apgd-t"),
        (("--on", "g", "--components", ","), "got none"),
        (("--on", "g", "--precision", "half"), "--precision must be one of auto, full, bfloat16"),
        (("--on", "g", "--n-adv", 2000), "n must be at most 1000, the number of attacked images, got 2000"),
        (("--on", "g", "--rob", "demo:digits/std"), "rob_model must answer the clean images as bundle"),
        (("--on", "g", "--watch", "none.json"), "none.json"),
    ],
)  # fmt: skip
def test_what_is_refused_in_one_line(mnuts, tmp_path, words, message):
    out = tmp_path / "more.safetensors"
    code, printed, err = mnuts("attack", "digits", *QUICK, "--out", out, *words)
    assert (code, printed) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("mnuts: ")]
    assert message in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--on", "--watch"])
def test_a_configuration_of_another_bundle_is_refused(mnuts, toy, tmp_path, option):
    other, out = tmp_path / "other.json", tmp_path / "more.safetensors"
    assert mnuts("export", toy, "--s", 5, "--p", 4, "--c", -0.6, "--out", other).code == 0
    code, printed, err = mnuts("attack", "digits", *QUICK, "--out", out, "--on", "g", option, other)
    assert (code, printed, out.exists()) == (2, "", False)
    (line,) = [line for line in err.splitlines() if line.startswith("mnuts: ")]
    assert f"{option} {other} was made on bundle 'toy', whose models" in line


def test_a_bundle_needs_attacked_images_and_a_threat_model(mnuts, toy, clean_only, tmp_path):
    for bundle, message in ((toy, "has no threat model"), (clean_only, "has no threat model")):
        code, _, err = mnuts("attack", bundle, *QUICK, "--on", "g", "--out", tmp_path / "more.safetensors")
        assert code == 2
        assert message in err
