"""What every pipeline does with a base model: pass images through it, and say which model it is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.bundles.bundle import content_digest
from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.models.inputs import Model, choose_device, laid_out, prepared


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
