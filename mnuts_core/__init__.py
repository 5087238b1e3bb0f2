"""MixedNUTS (Bai et al., TMLR 2024): transform, mix, search and attack, without widgets or figures.

Data flows one way: models and data sets → build → bundle → remix, search, trade-off → views.
The paper's equations and appendices are cited by their numbers throughout.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnuts_core.attacks.mmaa import MinimumMargin, minimum_margin_attack
    from mnuts_core.attacks.square import square_margin_attack
    from mnuts_core.build import build_bundle
    from mnuts_core.bundle import LogitBundle
    from mnuts_core.config import MixConfig
    from mnuts_core.datasets import LoadedData, load_data
    from mnuts_core.errors import BundleError, ConfigError, MnutsError, ParameterError
    from mnuts_core.estimates import Estimate
    from mnuts_core.frontier import beta_frontier
    from mnuts_core.grids import GridSpec
    from mnuts_core.importers import import_logits
    from mnuts_core.margins import confidence_margin, signed_margin
    from mnuts_core.mixing import MixedClassifier, mix_probabilities, temperature_scale
    from mnuts_core.models import LoadedModel, load_model
    from mnuts_core.params import MixParams
    from mnuts_core.remix import Remix, RemixEngine
    from mnuts_core.search import grid_search
    from mnuts_core.selection import GridSearchResult
    from mnuts_core.tradeoff import alpha_curve
    from mnuts_core.transform import layer_norm, transform_logits
    from mnuts_core.verification import Verified, evaluate

_HOME = {
    "MinimumMargin": "mnuts_core.attacks.mmaa",
    "minimum_margin_attack": "mnuts_core.attacks.mmaa",
    "square_margin_attack": "mnuts_core.attacks.square",
    "build_bundle": "mnuts_core.build",
    "LogitBundle": "mnuts_core.bundle",
    "MixConfig": "mnuts_core.config",
    "LoadedData": "mnuts_core.datasets",
    "load_data": "mnuts_core.datasets",
    "BundleError": "mnuts_core.errors",
    "ConfigError": "mnuts_core.errors",
    "MnutsError": "mnuts_core.errors",
    "ParameterError": "mnuts_core.errors",
    "Estimate": "mnuts_core.estimates",
    "Verified": "mnuts_core.verification",
    "evaluate": "mnuts_core.verification",
    "GridSpec": "mnuts_core.grids",
    "import_logits": "mnuts_core.importers",
    "confidence_margin": "mnuts_core.margins",
    "signed_margin": "mnuts_core.margins",
    "MixedClassifier": "mnuts_core.mixing",
    "mix_probabilities": "mnuts_core.mixing",
    "temperature_scale": "mnuts_core.mixing",
    "LoadedModel": "mnuts_core.models",
    "load_model": "mnuts_core.models",
    "MixParams": "mnuts_core.params",
    "Remix": "mnuts_core.remix",
    "RemixEngine": "mnuts_core.remix",
    "GridSearchResult": "mnuts_core.selection",
    "beta_frontier": "mnuts_core.frontier",
    "grid_search": "mnuts_core.search",
    "alpha_curve": "mnuts_core.tradeoff",
    "layer_norm": "mnuts_core.transform",
    "transform_logits": "mnuts_core.transform",
}
"""Where each public name lives; its module loads when it is first used, so `mnuts --help` needs no torch."""

__all__ = [
    "BundleError",
    "ConfigError",
    "Estimate",
    "GridSearchResult",
    "GridSpec",
    "LoadedData",
    "LoadedModel",
    "LogitBundle",
    "MinimumMargin",
    "MixConfig",
    "MixParams",
    "MixedClassifier",
    "MnutsError",
    "ParameterError",
    "Remix",
    "RemixEngine",
    "Verified",
    "alpha_curve",
    "beta_frontier",
    "build_bundle",
    "confidence_margin",
    "evaluate",
    "grid_search",
    "import_logits",
    "layer_norm",
    "load_data",
    "load_model",
    "minimum_margin_attack",
    "mix_probabilities",
    "signed_margin",
    "square_margin_attack",
    "temperature_scale",
    "transform_logits",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
