from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.app import run


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def mnuts(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs `mnuts` in this process, with the error handling of the real program."""

    def call(*words: object) -> Result:
        capsys.readouterr()
        code = run([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tables 100 columns wide whatever the terminal, and no bundles of the user's own."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("MNUTS_DATA", str(tmp_path / "no-such-folder"))


def make_bundle(name: str = "toy", attacked: bool = True, n: int = 120, k: int = 5) -> LogitBundle:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, k, n)

    def logits(strength: float) -> np.ndarray:
        values = rng.normal(size=(n, k))
        values[np.arange(n), labels] += strength * rng.random(n)
        return values.astype(np.float32)

    arrays = {"clean_labels": labels, "clean_std_logits": logits(12), "clean_rob_logits": logits(6)}
    if attacked:
        arrays["adv_index"] = np.arange(n)
        arrays |= {"adv_std_logits": logits(2), "adv_rob_logits": logits(4)}
    return LogitBundle.from_arrays(name=name, **arrays)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return make_bundle().save(tmp_path / "toy.safetensors")


@pytest.fixture
def clean_only(tmp_path: Path) -> Path:
    return make_bundle("clean-only", attacked=False).save(tmp_path / "clean-only.safetensors")
