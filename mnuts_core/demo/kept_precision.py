"""The precision of a training and of the attacks that follow it: measured once, then kept."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically
from mnuts_core.models.inputs import PRECISIONS, Precision
from mnuts_core.models.precision import measure_precision


def trained_in(recipe: str, precision: Precision) -> str:
    """A recipe as a network's card tells it, with the precision where that is not float32.

    Example:
        >>> trained_in("10 epochs", "bfloat16"), trained_in("10 epochs", "full")
        ('10 epochs; gradients in bfloat16', '10 epochs')
    """
    return recipe if precision == "full" else f"{recipe}; gradients in {precision}"


def kept_precision(path: Path, network: nn.Module, images: Tensor, device: str) -> Precision:
    """What gradients are computed in: as the work was begun, else what is measured to be faster.

    Args:
        path: File of the answer: checkpoints and batches are of one precision.
        network: One of those that are trained or attacked.
        images: A batch as it will be asked for, in [0, 1].
        device: Where to compute.

    Raises:
        MnutsError: If the file cannot be written.
    """
    for known in PRECISIONS:
        if path.exists() and path.read_text("utf-8") == known:
            return known
    measured = measure_precision([("network", network)], images, device, channels_last=True)
    write_atomically(path, measured.precision.encode(), MnutsError)
    return measured.precision
