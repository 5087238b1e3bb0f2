"""Algorithm 1: the grid search for (s, p, c), with α from the level β."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.clamps import Clamp, check_clamp
from mnuts_core.devices import home_of, one_thread, resolve_device
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.functional.quantiles import QuantileMethod, check_method
from mnuts_core.params import LN_K_DEFAULT, PARAMS, check_ln_k
from mnuts_core.remix.answers import PointRule, check_points
from mnuts_core.remix.engine import MAX_ACCURACY_LOSS
from mnuts_core.search.cell_margins import Array, CellMargins
from mnuts_core.search.changes import prediction_changes
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.kernel import fill_in_threads
from mnuts_core.search.needless import needless_points
from mnuts_core.search.result import CleanRows, GridSearchResult, check_loss, level_tables
from mnuts_core.search.sorted_rows import distinct_rows, normed_rows, sort_classes
from mnuts_core.text import counted

MAX_MARGINS = 2**28
"""So many margins at most (2 GiB) a search may keep; more are refused before anything is computed."""


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
    points: PointRule = "pool",
    max_accuracy_loss: float | None = MAX_ACCURACY_LOSS,
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
        points: `pool`: of each image the least margin over its attacked points, where LN∘h is right at all
            of them; `mmaa`: the first points alone, the paper's rule.
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
    check_loss(max_accuracy_loss)
    if not isinstance(grid, GridSpec):
        raise ParameterError(f"grid must be a GridSpec, such as GridSpec.paper('cifar10'), got {grid!r}")
    rows = _select(bundle, clean, conditional, check_points(points))
    if (kept := grid.size * (len(rows.wrong_rows) + len(rows.right_rows))) > MAX_MARGINS:
        raise ParameterError(
            f"{grid.size:,} cells on these examples make {kept:,} margins, more than {MAX_MARGINS:,}: "
            "coarsen the grid or take fewer examples"
        )
    where = home_of(resolve_device(device))
    with one_thread():
        normed = normed_rows(torch.from_numpy(rows.logits).to(where), ln_k)
    margins = _visit(rows, normed, grid, clamp, progress)
    with one_thread():
        changes = prediction_changes(normed, rows.labels, rows.n_clean, rows.n_images, grid, clamp)
    objective, q = margins.table(np.array([beta]), check)
    full = np.broadcast_to
    return GridSearchResult(
        grid=grid,
        clamp=clamp,
        ln_k=ln_k,
        conditional=conditional,
        quantile_method=quantile,
        clean=clean,
        points=points,
        max_accuracy_loss=max_accuracy_loss,
        accuracy_loss=full(changes.loss, grid.shape),
        clean_changes=full(changes.clean_changes, grid.shape),
        attacked_changes=full(changes.attacked_changes, grid.shape),
        n_clean=rows.n_clean,
        n_wrong=len(rows.wrong_rows),
        n_attacked=bundle.n_adv,
        n_right=len(rows.starts),
        margins=margins,
        **level_tables(beta, objective[..., 0], q[..., 0]),
    )


def searchable(bundle: LogitBundle) -> bool:
    """Whether Algorithm 1 has something to work on.

    That is attacked images that h gets right at all their points, and clean ones that it gets wrong.

    Args:
        bundle: Any bundle.
    """
    try:
        _select(bundle, "attacked", conditional=False, points="pool")
    except (BundleError, ParameterError):
        return False
    return True


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that a search sees: clean ones first, then the attacked ones."""

    logits: Array
    labels: NDArray[np.int64]
    n_clean: int
    n_images: int
    wrong_rows: NDArray[np.int64]
    right_rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    """Among `right_rows`, where the points of each image begin."""


def _select(bundle: LogitBundle, clean: CleanRows, conditional: bool, points: PointRule) -> _Rows:
    if clean not in ("attacked", "all"):
        raise ParameterError(f"clean must be 'attacked' or 'all', got {clean!r}")
    pool = bundle.require_attacked()
    attacked = pool.first if points == "mmaa" else pool
    firsts = pool.index[: pool.n_images]
    chosen = firsts if clean == "attacked" else np.arange(bundle.n_clean)
    clean_logits, clean_labels = bundle.clean_rob_logits[chosen], bundle.clean_labels[chosen]
    wrong = clean_logits.argmax(axis=1) != clean_labels
    if conditional:
        wrong &= bundle.clean_std_logits[chosen].argmax(axis=1) == clean_labels
    fooled = attacked.rob_logits.argmax(axis=1) != attacked.labels
    right = ~at_any_point(fooled, attacked.of, attacked.n_images)[attacked.of]
    if not wrong.any():
        also = " among those that the standard model gets right" if conditional else ""
        raise ParameterError(
            f"the robust model gets none of {counted(len(chosen), 'clean example')} wrong{also}: there is "
            "nothing to optimise; take more images, or search all clean ones (clean='all', mnuts search "
            "--clean all)"
        )
    if not right.any():
        raise ParameterError(
            f"the robust model gets none of {counted(bundle.n_adv, 'attacked example')} right: no margin "
            "to keep"
        )
    logits = np.concatenate([clean_logits, attacked.rob_logits]).astype(np.float64, copy=False)
    labels = np.concatenate([clean_labels, attacked.labels])
    places = np.flatnonzero(right)
    places = places[np.argsort(attacked.of[places], kind="stable")]  # an image's points beside each other
    _, starts = np.unique(attacked.of[places], return_index=True)
    return _Rows(
        logits=logits,
        labels=labels,
        n_clean=len(chosen),
        n_images=pool.n_images,
        wrong_rows=np.flatnonzero(wrong),
        right_rows=len(chosen) + places,
        starts=starts,
    )


def _visit(
    rows: _Rows, normed: Tensor, grid: GridSpec, clamp: Clamp, progress: Callable[[float], None] | None
) -> CellMargins:
    """Margins in every cell; the examples are shared out among threads, which never wait for each other."""
    with one_thread():
        right, of = _deciding(rows, normed, grid, clamp)
        counted = np.concatenate([right, rows.wrong_rows])
        z, which = distinct_rows(normed[counted])
    table = np.empty((*grid.shape, len(counted)))
    fill_in_threads(z, grid, clamp, table[..., : len(z)], progress)
    ranks = [which[: len(right)][points] for points in _by_rank(of)]
    n_images, wrong = len(rows.starts), which[len(right) :]
    for cells in table.reshape(len(grid.s), -1, len(counted)):
        least = cells[:, ranks[0]]
        for points in ranks[1:]:
            np.minimum(least[:, : len(points)], cells[:, points], out=least[:, : len(points)])
        cells[:, n_images : n_images + len(wrong)] = cells[:, wrong]
        cells[:, :n_images] = least
    return CellMargins(attacked=table[..., :n_images], wrong=table[..., n_images : n_images + len(wrong)])


def _by_rank(of: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Each image's first point, then each one's second, ...; images with many points come first.

    So the least of an image's values is taken of whole columns at a time: `reduceat` costs more.

    Args:
        of: The image of each point, ascending.
    """
    _, starts, counts = np.unique(of, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    starts, counts = starts[order], counts[order]
    return [starts[counts > rank] + rank for rank in range(counts.max())]


def _deciding(
    rows: _Rows, normed: Tensor, grid: GridSpec, clamp: Clamp
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`right_rows` but for points that never have the least margin of their image, and whose they are."""
    right, starts = rows.right_rows, rows.starts
    of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(right))))
    if len(starts) == len(right):
        return right, of
    kept = ~needless_points(sort_classes(normed[right]), of, grid, clamp)
    return right[kept], of[kept]
