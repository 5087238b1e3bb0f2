"""Verification: an adaptive attack (B.2) on one mixed classifier, batch by batch, resumable.

The figure reported is the worst case over all components: an image counts as right only if the mix gets
it right at every point that any of them came up with. A batch has all components behind it before the next
one begins, so that wherever a run stops, the figure of the images of whole batches is theirs for good.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import Tensor

from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.plan import Attack, Plan
from mnuts_core.attacks.surrogates import THE_MIX
from mnuts_core.bundles.manifest import Setting, library_versions
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.devices import home_of
from mnuts_core.errors import ParameterError, Stopped
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.margins import check_labels
from mnuts_core.io.untrusted import brief
from mnuts_core.models.compat import library_warnings
from mnuts_core.models.inputs import Progress, check_count, check_images, check_precision, frozen, prepared
from mnuts_core.models.predict import check_gradients, count_classes, model_card
from mnuts_core.pipeline.diagnostics import (
    Diagnostic,
    diagnostics_of_inputs,
    in_training_mode,
    not_finite,
    stopped_early,
    zero_gradients,
)
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.locks import held
from mnuts_core.pipeline.verified import Verified, result_of
from mnuts_core.pipeline.verify_batches import AttackRun, BatchState, Enough, Standing
from mnuts_core.pipeline.workfolder import WorkFolder

NAMES: dict[Attack, str] = {
    "transfer": "transfer-based adaptive AutoAttack (B.2.1)",
    "bypass": "adaptive AutoAttack through the gradient bypass (B.2.2)",
    "autoattack": "the library's AutoAttack, standard version, through the gradient bypass (B.2.2)",
}
FRUGAL = ", frugal: the likeliest winners, and little of what hardly ever wins"

NEEDS_BOTH = (
    "an adaptive attack needs gradients of both models (B.2.1); margins of a black-box model are found by "
    "`mnuts build --attack square`"
)
"""What to do with a base model without gradients."""


def evaluate(
    model: MixedClassifier,
    images: Tensor,
    labels: Tensor,
    *,
    plan: Plan,
    batch_size: int = 250,
    channels_last: bool = False,
    progress: Progress | None = None,
    standing: Standing | None = None,
    enough: Enough | None = None,
    on_stop: Callable[[Verified], None] | None = None,
    work_dir: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    world: World = ALONE,
) -> Verified:
    """Attack a mixed classifier adaptively, and count what it still gets right (B.2.1, B.2.2).

    Args:
        model: The mix, on the device to compute on; its base models run in evaluation mode.
        images: Clean images in [0, 1], shape (N, C, H, W); attacked in float32.
        labels: True classes, integer, shape (N,), in [0, K).
        plan: Which attack, and how hard: `Plan(norm="Linf", eps=8 / 255, n_iter=50)`. Norm, radius, steps
            and seed are its own, and no arguments of this function.
        batch_size: Images at a time. Square's draws depend on it.
        channels_last: Lay weights out as NHWC, which convolutions often run faster on.
        progress: Called often with (components done, components in all); may raise to cancel.
        standing: Called after each component with how many images are not broken so far, an upper bound.
        enough: Called as images are done, the first ones first, with whether the mix gets each of them right
            under the attack, bool, shape (n,): its mean is an upper bound of their share. True ends the
            attack: the result is that of these n images, and the work folder has the rest.
        on_stop: Called with the result of the images that are done, if there are any, when the attack is
            stopped (by Ctrl-C, or as `Stopped`), before the exception goes on.
        work_dir: Folder in which every finished component is kept, so that a run that was cut off goes
            on where it was; made if it is missing. None keeps nothing. A run on more images than one that
            was cut off keeps its whole batches, if these images come first. The folder stays:
            `workfolder.discard` it once the result is saved.
        fresh: Throw away what is in `work_dir`.
        world: The processes that share the batches through `work_dir`; each of them gets the whole result.

    Returns:
        Accuracies with intervals, clean, after each component, and in the worst case, and the points: of all
        images, or of those that were `enough`. The latter is what a run on these images alone gives, with
        one warning more.

    Raises:
        ParameterError: If an argument is out of range, images, labels and model do not fit, a base model
            lets no gradients through, or it answers a batch with anything but logits.
        WorkFolderError: If `work_dir` was begun with other settings, is in use, or cannot be written.
    """
    images = check_images(images).float()
    if not isinstance(plan, Plan):
        raise ParameterError(f"plan must be Plan(norm=..., eps=...), got {brief(plan)}")
    check_count("batch_size", batch_size, 1)
    diagnostics = in_training_mode((model.std_model, model.rob_model))
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    check_precision(plan.precision, torch.float32, device)
    layout = prepared(model, device, channels_last=channels_last)
    if world.size > 1 and work_dir is None:
        raise ParameterError(f"work_dir must be given for {world.size} processes: they share it, got None")
    folder = held(work_dir if world.is_first else None, patience=world.patience)
    with folder, layout, frozen(model), library_warnings() as raised:
        home = home_of(device)
        first = images[:1].to(home)
        classes = count_classes(THE_MIX, model, first)
        for name in ("std_model", "rob_model"):
            check_gradients(name, getattr(model, name), first, NEEDS_BOTH)
        labels = check_labels(labels, torch.zeros(1).expand(len(images), classes))
        settings = {
            **_settings(model, images, labels, plan, classes, batch_size),
            "channels_last": channels_last,
        }
        work = None if work_dir is None else WorkFolder(work_dir, settings)
        if work is not None:
            if world.is_first and not fresh:
                _keep_batches_of_fewer(work, images, labels, batch_size)
            if world.is_first:
                work.open(fresh=fresh)
            world.wait()
            work.check()
        run = AttackRun(model, images, labels, plan, classes, batch_size, home)
        some = images[:batch_size].to(home), labels[:batch_size].to(home)
        diagnostics += diagnostics_of_inputs(model, *some, plan, classes)
        flat = run.count_zero_gradients()

        def result(state: BatchState) -> Verified:
            n = len(state.fell)
            seen = [
                *diagnostics,
                *zero_gradients(sum(flat[: len(state.passes)]), n),
                *not_finite(state.predictions, state.fell),
                *stopped_early(n, len(images)),
                *(Diagnostic("attack-library", f"the library says: {message}") for message in raised),
            ]
            of = settings if n == len(images) else settings | _of_first(n, images, labels)
            words = NAMES[plan.attack] + (FRUGAL if plan.frugal else "")
            words += f"; APGD also along {', '.join(plan.surrogates)}" if plan.surrogates else ""
            return result_of(state, labels[:n], [part.name for part in run.components], words, of, seen)

        try:
            return result(run.all_batches(work, progress, standing, enough, world))
        except (KeyboardInterrupt, Stopped):
            if on_stop is not None and (done := run.done()) is not None:
                on_stop(result(done))
            raise


def _settings(
    model: MixedClassifier, images: Tensor, labels: Tensor, plan: Plan, classes: int, batch_size: int
) -> dict[str, Setting]:
    versions = library_versions()
    weights = (model_card("", base).digest for base in (model.std_model, model.rob_model))
    return {
        **plan.settings(classes),
        **(
            {"components": ", ".join(part.name for part in components_of(plan, classes))}
            if plan.frugal
            else {}
        ),
        "n": len(images),
        "n_targets": plan.n_targets(classes),
        "n_queries": plan.n_queries,
        "batch_size": batch_size,
        "mix": str(model.params),
        "alpha_d": model.alpha_d,
        "r_d": model.r_d,
        "data_digest": data_digest(images, labels),
        **dict(zip(("std_digest", "rob_digest"), map(str, weights), strict=True)),
        **{name: versions[name] for name in ("torch", "pyautoattack") if name in versions},
    }


def data_digest(images: Tensor, labels: Tensor) -> str:
    """What tells images from others: two mixes with the same digest were verified on the same ones.

    Args:
        images: As `evaluate` attacks them, float32, shape (N, C, H, W).
        labels: True classes, int64, shape (N,).
    """
    return content_digest({"images": images.numpy(), "labels": labels.numpy()})


def _of_first(n: int, images: Tensor, labels: Tensor) -> dict[str, Setting]:
    """The settings of a run on the first n images, as far as they differ from those of one on all."""
    return {"n": n, "data_digest": data_digest(images[:n], labels[:n])}


def _keep_batches_of_fewer(work: WorkFolder, images: Tensor, labels: Tensor, batch_size: int) -> None:
    """Where a run on the first of these very images was cut off, keep its whole batches."""
    earlier = work.begun_with() or {}
    n = earlier.get("n")
    if not isinstance(n, int) or not 0 < n < len(images):
        return
    fewer = work.settings | _of_first(n, images, labels)
    if earlier == fewer:
        work.take_over(fewer, n // batch_size)
