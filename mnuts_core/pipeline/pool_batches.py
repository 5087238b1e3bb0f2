"""The batches of an attack that fills a pool: what each holds, and what its bytes depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.attacks.pool import Attacked, attack_for_pool
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.attacks.watching import Watch
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import Setting, library_versions
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.devices import home_of
from mnuts_core.functional.mixing import fools_both
from mnuts_core.models.inputs import Progress, laid_out
from mnuts_core.models.passes import Passes, counted
from mnuts_core.models.predict import BASE_MODELS, model_card
from mnuts_core.params import MixParams
from mnuts_core.pipeline.workfolder import Arrays

POINTS = ("index", "std_logits", "rob_logits")


@dataclass(kw_only=True)
class PoolBatches:
    """The batches of all sources: batch b of source s has the number s · (batches of a source) + b.

    Attributes:
        bundle: Whose attacked images are attacked.
        models: g and h, in evaluation mode on the device, their parameters frozen.
        images: Some of its attacked images, from the first on, in [0, 1], float32, shape (N, C, H, W).
        labels: True classes, shape (N,).
        targets: What is attacked, a source each.
        watch: Mixes that all sources watch.
        plan: How each is attacked; `n_targets` is at most K - 1.
        batch_size: Images in a batch; those of them that are settled are not attacked.
        channels_last: Whether images and weights are laid out as NHWC.
        device: Where to compute.
        unsettled: For each source that is known so far, which images it has to attack, bool, shape (N,).
    """

    bundle: LogitBundle
    models: tuple[nn.Module, nn.Module]
    images: Tensor
    labels: Tensor
    targets: tuple[PoolTarget, ...]
    watch: tuple[MixParams, ...]
    plan: PoolPlan
    batch_size: int
    channels_last: bool
    device: torch.device
    unsettled: list[NDArray[np.bool_]] = field(default_factory=list)

    @property
    def index(self) -> NDArray[np.int64]:
        """The images' clean rows."""
        return self.bundle.require_attacked().index[: len(self.images)]

    def costs(self, source: int) -> list[int]:
        """The work on each batch of a source: passes times images."""
        parts = np.split(self.unsettled[source], range(self.batch_size, len(self.images), self.batch_size))
        return [int(part.sum()) * sum(self.plan.costs) for part in parts]

    def unsettled_at_first(self) -> NDArray[np.bool_]:
        """Which images no point of the bundle settles."""
        attacked = self.bundle.require_attacked()
        points = {
            "index": attacked.index,
            "std_logits": attacked.std_logits,
            "rob_logits": attacked.rob_logits,
        }
        return ~self.settled_by(points)

    def settled_by(self, points: Arrays) -> NDArray[np.bool_]:
        """Which images one of these points settles.

        Args:
            points: `index` (P,), `std_logits` and `rob_logits` (P, K).
        """
        std, rob = (torch.from_numpy(points[name]) for name in ("std_logits", "rob_logits"))
        labels = torch.from_numpy(self.bundle.clean_labels[points["index"]])
        fooled = fools_both(std, rob, labels).numpy()
        settled: NDArray[np.bool_] = np.isin(self.index, points["index"][fooled])
        return settled

    def compute(self, number: int, progress: Progress | None) -> Arrays:
        """One batch of one source."""
        source, batch = divmod(number, -(-len(self.images) // self.batch_size))
        rows = np.arange(len(self.images))[batch * self.batch_size :][: self.batch_size]
        rows = rows[self.unsettled[source][rows]]
        classes, target = self.bundle.num_classes, self.targets[source]
        if not len(rows):
            none = np.zeros((0, classes), np.float32)
            return _arrays(self.index[:0], none, none, self.index[:0], Passes())
        chosen, cost = torch.from_numpy(rows), len(rows) * sum(self.plan.costs)
        home = home_of(self.device)
        with counted() as counter:
            found = attack_for_pool(
                Attacked.of(target, *self.models, classes),
                laid_out(self.images[chosen].to(home), self.channels_last),
                self.labels[chosen].to(home),
                torch.from_numpy(self.index[rows]),
                watch=self._watch(target),
                plan=self.plan,
                progress=lambda passes: progress(passes * len(rows), cost) if progress else None,
            )
        index, passes = self.index[rows], counter.mean(BASE_MODELS)
        return _arrays(index[found.row], found.std_logits, found.rob_logits, index[found.not_finite], passes)

    def _watch(self, target: PoolTarget) -> Watch:
        """The target first, so that its own worst points come first."""
        own = () if target.params is None else (target.params,)
        return Watch((*own, *self.watch), standard=target.params is None, device=home_of(self.device))

    def settings(self) -> dict[str, Setting | None]:
        """Everything that the batches' bytes depend on."""
        std, rob = (model_card("", model).digest for model in self.models)
        versions = library_versions()
        return {
            "bundle": self.bundle.digest,
            "std": std,
            "rob": rob,
            "data": content_digest({"images": self.images.numpy(), "labels": self.labels.numpy()}),
            "n": len(self.images),
            "targets": "; ".join(f"{each} α_d={each.alpha_d} r_d={each.r_d}" for each in self.targets),
            "watch": "; ".join(map(str, self.watch)),
            **self.plan.settings(),
            "batch_size": self.batch_size,
            "channels_last": self.channels_last,
            "device": self.device.type,
            **{name: versions[name] for name in ("torch", "pyautoattack") if name in versions},
        }


def joined(batches: Sequence[Arrays]) -> Arrays:
    """The batches of one source as one; passes that an older work folder did not count are NaN."""
    uncounted = {"passes": np.full((1, 2), np.nan)}
    batches = [uncounted | batch for batch in batches]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _arrays(
    index: NDArray[np.int64],
    std_logits: NDArray[np.float32],
    rob_logits: NDArray[np.float32],
    not_finite: NDArray[np.int64],
    passes: Passes,
) -> Arrays:
    return {
        "index": index,
        "std_logits": std_logits,
        "rob_logits": rob_logits,
        "not_finite": not_finite,
        "passes": np.array([passes], np.float64),
    }
