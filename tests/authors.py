"""The authors' own classes, from the installed RobustBench: an oracle that we did not write."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
import torch

from mnuts_core.models.compat import import_robustbench


@pytest.fixture(scope="session")
def authors() -> SimpleNamespace:
    """Modules `maps` and `mixing` of RobustBench."""
    import_robustbench()
    package = "robustbench.model_zoo.architectures"
    return SimpleNamespace(
        maps=importlib.import_module(f"{package}.output_maps"),
        mixing=importlib.import_module(f"{package}.mixing_net"),
    )


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch):
    """Let the authors' code compute in float64 throughout: it stores parameters and results as float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    yield
    torch.set_default_dtype(before)
