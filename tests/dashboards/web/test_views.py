"""Every view of the page's engine against the one of `mnuts_core.views`, field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixParams, ParameterError, RemixEngine
from mnuts_core.clamps import CLAMP_RECORDS
from mnuts_core.functional import mixing, quantiles, statistics
from mnuts_core.functional.mixing import transform_with
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.simplex import PAPER_CASES
from mnuts_core.functional.statistics import median, share
from mnuts_core.params import BETA_D, FIG3_MIX, IDENTITY, LARGEST_LOGIT, R_D, VARIANCE_FLOOR
from mnuts_core.remix import engine as remix_engine
from mnuts_core.remix.engine import Remix
from mnuts_core.views import examples, headline, tradeoff
from mnuts_core.views import transform as transform_view
from mnuts_core.views.paired import mix_pairs
from mnuts_core.views.registry import Moment, views_of
from tests.dashboards.web.engine import assert_same, packed
from tests.dashboards.web.test_engine import LARGEST, RECIPES, SETTINGS, TIED, made, resolved
from tests.synthetic import make_tied


def check_paired(ours: dict[str, Any], paired: Paired, at: str) -> None:
    assert_same(ours, paired, at)
    assert_same(ours, {name: getattr(paired, name) for name in ("n", "difference", "clear", "p_value")}, at)


def check_headline(ours: dict[str, Any], table: headline.Headline) -> None:
    for row in table.rows:
        columns = {name: getattr(row, name) for name in vars(row) if name != "right"}
        assert_same(ours[row.key], columns, row.key)
    for other, figures in table.changes().items():
        for name, change in figures.items():
            at = f"{other}.{name}"
            mine = ours["changes"][other][name]
            if change is None:
                assert mine is None, at
                continue
            assert_same(mine["points"], change.points, at)
            assert_same(mine["relative_error"], change.relative_error, at)
            check_paired(mine["paired"], change.paired, at)


def with_gap(record: dict[str, Any]) -> dict[str, Any]:
    return {name: {**one._asdict(), "gap": one.gap} for name, one in record.items()}


def figures_of(remix: Remix) -> dict[str, Any]:
    return {name: getattr(remix, name) for name in vars(remix) if not name.startswith("on_")}


def check_views(ours: dict[str, Any], moment: Moment) -> None:
    """The page's views of a moment against Python's, by name."""
    found = views_of(moment)
    assert set(ours) == set(found)
    check_headline(ours["headline"], found.pop("headline"))
    for mine, kept in zip(ours["snapshots"], found.pop("snapshots"), strict=True):
        assert_same(mine, figures_of(kept), "snapshot")
        assert_same(mine["seen_and_unseen"], headline.seen_and_unseen(moment.engine, kept), "snapshot")
        for name, pair in mix_pairs(kept, moment.remix).items():
            check_paired(mine["paired"][name], pair, f"snapshot {name}")
    found |= {name: with_gap(found[name]) for name in ("margins", "medians")}
    found["mix_margins"] = with_gap({"": found["mix_margins"]})[""]
    for name, view in found.items():
        assert_same(ours[name], view, name)


@given(recipe=RECIPES, params=SETTINGS, kept=st.lists(SETTINGS, max_size=2), data=st.data())
@settings(max_examples=60, phases=[Phase.generate])
def test_every_view(engine, recipe, params, kept, data):
    bundle = made(**recipe)
    if bundle.attacked is None:
        params, *kept = (one.with_(alpha=one.alpha or 0.7) for one in (params, *kept))
    reference = RemixEngine(bundle, device="cpu")
    where = data.draw(st.sampled_from(["clean", "attacked"] if bundle.attacked else ["clean"]), "where")
    row = data.draw(st.integers(0, (bundle.n_clean if where == "clean" else bundle.n_adv) - 1), "row")
    example = data.draw(st.sampled_from([None, (where, row)]), "example")
    moment = Moment(reference, params, example=example, snapshots=tuple(kept))
    try:
        mixes = [moment.remix, headline.plain_remix(reference, params), *map(reference.remix, kept)]
    except ParameterError:  # nothing that α could follow from
        assume(False)
    assume(all(resolved(reference, mix) for mix in mixes))
    assume(steady(params))
    state = {"params": params, "snapshots": kept, "example": example and {"where": where, "row": row}}
    [frame] = engine.ask(["frame", state], bundle=packed(bundle), options={"seriesFrom": 0})
    assert_same(frame["remix"], figures_of(moment.remix), "remix")
    check_views(frame["views"], moment)


@pytest.mark.parametrize("k", [2, 3, 10, 50, 600])
@pytest.mark.parametrize("kind", TIED)
@given(params=SETTINGS, seed=st.integers(0, 10**6))
@settings(max_examples=12, phases=[Phase.generate])
def test_curves_where_logits_tie(engine, kind, k, params, seed):
    """At 600 classes with the powers of logits summed beforehand."""
    bundle = make_tied(n=24, m=12, k=k, seed=seed, **TIED[kind])
    reference, params = RemixEngine(bundle, device="cpu"), params.with_(alpha=params.alpha or 0.8)
    assume(resolved(reference, reference.remix(params)))
    options = {"seriesFrom": 0, "before": params.with_(s=0.7)}
    odds = np.random.default_rng(seed).uniform(0, 1, 40)  # round ones would meet such margins as 1/5
    alpha = 1 / (1 + np.append(odds, [0.0, 1.0]))
    [curve] = engine.ask(["alphaCurve", "$engine", params, alpha], bundle=packed(bundle), options=options)
    assert_same(curve, tradeoff.alpha_curve(reference, params, alpha))


@pytest.mark.parametrize("label", [0, 1])
def test_a_class_that_g_ties_with_its_first_never_wins_by_less_than_a_tie(engine, label):
    """M(h) prefers class 1 to class 0 by less than float64 tells apart, and g knows no difference."""
    bundle = LogitBundle.from_arrays(
        clean_labels=[label],
        clean_std_logits=[[0.0, 0.0, -9.0, -9.0, -9.0, -9.0]],
        clean_rob_logits=[[-2.0, -1.0, 3.0, 3.0, 3.0, 3.0]],
    )
    params = IDENTITY.with_(s=20.0, temperature=0.3)
    alpha = 1 / (1 + np.array([0.49, 0.51, 1.0]))
    [curve] = engine.ask(["alphaCurve", "$engine", params, alpha], bundle=packed(bundle))
    wanted = [0, 1, 1] if label == 0 else [0, 0, 0]
    assert curve["clean"].tolist() == wanted
    assert tradeoff.alpha_curve(RemixEngine(bundle, device="cpu"), params, alpha).clean.tolist() == wanted


def test_densities_where_both_classes_tie_everywhere(engine):
    bundle = make_tied(n=8, m=4, k=2, std=False, rob=True)
    reference = RemixEngine(bundle, device="cpu")
    params = MixParams(alpha=0.8)
    [frame] = engine.ask(["frame", {"params": params}], bundle=packed(bundle))
    assert_same(frame["views"]["transform"], views_of(Moment(reference, params))["transform"])


def steady(params: MixParams) -> bool:
    """Whether M of the paper's cases, over τ = 0.001, is no more than float64 tells apart."""
    m = transform_with(torch.tensor(list(PAPER_CASES.values()), dtype=torch.float64), params)
    return float(m.abs().max()) < LARGEST / 1e-3


@given(params=SETTINGS)
def test_views_without_a_bundle(engine, params):
    z = np.linspace(-3.0, 5.0, 50)
    density = transform_view.LogitDensity(z, np.zeros(50), np.ones(50))
    calls = [["paperBars", params], ["paperCases", params], ["transformCurve", density._asdict(), params]]
    bars, cases, curve = engine.ask(*calls)
    assert_same(bars, examples.paper_bars(params))
    reference = transform_view.transform_curve(density, params)
    np.testing.assert_allclose(curve["m"], reference.m, rtol=1e-12)
    assume(steady(params))
    assert_same(cases, examples.paper_cases(params))


COUNTS = st.integers(0, 2000)


@given(table=st.tuples(COUNTS, st.integers(0, 60), st.integers(0, 60), COUNTS))
def test_two_classifiers_on_the_same_images(engine, table):
    both, first, second, neither = table
    one = np.repeat([1, 1, 0, 0], table).astype(np.uint8)
    other = np.repeat([1, 0, 1, 0], table).astype(np.uint8)
    [ours] = engine.ask(["paired", one, other])
    check_paired(ours, Paired(both, first, second, neither), "paired")


@given(seed=st.integers(0, 1000), n=st.integers(0, 3000))
def test_figures_with_their_intervals(engine, seed, n):
    values = np.random.default_rng(seed).random(n)
    successes = int((values < 0.3).sum())
    calls = [["median", values], ["share", successes, n, "clean"]]
    assert_same(engine.ask(*calls), [median(values), share(successes, n, "clean")])


def test_erfc(engine):
    """Against 50 digits; from 26 on it nears the smallest float64."""
    mpmath = pytest.importorskip("mpmath")
    mpmath.mp.dps = 50
    points = np.concatenate([np.linspace(-7, 26, 3301), [0.0, 1e-300, 0.84375, 1.25, 1 / 0.35, 40.0]])
    found = engine.ask(*(["erfc", float(x)] for x in points))
    exact = np.array([float(mpmath.erfc(mpmath.mpf(float(x)))) for x in points])
    np.testing.assert_allclose(found, exact, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIE", quantiles.TIE),
        ("TRIFLE", quantiles.TRIFLE),
        ("SATURATED", quantiles.SATURATED),
        ("UNRESOLVED", quantiles.UNRESOLVED),
        ("Z95", statistics.Z95),
        ("VARIANCE_FLOOR", VARIANCE_FLOOR),
        ("LARGEST_LOGIT", LARGEST_LOGIT),
        ("AUXILIARY", {"r_d": R_D, "beta": BETA_D}),
        ("MAX_ACCURACY_LOSS", remix_engine.MAX_ACCURACY_LOSS),
        ("NO_CLASS", examples.NO_CLASS),
    ],
)
def test_constants(engine, name, value):
    assert engine.ask([name]) == [value]


def test_clamps(engine):
    [ours] = engine.ask(["CLAMP_RECORDS"])
    flags = {name: (one["monotone"], one["belowRelu"]) for name, one in ours.items()}
    assert flags == {name: (record.monotone, record.below_relu) for name, record in CLAMP_RECORDS.items()}


def test_the_transform_of_figure_3(engine):
    [ours] = engine.ask(["FIG3_MIX"])
    assert ours == {name: getattr(FIG3_MIX, name) for name in ours}


def test_the_paper_s_cases(engine):
    [ours] = engine.ask(["PAPER_CASES"])
    assert ours == {name: list(h) for name, h in PAPER_CASES.items()}


@given(x=st.one_of(st.floats(0, 100), st.integers(0, 800).map(lambda k: k / 8)))
def test_two_decimals_as_python_writes_them(engine, x):
    assert engine.ask(["twoDecimals", x]) == [f"{x:.2f}"]


def test_no_quantile_of_nothing(engine):
    bundle = LogitBundle.from_arrays(
        clean_labels=[0], clean_std_logits=[[1.0, 0.0]], clean_rob_logits=[[1.0, 0.0]]
    )
    with pytest.raises(AssertionError, match="set α by hand"):
        engine.ask(["remix"], bundle=packed(bundle), params=MixParams())


def test_temperatures(engine):
    g = np.array([1.0, 3.0, 3.0])
    zero, one = engine.ask(["temperatureSoftmax", g, 0], ["temperatureSoftmax", g, 0.5])
    np.testing.assert_array_equal(zero, [0, 1, 0])
    scaled = mixing.temperature_scale(torch.from_numpy(g), 0.5).softmax(0).numpy()
    np.testing.assert_allclose(one, scaled, atol=1e-15)
