"""The best cell whose numbers are mild: inside the grid, a threshold of ordinary size, steady under rounding.

A mix that is to be used and compared should not stand where a wider grid would go on, nor hang on margins
that only double precision tells apart.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.params import MixParams
from mnuts_core.search.result import MILD, Cell, GridSearchResult, edges_of

LEAST_SAME = 0.999
"""The share of clean images on which a mix must predict the same from logits in float32 and in bfloat16."""


class Mild(NamedTuple):
    """A search's best mild cell.

    Attributes:
        cell: The cell.
        passed_over: How many better cells were passed over for it.
        warnings: One line where no cell meets all conditions.
    """

    cell: Cell
    passed_over: int
    warnings: tuple[str, ...] = ()


def mild_best(result: GridSearchResult, bundle: LogitBundle) -> Mild:
    """The first of a search's ranked cells that is mild; where none is, the first that is nearly so.

    Mild: no value of s, p, c is an end of its range, q lies in [1e-3, 0.95], and the mix predicts the same
    on at least 99.9 % of the clean images from logits in float32 and in bfloat16. Where no cell is, the last
    condition is left out, then the first.

    Args:
        result: The search.
        bundle: The bundle that was searched.
    """
    ranked = result.ranked(result.grid.size)
    usual = [place for place, cell in enumerate(ranked) if MILD[0] <= cell.quantile <= MILD[1]]
    inside = [place for place in usual if not edges_of(result.grid, ranked[place].index)]
    for place in inside:
        if same_when_rounded(bundle, ranked[place].params) >= LEAST_SAME:
            return Mild(ranked[place], place)
    for places, problem in (
        (inside, "predicts the same in bfloat16 on 99.9 % of the clean images"),
        (usual, "lies inside the grid: widen it"),
    ):
        if places:
            return Mild(ranked[places[0]], places[0], (f"no mild cell of this grid {problem}",))
    return Mild(ranked[0], 0, (f"no cell of this grid has q in [{MILD[0]:g}, {MILD[1]:g}]",))


def same_when_rounded(bundle: LogitBundle, params: MixParams) -> float:
    """On which share of the clean images a mix predicts the same from both models' logits in bfloat16.

    Args:
        bundle: The bundle.
        params: The mix, its α filled in.
    """
    logits = [torch.from_numpy(part).float() for part in (bundle.clean_std_logits, bundle.clean_rob_logits)]
    exact = mixed_logits(logits[0], logits[1], params).argmax(dim=1)
    std, rob = (part.bfloat16().float() for part in logits)
    return float((exact == mixed_logits(std, rob, params).argmax(dim=1)).double().mean())
