"""More points for a bundle: attacks on a few targets, one after another, batch by batch, resumable.

Each target is a source of points. A source attacks the images that no point so far has settled, neither of
the bundle nor of the sources before it. As in a build, what comes out depends neither on where an earlier
process was killed nor on how many processes share the work.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.components import WHITE_BOX
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import required_alpha
from mnuts_core.models.compat import library_warnings
from mnuts_core.models.inputs import (
    Progress,
    check_count,
    check_images,
    check_precision,
    frozen,
    laid_out,
    prepared,
)
from mnuts_core.models.passes import Passes
from mnuts_core.models.predict import BASE_MODELS, check_gradients, listed
from mnuts_core.params import MixParams
from mnuts_core.pipeline.diagnostics import Diagnostic, in_training_mode
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.locks import held
from mnuts_core.pipeline.pool_batches import PoolBatches, joined
from mnuts_core.pipeline.same_images import attacked_images
from mnuts_core.pipeline.shared_work import finish
from mnuts_core.pipeline.verify import NEEDS_BOTH
from mnuts_core.pipeline.workfolder import Arrays, WorkFolder
from mnuts_core.text import counted

BATCH_SIZE = 250


@dataclass(frozen=True, eq=False, kw_only=True)
class SourcePoints:
    """The points that one source found, by image, each image's worst for its own target first.

    Attributes:
        target: What was attacked.
        plan: How.
        images: How many images were attacked: those that were not settled before.
        index: Clean row of each point, int64, shape (P,).
        std_logits: g there, float32, shape (P, K).
        rob_logits: h there, float32, shape (P, K).
        not_finite: Clean rows of images at which a model gave NaN or infinity: their point is a stand-in,
            wrong for both models.
        unsettled: How many of the images are left for a further source.
        passes: Forward and backward passes through both models for each of the images; None if some were not
            counted.
    """

    target: PoolTarget
    plan: PoolPlan
    images: int
    index: NDArray[np.int64]
    std_logits: NDArray[np.float32]
    rob_logits: NDArray[np.float32]
    not_finite: NDArray[np.int64]
    unsettled: int
    passes: Passes | None = None


def attack_pool(
    bundle: LogitBundle,
    std_model: nn.Module,
    rob_model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    targets: Sequence[PoolTarget],
    watch: Sequence[MixParams] = (),
    plan: PoolPlan,
    n: int | None = None,
    batch_size: int = BATCH_SIZE,
    channels_last: bool = False,
    progress: Progress | None = None,
    on_diagnostic: Callable[[Diagnostic], None] | None = None,
    device: str | torch.device = "auto",
    work_dir: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    world: World = ALONE,
) -> tuple[SourcePoints, ...]:
    """Attack a bundle's images on several targets, and keep the points that are worst for watched mixes.

    Args:
        bundle: A bundle with an attacked part.
        std_model: g, the model that the bundle was built from.
        rob_model: h, likewise.
        images: Clean images in [0, 1], those of the bundle's clean rows in their order, at least up to the
            last attacked one, shape (N, C, H, W); attacked in float32.
        labels: Their true classes, integer, shape (N,).
        targets: What is attacked, one source of points each.
        watch: Further mixes with α set, whose worst points are kept beside the targets'.
        plan: How each target is attacked.
        n: How many of the attacked images, from the first on; all if None.
        batch_size: Images at a time.
        channels_last: Lay images and weights out as NHWC.
        progress: Called with (work done, work in all) of one source after another; may raise to cancel.
        on_diagnostic: Called with what puts the points in question.
        device: `"auto"` (CUDA if there is one), or a torch device.
        work_dir: Folder for finished batches, as in `build_bundle`.
        fresh: Throw away what is in `work_dir`.
        world: The processes that share the work through `work_dir`; each of them gets all points.

    Returns:
        The points of each source; `add_points` puts them into the bundle.

    Raises:
        ParameterError: If an argument is out of range, images, labels or models are not the bundle's, or a
            model lets no gradients through.
        BundleError: If the bundle has no room for so many sources.
        WorkFolderError: If `work_dir` was begun with other settings, is in use, or cannot be written.
    """
    images, where = check_images(images).float(), resolve_device(device)
    check_precision(plan.precision, torch.float32, where)
    plan = replace(plan, n_targets=min(plan.n_targets, bundle.num_classes - 1))
    check_count("batch_size", batch_size, 1)
    if not targets:
        raise ParameterError("targets must name at least one classifier to attack, got none")
    bundle.require_room(len(targets))
    if world.size > 1 and work_dir is None:
        raise ParameterError(f"work_dir must be given for {world.size} processes: they share it, got None")
    models = (std_model, rob_model)
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(prepared(model, where, channels_last=channels_last))
            stack.enter_context(frozen(model))
        raised = stack.enter_context(library_warnings())
        n = check_n(n, bundle.n_adv)
        images, labels = attacked_images(
            bundle, models, images, labels, batch_size=batch_size, device=where, channels_last=channels_last
        )
        if set(plan.components) & set(WHITE_BOX):
            for name, model in zip(BASE_MODELS, models, strict=True):
                check_gradients(
                    name, model, laid_out(images[:1].to(home_of(where)), channels_last), NEEDS_BOTH
                )
        batches = PoolBatches(
            bundle=bundle,
            models=models,
            images=images[:n],
            labels=labels[:n],
            targets=tuple(targets),
            watch=_watched(targets, watch),
            plan=plan,
            batch_size=batch_size,
            channels_last=channels_last,
            device=where,
        )
        stack.enter_context(held(work_dir if world.is_first else None, patience=world.patience))
        work = None if work_dir is None else WorkFolder(work_dir, batches.settings())
        sources = _sources(batches, work, world, fresh, progress)
    if on_diagnostic is not None:
        for diagnostic in _diagnostics(models, sources, raised):
            on_diagnostic(diagnostic)
    return sources


def _diagnostics(
    models: Sequence[nn.Module], sources: Sequence[SourcePoints], raised: Sequence[str]
) -> list[Diagnostic]:
    diagnostics = in_training_mode(models)
    diagnostics += [Diagnostic("attack-library", f"the library says: {message}") for message in raised]
    rows = sorted({int(row) for source in sources for row in source.not_finite})
    if rows:
        text = (
            f"a model gave NaN or infinity at points near {counted(len(rows), 'image')} (rows "
            f"{listed(rows)}), broken by that, whatever the mix"
        )
        diagnostics.append(Diagnostic("not-finite", text))
    return diagnostics


def check_n(n: int | None, there: int) -> int:
    """How many of the attacked images: all if None."""
    n = there if n is None else check_count("n", n, 1)
    if n > there:
        raise ParameterError(f"n must be at most {there}, the number of attacked images, got {n}")
    return n


def _watched(targets: Sequence[PoolTarget], watch: Sequence[MixParams]) -> tuple[MixParams, ...]:
    """The mixes that are watched: the targets, and others."""
    mixes = [target.params for target in targets if target.params is not None] + list(watch)
    for mix in mixes:
        required_alpha(mix)
    return tuple(dict.fromkeys(mixes))


def _sources(
    batches: PoolBatches, work: WorkFolder | None, world: World, fresh: bool, progress: Progress | None
) -> tuple[SourcePoints, ...]:
    """The points of all sources, one after another: each has to know what those before it have settled."""
    sources: list[SourcePoints] = []
    computed: list[Arrays] = []
    unsettled = batches.unsettled_at_first()
    for number, target in enumerate(batches.targets):
        batches.unsettled.append(unsettled)
        before = computed
        computed = finish(
            lambda place, report, before=before: (  # type: ignore[misc]
                before[place] if place < len(before) else batches.compute(place, report)
            ),
            [0] * len(before) + batches.costs(number),
            work,
            world,
            fresh=fresh and not before,
            progress=progress,
        )
        arrays = joined(computed[len(before) :])
        passes = Passes(*arrays.pop("passes").sum(axis=0).tolist())
        n, unsettled = int(unsettled.sum()), unsettled & ~batches.settled_by(arrays)
        sources.append(
            SourcePoints(
                target=target,
                plan=batches.plan,
                images=n,
                **arrays,
                unsettled=int(unsettled.sum()),
                passes=passes.over(max(n, 1)) if math.isfinite(passes.forward) else None,
            )
        )
    return tuple(sources)


def add_points(bundle: LogitBundle, sources: Sequence[SourcePoints]) -> LogitBundle:
    """The bundle with the points of these sources, each with its card.

    Args:
        bundle: The bundle that was attacked.
        sources: What came of it.
    """
    for source in sources:
        card = source_card(source.target, source.plan, source.images, source.passes)
        bundle = bundle.with_points(card, source.index, source.std_logits, source.rob_logits)
    return bundle


def source_card(target: PoolTarget, plan: PoolPlan, images: int, passes: Passes | None = None) -> SourceCard:
    """What a bundle says of a source of points.

    Args:
        target: What was attacked.
        plan: How.
        images: How many images.
        passes: What it took for each of them, if that was counted.
    """
    settings = plan.settings()
    took = {} if passes is None else passes.rounded()
    return SourceCard(
        name=" + ".join(plan.components).upper(),
        target=str(target),
        params=None if target.params is None else asdict(target.params),
        plan={name: settings[name] for name in ("norm", "eps", "n_iter", "n_targets", "components")} | took,
        seed=plan.seed,
        precision="float32" if plan.precision == "full" else f"{plan.precision} gradients, float32 logits",
        images=images,
    )
