"""Minimum-margin AutoAttack (MMAA, appendix B.1): where in its ball does an image have the least margin?

AutoAttack hands back the clean image where it fails, which says nothing of how near it came. MMAA runs
APGD on cross-entropy, then targeted APGD on DLR, and keeps for each example the point with the smallest
signed margin that any step of either has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.apgd import Loss, apgd, column, of_examples
from mnuts_core.attacks.base import MarginAttack, MinimumMargin
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import Ball, Norm, generator, make_ball
from mnuts_core.bundles.manifest import AttackCard, Setting
from mnuts_core.devices import resolve_device
from mnuts_core.functional.margins import check_labels, signed_margin
from mnuts_core.functional.mixing import sound
from mnuts_core.functional.transform import layer_norm
from mnuts_core.models.inputs import (
    Model,
    Precision,
    Progress,
    check_count,
    check_images,
    check_indices,
    check_precision,
    in_precision,
    laid_out,
    prepared,
)
from mnuts_core.models.predict import ask, check_gradients, count_classes, refuse_unsound
from mnuts_core.params import LN_K_DEFAULT, check_ln_k

N_ITER = 100
"""Steps of each run of APGD, as in AutoAttack."""
N_TARGETS = 9
"""Other classes that targeted APGD drives at, as in AutoAttack."""

BLACK_BOX = "give attack=Square(...) (`mnuts build --attack square`), which asks for answers alone"
"""What to do with a model without gradients."""

STRETCHES = 4
"""With reduced precision, how often in a run exact margins are computed; each costs a forward pass."""


def minimum_margin_attack(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm = "Linf",
    eps: float,
    n_iter: int = N_ITER,
    n_targets: int = N_TARGETS,
    seed: int = 0,
    batch_size: int = 256,
    surrogate: Callable[[Tensor], Tensor] | None = None,
    ln_k: int = LN_K_DEFAULT,
    precision: Precision = "full",
    channels_last: bool = False,
    indices: Tensor | None = None,
    progress: Progress | None = None,
    device: str | torch.device = "auto",
    name: str = "model",
) -> MinimumMargin:
    """Find for each image the perturbation that leaves a classifier the smallest signed margin (B.1).

    APGD on cross-entropy attacks every example, also those that are wrong from the start; targeted APGD
    on DLR then attacks those that are still right, one other class after another in their order at the
    clean point. Clean points and random starts count too, so no margin exceeds the one at the clean point.

    With K = 2 layer norm leaves nothing but the sign of the logits' difference, hence no gradient:
    gradients are then those of the model itself, while margins remain the surrogate's.

    Args:
        model: The raw classifier h: images (N, C, H, W) in [0, 1] → logits (N, K). An `nn.Module` is
            moved to the device and runs in evaluation mode; its mode is set back afterwards.
        images: Clean images in [0, 1], float32 or float64, shape (N, C, H, W).
        labels: True classes, integer, shape (N,), in [0, K).
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        n_iter: Steps of each run of APGD.
        n_targets: Other classes to drive at; at most K - 1 are used. 0 leaves the second attack out.
        seed: Seed of the random starts. An example's start depends on seed, index and attack alone, not
            on the batches.
        batch_size: Examples at a time.
        surrogate: Raw logits → logits of the classifier that is attacked, row by row. Layer norm if None:
            MMAA attacks LN∘h. Give M(s, p, c) to attack M∘h (D.9).
        ln_k: Layer norm over the ln_k largest logits; of no effect if a surrogate is given.
        precision: `"full"`: the images' dtype throughout, and the least margin of all steps is kept.
            `"bfloat16"`: gradients by autocast. Its rough margins only choose one point in each quarter
            of a run; what is kept, and who is still right, is decided by margins that are computed
            again there in float32.
        channels_last: Lay images and weights out as NHWC, which convolutions may run faster on.
        indices: Numbers that stand for the examples in the seeds, integer, shape (N,); 0, 1, ... if
            None. Give the rows of the whole set when attacking a part of it.
        progress: Called with (work done, work in all), the work being runs of APGD times examples.
        device: `"auto"` (CUDA if there is one), or a torch device.
        name: What to call the model in a message.

    Returns:
        Per example the point, its margin, the model's raw logits, and whether it is still right. Logits
        and margins come from one last pass without gradients, in batches of `batch_size`.

    Raises:
        ParameterError: If an argument is out of range or does not fit the others, the model lets no
            gradients through, or it answers a point with anything but finite logits; the message says which.
    """
    images, where = check_images(images), resolve_device(device)
    indices = check_indices(indices, len(images))
    for count, value, least in (
        ("n_iter", n_iter, 1),
        ("n_targets", n_targets, 0),
        ("batch_size", batch_size, 1),
    ):
        check_count(count, value, least)
    check_precision(precision, images.dtype)
    settings = _Settings(make_ball(norm, eps), n_iter, n_targets, check_count("seed", seed, 0), precision)
    attacked = partial(layer_norm, k=check_ln_k(ln_k)) if surrogate is None else surrogate
    with prepared(model, where, channels_last=channels_last):
        first = laid_out(images[:1].to(where), channels_last)
        classes = count_classes(name, model, first)
        check_gradients(name, in_precision(model, precision, where), first, BLACK_BOX)
        labels = check_labels(labels, torch.zeros(1).expand(len(images), classes))
        climbed = climbed_of(surrogate, classes, ln_k)
        asked: Model = partial(ask, name, model, classes=classes)
        runs, parts = 1 + min(n_targets, classes - 1), []
        for rows in torch.split(torch.arange(len(images)), batch_size):
            points = laid_out(images[rows].to(where), channels_last)
            batch = _Batch(asked, attacked, climbed, points, labels[rows].to(where), indices[rows], name)
            batch.attack(settings, _from(int(rows[0]) * runs, len(images) * runs, progress))
            parts.append(batch.result())
    columns = MinimumMargin(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))
    return columns._replace(images=columns.images.contiguous())


def climbed_of(surrogate: Callable[[Tensor], Tensor] | None, classes: int, ln_k: int = LN_K_DEFAULT) -> Model:
    """Raw logits → the logits whose loss MMAA climbs.

    Args:
        surrogate: What is attacked in the place of LN∘h, if anything.
        classes: K; with two, layer norm leaves no gradient, and the raw logits are climbed.
        ln_k: Layer norm over the ln_k largest logits.
    """
    if surrogate is not None:
        return surrogate
    return torch.nn.Identity() if classes == 2 else partial(layer_norm, k=ln_k)


Keep = Callable[[Tensor, Tensor], None]
"""Takes in points and the raw logits there."""


class _Settings(NamedTuple):
    ball: Ball
    n_iter: int
    n_targets: int
    seed: int
    precision: Precision


class _Least:
    """For each example the point of least margin among those taken so far.

    Args:
        margin: Margins to begin with, shape (B,).
        points: Where they are, shape (B, C, H, W).
    """

    def __init__(self, margin: Tensor, points: Tensor) -> None:
        self.margin, self.points = margin, points

    def take(self, margin: Tensor, points: Tensor) -> None:
        """Take in one more point for each example."""
        less = margin < self.margin  # never true of NaN
        self.margin = torch.where(less, margin, self.margin)
        self.points = torch.where(column(less, points), points, self.points)


class _Batch:
    """One batch under attack, and for each of its examples the point of least margin so far.

    Args:
        model: Images → raw logits.
        attacked: Raw logits → logits whose margin counts.
        climbed: Raw logits → logits whose loss APGD climbs.
        images: Shape (B, C, H, W).
        labels: Shape (B,).
        indices: Numbers of the examples in the seeds, shape (B,).
        name: What to call the model in a message.
    """

    def __init__(
        self,
        model: Model,
        attacked: Model,
        climbed: Model,
        images: Tensor,
        labels: Tensor,
        indices: Tensor,
        name: str,
    ) -> None:
        self.model, self.attacked, self.climbed = model, attacked, climbed
        self.images, self.labels, self.indices, self.name = images, labels, indices, name
        self.unsound = torch.zeros_like(labels, dtype=torch.bool)
        self.clean_logits = self._raw_logits(images)
        self.points, self.margin = images.clone(), self._margin(self.clean_logits, labels)

    def attack(self, settings: _Settings, report: Callable[[int], None]) -> None:
        """Run both attacks; report how many runs of APGD the examples have behind them."""
        size = len(self.images)
        everyone = torch.arange(size, device=self.images.device)
        self._run(everyone, of_examples(cross_entropy, self.labels), 0, settings, report)
        report(size)
        others = self.climbed(self.clean_logits).scatter(1, self.labels.unsqueeze(1), -torch.inf)
        order = others.argsort(dim=1, descending=True)[:, :-1]
        for number in range(1, min(settings.n_targets, order.shape[1]) + 1):
            rows = (self.margin > 0).nonzero().squeeze(1)
            loss = of_examples(targeted_dlr, self.labels[rows], order[rows, number - 1])
            self._run(rows, loss, number, settings, report)
            report(size * (1 + number))

    def result(self) -> MinimumMargin:
        """The outcome by one last pass over the whole batch, never worse than the clean points."""
        logits = self._raw_logits(self.points)
        self._refuse_unsound()
        margin = self._margin(logits, self.labels)
        clean_margin = self._margin(self.clean_logits, self.labels)
        back = margin > clean_margin  # rounding alone: the attack saw this point in a smaller batch
        points = torch.where(column(back, self.points), self.images, self.points)
        logits = torch.where(back.unsqueeze(1), self.clean_logits, logits)
        margin = torch.where(back, clean_margin, margin)
        return MinimumMargin(points, margin, logits, margin > 0)

    def _run(
        self, rows: Tensor, loss: Loss, number: int, settings: _Settings, report: Callable[[int], None]
    ) -> None:
        if not len(rows):
            return
        images, ball, n_iter = self.images[rows], settings.ball, settings.n_iter
        seeds = [(settings.seed, int(index), number) for index in self.indices[rows.cpu()]]
        noise = torch.stack([ball.noise(images.shape[1:], generator(*seed)) for seed in seeds])
        least = _Least(self.margin[rows], self.points[rows])
        full = settings.precision == "full"
        keep = self._keep_each(rows, least) if full else self._keep_chosen(rows, least, n_iter)
        seen = iter(range(n_iter + 1))

        def watch(points: Tensor, raw: Tensor, _: Tensor) -> None:
            keep(points, raw)
            report(len(self.images) * number + len(self.images) * next(seen) // n_iter)

        apgd(
            in_precision(self.model, settings.precision, images.device),
            lambda raw, of: loss(self.climbed(raw), of),
            images,
            ball.start(images, noise.to(images)),
            ball=ball,
            n_iter=n_iter,
            watch=watch,
        )
        self._refuse_unsound()
        self.margin[rows], self.points[rows] = least.margin, least.points

    def _keep_each(self, rows: Tensor, least: _Least) -> Keep:
        """Keep the least margin of all points, by the logits that come with them."""
        labels = self.labels[rows]

        def keep(points: Tensor, raw: Tensor) -> None:
            self.unsound[rows] |= ~sound(raw)
            least.take(self._margin(raw, labels), points)

        return keep

    def _keep_chosen(self, rows: Tensor, least: _Least, n_iter: int) -> Keep:
        """Choose a point by its rough logits in each stretch of steps, and keep by its exact margin."""
        labels, nothing = self.labels[rows], torch.full_like(least.margin, torch.inf)
        rough, seen = _Least(nothing, least.points), iter(range(n_iter + 1))
        ends = {n_iter * stretch // STRETCHES for stretch in range(1, STRETCHES + 1)}

        def keep(points: Tensor, raw: Tensor) -> None:
            rough.take(self._margin(raw, labels), points)
            if next(seen) in ends:
                exact = self._raw_logits(rough.points)
                self.unsound[rows] |= ~sound(exact)
                least.take(self._margin(exact, labels), rough.points)
                rough.margin = nothing

        return keep

    def _raw_logits(self, points: Tensor) -> Tensor:
        with torch.no_grad():
            return self.model(points)

    def _refuse_unsound(self) -> None:
        """Once a run, not at each step: it waits for the device."""
        refuse_unsound(self.name, self.unsound, self.indices, "at points near")

    def _margin(self, raw: Tensor, labels: Tensor) -> Tensor:
        return signed_margin(self.attacked(raw), labels)


def _from(before: int, total: int, progress: Progress | None) -> Callable[[int], None]:
    """Report work on top of what was done before, each amount once."""
    last = 0

    def report(done: int) -> None:
        nonlocal last
        if progress is not None and done > last:
            last = done
            progress(before + done, total)

    return report


@dataclass(frozen=True, kw_only=True)
class Mmaa(MarginAttack):
    """APGD on cross-entropy, then targeted APGD on DLR (B.1); see `minimum_margin_attack`."""

    n_iter: int = N_ITER
    n_targets: int = N_TARGETS
    precision: Precision = "full"

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings."""
        super().check(dtype, classes)
        check_count("n_iter", self.n_iter, 1)
        check_count("n_targets", self.n_targets, 0)
        check_precision(self.precision, dtype)

    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""
        return AttackCard(
            name="MMAA: APGD-CE, then targeted APGD-DLR",
            surrogate=self.target,
            n_iter=self.n_iter,
            n_targets=self.cost(classes) - 1,
            seed=self.seed,
            precision=self._arithmetic(dtype, self.precision),
        )

    def settings(self) -> dict[str, Setting | None]:
        """What the attack's outcome depends on."""
        return {
            "attack": "mmaa",
            **super().settings(),
            "n_iter": self.n_iter,
            "n_targets": self.n_targets,
            "precision": self.precision,
        }

    def cost(self, classes: int) -> int:
        """Runs of APGD for each image."""
        return 1 + min(self.n_targets, classes - 1)

    def climbed(self, classes: int) -> Model:
        """LN, or the surrogate that was asked for."""
        return climbed_of(self.surrogate and self.surrogate.__call__, classes)

    def _function(self) -> Callable[..., MinimumMargin]:
        return partial(
            minimum_margin_attack,
            n_iter=self.n_iter,
            n_targets=self.n_targets,
            precision=self.precision,
        )
