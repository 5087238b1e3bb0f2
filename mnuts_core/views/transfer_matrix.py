"""Several bundles' best parameters, and how these do on the other bundles (Table 11, D.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mnuts_core.errors import MnutsError
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate, columns
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views.paired import mix_pairs

if TYPE_CHECKING:
    import pandas as pd

AlphaFrom = Literal["target", "source"]
"""Where α comes from when parameters go to another bundle, see `transfer_matrix`."""
FIGURES = ("clean", "attacked", "by_margin")
_NO_PAIRS: Mapping[str, Paired] = MappingProxyType({})


class Best(NamedTuple):
    """What Algorithm 1 finds for one bundle.

    Attributes:
        params: The best cell's parameters, β and α included.
        quantile: q, from which α = 1/(1+q) follows.
        objective: Share of the n_wrong clean examples that keep a margin ≥ q (lower is better).
        n_wrong: Wrong clean examples that the objective rests on.
        n_right: Attacked examples that the quantile rests on.
        ties: Other cells with the same objective.
        warnings: What puts the choice in doubt.
    """

    params: MixParams
    quantile: float
    objective: float
    n_wrong: int
    n_right: int
    ties: int
    warnings: tuple[str, ...]


class Transfer(NamedTuple):
    """One bundle's best parameters used on another (or the same); figures are None where refused.

    Attributes:
        source: Whose best (s, p, c) it is.
        target: The bundle it is used on.
        params: The parameters in force, α filled in; None where refused.
        clean, attacked, by_margin: The mix on the target; the latter two None without an attacked part.
        to_own: By figure, this mix against the target's own best on the same images; empty where the target
            has no own best.
        to_plain: The same against the plain mix at the same β on the target; empty without an attacked part,
            from which its α would follow.
        warnings: What puts the figures in doubt.
        refused: Why there are no figures, in one line.
    """

    source: str
    target: str
    params: MixParams | None = None
    clean: Estimate | None = None
    attacked: Estimate | None = None
    by_margin: Estimate | None = None
    to_own: Mapping[str, Paired] = _NO_PAIRS
    to_plain: Mapping[str, Paired] = _NO_PAIRS
    warnings: tuple[str, ...] = ()
    refused: str | None = None


def best_of(result: GridSearchResult) -> Best:
    """The best cell of a finished search."""
    cell = result.best
    return Best(
        params=cell.params,
        quantile=cell.quantile,
        objective=cell.objective,
        n_wrong=result.n_wrong,
        n_right=result.n_right,
        ties=len(result.ties) - 1,
        warnings=result.warnings,
    )


def transfer_matrix(
    engines: Mapping[str, RemixEngine],
    best: Mapping[str, MixParams],
    alpha: AlphaFrom = "target",
    progress: Callable[[float], None] | None = None,
) -> tuple[Transfer, ...]:
    """Every bundle's best parameters on every bundle (D.5), sources outermost, in the order of `engines`.

    Args:
        engines: The engine of each bundle, by name.
        best: For each bundle that has one, its best parameters with β and α.
        alpha: `target`: α = 1/(1+q) with q the (1-β)-quantile of M(h)'s margins at the attacked points of
            the bundle they are used on, which therefore needs an attack. `source`: α is carried over with
            s, p and c, so that nothing is measured on the bundle they are used on.
        progress: Called with the share done, in (0, 1].
    """
    sources = [name for name in engines if name in best]
    own = {name: engines[name].remix(best[name].with_(alpha=None)) for name in sources}
    plain = {name: _plain(engine, best[sources[0]].beta) for name, engine in engines.items() if sources}
    pairs = list(product(sources, engines))
    cells = []
    for number, (source, target) in enumerate(pairs, 1):
        params = best[source] if alpha == "source" else best[source].with_(alpha=None)
        cells.append(_transfer(source, target, engines[target], params, (own.get(target), plain[target])))
        if progress is not None:
            progress(number / len(pairs))
    return tuple(cells)


def _plain(engine: RemixEngine, beta: float) -> Remix | None:
    """The mix without a transform at a level; None where no α follows from it."""
    try:
        return engine.remix(IDENTITY.with_(beta=beta))
    except MnutsError:
        return None


def _transfer(
    source: str,
    target: str,
    engine: RemixEngine,
    params: MixParams,
    others: tuple[Remix | None, Remix | None],
) -> Transfer:
    own, plain = others
    try:
        remix = own if own is not None and source == target else engine.remix(params)
    except MnutsError as error:
        return Transfer(source, target, refused=str(error))
    return Transfer(
        source,
        target,
        params=remix.params,
        clean=remix.clean,
        attacked=remix.attacked,
        by_margin=remix.by_margin,
        to_own=_NO_PAIRS if own is None else mix_pairs(remix, own),
        to_plain=_NO_PAIRS if plain is None else mix_pairs(remix, plain),
        warnings=remix.warnings,
    )


def best_frame(best: Mapping[str, Best]) -> pd.DataFrame:
    """One row a bundle: its best s, p, c, clamp, ln_k, β and α, with the objective and what it rests on."""
    import pandas as pd

    keys = ("s", "p", "c", "clamp", "ln_k", "beta", "alpha")
    return pd.DataFrame(
        [
            {"bundle": name}
            | {key: getattr(found.params, key) for key in keys}
            | {"quantile": found.quantile, "objective": found.objective, "n_wrong": found.n_wrong}
            | {"n_right": found.n_right, "ties": found.ties, "warnings": "; ".join(found.warnings)}
            for name, found in best.items()
        ]
    )


def transfers_frame(cells: Sequence[Transfer]) -> pd.DataFrame:
    """One row a pair: α in force, each figure with n and interval, and its paired differences, in shares."""
    import pandas as pd

    rows = []
    for cell in cells:
        row: dict[str, Any] = {"parameters_of": cell.source, "used_on": cell.target}
        row["alpha"] = None if cell.params is None else cell.params.alpha
        for field in FIGURES:
            row |= columns(field, getattr(cell, field))
            for name, pairs in (("to_own", cell.to_own), ("to_plain", cell.to_plain)):
                pair = pairs.get(field)
                row |= columns(f"{field}_{name}", None if pair is None else pair.difference)
        rows.append(row | {"warnings": "; ".join(cell.warnings), "refused": cell.refused or ""})
    return pd.DataFrame(rows)
