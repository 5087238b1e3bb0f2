"""The library's Square on a mix, g asked only where h's answer leaves the outcome open.

Square makes a move only where it lowers the margin. Whatever g says, it can add at most 1-α to one class; so
h's answer alone bounds the mix's margin from below. Where that bound is no lower than the margin so far, the
move is rejected without a pass through g. The moves are the library's, one for one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mnuts_core.attacks.batch import Tick
from mnuts_core.attacks.promise import MISLED
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import required_alpha, sound, transform_with
from mnuts_core.models.predict import ask

ROUNDING = 1e-5
"""The mix's margins are rounded to float32: by so much, in relative terms, may they be below their bound."""

GONE = -1.0
"""The margin of those who leave; the caller judges their points, which are as good as any."""


class BoundedMargins:
    """Margins that the library's Square asks for, or lower bounds of those that it will reject.

    Args:
        mix: The mix, without gradients.
        finished: Logits of the mix → those that the library takes.
        tick: Called at each question.
        after: After so many queries the search ends, unless more than a few images have fallen by then; None
            for no end.
    """

    def __init__(
        self,
        mix: MixedClassifier,
        finished: Callable[[Tensor], Tensor],
        tick: Tick,
        *,
        after: int | None = None,
    ) -> None:
        self._mix, self._finished, self._tick = mix, finished, tick
        self._after, self._queries = after, 0
        self._least: Tensor | None = None

    def margin_and_loss(self, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What `SquareAttack.margin_and_loss` gives: the mix's margin, twice.

        Args:
            points: All images at first, then those whose margin is positive, shape (R, C, H, W).
            labels: Their true classes.
        """
        self._tick()
        self._queries += 1
        rob = ask("rob_model", self._mix.rob_model, points)
        if self._least is None:
            margin = self._exact(points, rob, labels)
            self._least = margin.clone()
            return margin, margin
        rows = (self._least > 0).nonzero().squeeze(1)
        margin = self._bound(rob, labels)
        open_ = ~(margin - ROUNDING * (1.0 + margin.abs()) >= self._least[rows])
        if open_.any():
            margin[open_] = self._exact(points[open_], rob[open_], labels[open_])
        less = (margin < self._least[rows]) | (margin <= 0)
        self._least[rows[less]] = margin[less]
        if self._queries == self._after and (self._least <= 0).sum() <= MISLED * len(self._least):
            self._least[:], margin[:] = GONE, GONE  # as if all had fallen, which ends their search
        return margin, margin

    def _exact(self, points: Tensor, rob: Tensor, labels: Tensor) -> Tensor:
        std = ask("std_model", self._mix.std_model, points, rob.shape[1])
        logits = self._finished(self._mix.mix_logits(std, rob))
        own = labels.unsqueeze(1)
        others = logits.scatter(1, own, -torch.inf).amax(dim=1)
        return logits.gather(1, own).squeeze(1) - others

    def _bound(self, rob: Tensor, labels: Tensor) -> Tensor:
        """The least margin that the mix can have with these answers of h; NaN where they are not finite."""
        alpha, own = required_alpha(self._mix.params), labels.unsqueeze(1)
        share = alpha * transform_with(rob, self._mix.params).softmax(dim=-1)
        best = share.scatter(1, own, 0.0).amax(dim=1) + (1.0 - alpha)
        bound = share.gather(1, own).squeeze(1).clamp_min(torch.finfo(share.dtype).tiny).log() - best.log()
        return bound.where(sound(rob), torch.nan).to(rob.dtype)
