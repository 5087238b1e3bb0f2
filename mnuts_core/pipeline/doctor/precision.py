"""What reduced precision does to the models' answers."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mnuts_core.devices import WITHOUT_FLOAT64
from mnuts_core.functional.statistics import share
from mnuts_core.models.inputs import in_precision
from mnuts_core.models.precision import Reduced
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, ok, warning

N_IMAGES = 32
LARGEST_HALF = 65_504.0


def reduced_precision(case: Case) -> Iterator[Finding]:
    """Whether gradients in bfloat16 (`--precision bfloat16`) are those of the same function."""
    if case.device.type in WITHOUT_FLOAT64:
        return  # they are not offered there
    for side in case.answering:
        images = side.images[:N_IMAGES]
        reduced = in_precision(side.model, "bfloat16", images.device)
        try:
            with torch.no_grad():
                logits = reduced(images)
        except Exception:
            yield ok("reduced-precision", f"{side.name} fails in bfloat16")
            continue
        plain = side.logits[:N_IMAGES]
        large = float(plain.abs().nan_to_num().max())
        differing = Reduced.of(plain, logits)
        seen = (
            f"{side.name} in bfloat16: another class for {share(differing.other, len(images)).tally} images"
        )
        if differing.lost:
            seen += f", NaN or infinity for {differing.lost}"
        if large > LARGEST_HALF:
            seen += f"; logits up to {large:.3g} do not fit into float16"
        if large > LARGEST_HALF or not differing.same_function:
            meaning = "reduced precision computes another function"
            yield warning("reduced-precision", seen, meaning, "take --precision auto or full")
        else:
            yield ok("reduced-precision", seen)
