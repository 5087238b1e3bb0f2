"""Adaptive attacks on a mixed classifier (appendix B.2), one component after another.

At T = 0 the mix has no gradient in the standard model, so an attack that follows its own gradient sees
half of it and reports too much robustness. Here gradients come from the differentiable auxiliary
classifier f̃ of Eq. 8, and success is judged on the mix itself:

- `transfer` (B.2.1): the loss, too, is that of f̃; a point succeeds if the mix is wrong there.
- `bypass` (B.2.2): the loss is that of the mix's own logits, its gradient goes straight through to f̃.
- `autoattack` (B.2.2): the library's AutoAttack, standard version, unmodified, on the same module.

APGD is this project's own in the first two; FAB and Square are the library's in all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, get_args

import torch
from torch import Tensor

from mnuts_core.attacks.apgd import Loss, apgd, of_examples
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import Norm, generator, make_ball
from mnuts_core.errors import ParameterError
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import mixed_logits, sound
from mnuts_core.models.compat import attack_library
from mnuts_core.models.inputs import Model, Precision, in_precision
from mnuts_core.models.predict import ask, predicted

Attack = Literal["transfer", "bypass", "autoattack"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)
WHITE_BOX = ("apgd-ce", "apgd-t", "fab-t")
"""The components that follow gradients of the auxiliary classifier."""
N_TARGETS = 9
"""Other classes that targeted attacks drive at, as in AutoAttack; fewer where there are fewer."""
QUERIES_PER_STEP = 50
"""Square's queries for each step of APGD: 5,000 for 100, as in AutoAttack."""
STANDARD_STEPS = 100
"""Steps of APGD and FAB in AutoAttack's standard version."""

THE_MIX = "the mix"
"""What messages call the mixed classifier."""

Tick = Callable[[], None]
"""Called at each forward pass of an attack; to cancel, raise an exception in it."""


class Plan(NamedTuple):
    """What is run, and how hard.

    Attributes:
        attack: Which of the three attacks.
        norm: `"Linf"` or `"L2"`.
        eps: Radius, in units of pixels in [0, 1].
        n_iter: Steps of each run of APGD and FAB.
        classes: K, the model's number of classes.
        seed: Seed of everything random.
        precision: Of the gradients of this project's APGD. With `bfloat16` a point counts as misclassified
            only once a pass in float32 says so. FAB and Square run in float32 always.
    """

    attack: Attack
    norm: Norm
    eps: float
    n_iter: int
    classes: int
    seed: int
    precision: Precision = "full"

    @property
    def n_targets(self) -> int:
        """Other classes that targeted attacks drive at: 9, or all that there are."""
        return min(N_TARGETS, self.classes - 1)

    @property
    def n_queries(self) -> int:
        """Square's queries."""
        return QUERIES_PER_STEP * self.n_iter

    @property
    def components(self) -> tuple[str, ...]:
        """The components in the order in which they run, each on what the ones before have left right.

        `base-transfer` carries over APGD-CE's points against either base model alone: another witness,
        beside Square, that the white-box components are not misled by their gradients. AutoAttack is
        left as it is, but for its targeted DLR loss, which needs four classes.
        """
        if self.attack != "autoattack":
            return (*WHITE_BOX, "square", "base-transfer")
        return tuple(n for n in (*WHITE_BOX, "square") if n != "apgd-t" or self.classes > 3)

    @property
    def costs(self) -> tuple[int, ...]:
        """How many passes each component makes about an image that nothing breaks, in their order.

        Example:
            >>> plan = Plan("transfer", "Linf", 8 / 255, n_iter=10, classes=10, seed=0)
            >>> dict(zip(plan.components, plan.costs, strict=True))
            {'apgd-ce': 10, 'apgd-t': 90, 'fab-t': 360, 'square': 500, 'base-transfer': 20}
        """
        passes = {
            "apgd-ce": 1,
            "apgd-t": self.n_targets,
            "fab-t": 4 * self.n_targets,  # it looks back and forth at each step
            "square": QUERIES_PER_STEP,
            "base-transfer": 2,
        }
        return tuple(self.n_iter * passes[name] for name in self.components)


class Surrogate(NamedTuple):
    """One forward pass, looked at in two ways.

    Attributes:
        model: Images → raw output, through which gradients flow.
        climbed: Raw output → the logits whose loss is climbed.
        judged: Raw output → the mix's logits, on which success is judged.
    """

    model: Model
    climbed: Model
    judged: Model


def surrogate_of(mix: MixedClassifier, attack: Attack, classes: int | None = None) -> Surrogate:
    """What APGD climbs and what it is judged on.

    Args:
        mix: The mixed classifier.
        attack: `transfer` climbs f̃ (Eq. 8); the others the mix's own logits with the gradient of f̃.
        classes: K, if it is known.
    """
    if attack == "transfer":
        return _on_pair(mix, lambda raw: mix.auxiliary_logits(_half(raw, 0), _half(raw, 1)), classes)
    return Surrogate(partial(ask, THE_MIX, mix, classes=classes), _same, _same)


def run_component(
    name: str,
    mix: MixedClassifier,
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    plan: Plan,
    tick: Tick = lambda: None,
) -> Tensor:
    """Run one component on images that the mix gets right.

    Args:
        name: One of `plan.components`.
        mix: The mixed classifier, in evaluation mode, its parameters frozen.
        images: Clean images in [0, 1], float32, contiguous, shape (N, C, H, W).
        labels: True classes, int64, shape (N,).
        indices: The examples' numbers, which seed their random starts, shape (N,).
        plan: Attack and strength.
        tick: Called at each forward pass.

    Returns:
        A point for each image, a misclassified one where the component found one; the caller judges.

    Raises:
        ParameterError: If there is no such component.
    """
    if name not in plan.components:
        raise ParameterError(f"component must be one of {', '.join(plan.components)}, got {name!r}")
    if plan.attack == "autoattack":
        return _autoattack(name, mix, images, labels, plan, tick)
    if name in ("fab-t", "square"):
        return from_library(name, mix, images, labels, plan, tick)
    run = _Apgd(mix, images, labels, indices, plan, tick)
    match name:
        case "apgd-ce":
            run.cross_entropy(surrogate_of(mix, plan.attack, plan.classes), 0)
        case "apgd-t":
            run.targeted(surrogate_of(mix, plan.attack, plan.classes))
        case _:
            for number in (0, 1):
                base = partial(_half, number=number)
                run.cross_entropy(_on_pair(mix, base, plan.classes), N_TARGETS + 1 + number)
    return run.points


class _Apgd:
    """APGD on one batch; keeps for each example the first point at which the mix is wrong."""

    def __init__(
        self, mix: MixedClassifier, images: Tensor, labels: Tensor, indices: Tensor, plan: Plan, tick: Tick
    ) -> None:
        self.mix, self.images, self.labels, self.indices = mix, images, labels, indices
        self.plan, self.tick, self.ball = plan, tick, make_ball(plan.norm, plan.eps)
        self.points, self.broken = images.clone(), torch.zeros_like(labels, dtype=torch.bool)

    def cross_entropy(self, surrogate: Surrogate, number: int) -> None:
        """Climb cross-entropy on the examples that still stand."""
        rows = (~self.broken).nonzero().squeeze(1)
        self._run(surrogate, rows, of_examples(cross_entropy, self.labels[rows]), number)

    def targeted(self, surrogate: Surrogate) -> None:
        """Climb targeted DLR, the likeliest other class first."""
        with torch.no_grad():
            clean = surrogate.climbed(surrogate.model(self.images))
        order = clean.scatter(1, self.labels.unsqueeze(1), -torch.inf).argsort(dim=1, descending=True)
        for number in range(1, self.plan.n_targets + 1):
            rows = (~self.broken).nonzero().squeeze(1)
            loss = of_examples(targeted_dlr, self.labels[rows], order[rows, number - 1])
            self._run(surrogate, rows, loss, number)

    def _run(self, surrogate: Surrogate, rows: Tensor, loss: Loss, number: int) -> None:
        if not len(rows):
            return
        images = self.images[rows]

        def keep(points: Tensor, raw: Tensor, of: Tensor) -> Tensor:
            self.tick()
            wrong = predicted(surrogate.judged(raw)) != self.labels[rows[of]]
            new = wrong & ~self.broken[rows[of]]
            if self.plan.precision != "full" and new.any():
                with torch.no_grad():
                    exact = predicted(surrogate.judged(surrogate.model(points[new])))
                new[new.clone()] = exact != self.labels[rows[of[new]]]
            self.points[rows[of[new]]] = points[new]
            self.broken[rows[of[new]]] = True
            return ~self.broken[rows[of]]

        generators = (generator(self.plan.seed, int(index), number) for index in self.indices[rows.cpu()])
        noise = torch.stack([self.ball.noise(images.shape[1:], generator) for generator in generators])
        apgd(
            in_precision(surrogate.model, self.plan.precision, images.device),
            lambda raw, of: loss(surrogate.climbed(raw), of),
            images,
            self.ball.start(images, noise.to(images)),
            ball=self.ball,
            n_iter=self.plan.n_iter,
            watch=keep,
        )


class LibraryPlan(Protocol):
    """What the library's FAB-T and Square ask of a plan; see `Plan`."""

    @property
    def norm(self) -> Norm: ...  # noqa: D102
    @property
    def eps(self) -> float: ...  # noqa: D102
    @property
    def n_iter(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def n_targets(self) -> int: ...  # noqa: D102
    @property
    def n_queries(self) -> int: ...  # noqa: D102


def from_library(
    name: str, classifier: Model, images: Tensor, labels: Tensor, plan: LibraryPlan, tick: Tick
) -> Tensor:
    """FAB-T or Square, the library's.

    Args:
        name: `"fab-t"` or `"square"`.
        classifier: Images → logits, such as a mix with its straight-through gradient.
        images: Clean images, shape (N, C, H, W).
        labels: True classes, shape (N,).
        plan: Strength.
        tick: Called at each forward pass.

    Returns:
        A point for each image, which need not be misclassified nor, for FAB, in the ball.
    """
    library, model = attack_library(), _for_library(classifier, tick)
    common = {"norm": plan.norm, "eps": plan.eps, "seed": plan.seed, "device": images.device}
    attack: Any
    if name == "fab-t":
        attack = library.autoattack.FABAttack_PT(
            model, n_iter=plan.n_iter, targeted=True, n_target_classes=plan.n_targets, **common
        )
    else:
        attack = library.autoattack.SquareAttack(
            model, n_queries=plan.n_queries, p_init=0.8, resc_schedule=False, **common
        )
    with _own_randomness(images.device):
        points: Tensor = attack.perturb(images, labels)
    return points.detach()


def _autoattack(
    name: str, mix: MixedClassifier, images: Tensor, labels: Tensor, plan: Plan, tick: Tick
) -> Tensor:
    """One component of the library's AutoAttack, standard version.

    Each is seeded anew and sees only what is left, so that one by one they do what a whole run does.
    """
    attack = attack_library().AutoAttack(
        _for_library(mix, tick),
        norm=plan.norm,
        eps=plan.eps,
        seed=plan.seed,
        device=images.device,
    )
    attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = plan.n_targets
    attack.attacks_to_run = [name]
    with _own_randomness(images.device):
        points: Tensor = attack.run_standard_evaluation(images, labels, batch_size=len(images))[0]
    return points.detach()


def _on_pair(mix: MixedClassifier, climbed: Model, classes: int | None) -> Surrogate:
    """A surrogate on both base models' logits, side by side (N, 2K)."""
    return Surrogate(
        model=lambda images: torch.cat(mix.base_logits(images, classes), dim=1),
        climbed=climbed,
        judged=lambda raw: mixed_logits(_half(raw, 0), _half(raw, 1), mix.params),
    )


def _half(raw: Tensor, number: int) -> Tensor:
    return raw.chunk(2, dim=1)[number]


def _same(raw: Tensor) -> Tensor:
    return raw


def _for_library(classifier: Model, tick: Tick) -> Model:
    """A classifier as the library's attacks take it, which know nothing of NaN.

    They go by the arg max, which is class 0 for a row of NaN. Where there are such rows, the answer has one
    class more, which is nobody's label, and it leads in these rows alone.
    """

    def forward(images: Tensor) -> Tensor:
        tick()
        logits = ask(THE_MIX, classifier, _InOrder.apply(images))
        finite = sound(logits.detach()).unsqueeze(1)
        if finite.all():
            return logits
        logits = logits.where(finite, 0.0)
        last = logits.detach().amin(dim=1, keepdim=True)
        return torch.cat([logits, (last - _FAR_BEHIND).where(finite, 1.0)], dim=1)

    return forward


_FAR_BEHIND = 1e4
"""So far behind the others, a class has probability 0 and changes nothing."""


class _InOrder(torch.autograd.Function):
    """The identity; its gradient is contiguous, as the library takes a `view` of it, and has 0 for NaN."""

    @staticmethod
    def forward(_: Any, images: Tensor) -> Tensor:
        return images.view_as(images)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous().nan_to_num(nan=0.0)


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    """The library seeds the global random state: have it back as it was afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
