"""Classes with equal logits: M leaves them equally probable, and rounding must not tell them apart.

The last few numbers of a tensor go through other machine instructions than the rest, and come out a bit
higher or lower, so that a tie would be decided by where a class stands in memory.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Twins(NamedTuple):
    """The classes whose logit an earlier class of their row has, too; int64, shape (n,) each.

    Attributes:
        row: Where they are.
        number: Their numbers.
        first: The first class of the row with this logit.
    """

    row: Tensor
    number: Tensor
    first: Tensor

    @classmethod
    def of(cls, logits: Tensor) -> Twins:
        """Those among logits of shape (R, K)."""
        values, order = logits.sort(dim=1, stable=True)
        equal = values[:, 1:] == values[:, :-1]
        places = torch.arange(1, logits.shape[1], device=logits.device)
        begun = torch.where(equal, 0, places).cummax(dim=1).values  # where the run of equal ones begins
        row, place = equal.nonzero(as_tuple=True)
        return cls(row, order[row, place + 1], order[row, begun[row, place]])

    def levelled(self, probabilities: Tensor) -> Tensor:
        """Probabilities of these rows, shape (R, K), in which twins have the same one; changed in place."""
        probabilities[self.row, self.number] = probabilities[self.row, self.first]
        return probabilities
