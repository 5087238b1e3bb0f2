"""The paper's figures and tables about MixedNUTS itself, as functions from a bundle to a data frame.

The list here loads nothing; each function's module loads when it is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mnuts_core.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from mnuts_core.bundles.bundle import LogitBundle


class Ablation(NamedTuple):
    """One of them.

    Attributes:
        name: What `find_ablation` takes; also the function's name.
        where: Figure, table or section of the paper.
        title: What it shows.
        module: Where its function is, inside this package.
        options: Names of the function's keyword arguments.
        printed: Which of `paper_table`'s tables holds the paper's own numbers, if one does.
    """

    name: str
    where: str
    title: str
    module: str
    options: tuple[str, ...]
    printed: str | None = None

    @property
    def function(self) -> Callable[..., pd.DataFrame]:
        """The function itself."""
        found: Callable[..., pd.DataFrame] = getattr(
            importlib.import_module(f"{__name__}.{self.module}"), self.name
        )
        return found


_SEARCH = ("beta", "grid")
_CHOSEN = (*_SEARCH, "params")
_ATTACK = ("models", "data", "n", "n_iter", "seed", "batch_size", "device", "progress")
_ALL = (
    Ablation(
        "fig6", "Fig. 6", "median margins and the margin gap of g, h, LN h, M(h)", "margins", _CHOSEN, "fig06"
    ),
    Ablation(
        "fig7", "Fig. 7", "median margins after layer norm, model by model", "margins", ("others",), "fig07"
    ),
    Ablation("fig8", "Fig. 8", "trade-off curves of Mixed and MixedNUTS", "curves", _CHOSEN, "fig08"),
    Ablation("fig9", "Fig. 9, D.1", "the objective over the grid of s, p, c", "transforms", _SEARCH, "fig09"),
    Ablation(
        "table4", "Table 4", "what the transform does to h's accuracy", "transforms", _CHOSEN, "table04"
    ),
    Ablation("table7", "Table 7, D.2", "clamping functions", "transforms", (*_SEARCH, "widen"), "table07"),
    Ablation(
        "table8",
        "Table 8, D.3",
        "images seen and not seen by Algorithm 1",
        "images",
        (*_SEARCH, "n_optimised", "seed"),
        "table08",
    ),
    Ablation(
        "table9",
        "Table 9, D.3",
        "how many images Algorithm 1 sees",
        "images",
        (*_SEARCH, "sizes", "repeats", "seed"),
        "table09",
    ),
    Ablation(
        "table10", "Table 10, D.4", "temperature of g at equal clean accuracy", "curves", _CHOSEN, "table10"
    ),
    Ablation(
        "d9",
        "D.9",
        "MMAA on M(s, p, c)∘h instead of LN∘h: how good the surrogate is (attacks the models)",
        "surrogate",
        (*_SEARCH, *_ATTACK),
    ),
    Ablation(
        "pool",
        "beyond the paper",
        "live figures of mixes new to the pool, against their own attacks (attacks the models)",
        "pool",
        ("grid", "mixes", "n_targets", "components", "channels_last", "work_dir", *_ATTACK),
    ),
    Ablation(
        "promise",
        "D.9",
        "what β promises by MMAA's points alone and by the whole pool, and what the pool leaves of it",
        "promise",
        _SEARCH,
    ),
)

ABLATIONS: Mapping[str, Ablation] = MappingProxyType({ablation.name: ablation for ablation in _ALL})
"""All of them by name."""


def find_ablation(name: str) -> Ablation:
    """The ablation of that name.

    Raises:
        ParameterError: If there is none; the message lists the names.

    Example:
        >>> find_ablation("table7").where
        'Table 7, D.2'
    """
    if name not in ABLATIONS:
        raise ParameterError(f"the ablation must be one of {', '.join(ABLATIONS)}, got {name!r}")
    return ABLATIONS[name]


def ablate(name: str, bundle: LogitBundle, **options: Any) -> pd.DataFrame:
    """One of the paper's figures and tables about MixedNUTS itself, on a bundle.

    Args:
        name: See `ABLATIONS`.
        bundle: The bundle.
        options: What its function takes beside it.

    Raises:
        ParameterError: If there is none of that name, or an option is out of range.
    """
    return find_ablation(name).function(bundle, **options)
