"""What a leaderboard would refuse: every reason, and nothing where there is none."""

import numpy as np
import pytest

from mnuts_core import MixConfig, MixParams
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.export.robustbench.refusals import COMPONENTS, QUERIES, STEPS, notes, other_images, refusals
from mnuts_core.functional.statistics import share
from mnuts_core.params import STANDARD_STEPS
from mnuts_core.pipeline.diagnostics import CODES, Diagnostic, zero_gradients
from tests.synthetic import make_bundle

DATA = DataCard(name="CIFAR-10", split="test: all 10,000 images", source="the original pixels")
PLAN = Plan(norm="Linf", eps=8 / 255)
PARAMS = MixParams(alpha=0.9)


def verified(
    n: int = 10_000, warnings: tuple[str, ...] = (), without: str = "", **settings: object
) -> MixConfig:
    names = [part.name for part in components_of(PLAN, 10) if part.name != without]
    known = {**PLAN.settings(10), "n_queries": PLAN.n_queries, "mix": str(PARAMS), **settings}
    card = VerifiedCard(
        accuracy=EstimateCard.of(share(n // 2, n, "verified")),
        clean=EstimateCard.of(share(n, n, "clean")),
        components=dict.fromkeys(names, 0.5),
        attack="an attack",
        settings=known,
        warnings=warnings,
        digest="sha256:" + "0" * 64,
    )
    return MixConfig.from_params(PARAMS).model_copy(update={"verified": card})


def test_the_full_attack_is_the_plan_s():
    standard = Plan(norm="Linf", eps=8 / 255, attack="autoattack")
    assert tuple(part.name for part in components_of(standard, 10)) == COMPONENTS
    assert (STANDARD_STEPS, standard.n_queries) == (STEPS, QUERIES)


def test_a_full_verification_is_taken():
    assert refusals(verified(), DATA) == []


def warned(code: str, message: str = "words") -> tuple[str, ...]:
    assert code in CODES
    return (str(Diagnostic(code, message)),)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (verified(9_999), "on 9,999 images, the leaderboard takes all 10,000"),
        (verified(eps=4 / 255), "ε = 4/255, RobustBench's is"),
        (verified(without="square"), "not verified by the full attack: SQUARE missing"),
        (verified(without="fab-t"), "FAB-T missing"),
        (verified(n_iter=50), "attacked with 50 steps"),
        (verified(n_queries="?"), "queries of Square"),
        (verified(effort="frugal"), "frugal"),
        (verified(mix=str(PARAMS.with_(s=2))), "of another mix"),
        (verified(warnings=warned("random-model")), "must be deterministic"),
        (verified(warnings=warned("optimisation-loop")), "no optimisation loop"),
        (verified(warnings=warned("other-model")), "bundle's own models"),
        (verified(warnings=(str(zero_gradients(101, 10_000)[0]),)), "gradients must not be zero in general"),
        (MixConfig.from_params(PARAMS), "no adaptive attack has been run"),
    ],
)
def test_one_reason(config, words):
    update = {} if config.verified else {"threat": PLAN.threat}
    [reason] = refusals(config.model_copy(update=update), DATA)
    assert words in reason


def test_all_reasons_at_once():
    config = verified(100, warned("random-model"), "square", eps=0.5, n_iter=10)
    jpeg = DATA.model_copy(update={"name": "CIFAR-10, JPEG quality 75"})
    found = refusals(config, jpeg)
    for words in ("ε = 0.5", "JPEG", "100 images", "SQUARE", "10 steps", "deterministic"):
        assert sum(words in reason for reason in found) == 1
    assert len(found) == 6


def test_what_is_in_doubt_without_being_refused():
    few = zero_gradients(100, 10_000)
    config = verified(warnings=(str(few[0]), *warned("square-beats-white-box")))
    assert refusals(config, DATA) == []
    assert len(notes(config.verified)) == 2


def test_images_are_those_of_the_bundle():
    bundle = make_bundle()
    right = bundle.clean_rob_logits.argmax(1) == bundle.clean_labels
    only_h = verified(bundle.n_clean).model_copy(update={"alpha": 1.0})

    def with_outcomes(clean: np.ndarray) -> MixConfig:
        card = OutcomesCard.of(clean, np.zeros_like(clean))
        return only_h.model_copy(update={"verified": only_h.verified.model_copy(update={"outcomes": card})})

    assert other_images(with_outcomes(right), bundle) is None
    assert other_images(with_outcomes(right[:50]), bundle) is None
    assert "other images" in other_images(with_outcomes(right[::-1].copy()), bundle)
    assert other_images(only_h, bundle) is None  # nobody knows
