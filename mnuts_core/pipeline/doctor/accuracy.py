"""Whether clean accuracy is what the models' publishers say, and g the more accurate of the two."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mnuts_core.functional.paired import Paired
from mnuts_core.functional.transform import layer_norm
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning

SLACK = 0.02
"""Other pixels, of a JPEG or another interpolation, may cost so much accuracy without being named."""
HALF = 0.5
"""Below this share of the listed accuracy the models see something else than they were made for."""
EXPLAINED = "this follows from what was found above"
SAME = 1e-6


def clean_accuracy(case: Case) -> Iterator[Finding]:
    """Accuracy on the images, against what is listed."""
    for side in case.answering:
        found, listed = side.accuracy, side.listed
        if listed is None:
            yield ok("clean-accuracy", f"{side.name}: {found}; nobody lists what it should be")
            continue
        claim = f"{100 * listed.clean:.1f} % is listed ({listed.source})"
        known = side.name in case.explained
        if found.high < HALF * listed.clean:
            yield error(
                "clean-accuracy",
                f"{side.name}: {found} where {claim}",
                EXPLAINED if known else "it sees other images, labels or weights than those of the list",
                "" if known else "compare --data, --dataset and the checkpoint",
            )
        elif found.high < listed.clean - SLACK or found.low > listed.clean + SLACK:
            less = "other pixels, such as a JPEG's, another size or other weights"
            more = "images that it was trained on, or an easier selection"
            yield warning(
                "clean-accuracy",
                f"{side.name}: {found} where {claim}",
                EXPLAINED if known else less if found.value < listed.clean else more,
                "" if known else "use the images of the list for figures that others will compare",
            )
        else:
            yield ok("clean-accuracy", f"{side.name}: {found}; {claim}")


def same_model(case: Case) -> Iterator[Finding]:
    """Whether g and h are one and the same, or h is the more accurate one."""
    if case.both is None:
        return
    std, rob = case.both
    if (how := _alike(std.logits, rob.logits)) is not None:
        yield warning(
            "same-model",
            f"both models answer all {len(std.logits):,} images alike{how}",
            "a mix of a model with itself is that model",
            "give an accurate one as --std and a robust one as --rob",
        )
        return
    table = Paired.of(std.right, rob.right)
    if table.clear and table.difference.value < 0 and not case.explained:
        yield warning(
            "swapped",
            f"std_model is less accurate on clean images than rob_model: {table}",
            "a mix has nothing to gain from it, or the two were given in the wrong order",
            "give the more accurate one as --std",
        )
    else:
        yield ok("same-model", f"std_model against rob_model on clean images: {table}")


def _alike(std: Tensor, rob: Tensor) -> str | None:
    """How two models' logits are the same ones, or what layer norm makes of them; None if they are not."""
    scale = float(std.abs().nan_to_num().max())
    if torch.allclose(std, rob, rtol=0, atol=SAME * max(scale, 1.0), equal_nan=True):
        return ""
    one, other = (layer_norm(logits.double()) for logits in (std, rob))
    return ", but for their scale" if torch.allclose(one, other, rtol=0, atol=1e-4) else None
