"""Steps 5 to 7, on the transform: each check worked out anew from the logits."""

import numpy as np
import pytest

from tests.dashboards.lesson.reference import margins, normed, pairs, transformed


# --- step 5
def test_layer_norm_and_the_verdict_follows_the_data(step, data):
    one = step("ln")
    before = pairs(margins(data["adv_h"])[data["adv_h_right"]], margins(data["h"])[~data["h_right"]])
    after = pairs(
        margins(normed(data["adv_h"]))[data["adv_h_right"]], margins(normed(data["h"]))[~data["h_right"]]
    )
    check = one.check("worse")
    assert check.number.value == pytest.approx(after - before)
    fact = {"shown": "better", "contrary": "worse", "open": "same"}[check.claims[0].verdict]
    assert [value for value, _ in one.question().options if one.check(value).correct] == [fact]
    # on these digits layer norm does the opposite of what the paper saw, and the lesson says so
    assert after < before
    assert check.claims[0].verdict == "contrary"
    assert "Not so here:" in check.claims[0].text


# --- step 6
def test_classes_above_the_cutoff(step, data):
    one = step("clamp")
    above = (normed(data["h"]) - 1.1 > 0).sum(1)
    check = one.check(1.2)
    assert check.number.value == pytest.approx(above.mean())
    half = 1.959964 * above.std(ddof=1) / np.sqrt(len(above))
    assert check.number.high - check.number.value == pytest.approx(half, rel=1e-5)
    changed = int((transformed(data["h"], 1, 1, -1.1).argmax(1) != data["h"].argmax(1)).sum())
    text = " ".join(check.claims[0].text.split())  # no-break spaces, too
    assert f"changes {changed} of 1,000 ({changed / 10:.1f} %)" in text
    one.state.answer(one.slot, 3.0)
    one.state.c = 0.0
    assert f"<b>{(normed(data['h']) > 0).sum(1).mean():.2f}</b>" in one.live()


# --- step 7
def test_ratio_of_medians_at_the_power(step, data):
    one = step("power")

    def groups(p):
        clean, attacked = (margins(transformed(data[name], 1.0, p, one.c)) for name in ("h", "adv_h"))
        return attacked[data["adv_h_right"]], clean[~data["h_right"]]

    (sure, unsure), (sure4, unsure4) = groups(1.0), groups(4.0)
    check = one.check("smaller")
    assert check.number.value == pytest.approx(np.median(unsure4) / np.median(sure4))
    assert f"{np.median(unsure) / np.median(sure):.2f} of the sure" in one.question().label
    factor = pairs(np.log(sure4 / sure), np.log(unsure4 / unsure))
    assert f"{100 * factor:.1f}" in check.claims[0].text
    assert check.correct is (check.claims[0].verdict == "shown")
