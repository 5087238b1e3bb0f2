"""What `--precision auto` means on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.cli.console import note
from mnuts_core.cli.options import check_precision_name
from mnuts_core.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mnuts_core.models.inputs import Precision
    from mnuts_core.pipeline.distributed import World

AUTO = "auto"


def before_models(precision: str) -> Precision:
    """The precision that was asked for; float32 until `chosen` has the models to measure.

    Raises:
        ParameterError: If there is none of that name.
    """
    return "full" if precision == AUTO else check_precision_name(precision)


def chosen(
    precision: str,
    models: Sequence[nn.Module],
    images: Tensor,
    device: str,
    folders: Sequence[Path],
    world: World | None = None,
) -> Precision:
    """The precision to take: what was asked for, what a run that is resumed took, or what is faster.

    Args:
        precision: As given.
        models: Those that gradients are asked of: g and h, or h alone.
        images: Images in [0, 1].
        device: Where to compute.
        folders: Work folders that may hold an earlier run's batches.
        world: The processes that share the work; None for one.

    Raises:
        ParameterError: If there is none of that name, or several processes were to choose, each for itself.
    """
    if precision != AUTO:
        return check_precision_name(precision)
    if world is not None and world.size > 1:
        raise ParameterError(
            f"--precision must be full or bfloat16 for {world.size} processes, which must agree, got 'auto'"
        )
    import torch

    from mnuts_core.devices import WITHOUT_FLOAT64
    from mnuts_core.models.inputs import frozen, prepared
    from mnuts_core.models.precision import measure_precision
    from mnuts_core.models.predict import BASE_MODELS
    from mnuts_core.pipeline.workfolder import WorkFolder

    begun = (WorkFolder(folder, {}).begun_with() or {} for folder in folders)
    if earlier := next((settings["precision"] for settings in begun if "precision" in settings), None):
        return check_precision_name(str(earlier))
    where = torch.device(device)
    if where.type in WITHOUT_FLOAT64:
        return "full"
    with ExitStack() as stack:
        for model in models:
            stack.enter_context(prepared(model, where))
            stack.enter_context(frozen(model))
        named = list(zip(BASE_MODELS[-len(models) :], models, strict=True))
        measured = measure_precision(named, images[:64].float().to(where))
    note(str(measured))
    return measured.precision
