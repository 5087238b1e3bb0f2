"""From two models and labelled images to a logit bundle: cached logits, clean and at points of least margin.

Images are worked off in batches, each by itself: what comes out depends neither on where an earlier process
was killed nor on how many processes share the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from mnuts_core.attacks.base import MarginAttack
from mnuts_core.attacks.margin_attacks import MARGIN_ATTACKS
from mnuts_core.attacks.mmaa import BLACK_BOX
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import DataCard, Manifest, ModelCard, ThreatModel, library_versions, now
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import check_labels
from mnuts_core.models.inputs import (
    Model,
    Progress,
    check_count,
    check_images,
    laid_out,
    prepared,
)
from mnuts_core.models.passes import Passes
from mnuts_core.models.predict import (
    BASE_MODELS,
    check_gradients,
    count_classes,
    model_card,
    predict,
    to_uint8,
)
from mnuts_core.pipeline.build_batches import Batches
from mnuts_core.pipeline.diagnostics import (
    Diagnostic,
    count_zero_gradients_of,
    diagnostics_of_models,
    in_training_mode,
    too_dark,
    zero_gradients,
)
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.locks import held
from mnuts_core.pipeline.shared_work import finish
from mnuts_core.pipeline.workfolder import WorkFolder

__all__ = ["build_bundle", "model_card", "predict", "progress_bar", "to_uint8"]


def build_bundle(
    std_model: Model,
    rob_model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    attack: MarginAttack,
    n_adv: int | None = None,
    name: str,
    classes: Sequence[str],
    data: DataCard,
    std_card: ModelCard,
    rob_card: ModelCard,
    command: str = "",
    with_images: bool = False,
    batch_size: int = 256,
    progress: Progress | None = None,
    on_diagnostic: Callable[[Diagnostic], None] | None = None,
    device: str | torch.device = "auto",
    work_dir: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    world: World = ALONE,
) -> LogitBundle:
    """Run both models on all images, attack LN∘h_rob on the first ones, and keep all logits.

    Args:
        std_model: Accurate classifier g: images (N, C, H, W) in [0, 1] → raw logits (N, K).
        rob_model: Robust classifier h, likewise; it is attacked behind a layer norm (B.1). With
            `Square` both may be any callables: no gradient is asked of them.
        images: Clean images in [0, 1], float32 or float64, shape (N, C, H, W).
        labels: True classes, integer, shape (N,), in [0, K).
        attack: `Mmaa` (B.1), or `Square`, which asks for no gradients (D.5) and takes many more passes, with
            norm, radius and its other settings. Its memory layout holds for the clean passes too.
        n_adv: How many images are attacked, from the first on; all if None, none if 0.
        name: The bundle's name.
        classes: K class names.
        data: Which images these are.
        std_card: How the accurate model is loaded.
        rob_card: How the robust model is loaded.
        command: The command line that makes this bundle again.
        with_images: Keep the images too, as uint8 (rounded to 1/255: for looking at, not for attacking).
        batch_size: Images at a time.
        progress: Called with (work done, work in all) of the attack, as far as this process has to do it.
        on_diagnostic: Called, before the first batch, with each thing that is odd about the models or images
            (`mnuts_core.pipeline.diagnostics`); None looks for nothing.
        device: `"auto"` (CUDA if there is one), or a torch device.
        work_dir: Folder for finished batches, made if it is missing. A build that was killed takes up the
            batches that it finds there, and gives the same bytes of tensors as an undisturbed one (on the
            same kind of machine). The folder stays: `workfolder.discard` it once the bundle is saved.
        fresh: Throw away what is in `work_dir`.
        world: The processes that share the work through `work_dir`; each of them gets the whole bundle.

    Returns:
        The bundle; logits are stored in float32.

    Raises:
        ParameterError: If an argument is out of range, images, labels, models and classes do not fit, or a
            model answers with anything but finite logits.
        WorkFolderError: If `work_dir` was begun with other settings, is in use, or cannot be written.
    """
    images, where = check_images(images), resolve_device(device)
    n_adv = check_work(attack, images, len(classes), n_adv=n_adv, batch_size=batch_size)
    if world.size > 1 and work_dir is None:
        raise ParameterError(f"work_dir must be given for {world.size} processes: they share it, got None")
    _check_models((std_model, rob_model), images[:1], len(classes), where, attack.channels_last)
    batches = Batches(
        models=(std_model, rob_model),
        cards=(std_card, rob_card),
        images=images,
        labels=check_labels(labels, torch.zeros(1).expand(len(images), len(classes))),
        classes=len(classes),
        n_adv=n_adv,
        attack=attack,
        batch_size=batch_size,
        with_images=with_images,
        device=where,
    )
    if on_diagnostic is not None:
        for diagnostic in _diagnostics(batches):
            on_diagnostic(diagnostic)
    work = None if work_dir is None else WorkFolder(work_dir, batches.settings())
    with held(work_dir if world.is_first else None, patience=world.patience):
        computed = finish(batches.compute, batches.costs(), work, world, fresh=fresh, progress=progress)
    arrays: dict[str, Any] = batches.joined(computed)
    manifest = _manifest(
        batches,
        batches.passes(computed),
        name=name,
        data=data,
        classes=tuple(classes),
        command=command,
    )
    return LogitBundle.from_arrays(manifest=manifest, **arrays)


def check_work(attack: object, images: Tensor, classes: int, *, n_adv: int | None, batch_size: int) -> int:
    """Check what a build is to do, before anything is asked of a model: how many images are attacked.

    Args:
        attack: See `build_bundle`.
        images: See `build_bundle`.
        classes: K.
        n_adv: See `build_bundle`.
        batch_size: See `build_bundle`.

    Raises:
        ParameterError: If one is out of range, or they do not fit.
    """
    if not isinstance(attack, MarginAttack):
        kinds = " or ".join(f"{kind.__name__}(...)" for kind in MARGIN_ATTACKS.values())
        raise ParameterError(f"attack must be {kinds}, got {attack!r}")
    attack.check(images.dtype, classes)
    check_count("batch_size", batch_size, 1)
    n = len(images)
    if n_adv is None:
        return n
    if check_count("n_adv", n_adv, 0) > n:
        raise ParameterError(f"n_adv must be at most {n}, the number of images, got {n_adv}")
    return n_adv


def _diagnostics(batches: Batches) -> Iterator[Diagnostic]:
    """What is odd about models and images, by a few passes over the first batch."""
    models = dict(zip(BASE_MODELS, batches.models, strict=True))
    yield from in_training_mode(models.values())
    yield from too_dark(batches.images)
    rows, attacked = batches.rows(0)
    home = home_of(batches.device)
    images, labels = batches.images[rows].to(home), batches.labels[rows].to(home)
    with ExitStack() as stack:
        for model in models.values():
            stack.enter_context(prepared(model, batches.device, channels_last=batches.attack.channels_last))
        yield from diagnostics_of_models(models, images, labels)
        climbed = batches.attack.climbed(batches.classes)
        if climbed is not None and attacked.stop:
            check_gradients(BASE_MODELS[1], models[BASE_MODELS[1]], images[:1], BLACK_BOX)
            at = slice(attacked.stop)
            flat = count_zero_gradients_of(
                BASE_MODELS[1], models[BASE_MODELS[1]], climbed, images[at], labels[at]
            )
            yield from zero_gradients(flat, attacked.stop)


@contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """A progress bar on standard error (only where that is a terminal), as a callback.

    Args:
        description: What is going on, in a word or two.
    """
    from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

    with tqdm(desc=description, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _manifest(
    batches: Batches,
    passes: Passes | None,
    *,
    name: str,
    data: DataCard,
    classes: tuple[str, ...],
    command: str,
) -> Manifest:
    """What the bundle says of itself; nothing of an attack if there was none."""
    attack, attacked = batches.attack, batches.n_adv > 0
    took = {} if passes is None else passes.rounded()
    return Manifest(
        name=name,
        data=data,
        classes=classes,
        std_model=batches.cards[0],
        rob_model=batches.cards[1],
        threat=ThreatModel(norm=attack.norm, eps=attack.eps) if attacked else None,
        attack=attack.card(batches.images.dtype, batches.classes).model_copy(update=took)
        if attacked
        else None,
        command=command,
        versions=library_versions(),
        created=now(),
    )


def _check_models(
    models: tuple[Model, Model], image: Tensor, n_classes: int, device: torch.device, channels_last: bool
) -> None:
    """Check that both models take the images and know the classes; leave them laid out as all passes do."""
    for which, model in zip(BASE_MODELS, models, strict=True):
        with prepared(model, device, channels_last=channels_last):
            found = count_classes(which, model, laid_out(image.to(home_of(device)), channels_last))
        if found != n_classes:
            raise ParameterError(
                f"{which} must have as many classes as there are names: {n_classes}, got {found}"
            )
