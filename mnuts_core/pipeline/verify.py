"""Verification: an adaptive attack (B.2) on one mixed classifier, batch by batch, resumable.

The figure reported is the worst case over all components: an image counts as right only if the mix gets
it right at every point that any of them came up with.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mnuts_core.attacks.plan import Attack, Plan
from mnuts_core.attacks.surrogates import THE_MIX
from mnuts_core.bundles.manifest import Setting, library_versions
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.export.cards import EstimateCard, PassesCard, VerifiedCard
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.margins import check_labels
from mnuts_core.functional.statistics import Estimate, share
from mnuts_core.io.files import write_atomically
from mnuts_core.io.untrusted import brief
from mnuts_core.models.compat import library_warnings
from mnuts_core.models.inputs import Progress, check_count, check_images, frozen, prepared
from mnuts_core.models.passes import Passes
from mnuts_core.models.predict import check_gradients, count_classes, model_card
from mnuts_core.pipeline.diagnostics import (
    Diagnostic,
    diagnostics_of_inputs,
    diagnostics_of_result,
    in_training_mode,
    not_finite,
    zero_gradients,
)
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.locks import held
from mnuts_core.pipeline.verify_batches import AttackRun, BatchState, Standing
from mnuts_core.pipeline.workfolder import WorkFolder

NAMES: dict[Attack, str] = {
    "transfer": "transfer-based adaptive AutoAttack (B.2.1)",
    "bypass": "adaptive AutoAttack through the gradient bypass (B.2.2)",
    "autoattack": "the library's AutoAttack, standard version, through the gradient bypass (B.2.2)",
}
FRUGAL = ", frugal: what FAB's distances call hopeless is left out"

NEEDS_BOTH = (
    "an adaptive attack needs gradients of both models (B.2.1); margins of a black-box model are found by "
    "`mnuts build --attack square`"
)
"""What to do with a base model without gradients."""


class ComponentResult(NamedTuple):
    """What one component did.

    Attributes:
        name: As the plan's table calls it.
        accuracy: The accuracy after it and all before it.
        broken: How many images it broke.
        passes: Forward and backward passes through the mix for each of the images, those included that it
            had nothing to do for; None if some were not counted. What one base model was spared counts half.
    """

    name: str
    accuracy: Estimate
    broken: int
    passes: Passes | None = None


class Verified(NamedTuple):
    """The outcome of an adaptive attack on a mixed classifier.

    Attributes:
        accuracy: Share of the images that no component broke.
        clean: Share that is right without an attack.
        components: In the order in which they ran, each on what the ones before had left right.
        attack: The attack in words.
        settings: All that the numbers depend on.
        digest: SHA-256 over points and predictions.
        warnings: What puts the result in doubt.
        points: The misclassified point of each broken image, else the clean image, shape (N, C, H, W).
        predictions: What the mix says at these points, int64, shape (N,); -1 where a base model answers with
            NaN or infinity there: such an image counts as wrong.
        labels: True classes, int64, shape (N,).
        fell: What broke each image: the place of a component, -1 for one that is wrong without an attack,
            the number of components for one that withstood them all; int64, shape (N,).
        std_logits: g at the points, shape (N, K): what the predictions were made of.
        rob_logits: h there, shape (N, K).
    """

    accuracy: Estimate
    clean: Estimate
    components: tuple[ComponentResult, ...]
    attack: str
    settings: dict[str, Setting]
    digest: str
    warnings: tuple[Diagnostic, ...]
    points: Tensor
    predictions: Tensor
    labels: Tensor
    fell: Tensor
    std_logits: Tensor
    rob_logits: Tensor

    @property
    def passes(self) -> Passes | None:
        """Passes of all components together, for each image; None if some were not counted."""
        counts = [part.passes for part in self.components]
        return None if None in counts else Passes(*(sum(column) for column in zip(*counts, strict=True)))

    def save_points(self, path: str | os.PathLike[str]) -> Path:
        """Write the points as data for `npz:FILE`: the mix's accuracy on these is the verified one.

        Args:
            path: The target: `images` (the points), `labels`, `predictions`, `fell`, and the `components`'
                names, all as the attributes have them.

        Raises:
            MnutsError: If it cannot be written.
        """
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            images=self.points.numpy(),
            labels=self.labels.numpy(),
            predictions=self.predictions.numpy(),
            fell=self.fell.numpy(),
            components=np.array([part.name for part in self.components]),
        )
        return write_atomically(path, stream.getvalue(), MnutsError)

    def into(self, config: MixConfig) -> MixConfig:
        """The configuration with this result as its `verified`."""
        card = VerifiedCard(
            accuracy=EstimateCard.of(self.accuracy),
            clean=EstimateCard.of(self.clean),
            components={part.name: part.accuracy.value for part in self.components},
            attack=self.attack,
            settings=self.settings,
            warnings=tuple(str(diagnostic) for diagnostic in self.warnings),
            digest=self.digest,
            passes={part.name: PassesCard.of(part.passes) for part in self.components if part.passes},
            outcomes=OutcomesCard.of(self.fell.numpy() >= 0, self.fell.numpy() >= len(self.components)),
        )
        return config.model_copy(update={"verified": card})


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
        work_dir: Folder in which every finished component is kept, so that a run that was cut off goes
            on where it was; made if it is missing. None keeps nothing. A run on more images than one that
            was cut off keeps its whole batches, if these images come first. The folder stays:
            `workfolder.discard` it once the result is saved.
        fresh: Throw away what is in `work_dir`.
        world: The processes that share the batches through `work_dir`; each of them gets the whole result.

    Returns:
        Accuracies with intervals, clean, after each component, and in the worst case, and the points.

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
    layout = prepared(model, device, channels_last=channels_last)
    if world.size > 1 and work_dir is None:
        raise ParameterError(f"work_dir must be given for {world.size} processes: they share it, got None")
    folder = held(work_dir if world.is_first else None, patience=world.patience)
    with folder, layout, frozen(model), library_warnings() as raised:
        first = images[:1].to(device)
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
        run = AttackRun(model, images, labels, plan, classes, batch_size, device)
        some = images[:batch_size].to(device), labels[:batch_size].to(device)
        diagnostics += diagnostics_of_inputs(model, *some, plan, classes)
        diagnostics += zero_gradients(run.count_zero_gradients(), len(images))
        state = run.all_batches(work, progress, standing, world)
    diagnostics += not_finite(state.predictions, state.fell)
    diagnostics += [Diagnostic("attack-library", f"the library says: {message}") for message in raised]
    names = [part.name for part in run.components]
    words = NAMES[plan.attack] + (FRUGAL if plan.frugal else "")
    return _result(state, labels, names, words, settings, diagnostics)


def _settings(
    model: MixedClassifier, images: Tensor, labels: Tensor, plan: Plan, classes: int, batch_size: int
) -> dict[str, Setting]:
    versions = library_versions()
    weights = (model_card("", base).digest for base in (model.std_model, model.rob_model))
    return {
        **plan.settings(classes),
        "n": len(images),
        "n_targets": plan.n_targets(classes),
        "n_queries": plan.n_queries,
        "batch_size": batch_size,
        "mix": str(model.params),
        "alpha_d": model.alpha_d,
        "r_d": model.r_d,
        "data_digest": _data_digest(images, labels),
        **dict(zip(("std_digest", "rob_digest"), map(str, weights), strict=True)),
        **{name: versions[name] for name in ("torch", "pyautoattack") if name in versions},
    }


def _data_digest(images: Tensor, labels: Tensor) -> str:
    return content_digest({"images": images.numpy(), "labels": labels.numpy()})


def _keep_batches_of_fewer(work: WorkFolder, images: Tensor, labels: Tensor, batch_size: int) -> None:
    """Where a run on the first of these very images was cut off, keep its whole batches."""
    earlier = work.begun_with() or {}
    n = earlier.get("n")
    if not isinstance(n, int) or not 0 < n < len(images):
        return
    fewer = work.settings | {"n": n, "data_digest": _data_digest(images[:n], labels[:n])}
    if earlier == fewer:
        work.take_over(fewer, n // batch_size)


def _result(
    state: BatchState,
    labels: Tensor,
    names: Sequence[str],
    attack: str,
    settings: dict[str, Setting],
    diagnostics: list[Diagnostic],
) -> Verified:
    n = len(state.fell)
    clean = share(int((state.fell >= 0).sum()), n, "clean")
    passes = [Passes(*of).over(n) for of in state.passes.sum(dim=0).tolist()]
    components = tuple(
        ComponentResult(
            name,
            share(int((state.fell > place).sum()), n, "attacked"),
            int((state.fell == place).sum()),
            passes[place] if math.isfinite(passes[place].forward) else None,
        )
        for place, name in enumerate(names)
    )
    arrays = {"points": state.points.numpy(), "predictions": state.predictions.numpy()}
    broken = {part.name: part.broken for part in components}
    return Verified(
        accuracy=share(components[-1].accuracy.successes, n, "verified"),
        clean=clean,
        components=components,
        attack=attack,
        settings=settings,
        digest=content_digest(arrays),
        warnings=(*diagnostics, *diagnostics_of_result(clean, broken)),
        points=state.points,
        predictions=state.predictions,
        labels=labels,
        fell=state.fell,
        std_logits=state.std_logits,
        rob_logits=state.rob_logits,
    )
