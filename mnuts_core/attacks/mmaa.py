"""Minimum-margin AutoAttack (MMAA, appendix B.1): where in its ball does an image have the least margin?

AutoAttack hands back the clean image where it fails, which says nothing of how near it came. MMAA runs
APGD on cross-entropy, then targeted APGD on DLR, and keeps for each example the point with the smallest
signed margin that any step of either has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mnuts_core.attacks.base import MarginAttack, MinimumMargin
from mnuts_core.attacks.mmaa_batch import STRETCHES, MarginBatch, Settings
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.attacks.promise import Effort, check_effort, driven_at
from mnuts_core.bundles.manifest import AttackCard, Setting
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.functional.margins import check_labels
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
from mnuts_core.models.passes import Passes
from mnuts_core.models.predict import ask, check_gradients, count_classes
from mnuts_core.params import LN_K_DEFAULT, check_ln_k

N_ITER = 100
"""Steps of each run of APGD, as in AutoAttack."""
N_TARGETS = 9
"""Other classes that targeted APGD drives at, as in AutoAttack."""

BLACK_BOX = "give attack=Square(...) (`mnuts build --attack square`), which asks for answers alone"
"""What to do with a model without gradients."""


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
    effort: Effort = "full",
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
        effort: `"full"`, or `"frugal"`: APGD-T drives at the most promising of these classes alone, see
            `mnuts_core.attacks.promise`.
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
    check_precision(precision, images.dtype, where)
    check_effort(effort)
    settings = Settings(
        make_ball(norm, eps), n_iter, n_targets, check_count("seed", seed, 0), precision, effort
    )
    attacked = partial(layer_norm, k=check_ln_k(ln_k)) if surrogate is None else surrogate
    with prepared(model, where, channels_last=channels_last):
        home = home_of(where)
        first = laid_out(images[:1].to(home), channels_last)
        classes = count_classes(name, model, first)
        check_gradients(name, in_precision(model, precision, where), first, BLACK_BOX)
        labels = check_labels(labels, torch.zeros(1).expand(len(images), classes))
        climbed = climbed_of(surrogate, classes, ln_k)
        asked: Model = partial(ask, name, model, classes=classes)
        runs, parts = 1 + driven_at(min(n_targets, classes - 1), effort), []
        for rows in torch.split(torch.arange(len(images)), batch_size):
            points = laid_out(images[rows].to(home), channels_last)
            batch = MarginBatch(asked, attacked, climbed, points, labels[rows].to(home), indices[rows], name)
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
    effort: Effort = "full"

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings."""
        super().check(dtype, classes)
        check_count("n_iter", self.n_iter, 1)
        check_count("n_targets", self.n_targets, 0)
        check_precision(self.precision, dtype)
        check_effort(self.effort)

    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""
        return AttackCard(
            name="MMAA: APGD-CE, then targeted APGD-DLR" + (", frugal" if self.effort == "frugal" else ""),
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
            **({"effort": self.effort} if self.effort != "full" else {}),
        }

    def cost(self, classes: int) -> int:
        """Runs of APGD for each image."""
        return 1 + driven_at(self._candidates(classes), self.effort)

    def _candidates(self, classes: int) -> int:
        """Other classes that come into question."""
        return min(self.n_targets, classes - 1)

    def passes(self, classes: int) -> Passes:
        """One at the start and one a step in each run; the clean point before, and what was found behind."""
        climbed = self.cost(classes) * (self.n_iter + 1)
        again = 0 if self.precision == "full" else self.cost(classes) * STRETCHES
        slopes = self._candidates(classes) if self.effort == "frugal" else 0
        return Passes(forward=climbed + again + 2 + bool(slopes), backward=climbed + slopes)

    def climbed(self, classes: int) -> Model:
        """LN, or the surrogate that was asked for."""
        return climbed_of(self.surrogate and self.surrogate.__call__, classes)

    def _function(self) -> Callable[..., MinimumMargin]:
        return partial(
            minimum_margin_attack,
            n_iter=self.n_iter,
            n_targets=self.n_targets,
            precision=self.precision,
            effort=self.effort,
        )
