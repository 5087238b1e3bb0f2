"""Where the mix with T = 0 goes over from the robust model to the standard one, in every cell of a grid.

At T = 0 the mix predicts g's class from the odds `t = (1-α)/α = p₁ - p[ŷ_std]` on, and M(h)'s below them.
So for each row there is one number, its *switch*, such that the mix is right from the switch on where g is
right, and below it where g is wrong. An attacked image is right while all of its rows are: between the
largest switch of those that g gets right and the smallest of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.clamps import Clamp, clamp_logits
from mnuts_core.devices import one_thread
from mnuts_core.errors import ParameterError
from mnuts_core.functional.quantiles import TIE
from mnuts_core.functional.transform import signed_power
from mnuts_core.remix.stages import overtaken
from mnuts_core.search.cell_margins import Array
from mnuts_core.search.changes import Changes, leaders, prediction_changes
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.kernel import fill_in_threads
from mnuts_core.search.needless import needless_points
from mnuts_core.search.result import CleanRows
from mnuts_core.search.sorted_rows import distinct_rows, normed_rows, sort_classes

Bools = NDArray[np.bool_]

MAX_SWITCHES = 2**28
"""So many at most (2 GiB) a search may keep; more are refused before anything is computed."""
NEVER = 2.0
"""Odds that no α in [1/2, 1] reaches."""


class Seen(NamedTuple):
    """The rows that a search sees: clean ones, then the first points, then the further ones.

    Attributes:
        std_logits, rob_logits: Both models' logits, float64, shape (R, K).
        labels: Shape (R,).
        n_clean: How many rows are clean.
        n_images: How many images were attacked.
        clean_of: The clean row of each attacked image, shape (m,).
        of: The image of each attacked row, shape (P,).
    """

    std_logits: Array
    rob_logits: Array
    labels: NDArray[np.int64]
    n_clean: int
    n_images: int
    clean_of: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def select(cls, bundle: LogitBundle, clean: CleanRows) -> Seen:
        """The rows of a bundle with an attacked part.

        Args:
            bundle: The bundle.
            clean: Whether only the attacked images' clean rows are seen, or all.

        Raises:
            BundleError: If the bundle has no attacked part.
            ParameterError: If `clean` is another word.
        """
        if clean not in ("attacked", "all"):
            raise ParameterError(f"clean must be 'attacked' or 'all', got {clean!r}")
        pool = bundle.require_attacked()
        firsts = pool.index[: pool.n_images]
        chosen = firsts if clean == "attacked" else np.arange(bundle.n_clean)

        def both(clean_rows: NDArray[Any], attacked: NDArray[Any]) -> Array:
            return np.concatenate([clean_rows[chosen], attacked]).astype(np.float64, copy=False)

        return cls(
            std_logits=both(bundle.clean_std_logits, pool.std_logits),
            rob_logits=both(bundle.clean_rob_logits, pool.rob_logits),
            labels=np.concatenate([bundle.clean_labels[chosen], pool.labels]),
            n_clean=len(chosen),
            n_images=pool.n_images,
            clean_of=np.arange(len(firsts)) if clean == "attacked" else firsts,
            of=pool.of,
        )


class Ends(NamedTuple):
    """For the cells of one c, where rows and images begin and cease to be right, in odds.

    Attributes:
        c: Place of c on the grid.
        clean_from: Odds from which a clean image is right, shape (cells, ·); cells are those of (s, p).
        clean_until: Odds up to which one is right, likewise; these are right at odds 0.
        always: How many clean images are right at all odds.
        low, high: The odds between which each attacked image is right, shape (cells, ·), both `NEVER` where
            it is wrong at all odds.
    """

    c: int
    clean_from: Array
    clean_until: Array
    always: int
    low: Array
    high: Array


class Switches:
    """The switches of all rows that matter, in every cell.

    Args:
        seen: The rows.
        grid: The cells.
        clamp: Clamping function.
        ln_k: Layer norm over the ln_k largest logits.
        device: Where to compute.
        progress: Called with the share done.

    Attributes:
        changes: What M does to the robust model's own predictions.

    Raises:
        ParameterError: If the grid has too many cells for so many rows.
    """

    def __init__(
        self,
        seen: Seen,
        grid: GridSpec,
        clamp: Clamp,
        ln_k: int,
        device: torch.device,
        progress: Callable[[float], None] | None,
    ) -> None:
        self._seen, self._grid, self._clamp = seen, grid, clamp
        self._normed = normed_rows(torch.from_numpy(seen.rob_logits).to(device), ln_k)
        self._std_class = seen.std_logits.argmax(axis=1)
        self._std_right = self._std_class == seen.labels
        with one_thread():
            some = slice(seen.n_clean + seen.n_images)
            self.changes: Changes = prediction_changes(
                self._normed[some], seen.labels[some], seen.n_clean, seen.n_images, grid, clamp
            )
            self._right = self._right_by_c()  # (c, R)
            self._ties = self._may_tie()
        self._choose_rows()
        if (size := grid.size * len(self._rows)) > MAX_SWITCHES:
            raise ParameterError(
                f"{grid.size:,} cells on these examples make {size:,} numbers, more than {MAX_SWITCHES:,}: "
                "coarsen the grid or take fewer examples"
            )
        self._table = self._fill(progress)

    def _right_by_c(self) -> Bools:
        """Whether M(h) is right on each row, for each c; ties aside."""
        first, last = self._normed.max(dim=1), self._normed.min(dim=1)
        right = np.empty((len(self._grid.c), len(self._normed)), bool)
        for k, c in enumerate(self._grid.c.tolist()):
            swapped = overtaken(first.values, last.values, c, self._clamp)
            top = torch.where(swapped, last.indices, first.indices).cpu().numpy()
            right[k] = top == self._seen.labels
        return right

    def _may_tie(self) -> Bools:
        """Where M(h)'s two largest probabilities can be equal in float64, in some cell."""
        ends, k = leaders(self._normed), self._normed.shape[1]
        found = torch.zeros(len(ends), dtype=torch.bool, device=ends.device)
        for c in self._grid.c.tolist():
            one, two = clamp_logits(ends + c, self._clamp).topk(2, dim=1).values.T
            for p in self._grid.p.tolist():
                gap = signed_power(one, p) - signed_power(two, p)
                found |= float(self._grid.s[0]) * gap <= k * 2 * TIE
        return found.cpu().numpy()

    def _choose_rows(self) -> None:
        """Leave out rows on which both models are right, or both wrong, in every cell."""
        seen, std = self._seen, self._std_right
        matters = np.where(std, ~self._right.all(axis=0), self._right.any(axis=0)) | self._ties
        lost = ~matters & ~std
        dead = lost[: seen.n_clean][seen.clean_of] | at_any_point(
            lost[seen.n_clean :], seen.of, seen.n_images
        )
        counted = matters.copy()
        counted[seen.n_clean :] &= ~dead[seen.of]
        counted[self._needless(counted)] = False
        self._rows = np.flatnonzero(counted)
        self._always = int((~matters & std)[: seen.n_clean].sum())
        # which of these rows are the points, and the clean row, of which image
        place = np.full(len(std), -1)
        place[self._rows] = np.arange(len(self._rows))
        image = np.concatenate([np.arange(seen.n_images), seen.of])
        at = place[np.concatenate([seen.clean_of, seen.n_clean + np.arange(len(seen.of))])]
        some = (at >= 0) & ~dead[image]
        order = np.argsort(image[some], kind="stable")
        self._at, self._image = at[some][order], image[some][order]
        # images right at all their points whatever the cell
        self._safe = int((~dead).sum()) - len(np.unique(self._image))

    def _needless(self, counted: Bools) -> NDArray[np.int64]:
        """Of attacked rows that g gets wrong, those that never cease to be right first of their image's."""
        first, tied = self._seen.n_clean, self._ties
        some = first + np.flatnonzero((counted & ~self._std_right & ~tied)[first:])
        of = self._seen.of[some - first]
        if len(np.unique(of)) == len(of):
            return some[:0]
        normed = self._normed[torch.from_numpy(some)]
        chosen = torch.from_numpy(self._std_class[some]).to(normed.device).unsqueeze(1)
        needless = needless_points(
            sort_classes(normed),
            of,
            self._grid,
            self._clamp,
            rivals=normed.gather(1, chosen).squeeze(1),
            wrong=~self._right[:, some],
        )
        return some[needless]

    def _fill(self, progress: Callable[[float], None] | None) -> Array:
        """`p₁ - p[ŷ_std]` in every cell, shape (s, p, c, U)."""
        rows = torch.from_numpy(self._rows)
        normed = self._normed[rows]
        with one_thread():
            distinct, which = distinct_rows(normed)
        order = np.argsort(which, kind="stable")  # neighbours are alike
        chosen = torch.from_numpy(self._std_class[self._rows]).to(normed.device).unsqueeze(1)
        rivals = normed.gather(1, chosen).squeeze(1)
        table = np.empty((*self._grid.shape, len(self._rows)))
        if len(rows):
            rivals = rivals[torch.from_numpy(order)].contiguous()
            fill_in_threads(distinct[which[order]], self._grid, self._clamp, table, progress, rivals)
        back = np.argsort(order)
        for cell in table.reshape(self._grid.size, len(rows)):
            cell[:] = cell[back]
        return table

    def ends(self) -> Iterator[Ends]:
        """Where rows and images begin and cease to be right, for one c after the other."""
        std, is_clean = self._std_right[self._rows], self._rows < self._seen.n_clean
        for k in range(len(self._grid.c)):
            switch = self._switches(k)
            low, high = self._images(switch)
            yield Ends(
                c=k,
                clean_from=switch[:, std & is_clean],
                clean_until=switch[:, ~std & is_clean],
                always=self._always,
                low=low,
                high=high,
            )

    def _switches(self, k: int) -> Array:
        """The switches of the rows at one c, shape (cells, U)."""
        cells = len(self._grid.s) * len(self._grid.p)
        distance = self._table[:, :, k].reshape(cells, len(self._rows)) - TIE
        right = np.broadcast_to(self._right[k, self._rows], distance.shape)
        if self._ties[self._rows].any():
            right = self._with_ties(right.copy(), distance, k)
        return np.where(right == self._std_right[self._rows], 0.0, distance.clip(min=0.0))

    def _with_ties(self, right: Bools, distance: Array, k: int) -> Bools:
        """Where a tie leaves g's class out, arg max decides, as in `Rows.vote`."""
        tied = np.flatnonzero(self._ties[self._rows])
        rows, c = torch.from_numpy(self._rows[tied]), float(self._grid.c[k])
        labels, v = (
            torch.from_numpy(self._seen.labels)[rows],
            clamp_logits(self._normed[rows] + c, self._clamp),
        )
        cells = ((s, p) for s in self._grid.s.tolist() for p in self._grid.p.tolist())
        for cell, (s, p) in enumerate(cells):
            if (distance[cell, tied] <= 0).all():
                continue
            probabilities = (s * signed_power(v, p)).softmax(dim=1).cpu()
            two = probabilities.topk(2, dim=1).values
            decided = ((two[:, 0] - two[:, 1]) <= TIE).numpy() & (distance[cell, tied] > 0)
            voted = (probabilities.argmax(dim=1) == labels).numpy()
            right[cell, tied[decided]] = voted[decided]
        return right

    def _images(self, switch: Array) -> tuple[Array, Array]:
        """Each image's interval of odds; images that are right everywhere come first."""
        images, number = np.unique(self._image, return_inverse=True)
        shape = (len(switch), self._safe + len(images))
        low, high = np.zeros(shape), np.full(shape, NEVER)
        std = self._std_right[self._rows[self._at]]
        for which, ends, of_two in ((std, low, np.maximum), (~std, high, np.minimum)):
            some, starts = np.unique(number[which], return_index=True)
            if len(some):
                ends[:, self._safe + some] = of_two.reduceat(switch[:, self._at[which]], starts, axis=1)
        empty = (low >= high) | (low >= 1.0)
        low[empty] = high[empty] = NEVER
        return low, high
