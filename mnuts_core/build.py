"""From two models and labelled images to a logit bundle: cached logits, clean and at MMAA's points.

Images are worked off in batches, each by itself: what comes out depends neither on where an earlier process
was killed nor on how many processes share the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.apgd import Model
from mnuts_core.attacks.inputs import (
    Precision,
    check_count,
    check_images,
    check_precision,
    choose_device,
    count_classes,
    laid_out,
    prepared,
)
from mnuts_core.attacks.mmaa import N_TARGETS, Progress, minimum_margin_attack
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.bundle import LogitBundle, content_digest
from mnuts_core.distributed import ALONE, World, finish
from mnuts_core.errors import ParameterError
from mnuts_core.manifest import (
    AttackCard,
    DataCard,
    Manifest,
    ModelCard,
    Setting,
    ThreatModel,
    library_versions,
    now,
)
from mnuts_core.margins import check_labels
from mnuts_core.transform import transform_logits
from mnuts_core.workfolder import Arrays, WorkFolder


class Transformed(NamedTuple):
    """The surrogate M(s, p, c)∘h (Eq. 4, D.9): raw logits → transformed logits."""

    s: float
    p: float
    c: float

    def __call__(self, logits: Tensor) -> Tensor:
        """M(s, p, c) of raw logits, float64."""
        return transform_logits(logits, s=self.s, p=self.p, c=self.c)

    def __str__(self) -> str:
        return f"M(s = {self.s:g}, p = {self.p:g}, c = {self.c:g})∘h_rob"


def build_bundle(
    std_model: Model,
    rob_model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm,
    eps: float,
    n_adv: int | None = None,
    seed: int = 0,
    name: str,
    classes: Sequence[str],
    data: DataCard,
    std_card: ModelCard,
    rob_card: ModelCard,
    command: str = "",
    with_images: bool = False,
    batch_size: int = 256,
    n_iter: int = 100,
    n_targets: int = N_TARGETS,
    surrogate: Transformed | None = None,
    precision: Precision = "full",
    channels_last: bool = False,
    progress: Progress | None = None,
    device: str | torch.device = "auto",
    work_dir: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    world: World = ALONE,
) -> LogitBundle:
    """Run both models on all images, attack LN∘h_rob on the first ones, and keep all logits.

    Args:
        std_model: Accurate classifier g: images (N, C, H, W) in [0, 1] → raw logits (N, K).
        rob_model: Robust classifier h, likewise; MMAA attacks it behind a layer norm (B.1).
        images: Clean images in [0, 1], float32 or float64, shape (N, C, H, W).
        labels: True classes, integer, shape (N,), in [0, K).
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        n_adv: How many images are attacked, from the first on; all if None, none if 0.
        seed: Seed of the attack's random starts.
        name: The bundle's name.
        classes: K class names.
        data: Which images these are.
        std_card: How the accurate model is loaded.
        rob_card: How the robust model is loaded.
        command: The command line that makes this bundle again.
        with_images: Keep the images too, as uint8 (rounded to 1/255: for looking at, not for attacking).
        batch_size: Images at a time.
        n_iter: Steps of each run of APGD.
        n_targets: Other classes that targeted APGD drives at; at most K - 1 are used.
        surrogate: What is attacked in the place of LN∘h_rob: M(s, p, c)∘h_rob (D.9).
        precision: See `minimum_margin_attack`.
        channels_last: See `minimum_margin_attack`; holds for the clean passes too.
        progress: Called with (work done, work in all) of the attack, as far as this process has to do it.
        device: `"auto"` (CUDA if there is one), or a torch device.
        work_dir: Folder for finished batches, made if it is missing. A build that was killed takes up the
            batches that it finds there, and gives the same bytes of tensors as an undisturbed one (on the
            same kind of machine). The folder stays: `workfolder.discard` it once the bundle is saved.
        fresh: Throw away what is in `work_dir`.
        world: The processes that share the work through `work_dir`; each of them gets the whole bundle.

    Returns:
        The bundle; logits are stored in float32.

    Raises:
        ParameterError: If an argument is out of range, or images, labels, models and classes do not fit.
        WorkFolderError: If `work_dir` was begun with other settings, or cannot be written.
    """
    images, where = check_images(images), choose_device(device)
    make_ball(norm, eps)
    counts = (("batch_size", batch_size, 1), ("n_iter", n_iter, 1), ("n_targets", n_targets, 0))
    for argument, value, least in (*counts, ("seed", seed, 0)):
        check_count(argument, value, least)
    check_precision(precision, images.dtype)
    n_adv = len(images) if n_adv is None else check_count("n_adv", n_adv, 0)
    if n_adv > len(images):
        raise ParameterError(f"n_adv must be at most {len(images)}, the number of images, got {n_adv}")
    if world.size > 1 and work_dir is None:
        raise ParameterError(f"work_dir must be given for {world.size} processes: they share it, got None")
    _check_models(std_model, rob_model, images[:1], len(classes), where, surrogate, channels_last)
    labels = check_labels(labels, torch.zeros(1).expand(len(images), len(classes)))

    attack = AttackCard(
        name="MMAA: APGD-CE, then targeted APGD-DLR",
        surrogate="LN∘h_rob" if surrogate is None else str(surrogate),
        n_iter=n_iter,
        n_targets=min(n_targets, len(classes) - 1),
        seed=seed,
        precision=_precision_words(images.dtype, precision, channels_last),
    )
    manifest = Manifest(
        name=name,
        data=data,
        classes=tuple(classes),
        std_model=std_card,
        rob_model=rob_card,
        threat=ThreatModel(norm=norm, eps=eps) if n_adv else None,
        attack=attack if n_adv else None,
        command=command,
        versions=library_versions(),
        created=now(),
    )
    job = _Job(
        models=(std_model, rob_model),
        images=images,
        labels=labels,
        n_adv=n_adv,
        batch_size=batch_size,
        with_images=with_images,
        channels_last=channels_last,
        device=where,
        runs=1 + min(n_targets, len(classes) - 1),
        attack={
            "norm": norm,
            "eps": eps,
            "n_iter": n_iter,
            "n_targets": n_targets,
            "seed": seed,
            "surrogate": surrogate,
            "precision": precision,
        },
    )
    work = None if work_dir is None else WorkFolder(work_dir, job.settings(manifest))
    costs = [job.work(number) for number in range(len(job))]
    batches = finish(job.batch, costs, work, world, fresh=fresh, progress=progress)
    return LogitBundle(manifest=manifest, **job.whole(batches))


@dataclass(frozen=True)
class _Job:
    """All batches of one build: what each depends on, and how to compute it."""

    models: tuple[Model, Model]
    images: Tensor
    labels: Tensor
    n_adv: int
    batch_size: int
    with_images: bool
    channels_last: bool
    device: torch.device
    runs: int
    attack: dict[str, Any]

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def rows(self, number: int) -> tuple[slice, slice]:
        """The rows of a batch, and those of them that are attacked."""
        first = number * self.batch_size
        last = min(first + self.batch_size, len(self.images))
        return slice(first, last), slice(first, max(first, min(last, self.n_adv)))

    def work(self, number: int) -> int:
        """Runs of APGD times examples in a batch."""
        attacked = self.rows(number)[1]
        return int(attacked.stop - attacked.start) * self.runs

    def batch(self, number: int, progress: Progress | None) -> Arrays:
        """Compute one batch: logits of the clean images, and of the attacked ones at MMAA's points."""
        rows, attacked = self.rows(number)
        std, rob = (self._predict(model, self.images[rows]) for model in self.models)
        arrays: Arrays = {"clean_std_logits": _float32(std), "clean_rob_logits": _float32(rob)}
        if not self.work(number):
            return arrays
        found = minimum_margin_attack(
            self.models[1],
            self.images[attacked],
            self.labels[attacked],
            batch_size=self.batch_size,
            channels_last=self.channels_last,
            indices=torch.arange(attacked.start, attacked.stop),
            progress=progress,
            device=self.device,
            **self.attack,
        )
        arrays["adv_std_logits"] = _float32(self._predict(self.models[0], found.images))
        arrays["adv_rob_logits"] = _float32(found.logits)
        arrays["adv_margin"] = _float32(found.margin)
        if self.with_images:
            arrays["adv_images"] = to_uint8(found.images)
        return arrays

    def whole(self, batches: Sequence[Arrays]) -> Arrays:
        """All batches as the arrays of a bundle."""
        names = dict.fromkeys(name for batch in batches for name in batch)
        arrays = {name: np.concatenate([b[name] for b in batches if name in b]) for name in names}
        arrays["clean_labels"] = self.labels.numpy()
        if self.n_adv:
            arrays["adv_index"] = np.arange(self.n_adv, dtype=np.int64)
        if self.with_images:
            arrays["clean_images"] = to_uint8(self.images)
        return arrays

    def settings(self, manifest: Manifest) -> dict[str, Setting | None]:
        """Everything that the batches' bytes depend on."""
        cards = (manifest.std_model, manifest.rob_model)
        std, rob = (_weights(card, model) for card, model in zip(cards, self.models, strict=True))
        data = {"images": self.images.numpy(), "labels": self.labels.numpy()}
        attack = {**self.attack, "surrogate": str(self.attack["surrogate"] or "LN∘h_rob")}
        return {
            "std": std,
            "rob": rob,
            "data": content_digest(data),
            "n_clean": len(self.images),
            "n_adv": self.n_adv,
            **attack,
            "batch_size": self.batch_size,
            "with_images": self.with_images,
            "channels_last": self.channels_last,
            "dtype": str(self.images.dtype).removeprefix("torch."),
            "device": self.device.type,
            "torch": torch.__version__,
        }

    def _predict(self, model: Model, images: Tensor) -> Tensor:
        return predict(
            model,
            images,
            batch_size=self.batch_size,
            device=self.device,
            channels_last=self.channels_last,
        )


def predict(
    model: Model,
    images: Tensor,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    channels_last: bool = False,
) -> Tensor:
    """The model's raw logits, shape (N, K), on the CPU, from a pass in evaluation mode without gradients.

    Args:
        model: Images → logits; an `nn.Module` is moved to the device.
        images: Shape (N, C, H, W), in [0, 1], in the model's dtype.
        batch_size: Images at a time.
        device: `"auto"` (CUDA if there is one), or a torch device.
        channels_last: Lay images and weights out as NHWC.
    """
    where = choose_device(device)
    with prepared(model, where, channels_last=channels_last), torch.no_grad():
        batches = (laid_out(batch.to(where), channels_last) for batch in torch.split(images, batch_size))
        return torch.cat([model(batch).cpu() for batch in batches])


def model_card(spec: str, model: nn.Module) -> ModelCard:
    """A model's card: its spec, how many parameters it has, and the digest of its weights.

    Args:
        spec: What loads the model, such as `demo:digits/rob`.
        model: The model; its state, parameters and buffers, goes into the digest.
    """
    weights = {key: value.detach().cpu().numpy() for key, value in model.state_dict().items()}
    return ModelCard(
        spec=spec,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        digest=content_digest(weights),
    )


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Images (N, C, H, W) in [0, 1] as uint8 (N, H, W, C) in [0, 255], rounded to the nearest."""
    pixels: NDArray[np.uint8] = (images * 255.0).round().byte().movedim(1, -1).contiguous().numpy()
    return pixels


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


def _check_models(
    std_model: Model,
    rob_model: Model,
    image: Tensor,
    n_classes: int,
    device: torch.device,
    surrogate: Transformed | None,
    channels_last: bool,
) -> None:
    """Check that both models take the images and know the classes; leave them laid out as all passes do."""
    models: tuple[tuple[str, Callable[[Tensor], Tensor]], ...]
    models = (("std_model", std_model), ("rob_model", rob_model))
    for which, model in models:
        with prepared(model, device, channels_last=channels_last):
            found = count_classes(model, laid_out(image.to(device), channels_last))
        if found != n_classes:
            raise ParameterError(
                f"{which} must have as many classes as there are names: {n_classes}, got {found}"
            )
    if surrogate is not None:
        surrogate(torch.zeros(1, n_classes))  # refuses values outside their intervals


def _precision_words(dtype: torch.dtype, precision: Precision, channels_last: bool) -> str:
    words = str(dtype).removeprefix("torch.")
    if precision != "full":
        words = f"{precision} gradients, {words} margins"
    return words + (", channels last" if channels_last else "")


def _weights(card: ModelCard, model: Model) -> str:
    """What tells a model from another: its spec and the digest of its weights."""
    digest = model_card(card.spec, model).digest if isinstance(model, nn.Module) else card.digest
    return f"{card.spec} {digest}"


def _float32(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().numpy()
    return array
