"""Words and numbers: the figures of the core, escaped."""

import re

import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, grid_search
from mnuts_core.views import headline as headline_view
from mnuts_core.views.sources import sources_words
from mnuts_dashboards.text import headline, numbers


@pytest.fixture(scope="module")
def table(bundle):
    engine, params = RemixEngine(bundle), MixParams(s=2, p=2, c=-0.3)
    return headline_view.headline(engine, params, engine.remix(params))


def test_headline_shows_every_figure_with_interval_and_n(table, bundle):
    html = headline.headline_html(table)
    rows = dict(re.findall(r"data-row='(\w+)'>(.*?)</tr>", html))
    assert list(rows) == ["std", "rob", "mapped", "plain", "mix"]
    assert f"<b>{100 * table.mix.clean.value:.2f}</b>" in rows["mix"]
    assert f"<b>{100 * table.mix.by_margin.value:.2f}</b>" in rows["mix"]
    assert f"<b>{100 * table.rob.attacked.value:.2f}</b>" in rows["rob"]
    low, high = table.mix.clean.interval
    assert f"{100 * low:.1f} to {100 * high:.1f}" in rows["mix"]
    head = html.split("<tbody>")[0]
    assert re.findall(r"n&nbsp;=&nbsp;(\d+)", head) == ["300", "180", "180"]  # clean, attacked, by margin
    assert (bundle.n_clean, bundle.n_adv) == (300, 180)
    assert "not attacked" in rows["std"]
    assert f"α&nbsp;=&nbsp;{numbers.alpha_text(table.mix.alpha)}" in rows["mix"]


def test_alpha_next_to_one_keeps_its_digits():
    assert numbers.alpha_text(0.93011) == "0.93011"
    assert numbers.alpha_text(1 - 2e-7) == "1 − 2e-07"


def test_words_name_the_points_and_the_warnings(table, bundle):
    html = headline.words_html(table, ("<b>careful</b>",), sources_words(bundle))
    assert "Attacked points: not recorded. MMAA points only: optimistic" in html
    assert "&lt;b&gt;careful" in html


def test_words_state_each_gain_with_its_paired_interval(table):
    words = headline.words_html(table, (), None)
    for name, figures in (("rob", ("clean", "attacked")), ("plain", ("clean", "attacked"))):
        for figure in figures:
            assert numbers.minus(table.changes()[name][figure].paired.points) in words


def test_error_changes_are_relative_to_the_other_row(table):
    expected = (1 - table.mix.clean.value) / (1 - table.rob.clean.value) - 1
    gains = headline.words_html(table, (), "").split("Compared with the plain mix")[0]
    assert f"clean accuracy ({numbers.errors_text(expected)})" in gains
    assert numbers.errors_text(-0.129) == "12.9 % fewer errors"
    assert numbers.errors_text(0.5) == "50.0 % more errors"
    assert numbers.signed(-4.25, 1) == "−4.2"


def test_words_never_call_an_upper_bound_robust_accuracy(table):
    words = headline.words_html(table, (), "MMAA") + headline.headline_html(table)
    claims = [" ".join(claim.split()) for claim in re.findall(r"[^.<>]*robust accuracy", words)]
    assert claims
    assert all("upper bound on" in claim or "Only an adaptive attack" in claim for claim in claims)


def test_found_lists_warnings(bundle):
    result = grid_search(bundle, GridSpec.from_ranges((0.5, 1), (1, 2), (-0.2, 0), steps=2))
    html = headline.found_html(result)
    assert f"of {result.n_wrong} wrong clean images" in html
    assert html.count("mnuts-warning") == len(result.warnings) > 0
