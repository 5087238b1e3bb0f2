"""What a step is given: sizes, device, images, networks, a folder; and how it reports."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mnuts_core.bundles.manifest import library_versions
from mnuts_core.datasets.base import LoadedData, Split
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.cifar10 import load_network_of
from mnuts_core.demo.kept_precision import kept_precision
from mnuts_core.demo.weights import weights_path
from mnuts_core.errors import MnutsError
from mnuts_core.functional.statistics import Estimate
from mnuts_core.io.files import make_folder, write_atomically
from mnuts_core.models.inputs import Precision
from tests import NEEDS_CIFAR10
from tests.benchmarks.gpu.sizes import FULL, Sizes
from tests.benchmarks.gpu.synthetic import SYNTHETIC, coloured

TRAINED, SHIPPED = "trained", "shipped"
"""Which pair attacks are run on: that of the step `training`, or, where there is none, the shipped one."""


@dataclass
class Job:
    """One step's work.

    Attributes:
        step: The step's name.
        out: The folder of all results.
        data: `cifar10-jpeg:FOLDER`, or `synthetic`; empty if there are no images.
        device: `cpu`, `cuda` or `cuda:N`.
        sizes: How much to do.
        numbers: What came out so far, by name; in earlier calls, too.
    """

    step: str
    out: Path
    data: str
    device: str
    sizes: Sizes = FULL
    numbers: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = result_path(self.out, self.step)
        if path.exists():
            self.numbers |= json.loads(path.read_text("utf-8"))["numbers"]

    def precision(self, network: nn.Module, images: Tensor) -> Precision:
        """What gradients or a training of a network are computed in: measured once in each step.

        Args:
            network: Is left on the device.
            images: A batch as it will be asked for.
        """
        kind = type(network).__name__
        kept = self.folder("precision") / f"{self.step}-{kind}.txt"
        taken = kept_precision(kept, network, images, self.device)
        self.report(**{f"{kind}: gradients in": taken})
        return taken

    def folder(self, *names: str) -> Path:
        """A folder of the results, made if it is missing."""
        path = self.out.joinpath(*names)
        make_folder(path, MnutsError)
        return path

    def images(self, split: Split) -> LoadedData:
        """Training or test images, as many as the sizes say.

        Raises:
            MnutsError: If nobody has said where they are.
        """
        if not self.data:
            raise MnutsError(NEEDS_CIFAR10)
        n = self.sizes.n_train if split == "train" else self.sizes.n_test
        if self.data == SYNTHETIC:
            return coloured(n or 0, seed=len(split))
        return load_data(self.data, n=n, split=split)

    def pair(self) -> tuple[str, nn.Module, nn.Module]:
        """Which pair is there, g and h."""
        trained = self.folder(TRAINED)
        there = all(weights_path("cifar10", role, trained).exists() for role in ("std", "rob"))
        folder = trained if there else None
        std, rob = (load_network_of(role, folder)[0].requires_grad_(False) for role in ("std", "rob"))
        return TRAINED if there else SHIPPED, std, rob

    def report(self, **numbers: Estimate | float | str) -> None:
        """Add numbers to the step's results, and write them: what a step that is cut off has found, stays."""
        for name, number in numbers.items():
            plain = number.to_json() if isinstance(number, Estimate) else {"value": number}
            self.numbers[name.replace("_", " ")] = plain
            print(f"{name.replace('_', ' ')}: {number}", flush=True)
        content = {"step": self.step, "environment": environment(self.device), "numbers": self.numbers}
        path = result_path(self.out, self.step)
        self.folder(path.parent.name)
        write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False).encode(), MnutsError)


def result_path(out: Path, step: str) -> Path:
    """Where a step's numbers are."""
    return out / "results" / f"{step}.json"


def environment(device: str) -> dict[str, str]:
    """The card and the versions that numbers depend on."""
    there = {"machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"}
    if torch.device(device).type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        there |= {
            "card": torch.cuda.get_device_name(device),
            "capability": f"{major}.{minor}",
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }
    else:
        there["card"] = "none: computed on the CPU"
    return there | library_versions()
