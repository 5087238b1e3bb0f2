"""What is examined: two models, some labelled images, and the build that is meant for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.base import MarginAttack
from mnuts_core.devices import home_of
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.models.inputs import Model, prepared
from mnuts_core.models.listed import Listed
from mnuts_core.models.predict import BASE_MODELS, ask, predicted
from mnuts_core.models.specs import LoadedModel

BATCH = 64
"""Images in a pass of the examination."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The build that is meant.

    Attributes:
        attack: On h.
        n_clean: Images whose logits are cached.
        n_adv: Those of them that are attacked.
        batch_size: Images at a time.
        folder: Where the bundle and its work folder will be; None if nobody has said.
        with_images: Whether the bundle keeps the images.
    """

    attack: MarginAttack
    n_clean: int = 10_000
    n_adv: int = 1_000
    batch_size: int = 256
    folder: Path | None = None
    with_images: bool = False


class Side:
    """One of the two models, and what it answers; nothing is asked twice.

    Args:
        name: `std_model` or `rob_model`, as messages call it.
        model: Images (N, C, H, W) in [0, 1] → logits (N, K).
        images: Those of the examination, on the model's device.
        labels: Their true classes, likewise.
        classes: K.
        preprocessing: See `LoadedModel`.
        listed: See `LoadedModel`.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        images: Tensor,
        labels: Tensor,
        classes: int,
        *,
        preprocessing: str = "",
        listed: Listed | None = None,
    ) -> None:
        self.name, self.model, self.images, self.labels, self.classes = name, model, images, labels, classes
        self.preprocessing, self.listed = preprocessing, listed

    @property
    def is_robust(self) -> bool:
        """Whether it is h."""
        return self.name == BASE_MODELS[1]

    @property
    def word(self) -> str:
        """What warnings of a bundle call it."""
        return "robust" if self.is_robust else "standard"

    def ask(self, images: Tensor) -> Tensor:
        """Its logits, in batches, without gradients.

        Raises:
            ParameterError: If it answers with anything else.
        """
        asked = partial(ask, self.name, self.model, classes=self.classes)
        with torch.no_grad():
            return torch.cat([asked(part) for part in torch.split(images, BATCH)])

    @cached_property
    def problem(self) -> str:
        """Why its answers are no logits of these images; empty if they are."""
        try:
            _ = self.logits
        except ParameterError as found:
            return str(found)
        return ""

    @cached_property
    def logits(self) -> Tensor:
        """Of all images, shape (N, K), finite or not, on their device."""
        return self.ask(self.images)

    @cached_property
    def classes_found(self) -> NDArray[np.int64]:
        """The predicted classes, `NO_CLASS` where there is none."""
        found: NDArray[np.int64] = predicted(self.logits).cpu().numpy()
        return found

    @cached_property
    def right(self) -> Bools:
        """Which images it gets right."""
        return self.right_on(self.logits)

    def right_on(self, logits: Tensor) -> Bools:
        """Which images are right by these logits of theirs."""
        right: Bools = (predicted(logits) == self.labels).cpu().numpy()
        return right

    @property
    def accuracy(self) -> Estimate:
        """Its clean accuracy on the images."""
        return share_of(self.right, "clean")

    @cached_property
    def constant(self) -> bool:
        """Whether it predicts one class, whatever it is shown."""
        return len(torch.unique(self.labels)) > 1 and len(np.unique(self.classes_found)) == 1


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that the doctor looks at.

    Attributes:
        std_model: The accurate classifier g: images (N, C, H, W) in [0, 1] → logits (N, K).
        rob_model: The robust one, h.
        images: Some images in [0, 1], shape (N, C, H, W).
        labels: Their true classes, int64, shape (N,).
        class_names: K names.
        plan: The build that is meant.
        device: Where to compute.
        loaded: g and h as they were loaded, if specs did; what their publishers say is in there.
        preprocessing: How the images were brought to their size; see `LoadedData`.
        explained: Names of models whose errors have a cause that was found: what follows from it is not said.
    """

    std_model: Model
    rob_model: Model
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    plan: Plan
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    loaded: tuple[LoadedModel, LoadedModel] | None = None
    preprocessing: str = ""
    explained: set[str] = field(default_factory=set)

    @property
    def models(self) -> tuple[Model, Model]:
        """G and h."""
        return self.std_model, self.rob_model

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """G and h, with the images on the device."""
        home = home_of(self.device)
        images, labels = self.images.to(home), self.labels.to(home)
        std, rob = (
            Side(
                name,
                model,
                images,
                labels,
                len(self.class_names),
                preprocessing="" if loaded is None else loaded.preprocessing,
                listed=None if loaded is None else loaded.listed,
            )
            for name, model, loaded in zip(BASE_MODELS, self.models, self.loaded or (None, None), strict=True)
        )
        return std, rob

    @property
    def answering(self) -> list[Side]:
        """The models that answer with logits: the others are left out of all that follows."""
        return [side for side in self.sides if not side.problem]

    @property
    def both(self) -> tuple[Side, Side] | None:
        """G and h, if both answer."""
        return self.sides if len(self.answering) == len(self.sides) else None

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Have both models on the device, in evaluation mode."""
        with ExitStack() as stack:
            for model in self.models:
                stack.enter_context(prepared(model, self.device))
            yield


def parts_of(model: Model) -> list[tuple[str, nn.Module]]:
    """A model's modules by their names; none of a function."""
    return list(model.named_modules()) if isinstance(model, nn.Module) else []
