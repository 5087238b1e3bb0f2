"""MixedNUTS (Bai et al., TMLR 2024): transform, mix, search and attack, without widgets or figures.

Data flows one way: models and data sets → build → bundle → remix, search, trade-off → views.
The paper's equations and appendices are cited by their numbers throughout.
"""

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.bundle import LogitBundle
from mnuts_core.config import MixConfig
from mnuts_core.errors import BundleError, ConfigError, MnutsError, ParameterError
from mnuts_core.estimates import Estimate
from mnuts_core.grids import GridSpec
from mnuts_core.margins import confidence_margin, signed_margin
from mnuts_core.mixing import MixedClassifier, mix_probabilities, temperature_scale
from mnuts_core.params import MixParams
from mnuts_core.remix import Remix, RemixEngine
from mnuts_core.search import GridSearchResult, beta_frontier, grid_search
from mnuts_core.tradeoff import alpha_curve
from mnuts_core.transform import layer_norm, transform_logits

__all__ = [
    "BundleError",
    "ConfigError",
    "Estimate",
    "GridSearchResult",
    "GridSpec",
    "LogitBundle",
    "MixConfig",
    "MixParams",
    "MixedClassifier",
    "MnutsError",
    "ParameterError",
    "Remix",
    "RemixEngine",
    "alpha_curve",
    "beta_frontier",
    "confidence_margin",
    "grid_search",
    "layer_norm",
    "minimum_margin_attack",
    "mix_probabilities",
    "signed_margin",
    "temperature_scale",
    "transform_logits",
]
