"""Steps 5 to 7, on the transform: each check, and each formula's numbers, worked out anew from the logits."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.dashboards.lesson.reference import margins, normed, pairs, transformed


def numbers_of(formula):
    """The numbers in a step's formula, from left to right, in every line."""
    figure = ElementTree.fromstring(formula.replace("&nbsp;", " "))
    lines = figure.findall("{http://www.w3.org/1998/Math/MathML}math")
    return [re.findall(r"−?[\d.]+", "".join(line.itertext())) for line in lines]


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


def test_the_formula_of_the_layer_norm_holds(step, data):
    one = step("ln")
    h = data["h"][one.row]
    _, (top, mean, spread, result) = numbers_of(one.formula())
    assert float(top) == pytest.approx(h.max(), abs=5e-4)
    assert float(mean.replace("−", "-")) == pytest.approx(h.mean(), abs=1e-3)
    assert float(spread) == pytest.approx(h.std(ddof=1), abs=5e-4)
    assert float(result) == pytest.approx(normed(h[None]).max(), abs=5e-3)


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


@pytest.mark.parametrize("c", [-1.1, 0.0, 0.75])
def test_the_formula_of_the_clamp_holds(step, data, c):
    one = step("clamp")
    one.state.c = c
    h = data["h"][one.row]
    order = np.argsort(-h)
    for line, place in zip(numbers_of(one.formula())[1:], order[[0, 2]], strict=True):
        name, logit, bias, value = line
        assert name == str(place)
        assert float(logit) == pytest.approx(normed(h[None])[0, place], abs=5e-4)
        assert bias == ("−" if c < 0 else "") + f"{abs(c):.2f}"
        assert float(value.replace("−", "-")) == pytest.approx(
            transformed(h[None], 1, 1, c)[0, place], abs=5e-4
        )


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


def test_the_formula_of_the_transform_holds(step, lab, data):
    one = step("power")
    one.state.p, one.state.s = 2.0, 3.0
    h = data["adv_h"][one.rows["sure"] - lab.n]
    for line, place in zip(numbers_of(one.formula())[1:], np.argsort(-h)[:2], strict=True):
        name, s, size, p, sign, result = line
        assert (name, s, p) == (str(place), "3.00", "2.00")
        value = transformed(h[None], 1, 1, one.c)[0, place]
        assert float(size) == pytest.approx(abs(value), abs=5e-4)
        assert float(sign.replace("−", "-")) == np.sign(value)
        assert float(result.replace("−", "-")) == pytest.approx(3 * value * abs(value), abs=5e-4)
