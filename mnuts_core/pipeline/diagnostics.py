"""What puts a verified accuracy in doubt; `docs/warnings.md` has an entry for each code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from mnuts_core.attacks.components import COMPONENTS, WitnessCode, left_out
from mnuts_core.attacks.losses import cross_entropy
from mnuts_core.attacks.plan import N_TARGETS, Plan
from mnuts_core.attacks.promise import JOINT_TARGETS, SURE_TARGETS, WITNESSED
from mnuts_core.attacks.surrogates import THE_MIX, Surrogate
from mnuts_core.bundles.manifest import ModelCard, ThreatModel
from mnuts_core.errors import MnutsError
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.models.inputs import Model
from mnuts_core.models.loops import look_for_loops
from mnuts_core.models.predict import NO_CLASS, ask, listed
from mnuts_core.params import STANDARD_STEPS
from mnuts_core.pipeline.readings import TWICE, best_reading
from mnuts_core.text import counted

Code = Literal[
    "inputs-too-dark",
    "grey-images",
    "not-finite",
    "low-clean-accuracy",
    "normalised-twice",
    "clean-accuracy-differs",
    "training-mode",
    "random-model",
    "optimisation-loop",
    "zero-gradients",
    "target-classes",
    "few-steps",
    "frugal",
    "stopped-early",
    WitnessCode,
    "other-model",
    "other-threat-model",
    "attack-library",
]
CODES: tuple[Code, ...] = get_args(Code)

WITNESS_MARGIN = 0.002
"""A witness that breaks more than this share of the images puts the white-box attacks in doubt."""
RANDOM_TOLERANCE = 1e-4
"""Two passes over the same images may differ by so much in probability."""
DARK = 1.0 / 32.0
"""Where no pixel is brighter than this, the images were probably divided by 255 twice."""
LOW_ACCURACY = 0.5
"""A mix that gets fewer clean images right was probably given other inputs than it was trained on."""


class Diagnostic(NamedTuple):
    """Something that puts the result in doubt: a code of `docs/warnings.md`, and what was seen."""

    code: Code
    message: str

    def __str__(self) -> str:
        return f"{self.message} (see docs/warnings.md#{self.code})"


def diagnostics_of_inputs(
    model: MixedClassifier, images: Tensor, labels: Tensor, plan: Plan, classes: int
) -> list[Diagnostic]:
    """What is odd about the images, the model or the plan, before anything is attacked.

    Args:
        model: The mix in evaluation mode.
        images: Images in [0, 1] on the model's device; some of them are enough.
        labels: True classes, on the model's device.
        plan: What will be run.
        classes: K, the model's number of classes.
    """
    diagnostics = too_dark(images) + diagnostics_of_models({THE_MIX: model}, images, labels)
    if plan.n_targets(classes) < N_TARGETS:
        without = "".join(f"; {part.name.upper()} is left out" for part in left_out(plan, classes))
        text = (
            f"{classes} classes leave {counted(plan.n_targets(classes), 'target')}, not {N_TARGETS}{without}"
        )
        diagnostics.append(Diagnostic("target-classes", text))
    if plan.n_iter < STANDARD_STEPS:
        text = f"the attack took {counted(plan.n_iter, 'step')}, fewer than AutoAttack's {STANDARD_STEPS}"
        diagnostics.append(Diagnostic("few-steps", text))
    if plan.frugal:
        there = plan.n_targets(classes)
        text = (
            f"a frugal plan: of {counted(there, 'target')} APGD drove at the {min(JOINT_TARGETS, there)} "
            f"nearest by the joint loss and at {min(SURE_TARGETS, there)} by DLR, FAB-T was left out, and "
            f"Square got {100 * WITNESSED:.0f} % of its queries"
        )
        diagnostics.append(Diagnostic("frugal", text))
    return diagnostics


def diagnostics_of_models(models: Mapping[str, Model], images: Tensor, labels: Tensor) -> list[Diagnostic]:
    """What is odd about models, as they answer these images, before anything is attacked or built.

    Args:
        models: By name, in evaluation mode, on the images' device: a mix, or the two base models.
        images: Images in [0, 1]; some of them are enough.
        labels: True classes, on the images' device.
    """
    diagnostics: list[Diagnostic] = []
    with torch.no_grad():
        for name, model in models.items():
            diagnostics += _random(name, model, images)
            if (loop := look_for_loops(name, model, images)).found:
                diagnostics.append(Diagnostic("optimisation-loop", f"{name}: {loop}"))
            diagnostics += _normalised_twice(name, model, images, labels)
            diagnostics += takes_grey_for_colour(name, model, images)
    return diagnostics


def _random(name: str, model: Model, images: Tensor) -> list[Diagnostic]:
    change = probability_change(*(ask(name, model, images) for _ in range(2)))
    if change <= RANDOM_TOLERANCE:
        return []
    text = f"{name}: two passes over the same images differ by up to {change:.2g} in probability"
    return [Diagnostic("random-model", text)]


def probability_change(first: Tensor, second: Tensor) -> float:
    """By how much two answers to the same images differ at most, in probability; NaN counts as no difference.

    Args:
        first: Logits, shape (N, K).
        second: Logits, likewise.
    """
    return float((first.softmax(dim=1) - second.softmax(dim=1)).abs().nan_to_num(nan=0.0).max())


def takes_grey_for_colour(name: str, model: Model, images: Tensor) -> list[Diagnostic]:
    """Whether a model takes one channel for three: broadcasting makes that of a normalisation.

    Args:
        name: What to call the model.
        model: Images → raw logits.
        images: Some images, on its device.
    """
    if images.shape[1] != 1:
        return []
    try:
        coloured = ask(name, model, images.expand(-1, 3, -1, -1))
    except MnutsError:
        return []  # one channel it is
    if not torch.allclose(coloured, ask(name, model, images), atol=RANDOM_TOLERANCE, equal_nan=True):
        return []
    text = (
        f"{name} answers images of one channel as it answers them repeated to three: is it for colour images?"
    )
    return [Diagnostic("grey-images", text)]


def too_dark(images: Tensor) -> list[Diagnostic]:
    """A diagnostic, if the images were probably divided by 255 twice.

    Args:
        images: Images in [0, 1].
    """
    if (brightest := float(images.max())) > DARK:
        return []
    text = f"no pixel is brighter than {brightest:.4f}: were the images divided by 255 twice?"
    return [Diagnostic("inputs-too-dark", text)]


def _normalised_twice(name: str, model: Model, images: Tensor, labels: Tensor) -> list[Diagnostic]:
    """Whether a model does better on images with a usual normalisation undone in advance."""
    found = best_reading(partial(ask, name, model), images, labels, TWICE)
    return [Diagnostic("normalised-twice", f"{name}: {found}")] if found else []


def in_training_mode(models: Iterable[object]) -> list[Diagnostic]:
    """Whether a part of a base model was handed over in training mode.

    Args:
        models: The base models; those that are no modules have no mode.
    """
    modules = [model for model in models if isinstance(model, nn.Module)]
    if not any(part.training for module in modules for part in module.modules()):
        return []
    return [
        Diagnostic(
            "training-mode", "a base model was in training mode; evaluation mode was set for the attack"
        )
    ]


def count_zero_gradients(surrogate: Surrogate, images: Tensor, labels: Tensor) -> int:
    """At how many images the cross-entropy that the attack climbs is perfectly flat, or has NaN for slope.

    Args:
        surrogate: What the attack climbs.
        images: Clean images on the model's device, shape (N, C, H, W).
        labels: True classes, shape (N,).
    """
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        loss = cross_entropy(surrogate.climbed(surrogate.model(leaf)), labels)
        if not loss.requires_grad:
            return len(images)
        (gradient,) = torch.autograd.grad(loss.sum(), leaf, allow_unused=True, materialize_grads=True)
    gradient = gradient.flatten(1)
    return int(((gradient == 0).all(dim=1) | ~gradient.isfinite().all(dim=1)).sum())


def zero_gradients(flat: int, n: int) -> list[Diagnostic]:
    """A diagnostic, if the loss is flat at some of the images."""
    if not flat:
        return []
    text = f"the gradient is exactly zero, or NaN, at {flat} of {n} clean images: attacks are blind there"
    return [Diagnostic("zero-gradients", text)]


def count_zero_gradients_of(name: str, model: Model, climbed: Model, images: Tensor, labels: Tensor) -> int:
    """The same of one base model, whose loss an attack climbs.

    Args:
        name: What to call the model.
        model: Images → raw logits.
        climbed: Raw logits → the logits whose loss is climbed.
        images: Clean images on the model's device, shape (N, C, H, W).
        labels: True classes, shape (N,).
    """
    return count_zero_gradients(Surrogate(partial(ask, name, model), climbed, climbed), images, labels)


def not_finite(predictions: Tensor, fell: Tensor) -> list[Diagnostic]:
    """A diagnostic, if images count as wrong because a base model has no finite answer there.

    Args:
        predictions: Predicted classes at the points that count, `NO_CLASS` where there is none.
        fell: What broke each image; negative where it is wrong without an attack.
    """
    unsound = predictions == NO_CLASS
    places = (("without an attack", fell < 0), ("at an attacked point", fell >= 0))
    seen = [(place, (unsound & rows).nonzero().squeeze(1).tolist()) for place, rows in places]
    parts = [f"{place} for {len(rows)} (rows {listed(rows)}, counted from 0)" for place, rows in seen if rows]
    if not parts:
        return []
    text = (
        f"a base model answers with NaN or infinity {' and '.join(parts)} of {len(predictions)} images, "
        "which count as wrong"
    )
    return [Diagnostic("not-finite", text)]


def stopped_early(n: int, asked: int) -> list[Diagnostic]:
    """A diagnostic, if the attack stopped before it had met all images.

    Args:
        n: How many images it has met.
        asked: How many it was asked for.
    """
    if n == asked:
        return []
    text = f"the attack was stopped after the first {n:,} of {asked:,} images, and its figures are theirs"
    return [Diagnostic("stopped-early", text)]


def diagnostics_of_result(clean: Estimate, broken: dict[str, int]) -> list[Diagnostic]:
    """What is odd about the outcome.

    Args:
        clean: Clean accuracy.
        broken: How many images each component broke that those before it had not.
    """
    diagnostics = []
    if clean.value < LOW_ACCURACY:
        text = f"clean accuracy is only {clean}: are images or models of another kind, or normalised twice?"
        diagnostics.append(Diagnostic("low-clean-accuracy", text))
    witnesses = {part.name: part.witness for part in COMPONENTS if part.witness is not None}
    white_box = ", ".join(name for name in broken if name not in witnesses)
    for name, code in witnesses.items():
        if broken.get(name, 0) > WITNESS_MARGIN * clean.n:
            text = f"{name} broke {broken[name]} of {clean.n} images that {white_box} had not"
            diagnostics.append(Diagnostic(code, text))
    return diagnostics


def diagnostics_of_config(
    config: MixConfig,
    threat: ThreatModel,
    clean: Estimate,
    expected: Sequence[ModelCard],
    models: Sequence[ModelCard],
) -> list[Diagnostic]:
    """Where what was attacked is not what the configuration was made for.

    Args:
        config: The configuration.
        threat: What was allowed.
        clean: Clean accuracy on the images that were attacked.
        expected: Cards of the two models behind the configuration's bundle; empty if not at hand.
        models: Cards of the two models that were attacked.
    """
    diagnostics = []
    if config.threat is not None and config.threat != threat:
        text = f"attacked with {threat}, but the configuration is for {config.threat}"
        diagnostics.append(Diagnostic("other-threat-model", text))
    for role, known, used in zip(("standard", "robust"), expected, models, strict=False):
        if known.digest is not None and used.digest is not None and known.digest != used.digest:
            text = f"the {role} model's weights ({used.spec}) are not those of the bundle ({known.spec})"
            diagnostics.append(Diagnostic("other-model", text))
    stated = config.estimates.clean if config.estimates else None
    if stated is not None and (clean.interval[1] < stated.ci95[0] or clean.interval[0] > stated.ci95[1]):
        text = (
            f"clean accuracy is {clean}; the configuration says {100 * stated.value:.2f} %, n = {stated.n:,}"
        )
        diagnostics.append(Diagnostic("clean-accuracy-differs", text))
    return diagnostics
