"""Formulas: LaTeX becomes MathML, numbers keep their signs, and any name is text and nothing else."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_dashboards.text.mathml import bracketed, formula, mathml, number, significant, text

MATH = "{http://www.w3.org/1998/Math/MathML}"


def spell(latex):
    """The characters of a formula from left to right."""
    return "".join(ElementTree.fromstring(mathml(latex)).itertext())


def test_a_fraction_is_one_and_its_latex_is_the_alternative():
    tree = ElementTree.fromstring(mathml(r"\frac{1 - \alpha}{\alpha} \le 0.25"))
    fraction = tree.find(f".//{MATH}mfrac")
    assert ["".join(part.itertext()) for part in fraction] == ["1−α", "α"]
    assert tree.get("alttext") == r"\frac{1 - \alpha}{\alpha} \le 0.25"
    assert tree.get("display") == "block"
    assert 'display="inline"' in mathml("x", "inline")


@pytest.mark.parametrize(
    ("latex", "printed"),
    [
        (number(-0.5, 2), "−0.50"),
        (number(-0.0004), "0.000"),
        (number(1.23456, 4), "1.2346"),
        (bracketed(-0.5, 1), "(−0.5)"),
        (bracketed(0.5, 1), "0.5"),
        (bracketed(-0.0004), "0.000"),
        (significant(0.01213), "0.0121"),
        (significant(2e-6), "2.00·10−6"),
        (significant(0.0), "0.00"),
    ],
)
def test_numbers(latex, printed):
    assert spell(latex) == printed


def test_a_sign_stands_with_its_number_and_not_between_two():
    tree = ElementTree.fromstring(mathml(f"x = {number(-0.5)}"))
    group = tree.find(f"{MATH}mrow/{MATH}mrow")  # first in its group, the minus is set as a sign
    assert [part.text for part in group] == ["−", "0.500"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1))
def test_any_name_comes_out_as_it_was(name):
    made = spell(f"v_{{{text(name)}}} = 1")
    assert made.split() == f"v{name}=1".split()


def test_lines_and_caption_are_one_figure_and_the_caption_is_escaped():
    made = formula("x = 1", "y = 2", caption="<b>")
    assert made.count("<math ") == 2
    assert "<figcaption>&lt;b&gt;</figcaption>" in made
    assert "figcaption" not in formula("x")
