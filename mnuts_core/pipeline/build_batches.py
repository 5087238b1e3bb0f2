"""The batches of one build: what each holds, how it is computed, and what its bytes depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.base import MarginAttack
from mnuts_core.bundles.manifest import ModelCard, Setting
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.models.inputs import Model, Progress
from mnuts_core.models.passes import Passes, counted
from mnuts_core.models.predict import BASE_MODELS, model_card, predict, to_uint8
from mnuts_core.pipeline.workfolder import Arrays

PASSES = "adv_passes"
"""The passes of a batch's attack, in images, float64, shape (1, 2): no part of the bundle's arrays."""


@dataclass(frozen=True, kw_only=True)
class Batches:
    """All batches of one build. Each depends on its own images alone.

    Attributes:
        models: The accurate and the robust classifier.
        cards: Their cards.
        images: Clean images in [0, 1], shape (N, C, H, W).
        labels: True classes, int64, shape (N,).
        classes: K.
        n_adv: How many images are attacked, from the first on.
        attack: The attack on the robust classifier.
        batch_size: Images in a batch.
        with_images: Whether to keep the images, as uint8.
        device: Where to compute.
    """

    models: tuple[Model, Model]
    cards: tuple[ModelCard, ModelCard]
    images: Tensor
    labels: Tensor
    classes: int
    n_adv: int
    attack: MarginAttack
    batch_size: int
    with_images: bool
    device: torch.device

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def rows(self, number: int) -> tuple[slice, slice]:
        """The rows of a batch, and those of them that are attacked."""
        first = number * self.batch_size
        last = min(first + self.batch_size, len(self.images))
        return slice(first, last), slice(first, max(first, min(last, self.n_adv)))

    def costs(self) -> list[int]:
        """The attack's work on each batch."""
        each = self.attack.cost(self.classes)
        attacked = (self.rows(number)[1] for number in range(len(self)))
        return [(rows.stop - rows.start) * each for rows in attacked]

    def compute(self, number: int, progress: Progress | None) -> Arrays:
        """One batch: logits of the clean images, and of the attacked ones at their points of least margin."""
        rows, attacked = self.rows(number)
        numbers = torch.arange(rows.start, rows.stop)
        std, rob = (self._predict(number, self.images[rows], numbers) for number in range(2))
        arrays: Arrays = {"clean_std_logits": _float32(std), "clean_rob_logits": _float32(rob)}
        if attacked.stop == attacked.start:
            return arrays
        numbers = torch.arange(attacked.start, attacked.stop)
        with counted() as counter:
            found = self.attack.run(
                self.models[1],
                self.images[attacked],
                self.labels[attacked],
                numbers,
                batch_size=self.batch_size,
                progress=progress,
                device=self.device,
                name=BASE_MODELS[1],
            )
        arrays[PASSES] = np.array([counter.mean(BASE_MODELS[1:])], np.float64)
        at_points = self._predict(0, found.images, numbers, "at the attacked points of")
        arrays["adv_std_logits"] = _float32(at_points)
        arrays["adv_rob_logits"] = _float32(found.logits)
        arrays["adv_margin"] = _float32(found.margin)
        if self.with_images:
            arrays["adv_images"] = to_uint8(found.images)
        return arrays

    def joined(self, batches: Sequence[Arrays]) -> Arrays:
        """All batches as the arrays of a bundle."""
        names = dict.fromkeys(name for batch in batches for name in batch if name != PASSES)
        arrays = {name: np.concatenate([b[name] for b in batches if name in b]) for name in names}
        arrays["clean_labels"] = self.labels.numpy()
        if self.n_adv:
            arrays["adv_index"] = np.arange(self.n_adv, dtype=np.int64)
        if self.with_images:
            arrays["clean_images"] = to_uint8(self.images)
        return arrays

    def passes(self, batches: Sequence[Arrays]) -> Passes | None:
        """Passes of the attack through the robust classifier for each attacked image; None if not counted.

        Args:
            batches: All batches; those of older work folders did not count.
        """
        attacked = [batch for batch in batches if "adv_margin" in batch]
        if not attacked or any(PASSES not in batch for batch in attacked):
            return None
        return Passes(*np.concatenate([batch[PASSES] for batch in attacked]).sum(axis=0).tolist()).over(
            self.n_adv
        )

    def settings(self) -> dict[str, Setting | None]:
        """Everything that the batches' bytes depend on."""
        std, rob = (_identity(card, model) for card, model in zip(self.cards, self.models, strict=True))
        data = {"images": self.images.numpy(), "labels": self.labels.numpy()}
        return {
            "std": std,
            "rob": rob,
            "data": content_digest(data),
            "n_clean": len(self.images),
            "n_adv": self.n_adv,
            **self.attack.settings(),
            "batch_size": self.batch_size,
            "with_images": self.with_images,
            "channels_last": self.attack.channels_last,
            "dtype": str(self.images.dtype).removeprefix("torch."),
            "device": self.device.type,
            "torch": torch.__version__,
        }

    def _predict(self, number: int, images: Tensor, numbers: Tensor, where: str = "for") -> Tensor:
        return predict(
            self.models[number],
            images,
            batch_size=self.batch_size,
            device=self.device,
            channels_last=self.attack.channels_last,
            name=BASE_MODELS[number],
            classes=self.classes,
            numbers=numbers,
            where=where,
        )


def _identity(card: ModelCard, model: Model) -> str:
    """What tells a model from another: its spec and the digest of its weights."""
    digest = model_card(card.spec, model).digest if isinstance(model, nn.Module) else card.digest
    return f"{card.spec} {digest}"


def _float32(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().numpy()
    return array
