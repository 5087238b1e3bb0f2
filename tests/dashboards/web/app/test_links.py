"""The page reads and writes the very queries that `mnuts_dashboards.explorer.links` does."""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core.clamps import CLAMPS
from mnuts_core.params import PARAMS, MixParams
from mnuts_dashboards.explorer.links import WORDS, read_link, write_link
from mnuts_dashboards.explorer.state import MAX_SNAPSHOTS, ExplorerState
from mnuts_dashboards.widgets.query import MAX_QUERY

NAMES = {"bundles": ["digits", "my bundle (2)"], "grids": ["cifar10", "cifar100"], "controls": ["T", "beta"]}
QUICK = settings(max_examples=60, phases=[Phase.generate])


def numbers(name: str) -> st.SearchStrategy[float]:
    spec = PARAMS[name]
    floats = st.floats(spec.low, min(spec.high, 1e6), exclude_min=spec.low_open, allow_subnormal=False)
    return st.one_of(floats, st.sampled_from([spec.default, spec.slider_high]))


def mixes() -> st.SearchStrategy[MixParams]:
    level = st.one_of(st.none(), numbers("alpha"))
    plain = {name: numbers(name) for name in ("s", "p", "c", "beta", "temperature")}
    k = st.sampled_from([0, 2, 250, 5000])
    return st.builds(MixParams, **plain, alpha=level, clamp=st.sampled_from(CLAMPS), ln_k=k)


STATES = st.fixed_dictionaries(
    {
        "bundle": st.sampled_from(["digits", "my bundle (2)", "été & +"]),
        "grid": st.sampled_from(["cifar10", "cifar100+"]),
        "find_by": st.sampled_from(["beta", "clean", "attacked"]),
        "least": st.sampled_from([0.95, 0.5]),
        "case": st.sampled_from(["paper", "clean", "attacked"]),
        "row": st.integers(0, 10**6),
        "hidden": st.sampled_from([(), ("T", "beta")]),
    }
)


def as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the state as the page has them."""
    plain = values | ({"hidden": list(values["hidden"])} if "hidden" in values else {})
    if "snapshots" in values:
        plain["snapshots"] = [dataclasses.asdict(mix) for mix in values["snapshots"]]
    return plain


@given(mix=mixes(), others=STATES, kept=st.lists(mixes(), max_size=2), opening=st.booleans())
@QUICK
def test_it_writes_the_same_query(app, mix, others, kept, opening):
    state = ExplorerState()
    state.set(**others, snapshots=tuple(kept))
    state.take(mix, level=True)
    opens = state.params if opening else None
    values = {name: getattr(state, name) for name in (*ExplorerState.SETTINGS, "bundle")}
    link = app("write", as_json(values), opens and dataclasses.asdict(opens))
    assert link == write_link(state, opens)
    assert same_link(app("read", link, NAMES), read_link(link, **NAMES))


def same_link(ours: dict[str, Any], reference: Any) -> bool:
    """Whether two readings agree, what is wrong included; Python names unknown words in no order."""
    known, words = [], []
    for problem in reference.problems:
        (words if "is no setting" in problem else known).append(problem)
    found = ours["problems"]
    assert found[: len(known)] == known
    assert sorted(found[len(known) :]) == sorted(words)
    assert ours["values"] == as_json(reference.values)
    assert (ours["bundle"], ours["best"]) == (reference.bundle, reference.best)
    return True


QUERIES = [
    *("", "s=99x", "s=0", "s=1e3", "s=1_000", "s=+5.&p=.5", "s", "=5", "&&", "?s=1", "s=1&s=2", "s=%zz"),
    *("beta=nan", "beta=1.5", "beta=98.5", "beta=95%25", "beta=95 %25&alpha=30%25", "least=1,5", "least=x"),
    *("c=−1.1", "c=-0,25", "c=1,5,2", "T=-1", "T=inf", "alpha=0.2", "alpha=0.9", "s=" + "1" * 60),
    *(
        "clamp=tanh",
        "k=1",
        "k=2.5",
        "k=0",
        "k=−3",
        "k=" + "9" * 30,
        "image=-1",
        "image=" + "9" * 30,
        "image=7",
    ),
    *("shows=everything", "bundle=../../etc/passwd", "bundle=my%20bundle+(2)", "grid=mine", "grid=cifar100"),
    *(
        "hide=T,nothing,beta",
        "hide=,",
        "hide=T,T,T",
        "snap=s:5&snap=s:5&snap=s:4",
        "find=clean&least=0.9",
        "token=secret&theme=dark",
    ),
    *("snap=s:5,p:0", "snap=s:5,x:1", "snap=s:5,p:4,c:-1,alpha:0.9", "snap="),
    *("wrong=1&other=it's", 'wrong="it\'s"', "wrong%0a=%00"),
    "&".join(["snap=s:5,p:4,c:-1"] * (MAX_SNAPSHOTS + 3)),
    "&".join(f"snap=s:{s},p:4,c:-1" for s in range(1, MAX_SNAPSHOTS + 4)),
    "s=1&" + "x" * MAX_QUERY,
]


@pytest.mark.parametrize("query", QUERIES)
def test_it_reads_the_same_and_reports_the_same(app, query):
    assert same_link(app("read", query, NAMES), read_link(query, **NAMES))


def test_repeats_count_once(app):
    values = app("read", "hide=T,beta,T&snap=s:5&snap=s:5", NAMES)["values"]
    assert values["hidden"] == ["T", "beta"]
    assert [mix["s"] for mix in values["snapshots"]] == [5]


WRITTEN = string.ascii_letters + string.digits + " .,:+-−%_&=?#'\"\\é😀"
WORDS_OF_A_LINK = st.sampled_from(sorted(WORDS))


@given(
    st.lists(st.tuples(WORDS_OF_A_LINK, st.text(WRITTEN, max_size=12)), max_size=4),
    st.text(WRITTEN, max_size=60),
)
@QUICK
def test_whatever_is_typed_is_read_the_same(app, pairs, text):
    query = "&".join([*(f"{key}={value}" for key, value in pairs), text])
    assert same_link(app("read", query, NAMES), read_link(query, **NAMES))
