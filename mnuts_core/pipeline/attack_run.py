"""How attacks on a bundle's mixes are run: models, images, batches, device, and the folder to go on from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.models.inputs import Progress
from mnuts_core.pipeline.diagnostics import Diagnostic
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.pool import BATCH_SIZE, SourcePoints, attack_pool


class Run(NamedTuple):
    """How attacks are run, whatever they attack.

    Attributes:
        std_model: g.
        rob_model: h.
        images: Those of the bundle's clean rows in their order, at least up to the last attacked one.
        labels: Their true classes.
        n: How many of the attacked images; all if None.
        batch_size: Images at a time.
        channels_last: Lay images and weights out as NHWC.
        device: Where to compute.
        work_dir: Folder with a folder for each attack, by which a run that was cut off goes on; or None.
        fresh: Throw away what is there.
        world: The processes that share the work.
        on_diagnostic: Called with what puts the points in question.
        progress: For the title of an attack, what is called with (work done, work in all); or None.
    """

    std_model: nn.Module
    rob_model: nn.Module
    images: Tensor
    labels: Tensor
    n: int | None = None
    batch_size: int = BATCH_SIZE
    channels_last: bool = False
    device: str | torch.device = "auto"
    work_dir: str | os.PathLike[str] | None = None
    fresh: bool = False
    world: World = ALONE
    on_diagnostic: Callable[[Diagnostic], None] | None = None
    progress: Callable[[str], Progress] | None = None

    def folder(self, name: str) -> Path | None:
        """The work folder of one attack."""
        return None if self.work_dir is None else Path(self.work_dir) / name

    def attack(
        self, bundle: LogitBundle, targets: tuple[PoolTarget, ...], plan: PoolPlan, name: str
    ) -> tuple[SourcePoints, ...]:
        """The points that attacks on these targets find."""
        return attack_pool(
            bundle,
            self.std_model,
            self.rob_model,
            self.images,
            self.labels,
            targets=targets,
            plan=plan,
            n=self.n,
            batch_size=self.batch_size,
            channels_last=self.channels_last,
            progress=self.progress(name) if self.progress else None,
            on_diagnostic=self.on_diagnostic,
            device=self.device,
            work_dir=self.folder(name),
            fresh=self.fresh,
            world=self.world,
        )
