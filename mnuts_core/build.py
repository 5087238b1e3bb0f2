"""From two models and labelled images to a logit bundle: cached logits, clean and at MMAA's points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.apgd import Model
from mnuts_core.attacks.inputs import check_count, check_images, choose_device, count_classes, prepared
from mnuts_core.attacks.mmaa import N_TARGETS, MinimumMargin, Progress, minimum_margin_attack
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.bundle import LogitBundle, content_digest
from mnuts_core.errors import ParameterError
from mnuts_core.manifest import AttackCard, DataCard, Manifest, ModelCard, ThreatModel, library_versions, now
from mnuts_core.margins import check_labels


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
    progress: Progress | None = None,
    device: str | torch.device = "auto",
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
        progress: Called with (work done, work in all) of the attack.
        device: `"auto"` (CUDA if there is one), or a torch device.

    Returns:
        The bundle; logits are stored in float32.

    Raises:
        ParameterError: If an argument is out of range, or images, labels, models and classes do not fit.
    """
    images, where = check_images(images), choose_device(device)
    make_ball(norm, eps)
    check_count("batch_size", batch_size, 1)
    n_adv = len(images) if n_adv is None else check_count("n_adv", n_adv, 0)
    if n_adv > len(images):
        raise ParameterError(f"n_adv must be at most {len(images)}, the number of images, got {n_adv}")
    _check_classes(std_model, rob_model, images[:1], len(classes), where)
    labels = check_labels(labels, torch.zeros(1).expand(len(images), len(classes)))

    arrays: dict[str, NDArray[Any]] = {
        "clean_labels": labels.numpy(),
        "clean_std_logits": _float32(predict(std_model, images, batch_size=batch_size, device=where)),
        "clean_rob_logits": _float32(predict(rob_model, images, batch_size=batch_size, device=where)),
    }
    if n_adv:
        found = minimum_margin_attack(
            rob_model,
            images[:n_adv],
            labels[:n_adv],
            norm=norm,
            eps=eps,
            n_iter=n_iter,
            n_targets=n_targets,
            seed=seed,
            batch_size=batch_size,
            progress=progress,
            device=where,
        )
        std_logits = predict(std_model, found.images, batch_size=batch_size, device=where)
        arrays |= _attacked_arrays(found, std_logits)
    if with_images:
        arrays["clean_images"] = to_uint8(images)
        if n_adv:
            arrays["adv_images"] = to_uint8(found.images)
    manifest = Manifest(
        name=name,
        data=data,
        classes=tuple(classes),
        std_model=std_card,
        rob_model=rob_card,
        threat=ThreatModel(norm=norm, eps=eps) if n_adv else None,
        attack=AttackCard(
            name="MMAA: APGD-CE, then targeted APGD-DLR",
            n_iter=n_iter,
            n_targets=min(n_targets, len(classes) - 1),
            seed=seed,
            precision=str(images.dtype).removeprefix("torch."),
        )
        if n_adv
        else None,
        command=command,
        versions=library_versions(),
        created=now(),
    )
    return LogitBundle(manifest=manifest, **arrays)


def predict(
    model: Model, images: Tensor, *, batch_size: int = 256, device: str | torch.device = "auto"
) -> Tensor:
    """The model's raw logits, shape (N, K), on the CPU, from a pass in evaluation mode without gradients.

    Args:
        model: Images → logits; an `nn.Module` is moved to the device.
        images: Shape (N, C, H, W), in [0, 1], in the model's dtype.
        batch_size: Images at a time.
        device: `"auto"` (CUDA if there is one), or a torch device.
    """
    where = choose_device(device)
    with prepared(model, where), torch.no_grad():
        parts = [model(batch.to(where)).cpu() for batch in torch.split(images, batch_size)]
    return torch.cat(parts)


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


def _attacked_arrays(found: MinimumMargin, std_logits: Tensor) -> dict[str, NDArray[Any]]:
    return {
        "adv_index": np.arange(len(found.margin), dtype=np.int64),
        "adv_std_logits": _float32(std_logits),
        "adv_rob_logits": _float32(found.logits),
        "adv_margin": _float32(found.margin),
    }


def _check_classes(
    std_model: Model, rob_model: Model, image: Tensor, n_classes: int, device: torch.device
) -> None:
    models: tuple[tuple[str, Callable[[Tensor], Tensor]], ...]
    models = (("std_model", std_model), ("rob_model", rob_model))
    for which, model in models:
        with prepared(model, device):
            found = count_classes(model, image.to(device))
        if found != n_classes:
            raise ParameterError(
                f"{which} must have as many classes as there are names: {n_classes}, got {found}"
            )


def _float32(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().numpy()
    return array
