"""Steps 1 to 4, on confidence: each check worked out anew from the logits."""

import numpy as np
import pytest

from mnuts_core.functional.statistics import wilson_interval
from tests.dashboards.lesson.reference import margins, pairs


def verdicts(check):
    return [claim.verdict for claim in check.claims]


# --- step 1
def test_what_the_attack_leaves(step, data):
    check = step("failures").check(69)
    right = int(data["adv_h_right"].sum())
    assert check.number.value == right / 1000
    assert (check.number.low, check.number.high) == wilson_interval(right, 1000)
    assert check.correct is True
    assert step("failures").check(20).correct is False
    only_g, only_h = (data["g_right"] & ~data["h_right"]).sum(), (data["h_right"] & ~data["g_right"]).sum()
    assert f"g alone is right on {only_g} images, h alone on {only_h}." in check.claims[0].text
    before, after = data["h_right"][data["index"]], data["adv_h_right"]
    assert not (after & ~before).any()
    lost = (before & ~after).sum()
    assert f"h wrong on {lost} images it had right." in " ".join(check.claims[1].text.split())
    assert verdicts(check) == ["shown", "shown"]
    assert f"{100 * data['adv_g_right'].mean():.1f}" in check.note
    assert "not g's robust accuracy" in check.note


def test_the_question_says_how_many_are_attacked(step, digits):
    n, m = digits.n_clean, digits.n_adv
    label = step("failures").question().label
    assert ("they are all attacked" if n == m else f"{m:,} of them are attacked") in label


# --- step 2
def test_each_example_is_judged_by_its_label(step, lab, data):
    one, m = step("margin"), margins(data["h"])
    assert len(lab.examples) == 24
    assert (~data["h_right"][lab.examples]).sum() == 12
    for number, row in enumerate(lab.examples[:6], 1):
        one.state.example = number
        assert one.margin == pytest.approx(m[row], abs=1e-12)
        right = bool(data["h_right"][row])
        check = one.check("right")
        assert check.correct is right
        assert f"“{data['y'][row]}”" in check.truth
        above = m >= one.margin - 1e-12
        assert check.number.value == pytest.approx(data["h_right"][above].mean())
        assert check.number.n == above.sum()


def test_each_example_has_its_answer_and_those_only_shown_do_not_count_as_judged(step, lab, data):
    one = step("margin")
    one.state.answer(one.slot, None)
    assert "you have judged 0, 0 of them correctly" in one.check(None).note
    for number in (2, 3):
        one.state.example = number
        assert one.result() == ""
        one.state.answer(one.slot, "right")
    hits = int(data["h_right"][lab.examples[1:3]].sum())
    assert f"you have judged 2, {hits} of them correctly" in one.result()
    one.state.example = 2
    assert "answered “right”" in one.result()


# --- step 3
def test_medians_of_right_and_wrong(step, data):
    one, m = step("benign"), margins(data["h"])
    right, wrong = m[data["h_right"]], m[~data["h_right"]]
    check = one.check(0.17)
    assert check.number.value == pytest.approx(np.median(wrong))
    assert check.number.low < np.median(wrong) < check.number.high
    assert check.correct is True
    assert f"{np.median(right):.2f}" in one.question().label
    assert f"{100 * pairs(right, wrong):.1f}" in check.claims[0].text
    of_g = margins(data["g"])[~data["g_right"]]
    assert f"<b>{np.median(of_g):.3f}</b>" in check.claims[1].text
    assert verdicts(check)[0] == "shown"


# --- step 4
def test_survivors_against_clean_mistakes(step, data):
    one = step("attack")
    sure, unsure = margins(data["adv_h"])[data["adv_h_right"]], margins(data["h"])[~data["h_right"]]
    check = one.check(85)
    assert check.number.value == pytest.approx(pairs(sure, unsure))
    assert check.number.n == len(sure) + len(unsure)
    assert check.correct is True
    fooled = margins(data["adv_g"])[~data["adv_g_right"]]
    assert f"<b>{np.median(fooled):.3f}</b>" in check.claims[1].text
    one.state.answer(one.slot, 50)
    one.state.cut = 0.25
    assert f"<b>{100 * (sure >= 0.25).mean():.1f}</b>" in one.live()
    assert f"<b>{100 * (unsure >= 0.25).mean():.1f}</b>" in one.live()
