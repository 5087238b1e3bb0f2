"""Whether a model is a function: one answer to an image, whatever came before or stands beside it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from mnuts_core.models.loops import look_for_loops
from mnuts_core.models.predict import listed as first_few
from mnuts_core.pipeline.diagnostics import RANDOM_TOLERANCE, probability_change
from mnuts_core.pipeline.doctor.case import Case, Side, parts_of
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning

ALONE = 4
"""So many images are also answered alone."""
BATCH_TOLERANCE = 1e-3
"""Rounding differs between batches of different sizes, by less than this in probability."""


def evaluation_mode(case: Case) -> Iterator[Finding]:
    """Whether both models stay in evaluation mode, and passes leave their weights and buffers alone."""
    for side in case.answering:
        before = _state(side)
        side.ask(side.images[:2])
        training = [name or "the model itself" for name, part in parts_of(side.model) if part.training]
        changed = [name for name, value in _state(side).items() if not torch.equal(value, before[name])]
        if training:
            yield error(
                "training-mode",
                f"{side.name}: {len(training)} of its modules are in training mode after a pass, in spite of "
                f".eval() ({', '.join(training[:3])})",
                "batch norm and dropout are then random, or depend on the batch",
                "look for .train() in its forward()",
            )
        if changed:
            yield error(
                "state-changes",
                f"{side.name}: a pass changes {len(changed)} of its weights and buffers "
                f"({', '.join(changed[:3])})",
                "each answer depends on those before it, and no build can be resumed or repeated",
                "update nothing in forward() in evaluation mode",
            )
        if not (training or changed):
            yield ok("evaluation-mode", f"{side.name}: in evaluation mode, and passes leave it as it is")


def _state(side: Side) -> dict[str, Tensor]:
    if not isinstance(side.model, nn.Module):
        return {}
    state = side.model.state_dict()
    return {name: value.detach().clone() for name, value in state.items() if isinstance(value, Tensor)}


def loops(case: Case) -> Iterator[Finding]:
    """Whether a pass is one pass: no optimisation, and no network that is asked again and again."""
    for side in case.answering:
        loop = look_for_loops(side.name, side.model, side.images)
        if loop.found:
            yield warning(
                "optimisation-loop",
                f"{side.name}: {loop}",
                "attacks see its last step at best, so it looks more robust than it is, and RobustBench "
                "takes no such model",
                "mix the network without purification or adaptation around it",
            )
        else:
            yield ok("optimisation-loop", f"{side.name}: {loop}")


def randomness(case: Case) -> Iterator[Finding]:
    """Whether a second pass gives the same answers, and an image alone the same as in a batch."""
    for side in case.answering:
        again = probability_change(side.logits, side.ask(side.images))
        if again > RANDOM_TOLERANCE:
            yield warning(
                "random-model",
                f"{side.name}: two passes over the same images differ by up to {again:.2g} in probability",
                "a lucky draw counts as robust, and gradients of single draws mislead",
                "switch dropout and noise off in evaluation mode",
            )
            continue
        alone = torch.cat([side.ask(image.unsqueeze(0)) for image in side.images[:ALONE]])
        change = (alone.softmax(1) - side.logits[: len(alone)].softmax(1)).abs().amax(1).nan_to_num(nan=0.0)
        rows = (change > BATCH_TOLERANCE).nonzero().squeeze(1).tolist()
        if rows:
            yield error(
                "batch-dependence",
                f"{side.name}: images alone and in a batch differ by up to {float(change.max()):.2g} in "
                f"probability ({len(rows)} of {len(alone)} tried, rows {first_few(rows)})",
                "an image's answer depends on its neighbours: no figure is that of one image",
                "use running statistics in batch norm, and normalise images one by one",
            )
        else:
            yield ok("batch-dependence", f"{side.name}: no randomness; alone and in a batch the same")
