"""Wheels for a machine without a registry: pinned as here, for its Python, installed from a folder."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests import ROOT
from tests.benchmarks.gpu.slim_wheels import slim

GPU = ROOT / "tests" / "benchmarks" / "gpu"
WHEELS = (GPU / "wheels.txt").read_text().split()


def test_they_are_pinned_as_in_the_constraints() -> None:
    pins = (ROOT / "constraints.txt").read_text().split()
    assert WHEELS
    assert set(WHEELS) <= set(pins)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python that only writes down what it is given."""
    stub = tmp_path / "python"
    stub.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    stub.chmod(0o755)
    return stub


def run(python: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(GPU / "wheels.sh"), *map(str, words)],
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
    )


def test_fetching_asks_for_python_3_12(python: Path, tmp_path: Path) -> None:
    assert run(python, "fetch", tmp_path / "whl").returncode == 0
    download, slimmed = (tmp_path / "calls").read_text().splitlines()
    for word in ("download", "--no-deps", "--only-binary=:all:", "--python-version 3.12", "wheels.txt"):
        assert word in download
    assert slimmed.endswith(f"slim_wheels.py {tmp_path}/whl")


def test_installing_asks_no_registry(python: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert run(python, "install", tmp_path / "whl", site).returncode == 0
    install = (tmp_path / "calls").read_text()
    for word in ("--no-index", f"--find-links {tmp_path}/whl", "--no-deps", f"--target {site}"):
        assert word in install
    assert (site / "mnuts_data" / "cifar10.safetensors").samefile(ROOT / "data" / "cifar10.safetensors")


def test_anything_else_gets_the_usage(python: Path) -> None:
    done = run(python, "instal")
    assert done.returncode == 2
    assert "wheels.sh fetch WHEELS" in done.stderr


def test_examples_are_left_out_of_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "some-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for name in ("some/__init__.py", "some/examples/model.pt", "some-1.dist-info/METADATA"):
            made.writestr(name, "x")
    slim(wheel)
    with zipfile.ZipFile(wheel) as left:
        assert left.namelist() == ["some/__init__.py", "some-1.dist-info/METADATA"]
    before = wheel.stat().st_mtime_ns
    slim(wheel)
    assert wheel.stat().st_mtime_ns == before
