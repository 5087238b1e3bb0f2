"""MixedNUTS (Bai et al., TMLR 2024): transform, mix, search and attack, without widgets or figures.

Data flows one way: models and data sets → build → bundle → remix, search, trade-off → views.
The paper's equations and appendices are cited by their numbers throughout.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnuts_core.attacks.base import MinimumMargin
    from mnuts_core.attacks.mmaa import Mmaa, minimum_margin_attack
    from mnuts_core.attacks.plan import Plan
    from mnuts_core.attacks.square import Square, square_margin_attack
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.importers import import_logits
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.errors import BundleError, ConfigError, MnutsError, ParameterError
    from mnuts_core.export.classifier import MixedClassifier
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.margins import confidence_margin, signed_margin
    from mnuts_core.functional.mixing import mix_probabilities, temperature_scale
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.functional.transform import layer_norm, transform_logits
    from mnuts_core.models.specs import LoadedModel, load_model
    from mnuts_core.params import MixParams
    from mnuts_core.pipeline.build import build_bundle
    from mnuts_core.pipeline.verified import Verified
    from mnuts_core.pipeline.verify import evaluate
    from mnuts_core.remix.answers import Remix
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.search.algorithm1 import grid_search
    from mnuts_core.search.direct import direct_search
    from mnuts_core.search.frontier import beta_frontier
    from mnuts_core.search.grids import GridSpec
    from mnuts_core.search.result import GridSearchResult
    from mnuts_core.views.tradeoff import alpha_curve

_HOME = {
    "MinimumMargin": "mnuts_core.attacks.base",
    "Mmaa": "mnuts_core.attacks.mmaa",
    "minimum_margin_attack": "mnuts_core.attacks.mmaa",
    "Plan": "mnuts_core.attacks.plan",
    "Square": "mnuts_core.attacks.square",
    "square_margin_attack": "mnuts_core.attacks.square",
    "LogitBundle": "mnuts_core.bundles.bundle",
    "import_logits": "mnuts_core.bundles.importers",
    "LoadedData": "mnuts_core.datasets.base",
    "load_data": "mnuts_core.datasets.specs",
    "BundleError": "mnuts_core.errors",
    "ConfigError": "mnuts_core.errors",
    "MnutsError": "mnuts_core.errors",
    "ParameterError": "mnuts_core.errors",
    "MixedClassifier": "mnuts_core.export.classifier",
    "MixConfig": "mnuts_core.export.config",
    "confidence_margin": "mnuts_core.functional.margins",
    "signed_margin": "mnuts_core.functional.margins",
    "mix_probabilities": "mnuts_core.functional.mixing",
    "temperature_scale": "mnuts_core.functional.mixing",
    "Estimate": "mnuts_core.functional.statistics",
    "layer_norm": "mnuts_core.functional.transform",
    "transform_logits": "mnuts_core.functional.transform",
    "LoadedModel": "mnuts_core.models.specs",
    "load_model": "mnuts_core.models.specs",
    "MixParams": "mnuts_core.params",
    "build_bundle": "mnuts_core.pipeline.build",
    "Verified": "mnuts_core.pipeline.verified",
    "evaluate": "mnuts_core.pipeline.verify",
    "Remix": "mnuts_core.remix.answers",
    "RemixEngine": "mnuts_core.remix.engine",
    "grid_search": "mnuts_core.search.algorithm1",
    "direct_search": "mnuts_core.search.direct",
    "beta_frontier": "mnuts_core.search.frontier",
    "GridSpec": "mnuts_core.search.grids",
    "GridSearchResult": "mnuts_core.search.result",
    "alpha_curve": "mnuts_core.views.tradeoff",
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
    "Mmaa",
    "MnutsError",
    "ParameterError",
    "Plan",
    "Remix",
    "RemixEngine",
    "Square",
    "Verified",
    "alpha_curve",
    "beta_frontier",
    "build_bundle",
    "confidence_margin",
    "direct_search",
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
