"""Links: what is written reads back as the same state; what is wrong is shown, and the rest applies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.clamps import CLAMPS
from mnuts_core.params import PARAMS, MixParams
from mnuts_dashboards.explorer.links import all_defaults, read_link, write_link
from mnuts_dashboards.explorer.state import MAX_SNAPSHOTS, ExplorerState
from mnuts_dashboards.widgets.query import MAX_QUERY

NAMES = {"bundles": ["digits", "my bundle (2)"], "grids": ["cifar10", "cifar100"], "controls": ["T", "beta"]}


def read(query):
    return read_link(query, **NAMES)


def numbers(name):
    spec = PARAMS[name]
    high = min(spec.high, 1e6)
    return st.floats(spec.low, high, exclude_min=spec.low_open, allow_subnormal=False)


def mixes():
    level = st.one_of(st.none(), numbers("alpha"))
    plain = {name: numbers(name) for name in ("s", "p", "c", "beta", "temperature")}
    k = st.one_of(st.just(0), st.integers(2, 5000))
    return st.builds(MixParams, **plain, alpha=level, clamp=st.sampled_from(CLAMPS), ln_k=k)


@given(mixes(), st.lists(mixes(), max_size=MAX_SNAPSHOTS), st.integers(0, 10**6))
def test_a_state_comes_back_from_its_link_to_the_last_bit(params, kept, row):
    state = ExplorerState(bundle="my bundle (2)", grid="cifar100", case="clean", row=row)
    state.take(params, level=True)
    state.set(snapshots=tuple(kept), hidden=("T", "beta"))
    link = read(write_link(state))
    assert link.problems == ()
    assert not link.best
    again = ExplorerState(bundle=link.bundle)
    again.set(**(all_defaults() | link.values))
    assert again.params == params
    for name in ("bundle", "grid", "case", "row", "snapshots", "hidden"):
        assert getattr(again, name) == getattr(state, name)


def test_a_link_is_readable_and_leaves_defaults_out():
    state = ExplorerState(bundle="digits")
    state.set(s=0.05, p=4.0, c=-1.1, beta=0.95)
    assert write_link(state) == "bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95"
    state.snapshots = (MixParams(s=5, p=4, c=-1.1, clamp="relu", alpha=0.9),)
    assert write_link(state).endswith("&snap=s:5,p:4,c:-1.1,clamp:relu,alpha:0.9")


def test_the_opening_needs_no_numbers():
    state, opening = ExplorerState(bundle="digits"), MixParams(s=5, p=4, c=-1.1)
    state.take(opening, level=True)
    assert write_link(state, opening) == "bundle=digits"
    assert read("bundle=digits").best
    state.temperature = 1.0
    assert write_link(state, opening) == "bundle=digits&s=5&p=4&c=-1.1&T=1"


def test_a_widened_grid_is_written_as_the_one_it_came_from():
    state = ExplorerState(grid="cifar100+")
    assert "grid=cifar100" in write_link(state).split("&")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("s=99x", "s must be a number greater than 0 and at most 1,000,000 (the link has “99x”)"),
        ("s=0", "s must be greater than 0 and at most 1,000,000 (the link has 0)"),
        ("beta=nan", "β must be a number between 0 and 1 (the link has “nan”)"),
        ("beta=1.5", "β must be between 0 and 1. Did you mean 0.015?"),
        ("alpha=0.2", "α must be between 0.5 and 1 (the link has 0.2)"),
        ("T=-1", "T must be 0 or greater (the link has −1)"),
        ("clamp=tanh", "clamp must be one of gelu"),
        ("k=1", "LN top-k must be 0 (no layer norm) or a whole number of 2 or more"),
        (
            "k=2.5",
            "LN top-k must be 0 (no layer norm) or a whole number of 2 or more (the link has 2.5)",
        ),
        ("image=-1", "image must be a whole number from 0"),
        ("image=" + "9" * 30, "image must be a whole number"),
        ("shows=everything", "shows must be one of paper, clean, attacked"),
        ("bundle=../../etc/passwd", "bundle must be one of digits, my bundle (2)"),
        ("grid=mine", "grid must be one of cifar10, cifar100"),
        ("hide=T,nothing", "hide must be one of T, beta, got 'nothing'"),
        ("snap=s:5,p:0", "p must be greater than 0 and at most 100 (the link has 0)"),
        ("snap=s:5,x:1", "snap knows s, p, c"),
        ("wrong=1", "'wrong' is no setting"),
        ("s=1&" + "x" * MAX_QUERY, "longer than 8,000 characters"),
    ],
)
def test_a_wrong_value_is_reported_and_the_rest_applies(query, message):
    link = read(f"{query}&p=2")
    assert len(link.problems) == 1
    assert message in link.problems[0]
    assert link.values.get("p") == (None if "longer" in message else 2.0)


def test_a_wrong_name_to_hide_leaves_the_others_hidden():
    assert read("hide=T,nothing,beta").values["hidden"] == ("T", "beta")


def test_too_many_snapshots_are_cut():
    link = read("&".join(["snap=s:5,p:4,c:-1"] * (MAX_SNAPSHOTS + 3)))
    assert len(link.values["snapshots"]) == MAX_SNAPSHOTS
    assert "at most 6 snapshots, got 9" in link.problems[0]


def test_words_of_the_server_and_the_page_are_none_of_ours():
    assert read("token=secret&theme=dark") == (None, {"snapshots": ()}, True, ())


@given(st.text(max_size=200))
def test_nothing_that_is_typed_breaks_it(text):
    link = read(text)
    assert all("\n" not in problem or "\n" in text for problem in link.problems)
    MixParams(**{k: v for k, v in link.values.items() if k in {"s", "p", "c", "beta", "alpha", "ln_k"}})
