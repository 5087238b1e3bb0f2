"""One of something is said as one: no "1 images", "1 points" or "1 steps" in what a command says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")
THINGS = "images|points|steps|targets|threads|batches|cells|mixes|rows|examples|errors"
ONE_AS_MANY = re.compile(rf"(?<!of)(?<!=)(?<! ) 1 ([a-z]+ )?({THINGS})\b")  # "0 of 1 images" is a share


@pytest.fixture
def single(mnuts, tmp_path: Path) -> Path:
    out = tmp_path / "single.safetensors"
    words = (
        "--norm",
        "Linf",
        "--eps",
        "3/16",
        "--n-clean",
        1,
        "--n-iter",
        1,
        "--n-targets",
        1,
        "--skip-checks",
    )
    assert mnuts("build", *PAIR, *words, "--out", out).code == 0
    return out


def test_of_one_image_and_one_step(mnuts, single: Path, tmp_path: Path) -> None:
    mix, verified = tmp_path / "mix.json", tmp_path / "verified.json"
    point = ("--s", 2, "--p", 2, "--c", -0.5, "--beta", 0.9)
    commands = {
        "info": (single,),
        "remix": (single, *point),
        "export": (single, *point, "--out", mix),
        "evaluate": (mix, *PAIR, "--n", 1, "--n-iter", 1, "--out", verified, "--into", single),
        "doctor": (*PAIR, "--images", 1),
        "convert": (single, "--out", tmp_path / "croissant.json", "--json"),
    }
    for name, words in commands.items():
        code, out, err = mnuts(name, *words)
        said = f" {out} {err}".replace("\n", " ")  # cells of tables stay apart
        assert code == 0, said
        assert not (found := ONE_AS_MANY.search(said)), f"{name}: {said[found.start() - 40 : found.end()]}"
