"""The process that attacks: `python -m mnuts_dashboards.verification.worker FOLDER`, where a file says what.

It prints one JSON object a line, the share done or what was wrong, and leaves the configuration with its
`verified` as `verified.json`. It ends when its standard input does: with the kernel that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnuts_core import evaluate
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.datasets.base import LoadedData
from mnuts_core.datasets.specs import load_data
from mnuts_core.devices import resolve_device
from mnuts_core.errors import MnutsError
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.diagnostics import diagnostics_of_config
from mnuts_core.pipeline.verified_points import points_of
from mnuts_dashboards.verification.machine import share_of_one, used_by
from mnuts_dashboards.verification.points import write_points

REPORT_EVERY = 0.25  # seconds between two reports
NICE = 10  # the pages' kernels go first
LOOK_EVERY = 0.5  # seconds between two looks at the memory


def main(folder: Path) -> int:
    """Do what `job.json` in the folder says; returns the exit code."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_end_above, args=(share_of_one(),), daemon=True).start()
    _be_modest()
    try:
        with redirect_stdout(sys.stderr):  # a model may print, too; only reports go to the page
            attack(folder, json.loads((folder / "job.json").read_text("utf-8")))
    except MnutsError as error:
        _report(error=str(error))
        return 2
    return 0


def attack(folder: Path, job: dict[str, Any]) -> None:
    """Attack the configuration's mix on the images, and write the result.

    Args:
        folder: Holds `config.json`; takes `verified.json`, and the points found.
        job: `std`, `rob`, `data`, `rows`, `clean_rows`, `labels`, `plan`, `batch_size` and `cards`, as
            `run.Verification` writes them.

    Raises:
        MnutsError: If models or images are not available, or do not fit.
    """
    _report(share=0.0)
    device, plan = resolve_device("auto"), Plan(**job["plan"])
    std, rob = (load_model(job[role], norm=plan.norm, device=device) for role in ("std", "rob"))
    data = load_data(job["data"], n=max(job["rows"]) + 1, image_size=rob.image_size or std.image_size)
    images, labels = _rows(data, job)
    config = MixConfig.load(folder / "config.json")
    classes = data_classes(data)
    costs = [part.cost(plan, classes) for part in components_of(plan, classes)]
    result = evaluate(
        MixedClassifier.from_config(folder / "config.json", std.module, rob.module),
        images,
        labels,
        plan=plan,
        batch_size=job["batch_size"],
        progress=_Progress(costs),
        standing=lambda right: _report(right=right),
    )
    known = [ModelCard.model_validate(card) for card in job["cards"]]
    diagnostics = diagnostics_of_config(config, plan.threat, result.clean, known, (std.card, rob.card))
    write_points(folder, points_of(result, np.array(job["clean_rows"], np.int64)))
    result._replace(warnings=(*result.warnings, *diagnostics)).into(config).save(folder / "verified.json")
    _report(share=1.0)


def data_classes(data: LoadedData) -> int:
    """How many classes the images have, as far as one can tell."""
    return max(2, int(data.labels.max()) + 1)


def _rows(data: LoadedData, job: dict[str, Any]) -> tuple[Any, Any]:
    """The images of the bundle's rows, if they are the bundle's images."""
    rows, labels = job["rows"], data.labels[job["rows"]]
    wrong = [
        row for row, own, theirs in zip(rows, labels.tolist(), job["labels"], strict=True) if own != theirs
    ]
    if wrong:
        raise MnutsError(
            f"{job['data']} holds other images than the bundle: {len(wrong)} of {len(rows)} labels differ, "
            f"the first in row {wrong[0]}; name the images that the bundle was built from"
        )
    return data.images[rows], labels


class _Progress:
    """Turns the attack's ticks into a share of the work, by how many passes each component takes at most."""

    def __init__(self, costs: Sequence[int]) -> None:
        self._costs = costs
        self._component, self._ticks, self._reported = -1, 0, float("-inf")

    def __call__(self, done: int, total: int) -> None:
        """One forward pass more, with `done` of `total` components finished."""
        if done != self._component:
            self._component, self._ticks = done, 0
        self._ticks += 1
        now = time.monotonic()
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            _report(share=self.share(done, total))

    def share(self, done: int, total: int) -> float:
        """How much of the work is done, in [0, 1)."""
        batch, place = divmod(done, len(self._costs))
        if place >= len(self._costs) or done >= total:
            return 0.999
        spent = sum(self._costs[:place]) + min(self._ticks, self._costs[place])
        batches = max(1, total // len(self._costs))
        return min(0.999, (batch + spent / sum(self._costs)) / batches)


def _report(**words: object) -> None:
    print(json.dumps(words), file=sys.__stdout__, flush=True)


def _be_modest() -> None:
    """Leave one core and the first turn to the pages; where memory is short, be the first to go."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    if hasattr(os, "nice"):
        os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_above(limit: int) -> None:
    """End this process when it takes too much memory.

    A limit on the address space would not do: PyTorch and CUDA reserve far more than they use.
    """
    while used_by(os.getpid()) <= limit:
        time.sleep(LOOK_EVERY)
    _report(error=f"the attack took more than {limit // 2**20} MiB: fewer images, or run mnuts evaluate")
    os._exit(4)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # not `sys.stdin.read`: its lock would spoil an orderly end
        pass
    os._exit(3)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
