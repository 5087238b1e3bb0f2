"""What came of an adaptive attack on a mixed classifier: figures, points, and how they go into a file."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from mnuts_core.bundles.manifest import Setting
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.errors import MnutsError
from mnuts_core.export.cards import EstimateCard, PassesCard, VerifiedCard
from mnuts_core.export.config import MixConfig
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.statistics import Estimate, share
from mnuts_core.io.files import write_atomically
from mnuts_core.models.passes import Passes
from mnuts_core.pipeline.diagnostics import Diagnostic, diagnostics_of_result
from mnuts_core.pipeline.verify_batches import BatchState


class ComponentResult(NamedTuple):
    """What one component did.

    Attributes:
        name: As the plan's table calls it.
        accuracy: The accuracy after it and all before it.
        broken: How many images it broke.
        passes: Forward and backward passes through the mix for each of the images, those included that it
            had nothing to do for; None if some were not counted. What one base model was spared counts half.
    """

    name: str
    accuracy: Estimate
    broken: int
    passes: Passes | None = None


class Verified(NamedTuple):
    """The outcome of an adaptive attack on a mixed classifier.

    Attributes:
        accuracy: Share of the images that no component broke.
        clean: Share that is right without an attack.
        components: In the order in which they ran, each on what the ones before had left right.
        attack: The attack in words.
        settings: All that the numbers depend on.
        digest: SHA-256 over points and predictions.
        warnings: What puts the result in doubt.
        points: The misclassified point of each broken image, else the clean image, shape (N, C, H, W).
        predictions: What the mix says at these points, int64, shape (N,); -1 where a base model answers with
            NaN or infinity there: such an image counts as wrong.
        labels: True classes, int64, shape (N,).
        fell: What broke each image: the place of a component, -1 for one that is wrong without an attack,
            the number of components for one that withstood them all; int64, shape (N,).
        std_logits: g at the points, shape (N, K): what the predictions were made of.
        rob_logits: h there, shape (N, K).
    """

    accuracy: Estimate
    clean: Estimate
    components: tuple[ComponentResult, ...]
    attack: str
    settings: dict[str, Setting]
    digest: str
    warnings: tuple[Diagnostic, ...]
    points: Tensor
    predictions: Tensor
    labels: Tensor
    fell: Tensor
    std_logits: Tensor
    rob_logits: Tensor

    @property
    def passes(self) -> Passes | None:
        """Passes of all components together, for each image; None if some were not counted."""
        counts = [part.passes for part in self.components]
        return None if None in counts else Passes(*(sum(column) for column in zip(*counts, strict=True)))

    def save_points(self, path: str | os.PathLike[str]) -> Path:
        """Write the points as data for `npz:FILE`: the mix's accuracy on these is the verified one.

        Args:
            path: The target: `images` (the points), `labels`, `predictions`, `fell`, and the `components`'
                names, all as the attributes have them.

        Raises:
            MnutsError: If it cannot be written.
        """
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            images=self.points.numpy(),
            labels=self.labels.numpy(),
            predictions=self.predictions.numpy(),
            fell=self.fell.numpy(),
            components=np.array([part.name for part in self.components]),
        )
        return write_atomically(path, stream.getvalue(), MnutsError)

    def into(self, config: MixConfig) -> MixConfig:
        """The configuration with this result as its `verified`."""
        card = VerifiedCard(
            accuracy=EstimateCard.of(self.accuracy),
            clean=EstimateCard.of(self.clean),
            components={part.name: part.accuracy.value for part in self.components},
            attack=self.attack,
            settings=self.settings,
            warnings=tuple(str(diagnostic) for diagnostic in self.warnings),
            digest=self.digest,
            passes={part.name: PassesCard.of(part.passes) for part in self.components if part.passes},
            outcomes=OutcomesCard.of(self.fell.numpy() >= 0, self.fell.numpy() >= len(self.components)),
        )
        return config.model_copy(update={"verified": card})


def result_of(
    state: BatchState,
    labels: Tensor,
    names: Sequence[str],
    attack: str,
    settings: dict[str, Setting],
    diagnostics: Sequence[Diagnostic],
) -> Verified:
    """The figures that follow from what each image fell to.

    Args:
        state: All images after all components.
        labels: True classes, shape (N,).
        names: The components' names in the order in which they ran.
        attack: The attack in words.
        settings: All that the numbers depend on.
        diagnostics: What put the result in doubt before there was one.
    """
    n = len(state.fell)
    clean = share(int((state.fell >= 0).sum()), n, "clean")
    passes = [Passes(*of).over(n) for of in state.passes.sum(dim=0).tolist()]
    components = tuple(
        ComponentResult(
            name,
            share(int((state.fell > place).sum()), n, "attacked"),
            int((state.fell == place).sum()),
            passes[place] if math.isfinite(passes[place].forward) else None,
        )
        for place, name in enumerate(names)
    )
    arrays = {"points": state.points.numpy(), "predictions": state.predictions.numpy()}
    broken = {part.name: part.broken for part in components}
    return Verified(
        accuracy=share(components[-1].accuracy.successes, n, "verified"),
        clean=clean,
        components=components,
        attack=attack,
        settings=settings,
        digest=content_digest(arrays),
        warnings=(*diagnostics, *diagnostics_of_result(clean, broken)),
        points=state.points,
        predictions=state.predictions,
        labels=labels,
        fell=state.fell,
        std_logits=state.std_logits,
        rob_logits=state.rob_logits,
    )
