"""Base classifiers of the user's own: a checkpoint, and the function that builds its network."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from typing import cast

from torch import nn

from mnuts_core.models.base import Network, Request, foreign_code
from mnuts_core.models.checkpoints import ModelError, fit_weights, load_weights, read_weight_sets


def load_file_model(request: Request) -> Network:
    """`file:CHECKPOINT@MODULE:FACTORY`."""
    checkpoint, _, place = request.rest.rpartition("@")
    module_name, _, factory_name = place.partition(":")
    if not (checkpoint and module_name and factory_name):
        raise ModelError(f"model {request.spec!r} is incomplete: give file:CHECKPOINT@MODULE:FACTORY")
    sets = read_weight_sets(checkpoint)
    factory = _factory(request.spec, module_name, factory_name)
    remedy = "it is called without arguments, and must return the network"
    with foreign_code(request.spec, f"{place} failed", remedy):
        network = factory()
    if not isinstance(network, nn.Module):
        raise ModelError(
            f"model {request.spec!r}: {place} must return an nn.Module, got {type(network).__name__}"
        )
    with foreign_code(request.spec, f"the network of {place} takes no weights", "check its state_dict()"):
        fitted = fit_weights(sets, network, request.spec)
        load_weights(network, fitted.weights, request.spec)
    return Network(network, network, None, None, note=fitted.note)


def _factory(spec: str, module_name: str, factory_name: str) -> Callable[[], object]:
    """The user's own function; their module is imported, from the working directory if it is there."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        with foreign_code(spec, f"module {module_name!r} cannot be imported", "run in its folder"):
            module = importlib.import_module(module_name)
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(here)
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        raise ModelError(f"model {spec!r}: {module_name} has no function {factory_name!r}")
    return cast(Callable[[], object], factory)
