"""The batches of one evaluation: every component on each of them, resumable between any two."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.attacks.batch import Batch
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.surrogates import surrogate_of
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.models.inputs import Progress
from mnuts_core.models.passes import counted
from mnuts_core.models.predict import BASE_MODELS, predicted
from mnuts_core.pipeline.diagnostics import count_zero_gradients
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.shared_work import from_others
from mnuts_core.pipeline.workfolder import Arrays, WorkFolder

Standing = Callable[[int], None]
"""Called with how many images no component has broken so far: never more are right in the end."""
Enough = Callable[[NDArray[np.bool_]], bool]
"""Takes whether each of the first images, those of whole batches, is right; says whether they are enough."""


class BatchState(NamedTuple):
    """How far a batch, or all images, have come.

    Attributes:
        points: The points found, shape (N, C, H, W).
        predictions: What the mix says there, shape (N,); `NO_CLASS` where that is not finite.
        fell: Which component broke each image: -1 wrong when clean, its place, or the number of them all.
        std_logits: g at these points, shape (N, K): the very numbers that the predictions were made of.
        rob_logits: h there, shape (N, K).
        passes: Forward and backward passes of each component, float64, shape (batches, components, 2); NaN
            where they were not counted.
    """

    points: Tensor
    predictions: Tensor
    fell: Tensor
    std_logits: Tensor
    rob_logits: Tensor
    passes: Tensor

    def to_arrays(self, done: int) -> Arrays:
        """As the work folder keeps it, after `done` components."""
        return {"done": np.array([done])} | {name: part.numpy() for name, part in self._asdict().items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> tuple[int, BatchState]:
        """How many components there have been, and what came of them."""
        parts = {name: torch.from_numpy(arrays[name]) for name in cls._fields}
        return int(arrays["done"][0]), cls(**parts)


class AttackRun:
    """The components of a plan on batches of images, which stay on the CPU.

    Args:
        model: The mix in evaluation mode, on the device, its parameters frozen.
        images: Clean images in [0, 1], float32, shape (N, C, H, W).
        labels: True classes, shape (N,).
        plan: What is run, and how hard.
        classes: K, the model's number of classes.
        batch_size: Images at a time.
        device: Where to compute.
    """

    def __init__(
        self,
        model: MixedClassifier,
        images: Tensor,
        labels: Tensor,
        plan: Plan,
        classes: int,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self.model, self.images, self.labels = model, images, labels
        self.plan, self.classes, self.components = plan, classes, components_of(plan, classes)
        self.device, self.ball = device, make_ball(plan.norm, plan.eps)
        self.batches = torch.split(torch.arange(len(images)), batch_size)
        self._finished: dict[int, BatchState] = {}
        self._whole, self._stopped = 0, False

    def all_batches(
        self,
        work: WorkFolder | None,
        progress: Progress | None,
        standing: Standing | None = None,
        enough: Enough | None = None,
        world: World = ALONE,
    ) -> BatchState:
        """Run every component on every batch, but for those that the work folder has.

        Args:
            work: Where finished components are kept, if anywhere.
            progress: Called with (components done, components in all), at each forward pass of this process.
            standing: Called after each component with how many images are not broken so far, as this process
                knows it.
            enough: Called once for each batch, in their order, as soon as it and all before it are whole;
                true leaves out those after it. It must answer the same in every process.
            world: The processes that share the batches through the work folder.

        Returns:
            All images, or the first ones that were enough.
        """
        parts, numbers = len(self.components), range(len(self.batches))
        begun = {number: self._kept(work, number) for number in numbers}
        world.wait()  # nobody may go on with a batch while another still looks how far it is
        finished = {number: state for number, (done, state) in begun.items() if state and done == parts}
        self._finished, self._whole, self._stopped = finished, 0, False
        share = world.share([number for number in numbers if number not in finished])
        before, total = len(finished), (len(finished) + len(share)) * parts
        others = partial(self._seen, work) if world.size > 1 else _unseen
        for number in share:
            if self._enough(enough, others):
                break
            report = partial(_on, progress, before * parts, total) if progress else _nobody
            left = len(self.labels) - sum(_broken(state, parts) for state in finished.values())
            after = partial(_tell, standing, left, parts) if standing else _nobody
            finished[number] = self._rest(number, *begun.pop(number), work, report, after)
            before += 1
        world.wait()
        self._enough(enough, partial(self._from_others, work))
        world.wait()  # nobody may clear the work folder before all have read it
        if progress:
            progress(total, total)
        state = self.done()
        assert state is not None  # there is at least one batch
        return state

    def done(self) -> BatchState | None:
        """The images of the first batches as far as these are whole; None of none."""
        states = [self._finished[number] for number in range(self._whole)]
        return BatchState(*(torch.cat(column) for column in zip(*states, strict=True))) if states else None

    def _enough(self, enough: Enough | None, others: Callable[[int], BatchState | None]) -> bool:
        """Go on to the first batch that is not whole, or after which no more are wanted; whether none are.

        Args:
            enough: As in `all_batches`.
            others: A batch that another process may have finished; None if it has not.
        """
        while not self._stopped and self._whole < len(self.batches):
            state = self._finished.get(self._whole) or others(self._whole)
            if state is None:
                break
            self._finished[self._whole] = state
            self._whole += 1
            if enough is not None:
                fell = torch.cat([self._finished[number].fell for number in range(self._whole)])
                self._stopped = enough((fell == len(self.components)).numpy())
        return self._stopped

    def _rest(
        self,
        number: int,
        done: int,
        state: BatchState | None,
        work: WorkFolder | None,
        report: Callable[[int], None],
        after: Callable[[BatchState], None],
    ) -> BatchState:
        """One batch after all components.

        Args:
            number: Which one.
            done: How many components it has behind it.
            state: How far it has come; None where nothing is known of it.
            work: As in `all_batches`.
            report: Called with how many components are done, at each forward pass.
            after: Called with how far the batch has come, after each component.
        """
        rows = self.batches[number]
        state = self._clean(rows) if state is None else state
        for place in range(done, len(self.components)):
            tick = partial(report, place)
            tick()
            state = self._component(place, rows, state, tick)
            if work is not None:
                work.write(number, state.to_arrays(place + 1))
            after(state)
        return state

    def _kept(self, work: WorkFolder | None, number: int) -> tuple[int, BatchState | None]:
        """How many components a batch has behind it in the work folder, and how far it has come."""
        kept = work.read(number) if work is not None else None
        return self._resumed(kept) if kept else (0, None)

    def _seen(self, work: WorkFolder | None, number: int) -> BatchState | None:
        """A batch after all components, if another process has it there already."""
        done, state = self._kept(work, number)
        return state if done == len(self.components) else None

    def _from_others(self, work: WorkFolder | None, number: int) -> BatchState:
        """A batch after all components, by another process."""
        parts = len(self.components)
        arrays = from_others(work, number, lambda arrays: BatchState.from_arrays(arrays)[0] == parts)
        return BatchState.from_arrays(arrays)[1]

    def count_zero_gradients(self) -> list[int]:
        """At how many images of each batch the loss is flat."""
        surrogate, flat = surrogate_of(self.model, self.plan.attack, self.classes), []
        for rows in self.batches:
            images, labels = self.images[rows].to(self.device), self.labels[rows].to(self.device)
            flat.append(count_zero_gradients(surrogate, images, labels))
        return flat

    def _resumed(self, kept: Arrays) -> tuple[int, BatchState]:
        """A batch of the work folder; older ones lack logits and counts of passes."""
        if "std_logits" not in kept:
            _, std, rob = self._predict(torch.from_numpy(kept["points"]))
            kept = kept | {"std_logits": std.numpy(), "rob_logits": rob.numpy()}
        if "passes" not in kept:
            kept = kept | {"passes": self._uncounted().fill_(torch.nan).numpy()}
        return BatchState.from_arrays(kept)

    def _clean(self, rows: Tensor) -> BatchState:
        predictions, std, rob = self._predict(self.images[rows])
        fell = torch.where(predictions == self.labels[rows], len(self.components), -1)
        return BatchState(self.images[rows].clone(), predictions, fell, std, rob, self._uncounted())

    def _uncounted(self) -> Tensor:
        return torch.zeros(1, len(self.components), 2, dtype=torch.float64)

    def _component(self, place: int, rows: Tensor, state: BatchState, tick: Callable[[], None]) -> BatchState:
        standing = (state.fell == len(self.components)).nonzero().squeeze(1)
        if not len(standing):
            return state
        images, labels = self.images[rows[standing]], self.labels[rows[standing]]
        batch = Batch(
            self.model,
            images.to(self.device),
            labels.to(self.device),
            rows[standing],
            self.plan,
            self.classes,
            tick,
        )
        with counted() as counter:
            found = self.components[place].run(batch)
        state.passes[0, place] = torch.tensor(counter.mean(BASE_MODELS))
        found = self.ball.project(found.cpu().float(), images)
        points = found.isfinite().flatten(1).all(dim=1).view(-1, 1, 1, 1)
        found = found.where(points, images)  # NaN lies in no ball: nothing was found
        predictions, std, rob = self._predict(found)
        broken = predictions != labels
        where = standing[broken]
        state.points[where], state.predictions[where] = found[broken], predictions[broken]
        state.std_logits[where], state.rob_logits[where] = std[broken], rob[broken]
        state.fell[where] = place
        return state

    def _predict(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the mix says of images, and the logits of g and h that it says it by."""
        with torch.no_grad():
            std, rob = self.model.base_logits(images.to(self.device), self.classes)
            return predicted(self.model.mix_logits(std, rob)).cpu(), std.cpu(), rob.cpu()


def _nobody(_: object) -> None:
    """The report of a run that nobody watches."""


def _unseen(_: int) -> None:
    """The batches of other processes where there are none."""


def _on(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _tell(standing: Standing, left: int, parts: int, state: BatchState) -> None:
    standing(left - _broken(state, parts))


def _broken(state: BatchState, parts: int) -> int:
    return int((state.fell < parts).sum())
