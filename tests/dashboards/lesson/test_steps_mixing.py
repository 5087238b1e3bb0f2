"""Steps 8 and 9, on the mix: each check worked out anew from the logits, and what was verified."""

import json

import numpy as np
import pytest

from mnuts_core import GridSpec, MixConfig, MixParams, RemixEngine, grid_search
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.functional.statistics import wilson_interval
from mnuts_core.params import IDENTITY
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.state import LessonState
from mnuts_dashboards.lesson.steps.s9_price import Price
from mnuts_dashboards.theme import MIX, PLAIN
from tests.dashboards.lesson.reference import mixed


# --- step 8
def flips(lab, data, alpha):
    """How many clean images the mix fixes, and how many it breaks."""
    right = mixed(data, lab.best(), alpha) == data["y"]
    return (right & ~data["h_right"]).sum(), (~right & data["h_right"]).sum()


def test_fixed_and_broken(step, lab, data):
    one = step("mixing")
    fixes, breaks = flips(lab, data, lab.start_alpha)
    check = one.check(30)
    wrong = int((~data["h_right"]).sum())
    assert (check.number.value, check.number.n) == (fixes / wrong, wrong)
    assert f"it fixes {fixes} and breaks {breaks}." in " ".join(check.claims[0].text.split())
    one.state.answer(one.slot, 30)
    for alpha in (0.6, 0.8, 0.95):
        one.state.alpha = alpha
        fixes, breaks = flips(lab, data, alpha)
        assert f"fixes <b>{fixes}</b> and breaks <b>{breaks}</b>" in one.live()
        odds, curve_fixes, curve_breaks = one._curves
        place = int(np.abs(odds - (1 - alpha) / alpha).argmin())
        assert abs(curve_fixes[place] - fixes) <= 3  # the curve is drawn at odds nearby
        assert abs(curve_breaks[place] - breaks) <= 3


def test_at_an_alpha_without_flips_the_cards_say_so(step):
    one = step("mixing")
    one.state.answer(one.slot, 30)
    one.state.alpha = 1.0
    shown = one.cards()
    assert ("no clean answer changes" in shown) == (not any(map(len, one.lab.flips(one.mix)[:2])))


# --- step 9
def test_the_gain_and_the_plain_mix(step, lab, data, mmaa_digits):
    check = step("price").check(2.2)
    best = grid_search(mmaa_digits, GridSpec.paper("cifar10"), 0.95).best.params
    assert lab.best() == best.with_(alpha=None)
    right = mixed(data, best, best.alpha) == data["y"]
    assert check.number.value == pytest.approx(right.mean() - data["h_right"].mean())
    plain = RemixEngine(mmaa_digits).plain_mix(0.95).on_clean.mix_right
    only_mix, only_plain = (right & ~plain).sum(), (plain & ~right).sum()
    assert f"alone is right on {only_mix} images, the plain mix alone on {only_plain}" in " ".join(
        check.claims[1].text.split()
    )
    assert "upper bound" in check.note
    assert ("no verified configuration" in check.note) == (not lab.verified)
    assert all(f"{100 * one.verified.value:.1f}\u00a0%" in check.note for one in lab.verified)


def test_a_verified_configuration_is_named_and_drawn(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(tmp_path))
    engine = RemixEngine(digits)
    config = MixConfig.from_remix(engine, MixParams(s=5, p=4, c=-0.3, beta=0.985))
    card = EstimateCard(kind="verified", value=0.66, n=100, ci95=wilson_interval(66, 100))
    clean = EstimateCard(kind="clean", value=0.95, n=100, ci95=wilson_interval(95, 100))
    verified = VerifiedCard(accuracy=card, clean=clean, attack="made up for a test", digest=digits.digest)
    config.model_copy(update={"verified": verified}).save(tmp_path / "mix.json")
    plain = MixConfig.from_remix(engine, IDENTITY.with_(alpha=0.9944)).model_copy(update={"beta": None})
    plain.model_copy(update={"verified": verified}).save(tmp_path / "plain.json")
    (tmp_path / "other.json").write_text(json.dumps({"not": "a configuration"}))
    one = Price(Lab(digits), LessonState())
    note = " ".join(one.check(None).note.replace("\u00a0", " ").split(" ")).replace("\n", " ")
    assert "mix at β = 0.985: 66.0 % [56.3, 74.5], n = 100" in note
    assert "plain mix at α = 0.9944: 66.0 % [56.3, 74.5], n = 100" in note
    assert note.endswith(".")
    one.state.answer(one.slot, 1.0)
    traces = {trace["name"]: trace for trace in one.figures()["plane"]["data"]}
    assert traces["mixes, verified"]["marker"]["color"] == MIX
    assert traces["plain mixes, verified"]["marker"]["color"] == PLAIN
    stars = traces["mixes, verified"]
    own = stars["x"].index(100 * config.estimates.clean.value)  # on all images, as everything else there
    assert (stars["hovertext"][own], stars["y"][own]) == ("mix at β = 0.985", 66.0)


def test_verified_mixes_of_about_the_same_clean_accuracy_are_compared_in_pairs(digits):
    """The shipped ones: each choice with the plain mix at its clean accuracy."""
    lab = Lab(digits)
    assert [rivals.mix.config.beta for rivals in lab.rivals] == [0.985, 0.95]
    for mix, plain, lead in lab.rivals:
        assert plain.params.plain
        assert abs(plain.clean.value - mix.clean.value) <= 0.005
        cards = [one.config.verified.outcomes.attacked_right for one in (mix, plain)]
        assert lead.only_first - lead.only_second == cards[0].sum() - cards[1].sum()
    note = " ".join(Price(lab, LessonState()).check(None).note.replace("\u00a0", " ").split())
    assert "Does the transform pay under attack?" in note
    lead = lab.rivals[0].lead.difference
    assert f"(94.7 % clean) leads by <b>+{100 * lead.value:.1f}</b>" in note
