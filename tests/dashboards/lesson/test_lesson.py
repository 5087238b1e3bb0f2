"""The lesson without a browser: each check worked out anew from the bundle, the state, and odd bundles."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy.special import erfc, softmax

from mnuts_core import BundleError, GridSpec, LogitBundle, MixConfig, MixParams, RemixEngine, grid_search
from mnuts_core.export.config import EstimateCard, VerifiedCard
from mnuts_core.functional.statistics import wilson_interval
from mnuts_core.params import IDENTITY
from mnuts_dashboards.lesson.app import Lesson
from mnuts_dashboards.lesson.html import picture, plain, table
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.plan import PANELS, STEPS
from mnuts_dashboards.lesson.state import LessonState, link_of
from mnuts_dashboards.text.mathml import bracketed, formula, num, significant
from mnuts_dashboards.theme import MIX, PLAIN
from tests import ROOT
from tests.synthetic import clean_only, make_arrays

KEYS = ("failures", "margin", "benign", "attack", "ln", "clamp", "power", "mixing", "price")
VOID = {"img", "br"}


def margins(logits):
    p = np.sort(softmax(logits.astype(np.float64), axis=1), axis=1)
    return p[:, -1] - p[:, -2]


def normed(logits):
    logits = logits.astype(np.float64)
    return (logits - logits.mean(1, keepdims=True)) / np.sqrt(logits.var(1, ddof=1, keepdims=True) + 1e-8)


def transformed(logits, s, p, c):
    v = normed(logits) + c
    v = 0.5 * v * erfc(-v / np.sqrt(2))
    return s * np.abs(v) ** p * np.sign(v)


def pairs(larger, smaller):
    return float(np.sign(larger[:, None] - smaller[None]).mean() / 2 + 0.5)


@pytest.fixture(scope="module")
def data(digits):
    """The bundle in plain arrays, and who is right where."""
    b = digits
    clean_h, adv_h = b.clean_rob_logits.astype(float), b.adv_rob_logits.astype(float)
    y, z = b.clean_labels, b.clean_labels[b.adv_index]
    return {
        "y": y,
        "g": b.clean_std_logits.astype(float),
        "h": clean_h,
        "adv_g": b.adv_std_logits.astype(float),
        "adv_h": adv_h,
        "g_right": b.clean_std_logits.argmax(1) == y,
        "h_right": clean_h.argmax(1) == y,
        "adv_g_right": b.adv_std_logits.argmax(1) == z,
        "adv_h_right": adv_h.argmax(1) == z,
        "index": b.adv_index,
    }


@pytest.fixture
def lesson(digits, tmp_path):
    return Lesson(digits.save(tmp_path / "digits.safetensors"))


def step_of(lesson, key):
    lesson.state.step = KEYS.index(key) + 1
    return lesson.step


def claims(check):
    return [claim.verdict for claim in check.claims]


# --- each check, worked out from the logits
def test_step_1_what_the_attack_leaves(lesson, data):
    check = step_of(lesson, "failures").check(69)
    right = int(data["adv_h_right"].sum())
    assert check.number.value == right / 1000
    assert (check.number.low, check.number.high) == wilson_interval(right, 1000)
    assert check.close is True
    assert step_of(lesson, "failures").check(20).close is False
    only_g, only_h = (data["g_right"] & ~data["h_right"]).sum(), (data["h_right"] & ~data["g_right"]).sum()
    assert f"g alone is right on {only_g} images, h alone on {only_h}." in check.claims[0].ground
    lost = int((data["h_right"][data["index"]] & ~data["adv_h_right"]).sum())
    assert f"loses {lost} and" in check.claims[1].ground
    assert claims(check) == ["shown", "shown"]
    assert f"{100 * data['adv_g_right'].mean():.1f}" in check.note
    assert "no robust accuracy of g" in check.note


def test_step_2_each_example_is_judged_by_its_label(lesson, data):
    step = step_of(lesson, "margin")
    m = margins(data["h"])
    assert len(lesson.lab.examples) == 24
    assert (~data["h_right"][lesson.lab.examples]).sum() == 12
    for number, row in enumerate(lesson.lab.examples[:6], 1):
        lesson.state.example = number
        assert step.margin == pytest.approx(m[row], abs=1e-12)
        right = bool(data["h_right"][row])
        check = step.check("right")
        assert check.close is right
        assert f"“{data['y'][row]}”" in check.truth
        above = m >= step.margin - 1e-12
        assert check.number.value == pytest.approx(data["h_right"][above].mean())
        assert check.number.n == above.sum()


def test_step_2_keeps_an_answer_for_each_example(lesson, data):
    step_of(lesson, "margin")
    first, second = lesson.lab.examples[:2]
    lesson.answer("right")
    lesson.state.example = 2
    assert lesson.result.value == ""
    assert lesson.check.description == "Check"
    lesson.answer("wrong")
    hits = int(data["h_right"][first]) + int(not data["h_right"][second])
    assert f"you have judged 2, {hits} correctly" in lesson.result.value
    lesson.state.example = 1
    assert "You said right" in lesson.result.value


def test_step_3_medians_of_right_and_wrong(lesson, data):
    step, m = step_of(lesson, "benign"), margins(data["h"])
    right, wrong = m[data["h_right"]], m[~data["h_right"]]
    check = step.check(0.17)
    assert check.number.value == pytest.approx(np.median(wrong))
    assert check.number.low < np.median(wrong) < check.number.high
    assert check.close is True
    assert f"{np.median(right):.2f}" in step.question().label
    assert f"{100 * pairs(right, wrong):.1f}" in check.claims[0].ground
    of_g = margins(data["g"])[~data["g_right"]]
    assert f"<b>{np.median(of_g):.3f}</b>" in check.claims[1].ground
    assert claims(check)[0] == "shown"


def test_step_4_survivors_against_clean_mistakes(lesson, data):
    step = step_of(lesson, "attack")
    sure, unsure = margins(data["adv_h"])[data["adv_h_right"]], margins(data["h"])[~data["h_right"]]
    check = step.check(85)
    assert check.number.value == pytest.approx(pairs(sure, unsure))
    assert check.number.n == len(sure) + len(unsure)
    assert check.close is True
    fooled = margins(data["adv_g"])[~data["adv_g_right"]]
    assert f"<b>{np.median(fooled):.3f}</b>" in check.claims[1].ground
    lesson.answer(50)
    lesson.state.cut = 0.25
    assert f"<b>{100 * (sure >= 0.25).mean():.1f}</b>" in lesson.live.value
    assert f"<b>{100 * (unsure >= 0.25).mean():.1f}</b>" in lesson.live.value


def test_step_5_layer_norm_and_the_verdict_follows_the_data(lesson, data):
    step = step_of(lesson, "ln")
    before = pairs(margins(data["adv_h"])[data["adv_h_right"]], margins(data["h"])[~data["h_right"]])
    after = pairs(
        margins(normed(data["adv_h"]))[data["adv_h_right"]], margins(normed(data["h"]))[~data["h_right"]]
    )
    check = step.check("worse")
    assert check.number.value == pytest.approx(after - before)
    truth = {"shown": "better", "contrary": "worse", "open": "same"}[check.claims[0].verdict]
    assert [value for value, _ in step.question().options if step.check(value).close] == [truth]
    # on these digits layer norm does the opposite of what the paper saw, and the lesson says so
    assert after < before
    assert check.claims[0].verdict == "contrary"


def test_step_6_classes_above_the_cutoff(lesson, data):
    step = step_of(lesson, "clamp")
    above = (normed(data["h"]) - 1.1 > 0).sum(1)
    check = step.check(1.2)
    assert check.number.value == pytest.approx(above.mean())
    half = 1.959964 * above.std(ddof=1) / np.sqrt(len(above))
    assert check.number.high - check.number.value == pytest.approx(half, rel=1e-5)
    changed = int((transformed(data["h"], 1, 1, -1.1).argmax(1) != data["h"].argmax(1)).sum())
    assert f"changes {changed}:" in check.claims[0].ground
    lesson.answer(3.0)
    lesson.state.c = 0.0
    assert f"<b>{(normed(data['h']) > 0).sum(1).mean():.2f}</b>" in lesson.live.value


def test_step_7_ratio_of_medians_at_the_power(lesson, data):
    step = step_of(lesson, "power")

    def groups(p):
        clean, attacked = (margins(transformed(data[name], 1.0, p, step.c)) for name in ("h", "adv_h"))
        return attacked[data["adv_h_right"]], clean[~data["h_right"]]

    (sure, unsure), (sure4, unsure4) = groups(1.0), groups(4.0)
    check = step.check("smaller")
    assert check.number.value == pytest.approx(np.median(unsure4) / np.median(sure4))
    assert f"{np.median(unsure) / np.median(sure):.2f} of the sure" in step.question().label
    factor = pairs(np.log(sure4 / sure), np.log(unsure4 / unsure))
    assert f"{100 * factor:.1f}" in check.claims[0].ground
    assert check.close is (check.claims[0].verdict == "shown")


def mixed(data, params, alpha, part=""):
    """The class that the mix predicts at T = 0, the long way: Eq. 5 with one-hot probabilities of g."""
    rob = softmax(transformed(data[f"{part}h"], params.s, params.p, params.c), axis=1)
    std = np.eye(10)[data[f"{part}g"].argmax(1)]
    return ((1 - alpha) * std + alpha * rob).argmax(1)


def test_step_8_mended_and_broken(lesson, data):
    step = step_of(lesson, "mixing")
    alpha = lesson.lab.start_alpha
    right = mixed(data, lesson.lab.best(), alpha) == data["y"]
    mends, breaks = (right & ~data["h_right"]).sum(), (~right & data["h_right"]).sum()
    check = step.check(30)
    wrong = int((~data["h_right"]).sum())
    assert (check.number.value, check.number.n) == (mends / wrong, wrong)
    assert f"It mends {mends} and breaks {breaks}." in check.claims[0].ground
    lesson.answer(30)
    for alpha in (0.6, 0.8, 0.95):
        lesson.state.alpha = alpha
        right = mixed(data, lesson.lab.best(), alpha) == data["y"]
        mends, breaks = (right & ~data["h_right"]).sum(), (~right & data["h_right"]).sum()
        assert f"mends <b>{mends}</b> and breaks <b>{breaks}</b>" in lesson.live.value
        odds, curve_mends, curve_breaks = step._curves
        place = int(np.abs(odds - (1 - alpha) / alpha).argmin())
        assert abs(curve_mends[place] - mends) <= 3  # the curve is drawn at odds nearby
        assert abs(curve_breaks[place] - breaks) <= 3


def test_step_9_the_gain_and_the_plain_mix(lesson, data, digits):
    check = step_of(lesson, "price").check(2.2)
    best = grid_search(digits, GridSpec.paper("cifar10"), 0.95).best.params
    assert lesson.lab.best() == best.with_(alpha=None)
    right = mixed(data, best, best.alpha) == data["y"]
    assert check.number.value == pytest.approx(right.mean() - data["h_right"].mean())
    plain = RemixEngine(digits).plain_mix(0.95).on_clean.mix_right
    assert (
        f"alone is right on {(right & ~plain).sum()} images, the plain mix alone on {(plain & ~right).sum()}"
        in (check.claims[1].ground)
    )
    assert "estimates" in check.note
    known = lesson.lab.verified  # what is shipped, if anything
    assert ("no verified configuration" in check.note) == (not known)
    assert all(f"{100 * one.verified.value:.1f} %" in check.note for one in known)


def test_a_verified_configuration_is_told_and_drawn(digits, tmp_path, monkeypatch):
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
    lesson = Lesson(digits.save(tmp_path / "digits.safetensors"))
    step = step_of(lesson, "price")
    note = step.check(None).note
    assert "mix at β = 0.985: 66.0 % [56.3, 74.5], n = 100" in note
    assert "plain mix at α = 0.9944: 66.0 % [56.3, 74.5], n = 100" in note
    lesson.answer(1.0)
    drawn = {trace["name"]: trace.get("marker", {}).get("color") for trace in step.figures()["plane"]["data"]}
    assert (drawn["mixes, verified"], drawn["plain mixes, verified"]) == (MIX, PLAIN)
    (stars,) = [t for t in step.figures()["plane"]["data"] if t["name"] == "mixes, verified"]
    own = stars["x"].index(100 * config.estimates.clean.value)  # on all images, as everything else there
    assert (stars["hovertext"][own], stars["y"][own]) == ("mix at β = 0.985", 66.0)


# --- a reload
def test_a_reload_loses_neither_answers_nor_controls(digits, tmp_path):
    path = digits.save(tmp_path / "digits.safetensors")
    before, after = Lesson(path), Lesson(path)
    step_of(before, "margin")
    before.state.example = 3
    before.answer("right")
    step_of(before, "ln")
    before.answer(None)
    before.state.set_trait("scale", "LN")  # a control that comes with the answer
    step_of(before, "mixing")
    before.answer(30)
    before.state.alpha = 0.83
    kept = json.loads(json.dumps(before.nav.kept))  # through the page
    after.open_link("step=8")
    after.nav._receive(after.nav, {"type": "recall", "kept": kept}, [])
    assert after.state.answers == before.state.answers
    assert (after.state.example, after.state.scale, after.state.alpha) == (3, "LN", 0.83)
    assert after.state.step == 8
    assert after.nav.done == before.nav.done == [2, 5, 8]
    assert after.result.value == before.result.value != ""
    assert after.nav.bundle == digits.digest


@pytest.mark.parametrize(
    "found",
    [
        {"answers": {"nothing": 3, "benign": "much", "attack": 1e9, "margin:1": ["right"], "price": True}},
        {"answers": ["benign"], "alpha": None, "c": "1", "pair": 0, "of": "x", "cut": 7, "step": 3},
        {"example": 10**6, "bundle": "other"},
    ],
)
def test_what_makes_no_sense_is_not_taken_back(lesson, found):
    before = lesson.state.trait_values()
    lesson.nav._receive(lesson.nav, {"type": "recall", "kept": found}, [])
    assert lesson.state.trait_values() == before
    assert lesson.banner.value == ""


# --- the app
def test_every_step_hides_its_answer_until_there_is_one(lesson):
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        assert lesson.banner.value == ""
        assert lesson.idea.value
        assert lesson.result.value == ""
        assert lesson.live.value == "" or step.key == "failures"
        hidden = len(json.dumps(lesson.make(frozenset()), default=str))
        lesson.answer(None)
        assert "<b>The data say:</b>" in lesson.result.value
        assert step.check(None).close is None
        assert at in lesson.nav.done
        assert len(json.dumps(lesson.make(frozenset()), default=str)) >= hidden
    assert lesson.banner.value == ""


def test_all_words_are_well_formed_and_no_number_is_missing(lesson):
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        question = step.question()
        lesson.answer(question.options[0][0] if question.options else question.low)
        parts = (lesson.idea, lesson.formula, lesson.result, lesson.live, lesson.cards, lesson.more)
        for part in parts:
            assert balanced(part.value), part.value
            text = unescape(re.sub(r"<[^>]*>", " ", part.value))
            assert not re.search(r"\b(nan|inf|None)\b", text), text
            assert "{" not in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def balanced(text):
    tags = Tags()
    tags.feed(text)
    return tags.open == []


def test_figures_are_plain_json_for_known_panels(lesson):
    names = {panel.name for panel in PANELS}
    seen = set()
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        for answered in (False, True):
            if answered:
                lesson.answer(None)
            made = lesson.make(frozenset())
            assert set(made) == set(step.panels) <= names
            assert set(step.notes()) <= set(step.panels)
            assert all("data" in figure and "layout" in figure for figure in made.values())
        seen |= set(step.panels)
        for panel in step.panels:
            assert f"mnuts-shows-{panel}" in lesson._dom_classes
    assert seen == names


def test_every_panel_has_its_rule_in_the_style_sheet():
    style = (ROOT / "dashboards" / "lesson" / "lesson.css").read_text("utf-8")
    for panel in PANELS:
        assert f'.mnuts-shows-{panel.name} [data-panel="{panel.name}"]' in style


def test_buttons_and_fields_move_the_state(lesson):
    lesson.asked.value = 40
    lesson.check.click()
    assert lesson.state.answers == {"failures": 40}
    assert lesson.asked.disabled
    lesson.check.click()  # "Try again"
    assert lesson.state.answers == {}
    lesson.show.click()
    assert lesson.state.answers == {"failures": None}
    lesson.nav.step = 3
    assert lesson.state.step == 3
    lesson.show.click()
    lesson.fields[0].value = "g"
    assert lesson.state.of == "g"
    lesson.nav.step = 8
    lesson.fields[0].value = 0.7
    assert lesson.state.alpha == 0.7


def test_a_choice_must_be_made_before_it_is_checked(lesson):
    lesson.state.step = KEYS.index("ln") + 1
    assert lesson.check.disabled
    lesson.asked.value = "worse"
    assert not lesson.check.disabled
    lesson.check.click()
    assert lesson.state.answers["ln"] == "worse"


@pytest.mark.parametrize("value", ["maybe", True, -1, 101, float("nan")])
def test_what_is_no_answer_is_refused(lesson, value):
    with pytest.raises(ValueError, match="no answer"):
        lesson.answer(value)
    lesson.asked.value = value
    assert lesson.state.answers == {}


def test_it_opens_on_an_image_that_the_attack_turned(lesson, digits):
    bundle = digits
    before = bundle.clean_rob_logits.argmax(1) == bundle.clean_labels
    after = bundle.adv_rob_logits.argmax(1) == bundle.adv_labels
    turned = [place for place, row in enumerate(bundle.adv_index) if before[row] and not after[place]]
    assert turned
    assert lesson.state.pair == 1 + turned[0]


def test_a_control_out_of_range_is_ignored(lesson):
    opened = lesson.state.pair
    lesson.fields[0].value = 10**9
    assert lesson.state.pair == opened


def test_the_recap_lists_what_was_said(lesson):
    lesson.answer(40)
    lesson.state.step = len(STEPS)
    lesson.answer(2.0)
    text = unescape(re.sub(r"<[^>]*>", " ", lesson.cards.value))
    assert "Your predictions" in text
    assert "40 %" in text
    assert "2.0 points" in text


def test_links():
    assert link_of("step=4&theme=dark") == {"step": 4}
    assert link_of("step=x&bundle=") == {}
    assert link_of("step=99999999999999") == {}


def test_a_link_opens_a_step_and_wrong_ones_do_no_harm(lesson):
    lesson.open_link("step=5")
    assert lesson.step.key == "ln"
    lesson.open_link("step=99")
    assert lesson.step.key == "price"
    lesson.open_link("step=0")
    assert lesson.step.key == "failures"
    lesson.open_link("bundle=../../etc/passwd&step=2")
    assert "bundle must be one of" in lesson.banner.value
    assert lesson.step.key == "margin"


def test_a_missing_bundle_is_told(tmp_path):
    with pytest.raises(BundleError, match="neither a file"):
        Lesson(tmp_path / "none.safetensors")


def test_the_notebook_is_thin_and_without_outputs():
    notebook = json.loads((ROOT / "dashboards" / "teaching.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 1
    assert code[0]["outputs"] == []
    assert notebook["metadata"]["title"] == "Why a robust model knows when it is wrong"


# --- other data: the lesson says what they show
def walk(lesson):
    """All steps, answered; what is missing by key."""
    missing = {}
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        missing[step.key] = step.missing()
        if missing[step.key]:
            assert "mnuts-missing" in lesson.idea.value
            assert lesson.make(frozenset()) == {}
            continue
        question = step.question()
        lesson.answer(question.options[-1][0] if question.options else question.high)
        assert lesson.result.value
        assert lesson.make(frozenset())
        assert lesson.banner.value == ""
    return missing


def made_up(tmp_path, **changes):
    arrays = make_arrays() | changes
    return Lesson(LogitBundle.from_arrays(**arrays, name="SYNTHETIC").save(tmp_path / "made.safetensors"))


def test_synthetic_data_walk_through(tmp_path):
    assert not any(walk(made_up(tmp_path)).values())


def test_without_attacked_images_steps_say_so(bundle, tmp_path):
    missing = walk(Lesson(clean_only(bundle).save(tmp_path / "clean.safetensors")))
    assert {key for key, why in missing.items() if why} == {
        "failures", "attack", "ln", "power", "mixing", "price"
    }  # fmt: skip
    assert all("no attacked images" in why for why in missing.values() if why)


def test_without_mistakes_steps_say_so(tmp_path):
    arrays = make_arrays()
    perfect = arrays["clean_rob_logits"].copy()
    perfect[np.arange(300), arrays["clean_labels"]] = perfect.max(1) + 1
    missing = walk(made_up(tmp_path, clean_rob_logits=perfect))
    assert {key for key, why in missing.items() if why} >= {"benign", "attack", "ln", "power"}
    assert missing["failures"] is None


def test_two_classes(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    logits = rng.normal(size=(80, 2))
    logits[np.arange(80), labels] += rng.gamma(2.0, 1.0, 80)
    arrays = {
        "clean_labels": labels,
        "clean_std_logits": 3 * logits,
        "clean_rob_logits": logits,
        "adv_index": np.arange(60),
        "adv_std_logits": -logits[:60],
        "adv_rob_logits": logits[:60] - 0.2 * np.eye(2)[labels[:60]],
    }
    lesson = Lesson(LogitBundle.from_arrays(**arrays, name="two").save(tmp_path / "two.safetensors"))
    assert not any(walk(lesson).values())


def test_a_malign_robust_model_is_called_so(tmp_path):
    """Mistakes made the surest answers of all: every claim of benign confidence must turn."""
    arrays = make_arrays()
    h, labels = arrays["clean_rob_logits"].copy(), arrays["clean_labels"]
    wrong = np.flatnonzero(h.argmax(1) != labels)
    assert len(wrong) > 20
    h[wrong, h[wrong].argmax(1)] += 20
    lesson = made_up(tmp_path, clean_rob_logits=h)
    for key in ("benign", "attack"):
        assert step_of(lesson, key).check(None).claims[0].verdict == "contrary"
    lesson.answer(None)
    assert "These data show the opposite" in lesson.result.value


def test_too_few_examples_leave_claims_open(tmp_path):
    arrays = make_arrays(n=24, m=14, seed=3)
    bundle = LogitBundle.from_arrays(**arrays, name="few")
    lesson = Lesson(bundle.save(tmp_path / "few.safetensors"))
    walk(lesson)
    open_claims = [
        claim
        for step in lesson.steps
        if not step.missing()
        for claim in step.check(None).claims
        if claim.verdict == "open"
    ]
    assert len(open_claims) >= 3


def test_a_weight_next_to_one_is_told_apart_from_it(tmp_path):
    lesson = made_up(tmp_path)
    lesson.lab.__dict__.pop("alpha_digits", None)
    lesson.lab.remix = lambda params: type("Mix", (), {"alpha": 0.999973})()
    assert lesson.lab.alpha_digits == 6
    lesson.lab.__dict__.pop("start_alpha", None)
    assert lesson.lab.start_alpha == 0.999973


def test_examples_and_typical_rows_are_what_they_claim(digits):
    lab = Lab(digits)
    assert (lab.examples == Lab(digits).examples).all()
    assert len(set(lab.examples.tolist())) == len(lab.examples)
    row = lab.typical(lab.unsure)
    assert lab.margins["LN"][row] <= np.median(lab.margins["LN"][lab.unsure])
    assert not lab.rob_right[row]
    assert lab.rob_right[lab.typical(lab.sure)]
    assert lab.picture(0).startswith("data:image/png;base64,")
    h, mean, spread, ln = lab.normed(5)
    np.testing.assert_allclose((h - mean) / spread, ln, rtol=1e-6)


def test_the_state_remembers_and_forgets():
    state = LessonState()
    state.answer("a", 1.0)
    state.answer("b", None)
    assert state.answers == {"a": 1.0, "b": None}
    state.forget("a")
    assert state.answers == {"b": None}


def test_numbers_as_they_are_printed():
    assert plain(-0.25) == "−0.250"
    assert plain(0.00001234) == "1.2·10<sup>−5</sup>"
    assert "<mo form='prefix'>−</mo><mn>0.50</mn>" in num(-0.5, 2)
    assert "&lt;b&gt;" in formula(num(1.0), caption="<b>")


def test_a_bundle_without_images_has_no_column_for_them():
    made = table(("kind", "image", "label"), [("before", picture(None, ""), "cat")])
    assert "image" not in made
    assert "<td>cat</td>" in made
    shown = table(("kind", "image", "label"), [("before", picture("data:,", "it"), "cat")])
    assert "<th scope='col'>image</th>" in shown


def test_after_just_show_me_one_can_try_again(lesson):
    lesson.state.step = 5  # a choice, so that there is no answer to start from
    assert lesson.check.disabled
    lesson.show.click()
    assert (lesson.check.description, lesson.check.disabled) == ("Try again", False)


def test_numbers_in_formulas_have_no_negative_zero_and_small_ones_are_not_zero():
    assert num(-0.0004, 3) == bracketed(-0.0004, 3) == "<mn>0.000</mn>"
    assert bracketed(-0.5, 1).startswith("<mrow><mo stretchy='false'>(")
    assert significant(0.01213) == "<mn>0.0121</mn>"
    assert "<mn>2.00</mn>" in significant(2e-6)
    assert "<mn>6</mn>" in significant(2e-6)


def test_the_question_of_step_1_says_how_many_are_attacked(lesson, digits):
    n, m = digits.n_clean, digits.n_adv
    asked = step_of(lesson, "failures").question().label
    assert ("they are all attacked" if n == m else f"{m:,} of them are attacked") in asked


def test_examples_that_were_only_shown_are_not_counted_as_judged(lesson):
    step = step_of(lesson, "margin")
    lesson.answer(None)
    assert "you have judged 0, 0 correctly" in step.check(None).note
    lesson.state.example = 2
    right = bool(lesson.lab.rob_right[step.row])
    lesson.answer("right" if right else "wrong")
    assert "you have judged 1, 1 correctly" in step.check("right").note


def test_the_recap_gives_numbers_and_no_sentences_that_break_around_their_intervals(lesson):
    for step in lesson.steps:
        if (question := step.question()).options:
            step.state.answer(step.slot, question.options[0][0])
        else:
            step.state.answer(step.slot, question.low)
        assert step.check(step.said).short
