"""What the two models answer: logits, of these images, and not all the same."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mnuts_core.bundles.logit_warnings import warnings_of_values
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import sound
from mnuts_core.models.predict import listed
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.pipeline.doctor.sizes import size_that_works
from mnuts_core.text import counted

SAME = 1e-5
"""Logits of all images that differ by less, as a share of the largest, say nothing of the images."""
NO_LOGITS = ("probabilities", "one-hot", "sigmoid-outputs")


def answers(case: Case) -> Iterator[Finding]:
    """Whether both models take the images, and answer with finite logits of the right shape and dtype."""
    for side in case.sides:
        if side.problem:
            size = size_that_works(side)
            remedy = f"it takes images of {size} × {size}: give them in that size" if size else ""
            yield error("input-size" if size else "answers", side.problem, remedy=remedy)
            continue
        unsound = (~sound(side.logits)).nonzero().squeeze(1).tolist()
        if unsound:
            yield error(
                "not-finite",
                f"{side.name} answers {len(unsound):,} of {len(side.logits):,} images with NaN or infinity "
                f"(rows {listed(unsound)}, counted from 0)",
                "a build stops there",
                "look for a division by 0, the logarithm or root of 0, or half precision inside the model",
            )
        else:
            low, high = (float(end) for end in side.logits.aminmax())
            dtype = str(side.logits.dtype).removeprefix("torch.")
            shape = f"({len(side.logits):,}, {side.logits.shape[1]:,})"
            yield ok("answers", f"{side.name}: {dtype} {shape}, finite, {low:.3g} to {high:.3g}")


def logits(case: Case) -> Iterator[Finding]:
    """Whether the answers are raw logits; log-probabilities are as good."""
    for side in case.answering:
        finite = side.logits[sound(side.logits)].float().cpu().numpy()
        found = list(warnings_of_values(side.word, [finite])) if len(finite) else []
        for each in found:
            # At T = 0 the arg max of g is all that the mix needs; h's margins are what it is made of.
            say = error if side.is_robust and each.code in NO_LOGITS else warning
            yield say(each.code, each.message)
        if not found and len(finite):
            total = torch.from_numpy(finite).double().logsumexp(1).abs().max()
            kind = "log-probabilities, which do as well" if total < 1e-3 else "raw logits"
            yield ok("logits", f"{side.name}: {kind}")


def constant_answers(case: Case) -> Iterator[Finding]:
    """Whether a model says the same of all images."""
    for side in case.answering:
        if not side.constant or side.name in case.explained:
            continue
        case.explained.add(side.name)
        seen = side.logits.double()
        spread = float((seen - seen[:1]).abs().max() / seen.abs().max().clamp_min(1e-30))
        which = int(side.classes_found[0])
        name = case.class_names[which] if which >= 0 else "no class"
        same = ", with the same logits" if spread <= SAME else ""
        yield error(
            "constant-answers",
            f"{side.name} predicts {name!r} for each of {counted(len(seen), 'image')}{same}",
            "its weights are not those of training, or the images are not what it wants",
            "look at how the checkpoint is loaded, and at the range of pixels",
        )


def changes_images(case: Case) -> Iterator[Finding]:
    """Whether a model overwrites the images that it is given; it is given copies here."""
    for side in case.answering:
        given = side.images[:2].clone()
        with torch.no_grad():
            try:
                side.model(given)
            except Exception as problem:
                raise ParameterError(f"{side.name} failed at two images: {problem}") from None
        if not torch.equal(given, side.images[:2]):
            yield warning(
                "changes-images",
                f"{side.name} changes the images that it is given by up to "
                f"{float((given - side.images[:2]).abs().max()):.3g}",
                "here it is given copies, elsewhere a second pass sees other images",
                "replace operations in place, such as x.sub_(mean), by x - mean",
            )
