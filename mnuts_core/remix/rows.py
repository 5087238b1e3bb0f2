"""Rows of both models' cached logits, and what a mix does on each of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.functional.mixing import predictions, temperature_scale, transform_with
from mnuts_core.functional.quantiles import TIE, least_kept
from mnuts_core.params import MixParams
from mnuts_core.remix.stages import Margins
from mnuts_core.remix.threads import make_stages
from mnuts_core.remix.twins import Twins

LABEL, STD = 0, 1
"""The two watched classes of each row: the true one, and the one that g predicts."""


@dataclass(frozen=True)
class Part:
    """What the mix does on some rows; arrays of shape (n,).

    Attributes:
        margin: Confidence margin of M(h) (Definition 2.1), float64 in [0, 1].
        signed: Signed margin of M(h): `margin` where it is right, else the label's distance from the largest
            probability, from 0 to -1; float64.
        rob_class: Class that M(h) predicts, int64; where it ties (see `mixing`) one of the largest.
        tied: Whether the transform has made a tie, so that M(h) predicts nothing, bool.
        mix_class: Class that the mix predicts, int64.
        right: Whether M(h) predicts the label, bool; not where it ties.
        mix_right: Whether the mix does, bool.
    """

    margin: NDArray[np.float64]
    signed: NDArray[np.float64]
    rob_class: NDArray[np.int64]
    tied: NDArray[np.bool_]
    mix_class: NDArray[np.int64]
    right: NDArray[np.bool_]
    mix_right: NDArray[np.bool_]

    def held(self, threshold: float) -> NDArray[np.bool_]:
        """Which rows are right by margin: right, with a margin that reaches `(1-α)/α`."""
        return self.right & (self.margin >= least_kept(threshold))

    def rows(self, chosen: slice | NDArray[np.int64]) -> Part:
        """Some of the rows."""
        return Part(**{field.name: getattr(self, field.name)[chosen] for field in fields(Part)})

    def and_further(self, other: Part) -> Part:
        """These rows and then others."""
        names = (field.name for field in fields(Part))
        return Part(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names})


class Rows:
    """Cached logits of both models; each stage is kept, so that one slider costs one stage.

    Args:
        std_logits: g, float32 or float64, shape (R, K).
        rob_logits: h, the same shape.
        labels: True classes, int64, shape (R,).
        device: Where to compute.
        dtype: float64 (exact) or float32.
    """

    def __init__(
        self,
        std_logits: NDArray[np.floating[Any]],
        rob_logits: NDArray[np.floating[Any]],
        labels: NDArray[np.int64],
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        def moved(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array.astype(np.float64, copy=False)).to(device)

        self.std_logits, self.rob_logits = moved(std_logits), moved(rob_logits)
        self.labels = torch.from_numpy(labels).to(device)
        self.std_class = self.std_logits.argmax(dim=1)
        watched = torch.stack([self.labels, self.std_class], dim=1)
        self.stages = make_stages(self.rob_logits, watched, device=device, dtype=dtype)
        self._plain_tie = self.stages.plain_tie
        self._std_probabilities: tuple[float, Tensor] | None = None

    def __len__(self) -> int:
        """R, how many rows."""
        return len(self.labels)

    def margins(self, params: MixParams) -> Margins:
        """Margins and deficits of all rows under the transform in `params` (see `stages.Margins`)."""
        return self.stages.margins(params.ln_k, params.c, params.clamp, params.p, params.s)

    def top_class(self, params: MixParams) -> Tensor:
        """Class that M(h) predicts on each row, int64; where it ties (`tied`) one of the largest."""
        return self.stages.top_class(params.ln_k, params.c, params.clamp)

    def tied(self, params: MixParams) -> Tensor:
        """Where the transform has made a tie, so that M(h) predicts nothing (see `mixing`), bool."""
        own = self._plain_tie & (self.top_class(params) == self.stages.plain_class)
        return (self.margins(params).margin == 0) & ~own

    def right(self, params: MixParams) -> Tensor:
        """Where M(h) predicts the label, bool, shape (R,); a tie is not right."""
        return (self.top_class(params) == self.labels) & ~self.tied(params)

    def signed(self, params: MixParams) -> Tensor:
        """Signed margins of M(h) (see `Part`), float64, shape (R,)."""
        margins = self.margins(params)
        behind = margins.deficit[:, LABEL].clamp_min(0.0)  # rounding may put one that ties below
        return torch.where(self.right(params), margins.margin, -behind).double()

    def changed(self, params: MixParams) -> Tensor:
        """Where M changes h's prediction (Assumption 4.2), bool, shape (R,); a tie is a change."""
        return (self.top_class(params) != self.stages.plain_class) | self.tied(params)

    def vote(self, params: MixParams) -> Tensor:
        """Class that the mix with T = 0 predicts where g does not outvote M(h), int64, shape (R,).

        It is `top_class`, but for the few rows with a tie that leaves g's class out: there arg max decides.
        """
        margins, vote = self.margins(params), self.top_class(params)
        rows = ((margins.margin <= TIE) & (margins.deficit[:, STD] > TIE)).nonzero().squeeze(1)
        if not rows.numel():
            return vote
        logits = self.rob_logits[rows]
        likely = Twins.of(logits).levelled(transform_with(logits, params).softmax(dim=1))
        return vote.index_copy(0, rows, likely.argmax(dim=1))

    @property
    def plain_class(self) -> Tensor:
        """Class that h (and so LN∘h) predicts, int64, shape (R,)."""
        return self.stages.plain_class

    @property
    def plain_right(self) -> NDArray[np.bool_]:
        """Whether h (and so LN∘h) predicts the label, shape (R,)."""
        return (self.plain_class == self.labels).cpu().numpy()

    @property
    def std_right(self) -> NDArray[np.bool_]:
        """Whether g predicts the label, shape (R,)."""
        return (self.std_class == self.labels).cpu().numpy()

    def mix_class(self, params: MixParams, threshold: float) -> Tensor:
        """The class that the mix with odds `(1-α)/α` predicts, int64, shape (R,)."""
        if params.temperature == 0.0:
            outvoted = self.margins(params).deficit[:, STD] <= threshold + TIE
            return torch.where(outvoted, self.std_class, self.vote(params))
        std, rob = self.std_probabilities(params.temperature), self.rob_probabilities(params)
        return predictions(std, rob, (threshold, 1.0), self.std_class)

    def std_probabilities(self, temperature: float) -> Tensor:
        """`σ(g/T)` of all rows, shape (R, K), float64; the last temperature is kept."""
        if self._std_probabilities is None or self._std_probabilities[0] != temperature:
            scaled = temperature_scale(self.std_logits, temperature).softmax(dim=1)
            self._std_probabilities = (temperature, scaled)
        return self._std_probabilities[1]

    def rob_probabilities(self, params: MixParams) -> Tensor:
        """`σ(M(h))` of all rows, shape (R, K), float64: the plain, unstaged computation."""
        return self._twins.levelled(transform_with(self.rob_logits, params).softmax(dim=1))

    @cached_property
    def _twins(self) -> Twins:
        return Twins.of(self.rob_logits)

    def part(self, params: MixParams, threshold: float) -> Part:
        """What the mix with odds `(1-α)/α` does on all rows."""
        mix_class = self.mix_class(params, threshold)
        top, tied, margins = self.top_class(params), self.tied(params), self.margins(params)
        right, margin = (top == self.labels) & ~tied, margins.margin.double()
        columns = {
            "margin": margin,
            "signed": self.signed(params),
            "rob_class": top,
            "tied": tied,
            "mix_class": mix_class,
            "right": right,
            "mix_right": mix_class == self.labels,
        }
        return Part(**{name: column.cpu().numpy() for name, column in columns.items()})
