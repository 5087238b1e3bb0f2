"""MixedNUTS (Bai et al., TMLR 2024): transform, mix, search and attack, without widgets or figures.

Data flows one way: models and data sets → build → bundle → remix, search, trade-off → views.
The paper's equations and appendices are cited by their numbers throughout.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnuts_core.ablations import ablate
    from mnuts_core.attacks.base import MinimumMargin
    from mnuts_core.attacks.mmaa import Mmaa, minimum_margin_attack
    from mnuts_core.attacks.plan import Plan
    from mnuts_core.attacks.pool_plan import PoolPlan
    from mnuts_core.attacks.square import Square, square_margin_attack
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.importers import import_logits
    from mnuts_core.bundles.library import all_bundles
    from mnuts_core.bundles.named import load_bundle
    from mnuts_core.bundles.paper import paper_table
    from mnuts_core.clamps import CLAMPS
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.demo.naive_mix import NaiveMix
    from mnuts_core.errors import BundleError, ConfigError, MnutsError, ParameterError
    from mnuts_core.export.belonging import configs_of
    from mnuts_core.export.classifier import MixedClassifier
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.margins import confidence_margin, signed_margin
    from mnuts_core.functional.mixing import mix_probabilities, temperature_scale
    from mnuts_core.functional.paired import Paired
    from mnuts_core.functional.simplex import PAPER_CASES
    from mnuts_core.functional.statistics import Estimate, share_of
    from mnuts_core.functional.transform import layer_norm, transform_logits
    from mnuts_core.models.specs import LoadedModel, load_model
    from mnuts_core.params import IDENTITY, LN_ONLY, MixParams
    from mnuts_core.pipeline.attack_run import Run
    from mnuts_core.pipeline.build import build_bundle
    from mnuts_core.pipeline.refine import refine
    from mnuts_core.pipeline.verified import Verified
    from mnuts_core.pipeline.verify import evaluate
    from mnuts_core.remix.answers import Remix
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.search.algorithm1 import grid_search
    from mnuts_core.search.direct import direct_search
    from mnuts_core.search.frontier import beta_frontier
    from mnuts_core.search.grids import GridSpec
    from mnuts_core.search.result import GridSearchResult
    from mnuts_core.views.paired import mix_pairs, verified_pair
    from mnuts_core.views.tradeoff import alpha_curve

_HOME = {
    "ablate": "mnuts_core.ablations",
    "MinimumMargin": "mnuts_core.attacks.base",
    "minimum_margin_attack": "mnuts_core.attacks.mmaa",
    "Mmaa": "mnuts_core.attacks.mmaa",
    "Plan": "mnuts_core.attacks.plan",
    "PoolPlan": "mnuts_core.attacks.pool_plan",
    "Square": "mnuts_core.attacks.square",
    "square_margin_attack": "mnuts_core.attacks.square",
    "LogitBundle": "mnuts_core.bundles.bundle",
    "import_logits": "mnuts_core.bundles.importers",
    "all_bundles": "mnuts_core.bundles.library",
    "load_bundle": "mnuts_core.bundles.named",
    "paper_table": "mnuts_core.bundles.paper",
    "CLAMPS": "mnuts_core.clamps",
    "LoadedData": "mnuts_core.datasets.base",
    "load_data": "mnuts_core.datasets.specs",
    "NaiveMix": "mnuts_core.demo.naive_mix",
    "BundleError": "mnuts_core.errors",
    "ConfigError": "mnuts_core.errors",
    "MnutsError": "mnuts_core.errors",
    "ParameterError": "mnuts_core.errors",
    "configs_of": "mnuts_core.export.belonging",
    "MixedClassifier": "mnuts_core.export.classifier",
    "MixConfig": "mnuts_core.export.config",
    "confidence_margin": "mnuts_core.functional.margins",
    "signed_margin": "mnuts_core.functional.margins",
    "mix_probabilities": "mnuts_core.functional.mixing",
    "temperature_scale": "mnuts_core.functional.mixing",
    "Paired": "mnuts_core.functional.paired",
    "PAPER_CASES": "mnuts_core.functional.simplex",
    "Estimate": "mnuts_core.functional.statistics",
    "share_of": "mnuts_core.functional.statistics",
    "layer_norm": "mnuts_core.functional.transform",
    "transform_logits": "mnuts_core.functional.transform",
    "load_model": "mnuts_core.models.specs",
    "LoadedModel": "mnuts_core.models.specs",
    "IDENTITY": "mnuts_core.params",
    "LN_ONLY": "mnuts_core.params",
    "MixParams": "mnuts_core.params",
    "Run": "mnuts_core.pipeline.attack_run",
    "build_bundle": "mnuts_core.pipeline.build",
    "refine": "mnuts_core.pipeline.refine",
    "Verified": "mnuts_core.pipeline.verified",
    "evaluate": "mnuts_core.pipeline.verify",
    "Remix": "mnuts_core.remix.answers",
    "RemixEngine": "mnuts_core.remix.engine",
    "grid_search": "mnuts_core.search.algorithm1",
    "direct_search": "mnuts_core.search.direct",
    "beta_frontier": "mnuts_core.search.frontier",
    "GridSpec": "mnuts_core.search.grids",
    "GridSearchResult": "mnuts_core.search.result",
    "mix_pairs": "mnuts_core.views.paired",
    "verified_pair": "mnuts_core.views.paired",
    "alpha_curve": "mnuts_core.views.tradeoff",
}
"""Where each public name lives; its module loads when it is first used, so `mnuts --help` needs no torch."""

__all__ = [
    "CLAMPS",
    "IDENTITY",
    "LN_ONLY",
    "PAPER_CASES",
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
    "NaiveMix",
    "Paired",
    "ParameterError",
    "Plan",
    "PoolPlan",
    "Remix",
    "RemixEngine",
    "Run",
    "Square",
    "Verified",
    "ablate",
    "all_bundles",
    "alpha_curve",
    "beta_frontier",
    "build_bundle",
    "confidence_margin",
    "configs_of",
    "direct_search",
    "evaluate",
    "grid_search",
    "import_logits",
    "layer_norm",
    "load_bundle",
    "load_data",
    "load_model",
    "minimum_margin_attack",
    "mix_pairs",
    "mix_probabilities",
    "paper_table",
    "refine",
    "share_of",
    "signed_margin",
    "square_margin_attack",
    "temperature_scale",
    "transform_logits",
    "verified_pair",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
