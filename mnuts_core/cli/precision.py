"""What `--precision auto` means on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mnuts_core.cli.console import note
from mnuts_core.cli.options import check_precision_name

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mnuts_core.models.inputs import Precision
    from mnuts_core.pipeline.distributed import World

AUTO = "auto"
"""The default of `--precision`."""


def before_models(precision: str) -> Precision:
    """The precision that was asked for; float32 until `chosen` has the models to measure.

    Raises:
        ParameterError: If there is none of that name.
    """
    return "full" if precision == AUTO else check_precision_name(precision)


class Asked(Protocol):
    """What a command was given of what the choice depends on."""

    @property
    def precision(self) -> str:
        """As given."""
        ...

    @property
    def batch_size(self) -> int:
        """Images at a time."""
        ...

    @property
    def channels_last(self) -> bool:
        """Whether they lie in NHWC order."""
        ...


def chosen(
    given: Asked,
    models: Sequence[nn.Module],
    images: Tensor,
    device: str,
    folders: Sequence[Path],
    world: World,
) -> Precision:
    """The precision to take: what was asked for, what a run that is resumed took, or what is faster.

    Args:
        given: The options.
        models: Those that gradients are asked of: g and h, or h alone.
        images: Images in [0, 1].
        device: Where to compute.
        folders: Work folders that may hold an earlier run's batches.
        world: The processes that share the work; the first one chooses for all.

    Raises:
        ParameterError: If there is none of that name.
        MnutsError: If another process has ended.
    """
    if given.precision != AUTO:
        return check_precision_name(given.precision)
    taken = ""
    if world.is_first:  # others may find settings in the folders that it has just written
        batch = images[: given.batch_size]
        taken = _earlier(folders) or _measured(models, batch, device, given.channels_last)
    return check_precision_name(world.heard(taken))


def _earlier(folders: Sequence[Path]) -> str | None:
    """What the run took that is resumed, if there is one."""
    from mnuts_core.pipeline.workfolder import WorkFolder

    begun = (WorkFolder(folder, {}).begun_with() or {} for folder in folders)
    return next((str(settings["precision"]) for settings in begun if "precision" in settings), None)


def _measured(models: Sequence[nn.Module], images: Tensor, device: str, channels_last: bool) -> Precision:
    from mnuts_core.devices import resolve_device
    from mnuts_core.models.precision import measure_precision
    from mnuts_core.models.predict import BASE_MODELS

    named = list(zip(BASE_MODELS[-len(models) :], models, strict=True))
    with redirect_stdout(sys.stderr):  # a model may print
        measured = measure_precision(named, images, resolve_device(device), channels_last=channels_last)
    note(str(measured))
    return measured.precision
