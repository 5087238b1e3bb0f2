"""Several bundles side by side: margins (Fig. 7), best parameters, how these transfer (Table 11, D.5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.functional.statistics import Estimate, columns, median
from mnuts_core.params import LN_ONLY, MixParams
from mnuts_core.remix.engine import BaseFigures, Remix, RemixEngine
from mnuts_core.search.result import GridSearchResult

if TYPE_CHECKING:
    import pandas as pd

AlphaFrom = Literal["target", "source"]
"""Where α comes from when parameters go to another bundle, see `transfer_matrix`."""
AttackKind = Literal["white box", "black box", "not recorded", "none"]


class Medians(NamedTuple):
    """One classifier's four median margins (Fig. 7); the attacked ones are None without an attacked part."""

    clean_right: Estimate
    clean_wrong: Estimate
    attacked_right: Estimate | None = None
    attacked_wrong: Estimate | None = None

    @property
    def gap(self) -> float:
        """The margin gap of Fig. 6 and 7: attacked right minus clean wrong; NaN if either is missing."""
        return math.nan if self.attacked_right is None else self.attacked_right.value - self.clean_wrong.value


class Summary(NamedTuple):
    """What a bundle's figures rest on.

    Attributes:
        data: Data set and part.
        classes: K.
        std_model, rob_model: Their specs.
        threat: Norm and ε; empty if not recorded.
        attack: The attack's name as recorded; empty if there is none.
        budget: Its steps, targets or queries, as far as recorded.
        kind: Whether gradients were used (MMAA: white box) or queries only (Square: black box).
        n_clean, n_adv: How many images.
        base: Accuracies of the two models by themselves.
    """

    data: str
    classes: int
    std_model: str
    rob_model: str
    threat: str
    attack: str
    budget: str
    kind: AttackKind
    n_clean: int
    n_adv: int
    base: BaseFigures


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
        clean, margin_bound, transfer: The mix on the target; the latter two None without an attacked part.
        clean_loss, margin_bound_loss, transfer_loss: The target's own best minus this, as shares: positive
            where the borrowed parameters are worse; None where the target has no own best.
        warnings: What puts the figures in doubt.
        refused: Why there are no figures, in one line.
    """

    source: str
    target: str
    params: MixParams | None = None
    clean: Estimate | None = None
    margin_bound: Estimate | None = None
    transfer: Estimate | None = None
    clean_loss: float | None = None
    margin_bound_loss: float | None = None
    transfer_loss: float | None = None
    warnings: tuple[str, ...] = ()
    refused: str | None = None


def margin_medians(engine: RemixEngine, params: MixParams | None = None) -> dict[str, Medians]:
    """Median margins of g, h, LN∘h and, with parameters, M(h) (Fig. 7; there LN∘h only).

    Right and wrong are each classifier's own: g's for g, M(h)'s for M(h).

    Args:
        engine: The engine of a bundle.
        params: The transform of M(h), or None to leave it out.
    """
    labels = engine.labels.cpu().numpy()
    std_right = engine.std_class.cpu().numpy() == labels
    normed = engine.margins(LN_ONLY).margin.double().cpu().numpy()
    medians = {
        "g": _groups(engine, engine.std_margins(), std_right),
        "h": _groups(engine, engine.raw_margins(), engine.rob_right),
        "LN h": _groups(engine, normed, engine.rob_right),
    }
    if params is not None:
        right = engine.right(params).cpu().numpy()
        medians["M(h)"] = _groups(engine, engine.margins(params).margin.double().cpu().numpy(), right)
    return medians


def _groups(engine: RemixEngine, margins: NDArray[np.float64], right: NDArray[np.bool_]) -> Medians:
    n = engine.n_clean
    parts = [slice(0, n), slice(n, None)] if engine.bundle.n_adv else [slice(0, n)]
    return Medians(*(median(margins[part][mask[part]]) for part in parts for mask in (right, ~right)))


def summary(engine: RemixEngine) -> Summary:
    """What a bundle's figures rest on."""
    bundle, card = engine.bundle, engine.bundle.manifest
    return Summary(
        data=" ".join(filter(None, [card.data.name, card.data.split])),
        classes=bundle.num_classes,
        std_model=card.std_model.spec,
        rob_model=card.rob_model.spec,
        threat=str(card.threat or ""),
        attack=card.attack.name if card.attack and bundle.n_adv else "",
        budget=_budget(bundle),
        kind=attack_kind(bundle),
        n_clean=bundle.n_clean,
        n_adv=bundle.n_adv,
        base=engine.base,
    )


def attack_kind(bundle: LogitBundle) -> AttackKind:
    """Whether the bundle's attack used gradients, by the budget that its manifest records."""
    if not bundle.n_adv:
        return "none"
    card = bundle.manifest.attack
    if card is None or (card.n_queries is None and card.n_iter is None):
        return "not recorded"
    return "white box" if card.n_queries is None else "black box"


def _budget(bundle: LogitBundle) -> str:
    card = bundle.manifest.attack
    if not bundle.n_adv or card is None:
        return ""
    counts = {"steps": card.n_iter, "targets": card.n_targets, "queries": card.n_queries}
    return ", ".join(f"{count:,} {unit}" for unit, count in counts.items() if count is not None)


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
    pairs = list(product(sources, engines))
    cells = []
    for number, (source, target) in enumerate(pairs, 1):
        params = best[source] if alpha == "source" else best[source].with_(alpha=None)
        cells.append(_transfer(source, target, engines[target], params, own.get(target)))
        if progress is not None:
            progress(number / len(pairs))
    return tuple(cells)


def _transfer(
    source: str, target: str, engine: RemixEngine, params: MixParams, own: Remix | None
) -> Transfer:
    try:
        remix = own if own is not None and source == target else engine.remix(params)
    except MnutsError as error:
        return Transfer(source, target, refused=str(error))
    return Transfer(
        source,
        target,
        params=remix.params,
        clean=remix.clean,
        margin_bound=remix.margin_bound,
        transfer=remix.transfer,
        clean_loss=_loss("clean", own, remix),
        margin_bound_loss=_loss("margin_bound", own, remix),
        transfer_loss=_loss("transfer", own, remix),
        warnings=remix.warnings,
    )


def _loss(figure: str, own: Remix | None, remix: Remix) -> float | None:
    """By how much a figure falls short of the target's own best; None where either is missing."""
    best: Estimate | None = getattr(own, figure, None)
    ours: Estimate | None = getattr(remix, figure)
    return None if best is None or ours is None else (best.successes - ours.successes) / best.n


def doubts(bundles: Mapping[str, LogitBundle]) -> tuple[str, ...]:
    """What makes several bundles' figures not directly comparable, one sentence each.

    Args:
        bundles: The bundles by name.
    """
    told = [
        f"{what}: {_grouped(values)}. {meaning}"
        for what, values, meaning in (
            (
                "Numbers of classes differ",
                {name: f"{bundle.num_classes}" for name, bundle in bundles.items()},
                "Margins shrink with the number of classes, so best parameters need not carry over.",
            ),
            (
                "Threat models differ",
                {name: f"{bundle.manifest.threat or 'not recorded'}" for name, bundle in bundles.items()},
                "Figures under attack compare within a bundle, not across.",
            ),
            (
                "Attacks differ",
                {name: attack_kind(bundle) for name, bundle in bundles.items() if bundle.n_adv},
                "A weaker attack leaves larger margins: figures under attack then read too high.",
            ),
            (
                "Images differ",
                {name: bundle.manifest.data.name for name, bundle in bundles.items()},
                "Accuracies compare within a data set.",
            ),
        )
        if len(set(values.values())) > 1
    ]
    first: dict[str, str] = {}
    for name, bundle in bundles.items():
        if (twin := first.setdefault(bundle.digest, name)) != name:
            told.append(f"{twin} and {name} hold the very same numbers.")
    return tuple(told)


def _grouped(values: Mapping[str, str]) -> str:
    """Names by their value, such as `10 (digits, cifar10); 100 (cifar100)`."""
    names: dict[str, list[str]] = {}
    for name, value in values.items():
        names.setdefault(value, []).append(name)
    return "; ".join(f"{value} ({', '.join(members)})" for value, members in names.items())


def summaries_frame(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """One row a bundle: data, models, threat, attack, and the base models' accuracies with n and interval."""
    rows = []
    for name, made in summaries.items():
        row: dict[str, Any] = {"bundle": name} | made._asdict()
        base = row.pop("base")
        for field in ("std_clean", "rob_clean", "rob_attacked"):
            row |= columns(field, getattr(base, field))
        rows.append(row)
    return _frame(rows)


def medians_frame(medians: Mapping[str, Mapping[str, Medians]]) -> pd.DataFrame:
    """One row a bundle, classifier and group: median margin, 95 % interval, n, and the classifier's gap.

    Args:
        medians: `margin_medians` by the bundle's name.
    """
    rows = []
    for name, classifiers in medians.items():
        for classifier, groups in classifiers.items():
            for group, figure in groups._asdict().items():
                if figure is not None:
                    images, predicted = group.split("_")
                    row = {"bundle": name, "classifier": classifier, "images": images, "predicted": predicted}
                    row |= {"median": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
                    rows.append(row | {"gap": groups.gap})
    return _frame(rows)


def best_frame(best: Mapping[str, Best]) -> pd.DataFrame:
    """One row a bundle: its best s, p, c, clamp, ln_k, β and α, with the objective and what it rests on."""
    keys = ("s", "p", "c", "clamp", "ln_k", "beta", "alpha")
    return _frame(
        [
            {"bundle": name}
            | {key: getattr(found.params, key) for key in keys}
            | {"quantile": found.quantile, "objective": found.objective, "n_wrong": found.n_wrong}
            | {"n_right": found.n_right, "ties": found.ties, "warnings": "; ".join(found.warnings)}
            for name, found in best.items()
        ]
    )


def transfers_frame(cells: Sequence[Transfer]) -> pd.DataFrame:
    """One row a pair: α in force, each figure with n and interval, and its loss, in shares."""
    rows = []
    for cell in cells:
        row: dict[str, Any] = {"parameters_of": cell.source, "used_on": cell.target}
        row["alpha"] = None if cell.params is None else cell.params.alpha
        for field in ("clean", "margin_bound", "transfer"):
            row |= columns(field, getattr(cell, field))
            row[f"{field}_loss"] = getattr(cell, f"{field}_loss")
        rows.append(row | {"warnings": "; ".join(cell.warnings), "refused": cell.refused or ""})
    return _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
