"""`mnuts doctor`, and what `mnuts build` asks of it first."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.build import Settings
from mnuts_core.datasets.specs import load_data
from mnuts_core.pipeline.workfolder import work_folder_of

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob")
CPU = ("--device", "cpu")
SMALL = (
    *CPU,
    "--precision",
    "full",
    "--norm",
    "Linf",
    "--eps",
    "3/16",
    "--n-adv",
    4,
    "--n-iter",
    1,
    "--n-targets",
    1,
)
PAGE = b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


SHUFFLED = np.random.default_rng(0).permutation(load_data("digits", n=64).labels.numpy())


def data(path: Path, **change: np.ndarray) -> str:
    """The first digits as a file of the user's own."""
    digits = load_data("digits", n=64)
    np.savez(path, **({"images": digits.images.numpy(), "labels": digits.labels.numpy()} | change))
    return f"npz:{path}"


def test_a_healthy_pair(mnuts):
    code, out, err = mnuts("doctor", *PAIR, "--data", "digits", *CPU)
    assert code == 0, out
    lines = out.splitlines()
    assert lines[-1].startswith("0 errors, 0 warnings, ")
    assert {line.split()[0] for line in lines if line[:1].strip()} - {"0"} == {"ok"}
    assert "looking at: ten steps of an attack" in err


def test_errors_are_findings_with_exit_code_1(mnuts, tmp_path):
    shuffled = data(tmp_path / "d.npz", labels=SHUFFLED)
    code, out, _ = mnuts("doctor", *PAIR, "--data", shuffled, *CPU, "--json")
    answer = json.loads(out)
    assert (code, answer["healthy"]) == (1, False)
    (first,) = [each for each in answer["findings"] if each["code"] == "labels-do-not-fit"][:1]
    assert first["level"] == "error"
    assert first["entry"] == "docs/warnings.md#labels-do-not-fit"
    assert "both models agree" in first["meaning"]
    assert answer["counts"]["error"] == sum(each["level"] == "error" for each in answer["findings"])


@pytest.mark.parametrize(
    ("content", "words"), [(PAGE, "is an HTML page"), (POINTER, "is a pointer of Git LFS")]
)
@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_files_that_are_not_what_they_seem(mnuts, tmp_path, content, words, name):
    (tmp_path / name).write_bytes(content)
    spec = f"file:{tmp_path / name}@its:factory"
    code, out, _ = mnuts("doctor", "--std", spec, *PAIR[2:], "--data", "digits", "--json", *CPU)
    (found,) = json.loads(out)["findings"]
    assert (code, found["code"], found["level"]) == (1, "loads", "error")
    assert words in found["seen"]


def test_everything_that_does_not_load_is_named_at_once(mnuts, tmp_path):
    words = ("--std", "file:none.pt@its:factory", "--rob", "demo:none", "--data", f"npz:{tmp_path / 'x.npz'}")
    code, out, _ = mnuts("doctor", *words, "--json", *CPU)
    assert code == 1
    assert [each["code"] for each in json.loads(out)["findings"]] == ["loads"] * 3


def test_images_of_another_size(mnuts, tmp_path):
    large = data(tmp_path / "d.npz", images=np.zeros((64, 1, 16, 16), np.float32))
    code, out, _ = mnuts("doctor", *PAIR, "--data", large, "--json", *CPU)
    (found,) = json.loads(out)["findings"]
    assert (code, found["code"]) == (1, "input-size")
    assert "16 × 16 pixels, but 8 × 8" in found["seen"]


def test_bad_options_are_one_line(mnuts):
    for words in (
        ("--norm", "L7"),
        ("--eps", "x"),
        ("--attack", "x"),
        ("--images", 0),
        ("--out", "none/x.safetensors"),
    ):
        code, out, err = mnuts("doctor", *PAIR, "--data", "digits", *words, *CPU)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1


class TestBeforeABuild:
    def test_errors_stop_it_and_it_can_go_on_all_the_same(self, mnuts, tmp_path):
        shuffled = data(tmp_path / "d.npz", labels=SHUFFLED)
        out = tmp_path / "b.safetensors"
        words = ("build", *PAIR, "--data", shuffled, *SMALL, "--out", out)
        code, printed, err = mnuts(*words)
        assert (code, printed) == (2, "")
        assert "error, too: " in err
        assert err.splitlines()[-1].startswith("mnuts: the standard model is right on ")
        assert err.endswith("; --skip-checks builds all the same\n")
        assert not out.exists()
        assert not work_folder_of(out).exists()
        assert mnuts(*words, "--skip-checks").code == 0
        assert out.exists()

    def test_the_bundle_does_not_depend_on_it(self, mnuts, tmp_path):
        assert "skip_checks" not in Settings._fields
        digests = set()
        for name, skip in (("a", ()), ("b", ("--skip-checks",))):
            out = tmp_path / f"{name}.safetensors"
            words = ("build", *PAIR, "--data", "digits", "--n-clean", 20, *SMALL, "--name", "x", "--out", out)
            code, _, err = mnuts(*words, *skip)
            assert (code, err) == (0, "")
            bundle = LogitBundle.load(out)
            digests.add(str([array.tobytes() for array in bundle.tensors().values()]))
        assert len(digests) == 1
