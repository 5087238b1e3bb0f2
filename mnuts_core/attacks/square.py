"""Minimum margins without gradients (D.5): the Square attack (Andriushchenko et al., 2020).

Random search: at each query a square of pixels moves to a new place on the surface of the ball, and the
move is kept where it lowers the margin. That is all a minimum-margin attack needs, so that the last point
kept is the point of least margin seen. The squares shrink on the schedule that AutoAttack uses, which
does not depend on how many queries there will be: more queries only go on where fewer have stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mnuts_core.attacks.base import MarginAttack, MinimumMargin
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.attacks.square_search import CHUNK, Draws, search_of
from mnuts_core.bundles.manifest import AttackCard, Setting
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.functional.margins import check_labels
from mnuts_core.functional.transform import layer_norm
from mnuts_core.models.inputs import (
    Model,
    Progress,
    check_count,
    check_images,
    check_indices,
    laid_out,
    prepared,
)
from mnuts_core.models.passes import Passes
from mnuts_core.models.predict import ask, count_classes, refuse_unsound
from mnuts_core.params import LN_K_DEFAULT, check_ln_k

N_QUERIES = 5000
"""Queries about each image, as in AutoAttack."""


def square_margin_attack(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm = "Linf",
    eps: float,
    n_queries: int = N_QUERIES,
    seed: int = 0,
    batch_size: int = 256,
    surrogate: Model | None = None,
    ln_k: int = LN_K_DEFAULT,
    channels_last: bool = False,
    indices: Tensor | None = None,
    progress: Progress | None = None,
    device: str | torch.device = "auto",
    name: str = "model",
) -> MinimumMargin:
    """Search each image's ball for the least signed margin, from the model's answers alone (D.5).

    Args:
        model: Images (N, C, H, W) → raw logits (N, K). Any callable; no gradient is asked of it.
        images: Clean images in [0, 1], float32 or float64, shape (N, C, H, W).
        labels: True classes, integer, shape (N,), in [0, K).
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        n_queries: How often the model is asked about each image, the start included.
        seed: Seed of the search. An example's draws depend on seed and index alone, not on the batches.
        batch_size: Examples at a time.
        surrogate: Raw logits → logits of the classifier that is attacked. Layer norm if None, as in MMAA.
        ln_k: Layer norm over the ln_k largest logits; of no effect if a surrogate is given.
        channels_last: Lay images and weights out as NHWC, which convolutions may run faster on.
        indices: Numbers that stand for the examples in the seeds; 0, 1, ... if None.
        progress: Called with (queries done, queries in all).
        device: `"auto"` (CUDA if there is one), or a torch device.
        name: What to call the model in a message.

    Returns:
        As `minimum_margin_attack` does: per example the point, its margin, the raw logits, and whether it
        is still right. The margin is never above the clean one, and never rises with more queries.

    Raises:
        ParameterError: If an argument is out of range or does not fit the others, or the model answers a
            point with anything but finite logits; the message says which.
    """
    images, where = check_images(images), resolve_device(device)
    indices, ball = check_indices(indices, len(images)), make_ball(norm, eps)
    counts = (("n_queries", n_queries, 1), ("seed", seed, 0), ("batch_size", batch_size, 1))
    for count, value, least in counts:
        check_count(count, value, least)
    attacked = partial(layer_norm, k=check_ln_k(ln_k)) if surrogate is None else surrogate
    total, parts = len(images) * n_queries, []
    home = home_of(where)
    with prepared(model, where, channels_last=channels_last), torch.no_grad():
        classes = count_classes(name, model, laid_out(images[:1].to(home), channels_last))
        labels = check_labels(labels, torch.zeros(1).expand(len(images), classes))
        asked: Model = lambda points: ask(name, model, laid_out(points, channels_last), classes)
        for rows in torch.split(torch.arange(len(images)), batch_size):
            draws = Draws(seed, indices[rows], images.shape[1], home)
            batch = search_of(ball)(
                asked, attacked, ball, images[rows].to(home), labels[rows].to(home), draws
            )
            for number in range(n_queries - 1):
                batch.step(number)
                if progress is not None:
                    progress(int(rows[0]) * n_queries + (number + 2) * len(rows), total)
                if number % CHUNK == 0:
                    refuse_unsound(name, batch.unsound, indices[rows], "at points near")
            parts.append(batch.result())
            refuse_unsound(name, batch.unsound, indices[rows], "at points near")
    return MinimumMargin(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Square(MarginAttack):
    """Random search by the model's answers alone (D.5); see `square_margin_attack`."""

    n_queries: int = N_QUERIES

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings."""
        super().check(dtype, classes)
        check_count("n_queries", self.n_queries, 1)

    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""
        return AttackCard(
            name="Square, least margin of all queries (black box)",
            surrogate=self.target,
            n_queries=self.n_queries,
            seed=self.seed,
            precision=self._arithmetic(dtype),
        )

    def settings(self) -> dict[str, Setting | None]:
        """What the attack's outcome depends on."""
        return {"attack": "square", **super().settings(), "n_queries": self.n_queries}

    def cost(self, classes: int) -> int:
        """Queries for each image."""
        return self.n_queries

    def passes(self, classes: int) -> Passes:
        """A query is a pass."""
        return Passes(forward=self.n_queries)

    def _function(self) -> Callable[..., MinimumMargin]:
        return partial(square_margin_attack, n_queries=self.n_queries)
