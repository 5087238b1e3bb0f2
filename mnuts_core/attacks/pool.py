"""The attack that fills a pool: B.2.1 without early stopping, on one mix or on g alone, watching many mixes.

Components as in the adaptive attack, one after another, each on every image that is not settled yet: APGD-CE
and APGD-T climb f̃ of Eq. 8 (or g's own logits); FAB-T and Square are the library's, and their forward passes
are watched as well. What is kept of all these points, `watching` says. An image leaves once it is settled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.attacks.apgd import Loss, apgd, of_examples
from mnuts_core.attacks.apgd import Watch as Watcher
from mnuts_core.attacks.library import fab_t_on, square_on
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import generator, make_ball
from mnuts_core.attacks.owners import Owners
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.attacks.promise import by_logits
from mnuts_core.attacks.surrogates import Surrogate, halves, surrogate_of
from mnuts_core.attacks.watching import Found, Kept, Watch
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import fools_both, sound
from mnuts_core.models.inputs import Model, in_precision
from mnuts_core.models.predict import ask

Passes = Callable[[int], None]
"""Called with how many of an image's passes are done."""


def _nobody(passes: int) -> None:
    """The progress that nobody watches."""


class Attacked(NamedTuple):
    """A target on two models: what is climbed, and what the library's attacks take for the classifier."""

    surrogate: Surrogate
    classifier: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, target: PoolTarget, std: nn.Module, rob: nn.Module, classes: int) -> Attacked:
        """The target on these models.

        Args:
            target: What is attacked.
            std: g.
            rob: h.
            classes: K.
        """
        if target.params is None:

            def pair(images: Tensor) -> Tensor:
                own = ask("std_model", std, images, classes)
                with torch.no_grad():  # h is watched, not climbed
                    other = ask("rob_model", rob, images, classes)
                return torch.cat([own, other], dim=1)

            return cls(Surrogate(pair, _std_half, _std_half), _std_half)
        mix = MixedClassifier(std, rob, target.params, alpha_d=target.alpha_d, r_d=target.r_d)
        return cls(surrogate_of(mix, "transfer", classes), lambda raw: mix.mix_logits(*halves(raw)))


def attack_for_pool(
    attacked: Attacked,
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    *,
    watch: Watch,
    plan: PoolPlan,
    progress: Passes = _nobody,
) -> Found:
    """Attack one batch, and keep the points that are worst for what is watched.

    The clean points count too: where a mix is wrong without an attack, that is known afterwards.

    Args:
        attacked: The target on both models, in evaluation mode, their parameters frozen.
        images: Clean images in [0, 1], float32, contiguous, shape (B, C, H, W), on the models' device.
        labels: True classes, int64, shape (B,), on the same device.
        indices: The images' numbers, which seed their random starts, shape (B,), on the CPU.
        watch: Whose margins are watched.
        plan: What is run; its `n_targets` is at most K - 1.
        progress: Called at each forward pass with how many of an image's passes are done; to cancel, raise
            an exception in it.

    Returns:
        The points kept, as rows of the batch with both models' logits.
    """
    with torch.no_grad():
        clean = attacked.surrogate.model(images)
    batch = _Batch(attacked, images, labels, indices, plan, Kept(watch, labels, clean.shape[1] // 2))
    batch.kept.take(torch.arange(len(images), device=images.device), clean)
    done = 0
    for name, cost in zip(plan.components, plan.costs, strict=True):
        batch.passes, batch.report = 0, partial(_report, progress, done, cost)
        _RUNS[name](batch, clean)
        done += cost
        progress(done)
    return batch.kept.result()


def _report(progress: Passes, before: int, cost: int, passes: int) -> None:
    progress(before + min(passes, cost))


class _Batch:
    """One batch under attack."""

    def __init__(
        self, attacked: Attacked, images: Tensor, labels: Tensor, indices: Tensor, plan: PoolPlan, kept: Kept
    ) -> None:
        self.surrogate, self.classifier = attacked
        self.images, self.labels, self.indices = images, labels, indices
        self.plan, self.kept, self.ball = plan, kept, make_ball(plan.norm, plan.eps)
        self.passes, self.report = 0, _nobody

    def cross_entropy(self, _: Tensor) -> None:
        """Climb cross-entropy."""
        rows = self._open()
        self._apgd(rows, of_examples(cross_entropy, self.labels[rows]), 0)

    def targeted(self, clean: Tensor) -> None:
        """Climb targeted DLR, the likeliest other class first; `clean` are both models' clean logits."""
        order = by_logits(self.surrogate.climbed(clean), self.labels, self.plan.n_targets)
        for number in range(1, self.plan.n_targets + 1):
            rows = self._open()
            loss = of_examples(targeted_dlr, self.labels[rows], order[rows, number - 1])
            self._apgd(rows, loss, number)
            self.passes = number * self.plan.n_iter

    def fab_t(self, _: Tensor) -> None:
        """Run the library's targeted FAB."""
        self._library(partial(fab_t_on, n_targets=self.plan.n_targets))

    def square(self, _: Tensor) -> None:
        """Run the library's Square."""
        self._library(square_on)

    def _open(self) -> Tensor:
        return (~self.kept.settled).nonzero().squeeze(1)

    def _tick(self) -> None:
        self.passes += 1
        self.report(self.passes)

    def _apgd(self, rows: Tensor, loss: Loss, number: int) -> None:
        if not len(rows):
            return
        images = self.images[rows]
        seeds = (generator(self.plan.seed, int(index), number) for index in self.indices[rows.cpu()])
        noise = torch.stack([self.ball.noise(images.shape[1:], each) for each in seeds])
        rough = None if self.plan.precision == "full" else _Rough(self.kept, rows, self._ask)
        apgd(
            in_precision(self.surrogate.model, self.plan.precision, images.device),
            lambda raw, of: loss(self.surrogate.climbed(raw), of),
            images,
            self.ball.start(images, noise.to(images)),
            ball=self.ball,
            n_iter=self.plan.n_iter,
            watch=self._watcher(rows) if rough is None else self._ticking(rough.take),
        )
        if rough is not None:
            rough.settle_accounts()

    def _watcher(self, rows: Tensor) -> Watcher:
        def keep(_: Tensor, raw: Tensor, of: Tensor) -> Tensor:
            self._tick()
            self.kept.take(rows[of], raw)
            return ~self.kept.settled[rows[of]]

        return keep

    def _ticking(self, watch: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Watcher:
        def tick_and_watch(points: Tensor, raw: Tensor, of: Tensor) -> Tensor:
            self._tick()
            return watch(points, raw, of)

        return tick_and_watch

    def _ask(self, points: Tensor) -> Tensor:
        with torch.no_grad():
            return self.surrogate.model(points)

    def _library(self, attack: Callable[..., Tensor]) -> None:
        """Run an attack of the library's. Passes are watched, and what it returns, once in the ball."""
        rows = self._open()
        if not len(rows):
            return
        images, labels = self.images[rows], self.labels[rows]
        owners = Owners(images, self.ball)

        def classifier(points: Tensor) -> Tensor:
            raw = self.surrogate.model(points)
            for which, of in owners.of(points.detach()):
                self.kept.take(rows[of], raw.detach()[which])
            return self.classifier(raw)

        found = attack(classifier, images, labels, self.plan.library, tick=self._tick)
        finite = found.isfinite().flatten(1).all(dim=1).view(-1, 1, 1, 1)
        points = self.ball.project(found.where(finite, images), images)  # NaN lies in no ball
        self.kept.take(rows, self._ask(points))


_RUNS: dict[str, Callable[[_Batch, Tensor], None]] = {
    "apgd-ce": _Batch.cross_entropy,
    "apgd-t": _Batch.targeted,
    "fab-t": _Batch.fab_t,
    "square": _Batch.square,
}
"""How each component runs, on both models' clean logits; what it costs, `components` says."""


class _Rough:
    """One run of APGD in reduced precision: which points to look at again in float32.

    Args:
        kept: Takes what was looked at again.
        rows: The images of the run, as rows of the batch, shape (R,).
        ask: Points → both models' logits in float32.
    """

    def __init__(self, kept: Kept, rows: Tensor, ask: Model) -> None:
        self.kept, self.rows, self.ask = kept, rows, ask
        self.steps = 0
        self.margins = torch.full((len(kept.watch), len(rows)), torch.inf, dtype=torch.float64).to(
            rows.device
        )
        self.step = torch.full_like(self.margins, -1, dtype=torch.long)
        self.points: Tensor | None = None

    def take(self, points: Tensor, raw: Tensor, of: Tensor) -> Tensor:
        """One step: choose by rough logits; look again at once where they say that an image is settled."""
        labels = self.kept.labels[self.rows[of]]
        margins = self.kept.watch.margins(raw, labels)
        which, place = ((margins < self.margins[:, of]) & sound(raw)).nonzero(as_tuple=True)
        if self.points is None:
            self.points = points.new_zeros(len(margins), len(self.rows), *points.shape[1:])
        self.margins[which, of[place]] = margins[which, place]
        self.step[which, of[place]] = self.steps
        self.points[which, of[place]] = points[place]
        self.steps += 1
        again = (fools_both(*halves(raw), labels) | ~sound(raw)) & ~self.kept.settled[self.rows[of]]
        if again.any():
            self.kept.take(self.rows[of[again]], self.ask(points[again]))
        return ~self.kept.settled[self.rows[of]]

    def settle_accounts(self) -> None:
        """At the end of the run: look at the chosen points again, each once."""
        for which in range(len(self.step)):
            new = (self.step[which] >= 0) & (self.step[:which] != self.step[which]).all(dim=0)
            new &= ~self.kept.settled[self.rows]
            if self.points is not None and new.any():
                self.kept.take(self.rows[new], self.ask(self.points[which, new]))


def _std_half(raw: Tensor) -> Tensor:
    return halves(raw)[0]
