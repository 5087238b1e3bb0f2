"""The formulas' numbers: they are the data's, and computing with what is printed gives what is printed."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_dashboards.lesson.numbers import MOST_DECIMALS, decimals
from tests.dashboards.lesson.reference import gelu, margins, normed, transformed

SETTINGS = [(1.0, 1.0), (0.0137, 2.29), (1.047, 4.0), (8.0, 0.55)]


def lines_of(formula):
    """A step's formula, its characters and numbers from left to right in each line, set apart by spaces."""
    lines = ElementTree.fromstring(formula).findall("{http://www.w3.org/1998/Math/MathML}math")
    return [" ".join(line.itertext()) for line in lines]


def numbers_of(formula):
    """The numbers in each line, as printed; between two numbers a minus is no sign."""
    return [re.findall(r"(?:(?<=[(=≈|] )− )?[\d.]+", line) for line in lines_of(formula)]


def value(printed):
    return float(printed.replace("− ", "-"))


def agrees(computed, printed):
    """Whether a result, to the printed decimals, is what is printed."""
    return round(computed, len(printed.partition(".")[2])) == value(printed)


@given(st.floats(0, 1), st.floats(0, 1))
def test_as_many_decimals_as_it_takes_and_no_more(a, b):
    digits = decimals(lambda a, b: a - b, a, b, result=3)
    agree = [round(round(a, d) - round(b, d), 3) == round(a - b, 3) for d in range(3, MOST_DECIMALS)]
    assert digits == 3 + agree.index(True)


def test_the_margin(step, lab, data):
    one = step("margin")
    for number, row in enumerate(lab.examples, 1):
        one.state.example = number
        _, (first, second, margin) = numbers_of(one.formula())
        assert margin == f"{margins(data['h'])[row]:.3f}"
        assert agrees(float(first) - float(second), margin)


def test_the_layer_norm(step, lab, data):
    one = step("ln")
    for number, row in enumerate(lab.examples, 1):
        one.state.example = number
        h = data["h"][row]
        _, (top, mean, spread, result) = numbers_of(one.formula())
        assert [value(top), value(mean)] == pytest.approx([h.max(), h.mean()], abs=1e-3)
        assert float(spread) == pytest.approx(h.std(ddof=1), abs=1e-3)
        assert result == f"{normed(h[None]).max():.2f}"
        assert agrees((value(top) - value(mean)) / float(spread), result)


@pytest.mark.parametrize("c", [-1.1, 0.0, 0.75])
def test_the_clamp(step, lab, data, c):
    one = step("clamp")
    one.state.c = c
    for number, row in enumerate(lab.examples, 1):
        one.state.example = number
        h = data["h"][row]
        assert all(
            f"{'−' if c < 0 else '+'} {abs(c):.2f} ) ≈" in line for line in lines_of(one.formula())[1:]
        )
        for line, place in zip(numbers_of(one.formula())[1:], np.argsort(-h)[[0, 2]], strict=True):
            name, logit, bias, result = line
            assert name == str(place)
            assert value(logit) == pytest.approx(normed(h[None])[0, place], abs=1e-3)
            assert bias == f"{abs(c):.2f}"
            assert value(result) == pytest.approx(transformed(h[None], 1, 1, c)[0, place], abs=6e-4)
            assert agrees(gelu(value(logit) + c), result)


@pytest.mark.parametrize(("s", "p"), SETTINGS)
def test_the_transform(step, lab, data, s, p):
    one = step("power")
    one.state.p, one.state.s = p, s
    h = data["adv_h"][one.rows["sure"] - lab.n]
    for line, place in zip(numbers_of(one.formula())[1:], np.argsort(-h)[:2], strict=True):
        name, scale, size, power, sign, result = line
        assert name == str(place)
        assert value(result) == pytest.approx(transformed(h[None], s, p, one.c)[0, place], abs=6e-4)
        assert agrees(float(scale) * abs(value(size)) ** float(power) * value(sign), result)


@pytest.mark.parametrize("alpha", [0.6, 0.83, 0.95])
def test_the_rule_of_the_mix(step, lab, alpha):
    one = step("mixing")
    one.state.alpha = alpha
    rule, (first, own, lead, threshold) = numbers_of(one.formula())
    assert rule[-1] == threshold
    assert agrees(float(first) - float(own), lead)
    assert agrees((1 - alpha) / alpha, threshold)
    row = lab.flips(one.mix).fixes[0]
    p = lab.probabilities(row, one.mix.params)
    assert float(lead) == pytest.approx(p.max() - p[lab.std_class[row]], abs=6e-5)


@pytest.mark.parametrize("beta", [0.6, 0.95, 0.985, 1.0])
def test_the_weight_of_a_level(step, lab, beta):
    one = step("price")
    one.state.beta = beta
    ((*_, odds, alpha),) = numbers_of(one.formula())
    assert float(alpha) == pytest.approx(lab.remix(lab.best(beta)).alpha, abs=6e-5)
    assert agrees(1 / (1 + float(odds)), alpha)
