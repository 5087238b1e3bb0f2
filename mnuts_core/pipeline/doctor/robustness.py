"""Ten steps of APGD on both models: they must break g, leave much of h, and do better than one step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from mnuts_core.attacks.apgd import apgd, of_examples
from mnuts_core.attacks.losses import cross_entropy
from mnuts_core.attacks.mmaa import BLACK_BOX, climbed_of
from mnuts_core.attacks.norms import Ball, Norm, generator, make_ball
from mnuts_core.errors import ParameterError
from mnuts_core.functional.paired import Paired, mcnemar
from mnuts_core.functional.statistics import Estimate, share, share_of
from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import ask, check_gradients, predicted
from mnuts_core.params import EPS_LIMITS
from mnuts_core.pipeline.doctor.case import BATCH, Bools, Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.text import counted

N_IMAGES, N_GREY = 64, 32
"""So many images are attacked at ε, and so many far beyond it."""
STEPS = 10
UNDEFENDED = 0.3
"""Of what an undefended model gets right, ten steps leave less than this share."""
ROBUST = 0.05
"""A model that keeps fewer images is not robust at this ε."""
GREY = 0.5
"""Within this of every pixel lies plain grey: nothing of the picture need be left."""
P = 0.05


def robustness(case: Case) -> Iterator[Finding]:
    """Whether g falls, h stands, and gradients of neither mislead."""
    attack = case.plan.attack
    if attack.climbed(len(case.class_names)) is None or attack.eps >= EPS_LIMITS[attack.norm]:
        return  # models without gradients, or an ε that is no radius
    under = {side.name: Attacked.of(case, side) for side in case.answering if _can_be_attacked(side)}
    std, rob = (under.get(side.name) for side in case.sides)
    for found in under.values():
        yield from found.masking()
    if rob is None:
        return
    if std is None or std.signs or case.explained:  # then nothing is known of g
        yield from rob.strength()
    else:
        yield from _order(std, rob)


def _can_be_attacked(side: Side) -> bool:
    """Whether it gets anything right, and lets gradients through: that it does not is said elsewhere."""
    try:
        check_gradients(side.name, side.model, side.images[:1], BLACK_BOX)
    except ParameterError:
        return False
    return bool(side.right[:N_IMAGES].any())


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """One model under four attacks, each on the same images, and which it still gets right.

    Attributes:
        side: The model.
        ball: What is allowed.
        clean: Right without an attack.
        kept: Right at all points of ten steps of APGD in the ball.
        one_step: Right after a single step to the ball's edge.
        noise: Right after a random step there.
        grey: Right at all points of ten steps where every pixel may become grey; of the first images alone.
    """

    side: Side
    ball: Ball
    clean: Bools
    kept: Bools
    one_step: Bools
    noise: Bools
    grey: Bools

    @classmethod
    def of(cls, case: Case, side: Side) -> Attacked:
        """Run the attacks."""
        attack, images = case.plan.attack, side.images[:N_IMAGES]
        ball, far = make_ball(attack.norm, attack.eps), make_ball(attack.norm, _to_grey(attack.norm, images))
        climb = _Climb(side, climbed_of(None, side.classes))
        return cls(
            side=side,
            ball=ball,
            clean=side.right[:N_IMAGES],
            kept=climb.steps(ball),
            one_step=climb.one_step(ball),
            noise=climb.right(ball.start(images, climb.noise(ball))),
            grey=climb.steps(far, N_GREY),
        )

    @property
    def accuracy(self) -> Estimate:
        """After ten steps: an upper bound."""
        return share_of(self.kept & self.clean, "attacked")

    @cached_property
    def signs(self) -> list[str]:
        """Where something that follows no gradient, or only one, does better than ten steps."""
        signs = []
        for words, left in (("a single step", self.one_step), ("random noise", self.noise)):
            more, less = int((self.kept & ~left).sum()), int((left & ~self.kept).sum())
            if more > less and mcnemar(more, less) <= P:
                signs.append(
                    f"{words} breaks {counted(more, 'image')} that ten steps do not (the other way: {less})"
                )
        far, clean = int(self.grey.sum()), int(self.clean[: len(self.grey)].sum())
        if share(far, max(clean, far)).low > max(UNDEFENDED, 2 / self.side.classes):
            signs.append(
                f"ten steps to where every pixel may be grey leave {far} of {clean} images right, which no "
                "model can be"
            )
        return signs

    def masking(self) -> Iterator[Finding]:
        """What to say of such signs."""
        if self.signs:
            yield warning(
                "gradient-masking",
                f"{self.side.name}: {'; '.join(self.signs)}",
                "its gradients mislead attacks, and it looks more robust than it is",
                "look for rounding, randomness or saturation inside; compare mnuts build --attack square",
            )

    def strength(self) -> Iterator[Finding]:
        """Whether h stands at all, and as its publishers say."""
        listed, found = self.side.listed, self.accuracy
        claim = None if listed is None or not self._is_listed_threat() else listed.attacked
        if found.high < ROBUST + 0.01 or found.value < ROBUST:
            yield error(
                "not-robust",
                f"{self.side.name}: {found} right after {STEPS} steps of APGD at ε = {self.ball.eps:.4g}",
                "nothing can be mixed out of a robust model that is not robust at this ε",
                "compare norm and ε with those of its training, and the weights with its name",
            )
        elif claim is not None and found.high < claim:
            yield warning(
                "not-robust",
                f"{self.side.name}: {found} right after {STEPS} steps, {100 * claim:.1f} % listed after more",
                "it is less robust than its publishers say",
                "compare norm, ε and pixels with theirs",
            )
        else:
            listed_words = "" if claim is None else f"; {100 * claim:.1f} % listed after a full attack"
            yield ok("attack", f"{self.side.name}: {found} right after {STEPS} steps{listed_words}")

    def _is_listed_threat(self) -> bool:
        threat = None if self.side.listed is None else self.side.listed.threat
        return threat is not None and math.isclose(threat.eps, self.ball.eps, rel_tol=1e-3)


def _order(std: Attacked, rob: Attacked) -> Iterator[Finding]:
    """Whether h is the more robust one, and g falls."""
    table = Paired.of(rob.kept & rob.clean, std.kept & std.clean)
    if table.clear and table.difference.value < 0:
        yield error(
            "swapped",
            f"after {STEPS} steps rob_model gets {rob.accuracy.tally} right, std_model {std.accuracy.tally}",
            "the two were given in the wrong order, or h is not the robust model that it should be",
            "exchange --std and --rob",
        )
        return
    yield from rob.strength()
    kept, right = int((std.kept & std.clean).sum()), int(std.clean.sum())
    if share(kept, right).low > UNDEFENDED:
        yield warning(
            "gradient-masking",
            f"std_model keeps {kept} of the {right} images that it gets right through {STEPS} steps at "
            f"ε = {std.ball.eps:.4g}",
            "a model that nobody defended keeps next to none: its gradients mislead, ε is too small, or "
            "it is a robust model itself",
            "compare with --attack square; check ε; give an undefended g",
        )
    else:
        yield ok("attack", f"std_model: {std.accuracy} right after {STEPS} steps, as of an undefended model")


class _Climb:
    """Attacks that follow one model's gradients."""

    def __init__(self, side: Side, climbed: Model) -> None:
        self.side, self.climbed = side, climbed
        self.images, self.labels = side.images[:N_IMAGES], side.labels[:N_IMAGES]
        self.model: Model = partial(ask, side.name, side.model, classes=side.classes)

    def right(self, points: Tensor) -> Bools:
        """Which points are right."""
        found = predicted(self.side.ask(points)) == self.labels
        right: Bools = found.cpu().numpy()
        return right

    def noise(self, ball: Ball) -> Tensor:
        """Random directions, the same for each run."""
        rows = [ball.noise(self.images.shape[1:], generator(row)) for row in range(len(self.images))]
        return torch.stack(rows).to(self.images)

    def steps(self, ball: Ball, n: int = N_IMAGES) -> Bools:
        """Which of the first n images are right at all points of a run of APGD."""
        n = min(n, len(self.images))
        parts, noise = [], self.noise(ball)
        for rows in torch.split(torch.arange(n, device=self.images.device), BATCH):
            standing, labels = torch.ones_like(rows, dtype=torch.bool), self.labels[rows]

            def watch(
                _: Tensor, logits: Tensor, of: Tensor, standing: Tensor = standing, labels: Tensor = labels
            ) -> None:
                standing[of] &= predicted(logits) == labels[of]

            loss = of_examples(cross_entropy, labels)
            images = self.images[rows]
            apgd(
                self.model,
                lambda raw, of, loss=loss: loss(self.climbed(raw), of),  # type: ignore[misc]
                images,
                ball.start(images, noise[rows]),
                ball=ball,
                n_iter=STEPS,
                watch=watch,
            )
            parts.append(standing.cpu().numpy())
        return np.concatenate(parts)

    def one_step(self, ball: Ball) -> Bools:
        """Which images are right after one step along the gradient to the ball's edge."""
        points = []
        for images, labels in zip(
            torch.split(self.images, BATCH), torch.split(self.labels, BATCH), strict=True
        ):
            with torch.enable_grad():
                leaf = images.detach().clone().requires_grad_()
                loss = cross_entropy(self.climbed(self.model(leaf)), labels).sum()
                (gradient,) = torch.autograd.grad(loss, leaf, materialize_grads=True)
            step = ball.eps * ball.direction(gradient.nan_to_num(nan=0.0))
            points.append(ball.project(images + step, images))
        return self.right(torch.cat(points))


def _to_grey(norm: Norm, images: Tensor) -> float:
    """A radius within which plain grey lies, of every image."""
    return GREY if norm == "Linf" else GREY * math.sqrt(images[0].numel())
