"""The page's searches against `mnuts_core.search`: every table, the chosen cells, both frontiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec, LogitBundle, MixParams, ParameterError, RemixEngine, grid_search
from mnuts_core.clamps import CLAMPS
from mnuts_core.params import PARAMS
from mnuts_core.search.direct import Choice, DirectSearch, direct_plain, direct_search
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.search.result import HIGHEST_QUANTILE, TABLES, Cell, GridSearchResult
from mnuts_core.views import direct as direct_view
from mnuts_core.views import tradeoff
from tests.dashboards.web.engine import assert_same, packed
from tests.synthetic import clean_only, make_bundle, make_pool

AXES = {
    "s": st.sampled_from([[1.0], [0.05, 0.7, 5.0], [0.5, 50.0], [1.0, 5000.0]]),
    "p": st.sampled_from([[1.0], [1.0, 2.5, 4.0], [0.5, 3.0]]),
    "c": st.sampled_from([[0.0], [-1.1, -0.5, 0.0], [-4.0, 1.0]]),
}
REQUESTS = st.fixed_dictionaries(
    {
        "grid": st.fixed_dictionaries(AXES),
        "clamp": st.sampled_from(CLAMPS),
        "ln_k": st.sampled_from([0, 4, 250]),
        "beta": st.one_of(st.sampled_from([0.0, 0.5, 0.985, 1.0]), st.floats(0.0, 1.0)),
        "quantile": st.sampled_from(["linear", "lower"]),
        "clean": st.sampled_from(["attacked", "all"]),
        "points": st.sampled_from(["pool", "mmaa"]),
        "max_accuracy_loss": st.sampled_from([None, 0.001, 0.05]),
    }
)
BUNDLES = st.fixed_dictionaries(
    {
        "n": st.integers(6, 60),
        "share": st.floats(0.2, 1.0),
        "k": st.sampled_from([2, 3, 10, 10, 60]),
        "seed": st.integers(0, 10**6),
        "boost": st.sampled_from([0.3, 1.0, 2.5]),
    }
)
CLOSE = 1e-11
"""Margins that the two sides may round to either side of a quantile."""


def made(n: int, share: float, **options: Any) -> LogitBundle:
    return make_pool(n=n, m=max(1, int(share * n)), **options)


def searched(bundle: LogitBundle, request: dict[str, Any]) -> GridSearchResult | None:
    """Python's Algorithm 1; None where it has nothing to go by."""
    try:
        return grid_search(bundle, GridSpec(**request["grid"]), device="cpu", **without_grid(request))
    except ParameterError:
        return None


def without_grid(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "grid"}


def searched_directly(bundle: LogitBundle, request: dict[str, Any]) -> DirectSearch:
    names = ("clamp", "ln_k", "clean", "max_accuracy_loss")
    return direct_search(bundle, GridSpec(**request["grid"]), **{name: request[name] for name in names})


def resolved(result: GridSearchResult, betas: np.ndarray) -> bool:
    """Whether no count hangs on how margins are rounded."""
    _, wrong = result.margins.ascending
    _, quantile = result.margins.table(betas, result.quantile_method)
    for index in np.ndindex(result.grid.shape):
        gaps = np.abs(np.minimum(quantile[index], HIGHEST_QUANTILE)[:, None] - wrong[index])
        if ((gaps > 0) & (gaps < CLOSE)).any():
            return False
    return True


def check_cell(ours: dict[str, Any], cell: Cell) -> None:
    assert tuple(ours["index"]) == cell.index
    assert_same(ours, cell._asdict() if hasattr(cell, "_asdict") else vars(cell), "cell")


def check_choice(ours: dict[str, Any], choice: Choice) -> None:
    """β is what was asked with; the choice has its α."""
    assert tuple(ours["index"]) == choice.index
    figures = {name: getattr(choice, name) for name in ("quantile", "clean", "attacked", "edges", "warnings")}
    assert_same({name: ours[name] for name in figures}, figures, "choice")
    assert_same(ours["params"] | {"beta": choice.params.beta}, choice.params, "choice.params")


def asked(engine: Any, bundle: LogitBundle, requests: list[dict[str, Any]]) -> Any:
    named = [request | {"grid": {"name": "test", **request["grid"]}} for request in requests]
    params = MixParams(**{name: requests[0][name] for name in ("clamp", "ln_k", "beta")}, alpha=0.8)
    calls, options = (
        ["search", named, {"params": params, "grid": "test"}],
        {"points": requests[0].get("points", "pool")},
    )
    [answer] = engine.ask(calls, bundle=packed(bundle), options=options)
    return answer


@given(recipe=BUNDLES, request=REQUESTS, least=st.floats(0.0, 0.9))
@settings(max_examples=30, phases=[Phase.generate])
def test_every_table_and_choice(engine, recipe, request, least):
    bundle = made(**recipe)
    reference, direct = searched(bundle, request), searched_directly(bundle, request)
    at = float(direct.frontier.clean.max() * least), float(direct.frontier.attacked.max() * least)
    requests = [request | {"clean_at_least": at[0]}, request | {"attacked_at_least": at[1]}]
    answer = asked(engine, bundle, requests if reference is None else [request, *requests])
    *first, by_clean, by_attacked = (found["result"] for found in answer["found"])
    assert by_clean["best"]["params"]["beta"] == request["beta"]
    check_choice(by_clean["best"], direct.clean_at_least(at[0]))
    check_choice(by_attacked["best"], direct.attacked_at_least(at[1]))
    assert by_clean["warnings"][: len(direct.notes)] == list(direct.notes)
    check_direct_frontier(by_clean["direct_frontier"], direct)
    if reference is None:
        return
    assume(resolved(reference, np.array([request["beta"]])))
    [ours] = first
    assert_same(ours["tables"], {name: np.ravel(getattr(reference, name)) for name in TABLES}, "tables")
    check_cell(ours["best"], reference.best)
    assert_same([cell["index"] for cell in ours["ties"]], [cell.index for cell in reference.ties])
    assert_same([cell["index"] for cell in ours["top"]], [cell.index for cell in reference.ranked(10)])
    assert ours["warnings"] == list(reference.warnings)
    assert ours["edges"] == reference.edges
    assert (ours["n_wrong"], ours["n_right"]) == (reference.n_wrong, reference.n_right)
    params = MixParams(**{name: request[name] for name in ("clamp", "ln_k", "beta")}, alpha=0.8)
    view = tradeoff.sensitivity(reference, params)
    assert_same(answer["views"]["sensitivity"], view._asdict(), "sensitivity")


@given(recipe=BUNDLES, request=REQUESTS, least=st.floats(0.0, 1.0))
@settings(max_examples=15, phases=[Phase.generate])
def test_a_choice_beside_the_plain_mix(engine, recipe, request, least):
    bundle = made(**recipe)
    direct = searched_directly(bundle, request)
    at = float(direct.frontier.clean.max() * least), float(direct.frontier.attacked.max() * least)
    requests = [request | {"clean_at_least": at[0]}, request | {"attacked_at_least": at[1]}]
    by_clean, by_attacked = (found["result"] for found in asked(engine, bundle, requests)["found"])
    assert by_clean["n_mixes"] == direct.n_mixes
    check_match(by_clean["match"], bundle, direct, {"clean": at[0]})
    check_match(by_attacked["match"], bundle, direct, {"attacked": at[1]})


def check_match(
    ours: dict[str, Any], bundle: LogitBundle, direct: DirectSearch, least: dict[str, float]
) -> None:
    """The choice beside the plain mix under the same condition."""
    engine = RemixEngine(bundle, device="cpu")
    pair = direct_view.match(
        engine, direct, direct_plain(bundle, direct.clean), direct_view.at_least(**least)
    )
    assert (ours["plain"] is None) == (pair.plain is None)
    for mine, side in ((ours["ours"], pair.ours), (ours["plain"], pair.plain)):
        if side is not None:
            assert_same(mine["clean"], side.clean._asdict(), "clean")
            assert_same(mine["attacked"], side.attacked, "attacked")
    assert set(ours["paired"]) == set(pair.paired)
    for name, table in pair.paired.items():
        assert_same(ours["paired"][name], table, name)


def test_a_thousand_classes(engine):
    bundle = make_pool(n=50, m=30, k=1000)
    request = {"grid": {"s": [0.05, 0.2], "p": [2.0, 3.0], "c": [-1.0, 0.0]}, "clamp": "gelu", "ln_k": 250}
    request |= {"beta": 0.9, "quantile": "linear", "clean": "all", "max_accuracy_loss": 0.001}
    [found] = asked(engine, bundle, [request])["found"]
    reference = searched(bundle, request)
    tables = {name: np.ravel(getattr(reference, name)) for name in TABLES}
    assert_same(found["result"]["tables"], tables, "tables")
    check_cell(found["result"]["best"], reference.best)
    check_direct_frontier(found["result"]["direct_frontier"], searched_directly(bundle, request))


def check_direct_frontier(ours: list[dict[str, Any]], direct: DirectSearch) -> None:
    frontier = direct.frontier
    assert_same([choice["index"] for choice in ours], [tuple(index) for index in frontier.index.tolist()])
    for name in ("clean", "attacked", "quantile"):
        assert_same(np.array([choice[name] for choice in ours]), getattr(frontier, name), name)


@pytest.mark.parametrize("clean", ["attacked", "all"])
def test_the_shipped_digits(engine, digits, clean):
    """Frontiers in the plane are what `remix` says of their mixes, point by point."""
    grid = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-1.1, 0.0), steps=3)
    request = {"clamp": "gelu", "ln_k": 250, "beta": 0.95, "quantile": "linear", "clean": clean}
    request |= {
        "max_accuracy_loss": 0.001,
        "grid": {axis: values.tolist() for axis, values in grid.axes().items()},
    }
    answer = asked(engine, digits, [request])
    [found], reference = answer["found"], searched(digits, request)
    check_cell(found["result"]["best"], reference.best)
    check_direct_frontier(found["result"]["direct_frontier"], searched_directly(digits, request))
    frontier = beta_frontier(reference)
    ours = [cell["index"] for cell in found["result"]["frontier"]]
    np.testing.assert_array_equal(ours, frontier.index)
    shares = np.array(found["shares"])
    assert (np.diff(shares) >= 0).all()
    assert shares[-1] == 1.0
    remixer = RemixEngine(digits, device="cpu")
    for name in ("frontier", "direct_frontier"):
        view = answer["views"][name]
        for place, params in enumerate(view["params"]):
            alpha = None if name == "frontier" else params["alpha"]
            remix = remixer.remix(MixParams(**params | {"alpha": alpha}))
            for figure in ("clean", "attacked", "by_margin"):
                assert_same(
                    view["curve"][figure][place], getattr(remix, figure).value, f"{name} {place} {figure}"
                )


def test_what_cannot_be_searched(engine):
    request = {"grid": {"name": "", "s": [1], "p": [1], "c": [0]}, "clamp": "gelu", "ln_k": 250, "beta": 0.9}
    for bundle, asked_for, message in (
        (clean_only(make_bundle()), {}, "no attacked part"),
        (make_pool(n=40, m=20), {"attacked_at_least": 1.0}, "attacked accuracy of at least 100 %"),
        (make_pool(n=40, m=20), {"clean_at_least": 2.0}, "share in"),
        (make_bundle(n=10, m=5, boost=50.0), {}, "nothing to go by"),
    ):
        with pytest.raises(AssertionError, match=message):
            engine.ask(["search", [request | asked_for], None], bundle=packed(bundle))


@pytest.mark.parametrize("edges", [{}, {"s": "low", "p": "low"}, {"s": "high", "p": "high"}])
def test_wider_grids(engine, edges):
    """An axis of one value has no edges."""
    grid = GridSpec(s=np.geomspace(0.05, 5.0, 4), p=np.linspace(0.5, 4.0, 5), c=[0.0])
    ranges = {
        axis: {name: getattr(PARAMS[axis], name) for name in ("low", "high", "scale")} for axis in "spc"
    }
    given = {"name": "a", **{axis: values.tolist() for axis, values in grid.axes().items()}}
    [ours] = engine.ask(["widened", given, edges, ranges])
    for axis, values in grid.widened(edges).axes().items():
        np.testing.assert_allclose(ours[axis], values, rtol=1e-12)
