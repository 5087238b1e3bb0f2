"""Numbers as they are printed, and tables of them."""

import math

import pytest

from mnuts_core.functional.statistics import Estimate
from mnuts_dashboards.lesson.numbers import HELPERS, brief, margin, percent, short, small
from mnuts_dashboards.text.templates import Texts

PARTS = Texts("lesson/templates/parts.html", **HELPERS)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (small(-0.25), "−0.250"),
        (small(0.00001234), "1.2·10<sup>−5</sup>"),
        (small(0.0), "0.000"),
        (short(-1.1), "−1.1"),
        (short(5.0), "5"),
        (
            percent(Estimate(0.5, 0.4, 0.65, 1200, "share")),
            "<b>50.0</b> % <small>(95 %: 40.0 to 65.0; n = 1,200)</small>",
        ),
        (
            percent(Estimate(-0.02, -0.03, 0.01, 9, "share"), signed=True),
            "<b>−2.0</b> points <small>(95 %: −3.0 to +1.0; n = 9)</small>",
        ),
        (
            margin(Estimate(2.0, 1.0, math.inf, 9, "share")),
            "<b>2.000</b> <small>(95 %: 1.000 to ∞; n = 9)</small>",
        ),
        (
            margin(Estimate(0.5, math.nan, math.nan, 3, "share")),
            "<b>0.500</b> <small>(too few for an interval; n = 3)</small>",
        ),
        (brief(Estimate(0.5, 0.4, 0.65, 90, "share")), "<b>50.0</b> % <small>40.0 to 65.0</small>"),
    ],
)
def test_numbers_as_they_are_printed(text, printed):
    assert text.replace("&nbsp;", " ") == printed


def test_a_table_leaves_out_a_column_with_nothing_in_it_and_escapes_the_others():
    with_picture, without = (
        PARTS.html(
            "table",
            head=("kind", "image", "label"),
            rows=[("before", PARTS.html("picture", url=url, alt="it"), "<cat>")],
        )
        for url in ("data:,", None)
    )
    assert '<th scope="col">image</th>' in with_picture
    assert 'src="data:,"' in with_picture
    assert "image" not in without
    assert "<td>&lt;cat&gt;</td>" in without
