"""Shared by all tests: options, one thread, Hypothesis, and two bundles."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import settings

if (
    root := str(Path(__file__).resolve().parents[1])
) not in sys.path:  # `--import-mode=importlib` leaves it alone
    sys.path.insert(0, root)

from mnuts_core import LogitBundle
from tests import ROOT
from tests.authors import authors, in_float64  # noqa: F401  # fixtures
from tests.synthetic import make_bundle

DIGITS = ROOT / "data" / "digits.safetensors"

# The same examples in every run; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", deadline=None, max_examples=40, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run-full", action="store_true", help="run the tests that rebuild shipped artefacts from scratch"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Small tensors: a second thread only waits, the more so beside other workers. Processes of tests, too.
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-full"):
        return
    skip = pytest.mark.skip(reason="rebuilds shipped artefacts: pass --run-full (make test-full)")
    for item in items:
        if item.get_closest_marker("full"):  # a keyword is also what parameters are called
            item.add_marker(skip)


ON_GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=ON_GPU)])
def device(request: pytest.FixtureRequest) -> str:
    """Where to compute: on the CPU, so that every line has run, and on a GPU where there is one."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def bundle() -> LogitBundle:
    """A small SYNTHETIC bundle: 300 clean and 180 attacked examples, 10 classes."""
    return make_bundle()


@pytest.fixture(scope="session")
def digits() -> LogitBundle:
    """The bundle of real digits that ships in data/."""
    if not DIGITS.is_file():
        pytest.skip(f"{DIGITS} is not there: make it with `mnuts demo build digits`")
    return LogitBundle.load(DIGITS)


@pytest.fixture(scope="session")
def mmaa_digits(digits: LogitBundle) -> LogitBundle:
    """The same with MMAA's points alone, as before any attack on g or on a mix."""
    manifest = digits.manifest.model_copy(update={"attacks": digits.manifest.attacks[:1]})
    return dataclasses.replace(digits, manifest=manifest, attacked=digits.require_attacked().first)


@pytest.fixture(scope="session")
def mmaa_file(mmaa_digits: LogitBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    return mmaa_digits.save(tmp_path_factory.mktemp("mmaa") / "digits.safetensors")
