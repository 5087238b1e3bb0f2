"""From points to images: an attacked image counts as right only where all of its points are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import AttackedPart
from mnuts_core.functional.quantiles import TRIFLE
from mnuts_core.remix.rows import Part

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class AttackedResults(Part):
    """What the mix does on the attacked images; arrays of shape (m,), see `Part`.

    `margin`, `signed`, `rob_class` and `tied` are M(h)'s at the attacked point where its signed margin is
    least, and `right` says whether it is right at all attacked points (Eq. 7). `mix_class` is the mix's where
    it is wrong, if it is so at some point or at the clean image, and `mix_right` whether it is right at all.

    Attributes:
        row: The row at which `mix_class` stands: of the engine's own rows, or, counted on from their number,
            of its further ones; int64.
    """

    row: NDArray[np.int64]


class Pool:
    """Which rows are the points of which attacked image; its clean row is one of them, too.

    Args:
        attacked: The attacked part.
        n_clean: How many clean rows stand before the first points; the further points come last.
    """

    def __init__(self, attacked: AttackedPart, n_clean: int) -> None:
        m = attacked.n_images
        image = np.concatenate([np.arange(m), attacked.of])
        row = np.concatenate([attacked.index[:m], n_clean + np.arange(len(attacked))])
        order = np.argsort(image, kind="stable")
        self._n, self._rows, self._image = n_clean, row[order], image[order]
        self._starts = np.searchsorted(self._image, np.arange(m))
        self._attacked = np.argsort(attacked.of, kind="stable")
        self._attacked_starts = np.searchsorted(attacked.of[self._attacked], np.arange(m))

    def by_image(self, of_two: np.ufunc, rows: NDArray[Any]) -> NDArray[Any]:
        """One value for each image from those of all of its points, shape (m,).

        Args:
            of_two: Makes one value of two, such as `np.minimum`.
            rows: A value for each row.
        """
        return np.asarray(of_two.reduceat(rows[self._rows], self._starts))

    def all_right(self, right: Bools) -> Bools:
        """Whether each image is right at all of its points, shape (m,)."""
        return self.by_image(np.logical_and, right)

    def least_margins(self, margin: NDArray[np.float64], right: Bools) -> NDArray[np.float64]:
        """The least margin over its attacked points of each image that is right at all of these.

        Args:
            margin: Margins of M(h) on all rows.
            right: Whether LN∘h (for q), or M(h), is right there.

        Returns:
            Shape (number of such images,): what q is a quantile of in Algorithm 1.
        """
        margin, right = margin[self._n :][self._attacked], right[self._n :][self._attacked]
        least: NDArray[np.float64] = np.minimum.reduceat(margin, self._attacked_starts)
        return least[np.logical_and.reduceat(right, self._attacked_starts)]

    def worst_rows(self, signed: NDArray[np.float64], right: Bools) -> NDArray[np.int64]:
        """The attacked point of each image at which some classifier's signed margin is least, as a row, (m,).

        Where the two largest logits are equal it is 0, right or wrong: then a wrong one is worse.

        Args:
            signed: The signed margins on all rows.
            right: Whether the classifier is right there.
        """
        below = signed - TRIFLE * ~right
        of_points = np.where(self._rows < self._n, np.inf, below[self._rows])
        return self._rows[self._least(of_points)]

    def results(self, part: Part) -> AttackedResults:
        """The results by image.

        Args:
            part: Those on all rows.
        """
        signed, mix_right = part.signed[self._rows], part.mix_right[self._rows]
        worst = self.worst_rows(part.signed, part.right)
        # where the mix is wrong, of the wrong points the one of least signed margin
        shown = self._rows[self._least(np.where(mix_right, signed, signed - _WRONG))]
        return AttackedResults(
            margin=part.margin[worst],
            signed=part.signed[worst],
            rob_class=part.rob_class[worst],
            tied=part.tied[worst],
            right=part.right[worst],
            mix_class=part.mix_class[shown],
            mix_right=part.mix_right[shown],
            row=shown,
        )

    def _least(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """For each image the place of its least value; the last one of those that are equal."""
        places = np.empty(len(self._starts), np.int64)
        hits = np.flatnonzero(values == np.minimum.reduceat(values, self._starts)[self._image])
        places[self._image[hits]] = hits
        return places


_WRONG = 4.0
"""More than two signed margins differ by."""
