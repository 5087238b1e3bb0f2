"""What a mixed classifier costs (C.2, Table 5): parameters, floating-point operations, and time."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mnuts_core.devices import clock, home_of
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import sound
from mnuts_core.models.inputs import check_count, check_images, prepared
from mnuts_core.models.predict import ask, refuse_unsound


class Cost(NamedTuple):
    """What one classifier costs.

    Attributes:
        parameters: How many it has.
        flops: Floating-point operations of matrix products and convolutions for one image; a multiplication
            and an addition count as two.
        milliseconds: Median time of a forward pass over the batch.
    """

    parameters: int
    flops: int
    milliseconds: float


class Profile(NamedTuple):
    """What a mix costs beside its two base models.

    Attributes:
        std: The accurate model.
        rob: The robust model.
        mix: Both and the mixing.
        mixing_milliseconds: Median time from the two models' logits to the mix's, over the batch.
        overhead: That time as a share of the two models' own.
        batch_size: Images in the batch.
        repeats: Rounds that the medians are over.
        device: Where it was measured.
    """

    std: Cost
    rob: Cost
    mix: Cost
    mixing_milliseconds: float
    overhead: float
    batch_size: int
    repeats: int
    device: str


def profile(model: MixedClassifier, images: Tensor, *, repeats: int = 20) -> Profile:
    """Count parameters and operations, and time the mix against its base models.

    The passes take turns, so that a machine that is busy for a while slows down all of them alike.

    Args:
        model: The mix, on the device to measure on.
        images: A batch in [0, 1], shape (N, C, H, W); moved to that device.
        repeats: Rounds, after one to warm up.

    Raises:
        ParameterError: If the images are out of range, repeats is below 1, or a base model answers with
            anything but finite logits.
    """
    check_count("repeats", repeats, 1)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    batch = check_images(images).to(home_of(device))
    std, rob = model.std_model, model.rob_model
    with prepared(model, device), torch.no_grad():
        logits = model.base_logits(batch)
        for name, answer in zip(("std_model", "rob_model"), logits, strict=True):
            refuse_unsound(name, ~sound(answer), torch.arange(len(batch)))
        passes: dict[str, Callable[[], object]] = {
            "std": lambda: ask("std_model", std, batch),
            "rob": lambda: ask("rob_model", rob, batch),
            "mix": lambda: model(batch),
            "mixing": lambda: model.mix_logits(*logits),
        }
        taken = _median_times(passes, repeats, device)
        std_cost, rob_cost, mix_cost = (
            Cost(_parameters(part), _flops(ask_as, part, batch[:1]), taken[key])
            for key, ask_as, part in (
                ("std", "std_model", std),
                ("rob", "rob_model", rob),
                ("mix", "the mix", model),
            )
        )
    return Profile(
        std_cost,
        rob_cost,
        mix_cost,
        mixing_milliseconds=taken["mixing"],
        overhead=taken["mixing"] / (taken["std"] + taken["rob"]),
        batch_size=len(batch),
        repeats=repeats,
        device=str(device),
    )


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _flops(name: str, model: nn.Module, image: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        ask(name, model, image)
    return int(counter.get_total_flops())


def _median_times(
    passes: dict[str, Callable[[], object]], repeats: int, device: torch.device
) -> dict[str, float]:
    """Median milliseconds of each pass, all of them in turn in every round."""
    times: dict[str, list[float]] = {name: [] for name in passes}
    for number in range(repeats + 1):
        for name, run in passes.items():
            start = clock(device)
            run()
            if number:
                times[name].append(1000.0 * (clock(device) - start))
    return {name: statistics.median(values) for name, values in times.items()}
