"""Algorithm 1: the grid search for (s, p, c), with α from the level β.

The search returns its whole table; choosing from it is a separate function with a stated tie-break.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.bundle import LogitBundle
from mnuts_core.devices import one_thread, resolve_device
from mnuts_core.errors import ParameterError
from mnuts_core.grids import GridSpec
from mnuts_core.params import LN_K_DEFAULT, PARAMS, Clamp, MixParams, check_clamp, check_ln_k
from mnuts_core.quantiles import QuantileMethod, check_method, margin_quantile
from mnuts_core.stages import StagedTransform

if TYPE_CHECKING:
    import pandas as pd

CleanRows = Literal["attacked", "all"]

SATURATED = 1.0 - 3e-6
"""A quantile above this leaves margins that float64 can no longer tell apart (the paper's code warns)."""
UNRESOLVED = 1e-12
"""A quantile below this gives an α that float64 hardly tells from 1: such cells are not trusted either."""
RESOLUTION = 2.0**-53
"""Margins below this are 0: probabilities near each other in float64 do not differ by less, and no α < 1
could make use of them."""
HIGHEST_QUANTILE = 1.0 - 1e-9
"""The objective compares with at most this, as the paper's code does."""
MILD = (1e-3, 0.95)
"""Quantiles in here give an α that is neither 1/2 nor 1 in effect."""

TABLES = (
    "objective",
    "quantile",
    "alpha",
    "saturated",
    "accuracy_loss",
    "clean_changes",
    "attacked_changes",
)
"""Names of the result's tables."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Attributes:
        index: Place in the tables, (s, p, c).
        params: The parameters, α filled in.
        objective: Share of wrong clean examples that keep a margin ≥ quantile (lower is better).
        quantile: q, the (1-β)-quantile of the attacked margins; α = 1/(1+q).
    """

    index: tuple[int, int, int]
    params: MixParams
    objective: float
    quantile: float


@dataclass(frozen=True, eq=False)
class GridSearchResult:
    """The whole table of Algorithm 1; all tables have shape `(len(s), len(p), len(c))`.

    Attributes:
        grid: The candidates.
        beta: The level.
        clamp, ln_k, conditional, quantile_method, clean, max_accuracy_loss: As asked for.
        objective: Line 10 of Algorithm 1, in [0, 1].
        quantile: Line 9, q.
        alpha: 1/(1+q) (line 15).
        saturated: Where q > 1 - 3e-6 or q < 1e-12: float64 saturates, such cells are not trusted.
        accuracy_loss: How much accuracy M(h) has lost against h, the larger of clean and attacked,
            as a share (negative: a gain).
        clean_changes, attacked_changes: Share of examples whose prediction M changes (Assumption 4.2).
        n_clean: Clean examples that the search saw; n_wrong of them enter the objective.
        n_wrong: See n_clean.
        n_attacked: Attacked examples; n_right of them give the quantile.
        n_right: See n_attacked.
        margins: Sorted margins of every cell, from which any other β is had.
    """

    grid: GridSpec
    beta: float
    clamp: Clamp
    ln_k: int
    conditional: bool
    quantile_method: QuantileMethod
    clean: CleanRows
    max_accuracy_loss: float | None
    objective: Array
    quantile: Array
    alpha: Array
    saturated: NDArray[np.bool_]
    accuracy_loss: Array
    clean_changes: Array
    attacked_changes: Array
    n_clean: int
    n_wrong: int
    n_attacked: int
    n_right: int
    margins: CellMargins = field(repr=False)

    @cached_property
    def _choice(self) -> tuple[tuple[int, int, int], tuple[str, ...]]:
        return choose(self)

    @cached_property
    def best(self) -> Cell:
        """The chosen cell (see `choose`)."""
        return self.cell(self._choice[0])

    @cached_property
    def ties(self) -> tuple[Cell, ...]:
        """All cells to choose from whose objective equals the best one's: the chosen one, then the milder."""
        chosen = self.best.index
        equal = _allowed(self) & (self.objective == self.objective[chosen])
        places = (_place(index) for index in np.argwhere(equal).tolist())
        others = sorted((i for i in places if i != chosen), key=lambda i: _mildness(self, i))
        return (self.best, *(self.cell(i) for i in others))

    @cached_property
    def edges(self) -> dict[str, str]:
        """For each of s, p, c at whose grid's end the best cell sits: "low" or "high"."""
        return _edges(self.grid, self.best.index)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the result must know, one line each."""
        if not self.edges:
            return self._choice[1]
        where = ", ".join(f"{axis} at its {end} end" for axis, end in self.edges.items())
        return (*self._choice[1], f"the optimum sits on the grid's edge ({where}): widen the grid")

    def cell(self, index: tuple[int, int, int]) -> Cell:
        """The cell at a place in the tables."""
        i, j, k = index
        params = MixParams(
            s=float(self.grid.s[i]),
            p=float(self.grid.p[j]),
            c=float(self.grid.c[k]),
            clamp=self.clamp,
            ln_k=self.ln_k,
            beta=self.beta,
            alpha=float(self.alpha[index]),
        )
        return Cell((i, j, k), params, float(self.objective[index]), float(self.quantile[index]))

    @property
    def admissible(self) -> NDArray[np.bool_]:
        """Cells that are neither saturated nor cost the robust model too much accuracy."""
        limit = np.inf if self.max_accuracy_loss is None else self.max_accuracy_loss + 1e-12
        return np.asarray(~self.saturated & (self.accuracy_loss <= limit))

    def widened_grid(self) -> GridSpec:
        """The grid to search next when the optimum sits on an edge."""
        return self.grid.widened(self.edges)

    def at_beta(self, beta: float) -> GridSearchResult:
        """The same search at another β, from the margins at hand."""
        beta = PARAMS["beta"].check(beta)
        objective, quantile = self.margins.table(np.array([beta]), self.quantile_method)
        return replace(self, **_tables(beta, objective[..., 0], quantile[..., 0]))

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: s, p, c, objective, quantile, alpha, saturated, accuracy_loss, ..."""
        import pandas as pd

        s, p, c = np.meshgrid(self.grid.s, self.grid.p, self.grid.c, indexing="ij")
        tables = {"s": s, "p": p, "c": c}
        names = [
            "objective",
            "quantile",
            "alpha",
            "saturated",
            "accuracy_loss",
            "clean_changes",
            "attacked_changes",
        ]
        tables |= {name: getattr(self, name) for name in names}
        return pd.DataFrame({name: table.ravel() for name, table in tables.items()})


@dataclass(frozen=True, eq=False)
class CellMargins:
    """Margins of M(h) in every cell, sorted: what any β needs.

    Attributes:
        attacked: At the MMAA points that LN∘h gets right, shape (s, p, c, n_right), ascending.
        wrong: On the clean examples that LN∘h gets wrong, shape (s, p, c, n_wrong), ascending.
    """

    attacked: Array
    wrong: Array

    def table(self, betas: Array, method: QuantileMethod) -> tuple[Array, Array]:
        """Objective and quantile of every cell at every β, both of shape (s, p, c, len(betas))."""
        quantile = margin_quantile(self.attacked, betas, method)
        cutoff = np.minimum(quantile, HIGHEST_QUANTILE)
        n = self.wrong.shape[-1]
        below = np.empty(quantile.shape, np.int64)
        for index in np.ndindex(quantile.shape[:3]):
            below[index] = np.searchsorted(self.wrong[index], cutoff[index], side="left")
        return 1.0 - below / n, quantile


def grid_search(
    bundle: LogitBundle,
    grid: GridSpec,
    beta: float = PARAMS["beta"].default,
    *,
    clamp: Clamp = "gelu",
    ln_k: int = LN_K_DEFAULT,
    conditional: bool = False,
    quantile: QuantileMethod = "linear",
    clean: CleanRows = "attacked",
    max_accuracy_loss: float | None = 0.001,
    device: str | torch.device = "auto",
    progress: Callable[[float], None] | None = None,
) -> GridSearchResult:
    """Algorithm 1: for every (s, p, c) of the grid the quantile q and the objective, and the best cell.

    Args:
        bundle: Cached logits, with an attacked part.
        grid: The candidates.
        beta: Level β in [0, 1] (Eq. 7).
        clamp: Clamping function.
        ln_k: Layer norm over the ln_k largest logits.
        conditional: Take the objective among the wrong clean examples that g gets right (D.8.3).
        quantile: `linear` as the paper's code, or `lower`, which never undercuts β.
        clean: `attacked` uses the clean logits of the attacked rows and leaves the others unseen
            (Table 8); `all` uses every clean row.
        max_accuracy_loss: Leave out cells in which M costs the robust model more than this share of its
            accuracy, clean or attacked (0.001 = 0.1 points); None for the paper's plain rule.
        device: Where to compute.
        progress: Called with the share done, in (0, 1].

    Returns:
        The whole table, with the best cell chosen by `choose`.

    Raises:
        BundleError: If the bundle has no attacked part.
        ParameterError: If a parameter is wrong, or there is nothing to optimise on: no clean example
            that h gets wrong, or no attacked one that it gets right.
    """
    beta, check = PARAMS["beta"].check(beta), check_method(quantile)
    check_clamp(clamp), check_ln_k(ln_k)
    if max_accuracy_loss is not None and not 0 <= max_accuracy_loss <= 1:
        raise ParameterError(f"max_accuracy_loss must lie in [0, 1] or be None, got {max_accuracy_loss!r}")
    rows = _select(bundle, clean, conditional)
    where = resolve_device(device)
    with one_thread():
        margins = _visit(rows, grid, clamp, ln_k, where, progress)
        changes = _changes(rows, grid, clamp, ln_k, where)
    objective, q = margins.table(np.array([beta]), check)
    full = np.broadcast_to
    return GridSearchResult(
        grid=grid,
        clamp=clamp,
        ln_k=ln_k,
        conditional=conditional,
        quantile_method=quantile,
        clean=clean,
        max_accuracy_loss=max_accuracy_loss,
        accuracy_loss=full(changes.loss, grid.shape),
        clean_changes=full(changes.clean_changes, grid.shape),
        attacked_changes=full(changes.attacked_changes, grid.shape),
        n_clean=rows.n_clean,
        n_wrong=len(rows.wrong_rows),
        n_attacked=bundle.n_adv,
        n_right=len(rows.right_rows),
        margins=margins,
        **_tables(beta, objective[..., 0], q[..., 0]),
    )


def choose(result: GridSearchResult) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """The best cell of a table, deterministically, and what to warn of.

    Among admissible cells (unsaturated, no undue loss of accuracy) within one example of the smallest
    objective, those with q in [1e-3, 0.95] come first, then the smaller objective, then the milder
    numbers: q nearest to 0.3, smaller p, s nearest to 1, c nearest to 0. With `max_accuracy_loss=None`
    the paper's rule: the smallest objective of all cells; only exact ties go by mildness.
    """
    notes: list[str] = []
    plain, allowed = result.max_accuracy_loss is None, _allowed(result)
    left_out = int((~result.admissible & ~result.saturated).sum())
    if not plain and not result.admissible.any():
        notes.append("no cell meets max_accuracy_loss: the best of the others is shown, which costs accuracy")
    elif not plain and left_out:
        notes.append(
            f"{left_out} of {allowed.size} cells left out: M costs the robust model more than "
            f"{100 * (result.max_accuracy_loss or 0):g} points of accuracy there"
        )
    if flagged := int(result.saturated.sum()):
        notes.append(f"{flagged} of {allowed.size} cells are saturated (q > 1 - 3e-6 or q < 1e-12)")
    least = result.objective[allowed].min()
    slack = 0.0 if plain else 1.0 / result.n_wrong
    near = [
        _place(index) for index in np.argwhere(allowed & (result.objective <= least + slack + 1e-12)).tolist()
    ]
    if not plain:
        near = [i for i in near if MILD[0] <= result.quantile[i] <= MILD[1]] or near
    least = min(result.objective[index] for index in near)
    best = min(
        (index for index in near if result.objective[index] == least), key=lambda i: _mildness(result, i)
    )
    if not MILD[0] <= result.quantile[best] <= MILD[1]:
        notes.append(f"q = {result.quantile[best]:.3g} is extreme: α = {result.alpha[best]:.8f}")
    return best, tuple(notes)


def beta_grid(n: int = 200) -> Array:
    """N levels β from 0 to 1, denser towards 1, where the interesting ones are."""
    return 1.0 - np.linspace(1.0, 0.0, n) ** 2


@dataclass(frozen=True, eq=False)
class BetaFrontier:
    """The best cell for every β.

    Attributes:
        beta: Levels, ascending, shape (b,).
        objective: The chosen cell's objective, shape (b,).
        quantile: Its q, shape (b,).
        alpha: Its α, shape (b,).
        index: Its place in the tables, int64, shape (b, 3).
        params: Its parameters, α filled in, b of them.
    """

    beta: Array
    objective: Array
    quantile: Array
    alpha: Array
    index: NDArray[np.int64]
    params: tuple[MixParams, ...]


def beta_frontier(result: GridSearchResult, betas: Array | None = None) -> BetaFrontier:
    """The best cell at every β at once, from a finished search (section 5.1: re-running is marginal).

    Args:
        result: A finished search, at any β.
        betas: Levels in [0, 1]; `beta_grid()` if None.

    Raises:
        ParameterError: If a level lies outside [0, 1].
    """
    betas = beta_grid() if betas is None else np.sort(np.atleast_1d(np.asarray(betas, np.float64)))
    for beta in betas:
        PARAMS["beta"].check(float(beta))
    objective, quantile = result.margins.table(betas, result.quantile_method)
    cells = []
    for place, beta in enumerate(betas):
        tables = _tables(float(beta), objective[..., place], quantile[..., place])
        cells.append(replace(result, **tables).best)
    return BetaFrontier(
        beta=betas,
        objective=np.array([cell.objective for cell in cells]),
        quantile=np.array([cell.quantile for cell in cells]),
        alpha=np.array([cell.params.alpha for cell in cells]),
        index=np.array([cell.index for cell in cells]),
        params=tuple(cell.params for cell in cells),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that a search sees: clean ones first, then the attacked ones."""

    logits: Array
    labels: NDArray[np.int64]
    n_clean: int
    wrong_rows: NDArray[np.int64]
    right_rows: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Changes:
    """What M does to predictions, per value of c: nothing else matters to them."""

    loss: Array
    clean_changes: Array
    attacked_changes: Array


def _select(bundle: LogitBundle, clean: CleanRows, conditional: bool) -> _Rows:
    if clean not in ("attacked", "all"):
        raise ParameterError(f"clean must be 'attacked' or 'all', got {clean!r}")
    attacked = bundle.require_attacked()
    assert attacked.adv_index is not None  # for the type checker
    assert attacked.adv_rob_logits is not None
    chosen = attacked.adv_index if clean == "attacked" else np.arange(bundle.n_clean)
    clean_logits, clean_labels = bundle.clean_rob_logits[chosen], bundle.clean_labels[chosen]
    wrong = clean_logits.argmax(axis=1) != clean_labels
    if conditional:
        wrong &= bundle.clean_std_logits[chosen].argmax(axis=1) == clean_labels
    right = attacked.adv_rob_logits.argmax(axis=1) == bundle.adv_labels
    if not wrong.any():
        also = " among those that the standard model gets right" if conditional else ""
        raise ParameterError(
            f"the robust model gets none of the {len(chosen)} clean examples wrong{also}: there is nothing "
            "to optimise; use clean='all' or more images"
        )
    if not right.any():
        raise ParameterError(
            f"the robust model gets none of the {bundle.n_adv} attacked examples right: no margin to keep"
        )
    logits = np.concatenate([clean_logits, attacked.adv_rob_logits]).astype(np.float64, copy=False)
    labels = np.concatenate([clean_labels, bundle.adv_labels])
    return _Rows(logits, labels, len(chosen), np.flatnonzero(wrong), len(chosen) + np.flatnonzero(right))


def _visit(
    rows: _Rows,
    grid: GridSpec,
    clamp: Clamp,
    ln_k: int,
    device: torch.device,
    progress: Callable[[float], None] | None,
) -> CellMargins:
    """Margins in every cell, slowest stage outermost: c, then p, then s."""
    counted = np.concatenate([rows.right_rows, rows.wrong_rows])
    stages = _stages(rows, counted, device)
    n_right = len(rows.right_rows)
    margins = CellMargins(
        attacked=np.empty((*grid.shape, n_right)), wrong=np.empty((*grid.shape, len(counted) - n_right))
    )
    for k, c in enumerate(grid.c.tolist()):
        for j, p in enumerate(grid.p.tolist()):
            for i, s in enumerate(grid.s.tolist()):
                margin = stages.margins(ln_k, c, clamp, p, s).margin.cpu().numpy()
                margin = np.where(margin < RESOLUTION, 0.0, margin)
                margins.attacked[i, j, k] = np.sort(margin[:n_right])
                margins.wrong[i, j, k] = np.sort(margin[n_right:])
            if progress is not None:
                progress((k * len(grid.p) + j + 1) / (len(grid.c) * len(grid.p)))
    return margins


def _changes(rows: _Rows, grid: GridSpec, clamp: Clamp, ln_k: int, device: torch.device) -> _Changes:
    stages = _stages(rows, np.arange(len(rows.labels)), device)
    plain = stages.plain_class.cpu().numpy()
    transformed = np.stack([stages.top_class(ln_k, c, clamp).cpu().numpy() for c in grid.c.tolist()])
    clean, attacked = slice(0, rows.n_clean), slice(rows.n_clean, None)
    lost = (plain == rows.labels).astype(np.int64) - (transformed == rows.labels)
    changed = transformed != plain
    loss = np.maximum(lost[:, clean].mean(axis=1), lost[:, attacked].mean(axis=1))
    return _Changes(loss, changed[:, clean].mean(axis=1), changed[:, attacked].mean(axis=1))


def _stages(rows: _Rows, chosen: NDArray[np.int64], device: torch.device) -> StagedTransform:
    nothing = torch.empty((len(chosen), 0), dtype=torch.int64)
    return StagedTransform(torch.from_numpy(rows.logits[chosen]), nothing, device=device)


def _tables(beta: float, objective: Array, quantile: Array) -> dict[str, Any]:
    return {
        "beta": beta,
        "objective": objective,
        "quantile": quantile,
        "alpha": 1.0 / (1.0 + quantile),
        "saturated": (quantile > SATURATED) | (quantile < UNRESOLVED),
    }


def _allowed(result: GridSearchResult) -> NDArray[np.bool_]:
    """Cells to choose from: the admissible ones; if there are none the unsaturated, if none all."""
    everything = np.ones(result.grid.shape, bool)
    if result.max_accuracy_loss is None:
        return everything
    for mask in (result.admissible, ~result.saturated):
        if mask.any():
            return mask
    return everything


def _place(index: list[int]) -> tuple[int, int, int]:
    i, j, k = index
    return i, j, k


def _mildness(result: GridSearchResult, index: tuple[int, int, int]) -> tuple[float, ...]:
    """Smaller is milder; the index last, so that the order is total."""
    q = max(float(result.quantile[index]), 1e-300)
    i, j, k = index
    s, p, c = float(result.grid.s[i]), float(result.grid.p[j]), float(result.grid.c[k])
    return (round(abs(math.log(q / 0.3)), 9), p, abs(math.log(s)), abs(c), *index)


def _edges(grid: GridSpec, index: tuple[int, int, int]) -> dict[str, str]:
    """Which of s, p, c sits at an end of its range; an axis of one value has no ends."""
    return {
        axis: "low" if place == 0 else "high"
        for (axis, values), place in zip(grid.axes().items(), index, strict=True)
        if len(values) > 1 and place in (0, len(values) - 1)
    }
