"""Why a leaderboard would not take a verified mix: every reason, a line each.

RobustBench takes deterministic classifiers without an optimisation loop whose gradients are not zero in
general, evaluated by AutoAttack at the leaderboard's radius on all of its test images as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.leaderboard import leaderboard_of, not_comparable
from mnuts_core.bundles.manifest import DataCard, Setting, ThreatModel
from mnuts_core.export.cards import VerifiedCard
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.models.predict import predicted

COMPONENTS = ("apgd-ce", "apgd-t", "fab-t", "square")
"""AutoAttack, standard version, by the names of a verification's components."""
STEPS, QUERIES = 100, 5000
"""How hard they try there: steps of APGD and FAB, queries of Square."""
MOST_FLAT = 0.01
"""Gradients are zero "in general" where they are at more than this share of the images."""
SAME_IMAGES = 0.99
"""On so many of the same images a mix is right or wrong as before: another processor rounds otherwise."""
LOOP = "there must be no optimisation loop"
_CODE = re.compile(r"docs/warnings\.md#([a-z0-9-]+)")
_FLAT = re.compile(r"at ([0-9]+) of ([0-9]+) ")
_REFUSED = {
    "random-model": "the forward pass must be deterministic",
    "optimisation-loop": LOOP,
    "other-model": "the verification must be of the bundle's own models",
    "zero-gradients": "gradients must not be zero in general",
}


def refusals(config: MixConfig, data: DataCard) -> list[str]:
    """Every reason for which the leaderboard would refuse a mix; none if it would not.

    Args:
        config: The configuration.
        data: The images that it was verified on.
    """
    card = config.verified
    reasons = list(not_comparable(data, threat_of(config)))
    if card is None:
        return [*reasons, "no adaptive attack has been run on this mix: run `mnuts evaluate`"]
    board, n = leaderboard_of(data, threat_of(config)), card.accuracy.n
    if board is not None and n < board.images:
        reasons.append(f"it was verified on {n:,} images, the leaderboard takes all {board.images:,}")
    return [*reasons, *_of_attack(config, card), *_of_warnings(card)]


def threat_of(config: MixConfig) -> ThreatModel | None:
    """What the attack of the verification was allowed; the configuration's own where there was none."""
    settings = {} if config.verified is None else config.verified.settings
    norm, eps = settings.get("norm"), settings.get("eps")
    if norm in ("Linf", "L2") and isinstance(eps, float) and eps > 0:
        return ThreatModel.model_validate({"norm": norm, "eps": eps})
    return config.threat


def notes(card: VerifiedCard) -> list[str]:
    """What puts a verification in doubt without being a reason to refuse it."""
    return [text for text in card.warnings if _reason(text) is None]


def other_images(config: MixConfig, bundle: LogitBundle) -> str | None:
    """Why the verification was not on a bundle's first images, by what the mix says of these; None if it was.

    Args:
        config: A configuration; one that does not know which images fell tells nothing.
        bundle: The bundle that it was made on.
    """
    outcomes = None if config.verified is None else config.verified.outcomes
    if outcomes is None:
        return None
    n = min(outcomes.n, bundle.n_clean)
    std, rob = (torch.from_numpy(logits[:n]) for logits in (bundle.clean_std_logits, bundle.clean_rob_logits))
    right = predicted(mixed_logits(std, rob, config.params)).numpy() == bundle.clean_labels[:n]
    same = int((right == outcomes.clean_right[:n]).sum())
    if same >= SAME_IMAGES * n:
        return None
    return (
        f"it was verified on other images than the bundle's: of the first {n:,} the mix is right or wrong "
        f"as in the bundle on {same:,} only"
    )


def _of_attack(config: MixConfig, card: VerifiedCard) -> Iterator[str]:
    if missing := [name.upper() for name in COMPONENTS if name not in card.components]:
        yield f"it was not verified by the full attack: {', '.join(missing)} missing"
    hard = (("n_iter", STEPS, "steps"), ("n_queries", QUERIES, "queries of Square"))
    for name, least, words in hard:
        if not _at_least(card.settings.get(name), least):
            known = card.settings.get(name, "an unknown number")
            yield f"it was attacked with {known} {words}, AutoAttack's standard version makes {least:,}"
    if card.settings.get("effort", "full") != "full":
        yield "the attack was frugal, but the leaderboard's leaves nothing out: verify with --effort full"
    if card.settings.get("mix", str(config.params)) != str(config.params):
        yield "the verification is of another mix than the configuration's: run `mnuts evaluate` on it"


def _at_least(value: Setting | None, least: int) -> bool:
    return isinstance(value, int | float) and value >= least


def _of_warnings(card: VerifiedCard) -> Iterator[str]:
    for text in card.warnings:
        if (reason := _reason(text)) is not None:
            yield f"{reason}: {text}"


def _reason(text: str) -> str | None:
    """Why a warning of a verification is a reason to refuse it; None if it is none."""
    found, flat = _CODE.search(text), _FLAT.search(text)
    code = found[1] if found else ""
    if code == "zero-gradients" and flat and int(flat[1]) <= MOST_FLAT * int(flat[2]):
        return None
    return _REFUSED.get(code)
