"""What a spec of a base classifier is made of, and what every family of specs returns."""

from __future__ import annotations

import contextlib
import difflib
import sys
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.errors import Stopped
from mnuts_core.extras import TORCH_JIT_WARNING
from mnuts_core.io.untrusted import brief
from mnuts_core.models.checkpoints import ModelError
from mnuts_core.models.listed import Listed

DEMOS = ("digits/std", "digits/rob", "cifar10/std", "cifar10/rob")
FORMS = (
    "robustbench:NAME, timm:NAME[@CHECKPOINT], torchvision:NAME[@CHECKPOINT], "
    f"file:CHECKPOINT@MODULE:FACTORY, {' or '.join(f'demo:{name}' for name in DEMOS)}"
)


UNLOADED = "its weights cannot be loaded"
"""What went wrong where a library's loader raises."""


class Normalised(nn.Module):
    """A network behind the normalisation that it was trained with: images in [0, 1] in, logits out.

    Args:
        network: Takes (x - mean) / std.
        mean: One number a channel.
        std: One positive number a channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits


class Request(NamedTuple):
    """What `load_model` was asked for, split up: `family:rest`."""

    spec: str
    rest: str
    dataset: str | None
    norm: str
    num_classes: int | None

    def named(self) -> tuple[str, Path | None]:
        """The model's name and, after an `@`, the checkpoint."""
        name, found, checkpoint = self.rest.partition("@")
        if not name or (found and not checkpoint):
            raise ModelError(f"model {self.spec!r} is incomplete: give one of {FORMS}")
        return name, Path(checkpoint) if found else None


class Network(NamedTuple):
    """What a family of specs loads: the library's network, what stands around it, and what it wants.

    Attributes:
        network: Its parameters and weights are the model's.
        module: Images in [0, 1] → logits.
        classes: K, if anything says.
        image_size: Side of the images that it wants, if anything says.
        card: Its card, if that is not made of the network.
        note: What was done to a checkpoint or network that a user should know, in words.
        preprocessing: How its publishers bring images to its size, as RobustBench names that
            (`BicubicRes256Crop224`); empty if nobody says.
        listed: How accurate its publishers say that it is, with these very weights.
    """

    network: nn.Module
    module: nn.Module
    classes: int | None
    image_size: int | None
    card: ModelCard | None = None
    note: str = ""
    preprocessing: str = ""
    listed: Listed | None = None


def no_such(request: Request, name: str, names: Collection[str], library: str) -> ModelError:
    """The error for a name that a library does not have, with names that are like it."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or sorted(names)[:3]
    hint = f"did you mean {', '.join(close)}?" if close else "it has none"
    return ModelError(f"model {request.spec!r}: {name!r} is not among the models of {library}: {hint}")


@contextmanager
def foreign_code(spec: str, problem: str, remedy: str) -> Iterator[None]:
    """Call code that is not ours: what it prints goes to standard error, what it raises is one line.

    Args:
        spec: What the user asked for.
        problem: What went wrong then, such as `its weights cannot be loaded`.
        remedy: What to do.

    Raises:
        ModelError: Instead of anything else but a Ctrl-C, or what else ends this process.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=TORCH_JIT_WARNING, category=FutureWarning)  # timm's
            yield
    except (ModelError, KeyboardInterrupt, Stopped):
        raise
    except BaseException as error:  # SystemExit, too: it would end the program without a word
        raise ModelError(f"model {spec!r}: {problem} ({brief(error)}): {remedy}") from error
