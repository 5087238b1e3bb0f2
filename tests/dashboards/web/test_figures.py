"""Figures on the page and in Python: templates, formats, and all plots of the same bundle."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec, MixParams, ParameterError, RemixEngine, grid_search
from mnuts_core.functional.statistics import Estimate, share
from mnuts_core.params import IDENTITY
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.views import headline, tradeoff
from mnuts_core.views.registry import VIEWS, Moment, views_of
from mnuts_dashboards.figures.catalogue import catalogue
from mnuts_dashboards.figures.layout import axis
from mnuts_dashboards.figures.names import name_ticks
from mnuts_dashboards.figures.plots import PLOTS, figure_of
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.template import fill
from tests.dashboards.web.engine import packed
from tests.dashboards.web.test_engine import RECIPES, SETTINGS, made, resolved
from tests.synthetic import make_pool

ROBUSTBENCH = [
    {
        "dataset": "cifar10",
        "norm": "Linf",
        "epsilon": "8/255",
        "kind": "standard_base",
        "model": "no entry",
        "venue": None,
        "clean_percent": 99.0,
        "autoattack_percent": 0.0,
    },
    {
        "dataset": "cifar10",
        "norm": "Linf",
        "epsilon": "8/255",
        "kind": "robust",
        "model": "Made2024Up",
        "venue": "nowhere",
        "clean_percent": 93.5,
        "autoattack_percent": 70.25,
    },
    {
        "dataset": "cifar100",
        "norm": "Linf",
        "epsilon": "8/255",
        "model": "Other",
        "venue": "nowhere",
        "clean_percent": 75.0,
        "autoattack_percent": 40.0,
    },
]
NUMBER = re.compile(r"\d+\.\d+")


def plain(value: Any) -> Any:
    """Plain JSON of fields that are records in Python."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return plain(value._asdict())
    if isinstance(value, MixParams | Estimate | tradeoff.Curve):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def assert_like(ours: Any, reference: Any, at: str) -> None:
    """Two filled templates: the same keys and texts, numbers within 1e-9, relative where they are large."""
    reference = plain(reference)
    ours = plain(ours)
    if isinstance(reference, dict):
        assert set(ours) == set(reference), at
        for name, value in reference.items():
            assert_like(ours[name], value, f"{at}.{name}")
    elif isinstance(reference, list):
        assert len(ours) == len(reference), f"{at}: {ours}, not {reference}"
        for place, (one, other) in enumerate(zip(ours, reference, strict=True)):
            assert_like(one, other, f"{at}.{place}")
    elif isinstance(reference, float | int) and not isinstance(reference, bool):
        assert ours == pytest.approx(reference, rel=1e-9, abs=1e-9), at
    elif isinstance(reference, str) and ours != reference:
        assert NUMBER.split(ours) == NUMBER.split(reference), f"{at}: {ours!r}, not {reference!r}"
        for one, other in zip(NUMBER.findall(ours), NUMBER.findall(reference), strict=True):
            last = 10.0 ** -len(other.partition(".")[2])  # the two may round to either side
            assert float(one) == pytest.approx(float(other), abs=1.01 * last), (
                f"{at}: {ours}, not {reference}"
            )
    else:
        assert ours == reference, f"{at}: {ours!r}, not {reference!r}"


def facts(bundle: Any) -> dict[str, Any]:
    """What the page knows of a bundle beside its logits, as far as figures need it."""
    return {
        "n_clean": bundle.n_clean,
        "n_adv": bundle.n_adv,
        "n_points": bundle.n_points,
        "optimistic": bundle.manifest.optimistic,
        "classes": list(bundle.manifest.classes),
        "dataset": "CIFAR-10",
        "incomparable": "the pixels are not the original ones" if bundle.n_adv % 2 else "",
        "norm": "Linf",
        "eps": 8 / 255,
    }


def check_figures(engine, moment: Moment, options: dict[str, bool], **more: Any) -> None:
    """All panels of one moment, in both languages."""
    bundle, remix = moment.engine.bundle, moment.remix
    shown = moment.example and {"where": moment.example[0], "row": moment.example[1]}
    star = {
        "params": moment.params.with_(alpha=0.75),
        "clean": remix.clean,
        "verified": share(7, 30, "verified"),
    }
    own = star | {"params": remix.params}
    meta = facts(bundle) | {"configs": [own, star, star | {"params": IDENTITY.with_(alpha=0.9)}]}
    method = {
        "label": "α by the image",
        "clean": share(999, 1000, "clean"),
        "attacked": share(9, 10, "attacked"),
    }
    meta["methods"] = [method] if options.get("log_margins") else []
    fields = {"meta": meta, "options": options, "selected": [1, 3], "paper": {"robustbench": ROBUSTBENCH}}
    fields |= {"state": {"example": shown}, **more}
    python = views_of(moment) | fields | {"remix": remix}
    verified = plain(moment.verified)
    state = {"params": moment.params, "example": shown, "verified": verified}
    searched = ("frontier", "direct_frontier", "sensitivity")
    extra = {name: plain(python[name]) for name in searched}
    extra["snapshots"] = [
        {"clean": plain(one.clean), "attacked": plain(one.attacked)} for one in python["snapshots"]
    ]
    if extra["sensitivity"]:
        extra["sensitivity"]["objective"] = np.ravel(python["sensitivity"].objective)
    fields = plain(fields)
    [found] = engine.ask(["figures", catalogue(), state, fields | extra], bundle=packed(bundle))
    for name, plot in PLOTS.items():
        drawn = plot.prepare(python)
        assert_like(found[name]["figure"], figure_of(name, python), name)
        for part in ("note", "alternative", "warning"):
            assert_like(
                found[name][part], fill(getattr(plot, part), python | {"drawn": drawn}), f"{name} {part}"
            )


OPTIONS = st.fixed_dictionaries(
    {name: st.booleans() for name in ("log_margins", "confusion_attacked", "robustbench")}
)


@given(recipe=RECIPES, params=SETTINGS, options=OPTIONS, data=st.data())
@settings(max_examples=25, phases=[Phase.generate], deadline=None)
def test_every_panel_of_any_bundle(engine, recipe, params, options, data):
    bundle = made(**recipe)
    if bundle.attacked is None and params.alpha is None:
        params = params.with_(alpha=0.7)
    reference = RemixEngine(bundle, device="cpu")
    try:
        remix = reference.remix(params)
        plain_mix = headline.plain_remix(reference, params)
    except ParameterError:  # nothing that α could follow from
        assume(False)
    assume(resolved(reference, remix) and resolved(reference, plain_mix))
    row = data.draw(st.none() | st.integers(0, bundle.n_clean - 1), "row")
    chosen = None if row is None else ("clean", row)
    left = data.draw(st.sampled_from([None, share(3, 20, "verified")]), "verified")
    check_figures(engine, Moment(reference, params, example=chosen, verified=left), options)


@pytest.mark.parametrize("p", [2.0, 9.9], ids=["in a slice", "beyond all slices"])
def test_every_panel_after_a_search(engine, p):
    bundle = make_pool(n=300, m=120, k=10, sources=2)
    reference = RemixEngine(bundle, device="cpu")
    result = grid_search(bundle, GridSpec.paper("cifar10"))
    found = tradeoff.frontier(reference, beta_frontier(result, np.linspace(0.5, 1, 6)))
    params = MixParams(s=2.0, p=p, c=-0.5, beta=0.9)
    moment = Moment(
        reference,
        params,
        snapshots=(params, params.with_(s=0.1)),
        result=result,
        frontier=found,
        direct_frontier=found,
    )
    check_figures(engine, moment, {"log_margins": True})


def test_a_slice_without_a_cell_has_no_axes(engine):
    """As where all cells but some are left out: Plotly would draw the axes of an empty slice nowhere."""
    bundle = make_pool(n=300, m=120, k=10, sources=2)
    result = grid_search(bundle, GridSpec.paper("cifar10"))
    best, p = result.best.params, result.grid.p
    moment = Moment(RemixEngine(bundle, device="cpu"), best.with_(p=float(p[1]), alpha=None), result=result)
    view = tradeoff.sensitivity(result, moment.params)
    objective = np.full_like(view.objective, np.nan)
    objective[:, 2] = view.objective[:, 2]
    view = view._replace(objective=objective, best=(best.s, float(p[2]), best.c))
    check_figures(engine, moment, {}, sensitivity=view)
    layout = slices_figure(view)["layout"]
    shown = [layout[axis("xaxis", number + 1)]["visible"] for number in range(len(p))]
    assert shown == [place in (1, 2) for place in range(len(p))]
    titles = [note["text"] for note in layout["annotations"]]
    assert [title.endswith(": left out") for title in titles] == [not one for one in shown]


@pytest.mark.parametrize("k", [25, 60])
def test_of_many_classes_the_most_changed(engine, k):
    moment = Moment(RemixEngine(make_pool(n=400, m=90, k=k), device="cpu"), MixParams(beta=0.9))
    check_figures(engine, moment, {"confusion_attacked": True})


NAMES = (
    "tench, Tinca tinca, a freshwater fish of Eurasia, common in slow and still waters",
    "tench, Tinca tinca, a freshwater bream",
    "<b>bold</b>",
    "a<br>b & c",
    "__proto__",
    "$x^2$ %{y} {0} 𝒳" * 6,
)


def test_names_of_classes_are_text_of_some_length(engine):
    """On axes, in hovers and titles: neither markup nor longer than there is room, and whole in the table."""
    bundle = make_pool(n=200, m=80, k=len(NAMES))
    bundle = dataclasses.replace(
        bundle, manifest=bundle.manifest.model_copy(update={"classes": NAMES, "digest": None})
    )
    moment = Moment(RemixEngine(bundle, device="cpu"), MixParams(beta=0.9), example=("clean", 0))
    check_figures(engine, moment, {})
    fields = views_of(moment) | {"remix": moment.remix, "meta": facts(bundle), "selected": [1, 3]}
    bars, cells = (figure_of(name, fields) for name in ("classes", "confusion"))
    for named in (bars["layout"]["xaxis"], cells["layout"]["xaxis"], cells["layout"]["yaxis"]):
        assert named["tickvals"] == list(range(len(NAMES)))
        first, second, *others = named["ticktext"]
        assert first == second == "tench, Tinca tinca, a f…"
        assert others[:3] == ["&lt;b&gt;bold&lt;/b&gt;", "a&lt;br&gt;b &amp; c", "__proto__"]
        assert len(others[3]) == 24
    assert bars["data"][0]["hovertext"][0].replace("<br>", "") == NAMES[0]
    assert list(bars["data"][0]["meta"]["x"]) == list(NAMES)
    few = figure_of("bars", fields)
    for text in (*few["layout"]["xaxis"]["ticktext"], few["layout"]["annotations"][0]["text"]):
        assert not re.search("<(?!/?b>)|<b><", text)


def test_of_many_names_some_stand_on_the_axis():
    assert name_ticks(["x"] * 30)["at"] == list(range(0, 30, 2))
    assert name_ticks([])["at"] == []


def test_the_views_of_both_languages_have_the_same_names(engine):
    bundle = make_pool(n=30, m=10)
    [frame] = engine.ask(["frame", {"params": MixParams()}], bundle=packed(bundle))
    assert set(frame["views"]) == set(VIEWS)


def test_a_panel_needs_no_more_than_its_views():
    moment = Moment(RemixEngine(make_pool(n=60, m=20), device="cpu"), MixParams(beta=0.9))
    for name, plot in PLOTS.items():
        assert set(plot.views) <= VIEWS.keys()
        fields = views_of(moment, plot.views) | {"remix": moment.remix, "meta": facts(moment.engine.bundle)}
        assert figure_of(name, fields)["layout"] is not None


SPECS = ["", ",", ".2f", "+.3f", ",.1f", ".0f", ".4g", ".3g", "g", ".6g", ".1%", ".2%", ".12f"]


@given(value=st.floats(-1e9, 1e9) | st.floats(-1e-3, 1e-3) | st.integers(-999, 999).map(lambda k: k / 8))
@example(0.125).via("a tie goes to the even digit")
@example(2.5).via("the same without decimals")
@example(-0.0)
@settings(max_examples=60, deadline=None)
def test_formats(engine, value):
    specs = [spec for spec in SPECS if spec not in ("", ",")]
    texts = [fill({"$text": f"{{value:{spec}}}"}, {"value": value}) for spec in specs]
    assert engine.ask(*(["formatted", value, spec] for spec in specs)) == texts
    for spec, text in zip(specs, texts, strict=True):
        plus, rest = ("+", spec[1:]) if spec.startswith("+") else ("", spec)
        assert text.replace(" %", "%") == format(value, f"{plus}z{rest}")


@given(value=st.integers(-(10**9), 10**9))
def test_formats_of_whole_numbers(engine, value):
    expected = [format(value, spec).replace("%", " %") for spec in SPECS]
    assert engine.ask(*(["formatted", value, spec] for spec in SPECS)) == expected


FIELDS = {
    "a": {"b": [1.0, 2.0, 4.0], "name": "x y", "zero": 0, "none": None, "empty": [], "no": False},
    "rows": [{"k": "p", "n": 1200}, {"k": "q", "n": 3}],
    "n": 1234567,
}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ({"$": "a.b.-1"}, 4.0),
        ({"$": "a.b.7"}, None),
        ({"$": "a.none.b", "else": []}, []),
        ({"$": "a.b", "minus": "a.b.0", "times": 10}, [0.0, 10.0, 30.0]),
        ({"$": "rows.*.k"}, ["p", "q"]),
        ({"$": "rows.*.k", "map": {"p": 1, "q": 2}}, [1, 2]),
        ({"$": "rows.0.k", "map": {"p": 1, "q": 2}}, 1),
        ({"$text": "{a.name}: n = {n:,} {a.b.1:.2f} %{x:.2f}{a.none}"}, "x y: n = 1,234,567 2.00 %{x:.2f}"),
        ({"$text": ["n", {"$if": "a.empty", "then": "!"}, {"$text": " {n}"}]}, "n 1234567"),
        ({"$if": "a.zero", "then": 1, "else": 2}, 2),
        ({"$if": "a.no", "then": 1}, None),
        ({"$if": {"$": "rows.0.n", "minus": "rows.1.n"}, "then": 1}, 1),
        ([1, {"$if": "a.b", "x": 1}, {"$if": "a.none", "x": 2}], [1, {"x": 1}]),
        (
            [{"$each": "rows", "k": {"$": "item.k"}, "i": {"$": "i"}}],
            [{"k": "p", "i": 0}, {"k": "q", "i": 1}],
        ),
        (
            {"z": 0, "$entries": [{"$each": "rows", "$key": "item.k", "value": {"$": "item.n"}}]},
            {"z": 0, "p": 1200, "q": 3},
        ),
    ],
)
def test_what_may_stand_in_a_template(engine, template, filled):
    assert plain(fill(template, FIELDS)) == filled
    assert plain(engine.ask(["fill", template, FIELDS])[0]) == filled
