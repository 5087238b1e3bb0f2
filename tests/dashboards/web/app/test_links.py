"""The page writes the very queries that `mnuts_dashboards.explorer.links` does, and reads them again."""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core.clamps import CLAMPS
from mnuts_core.params import PARAMS, MixParams
from mnuts_dashboards.explorer.images import MOST_IN_LINK, read_images, write_images
from mnuts_dashboards.explorer.links import write_link
from mnuts_dashboards.explorer.state import MAX_SNAPSHOTS, ExplorerState
from mnuts_dashboards.widgets.query import MAX_QUERY
from tests.dashboards.web.app.reading import WORDS, all_defaults, read_link

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
        "list_part": st.sampled_from(["example", "clean", "attacked"]),
        "list_kind": st.sampled_from(["both", "fixed", "broken"]),
        "list_sort": st.sampled_from(["none", "margin", "-image"]),
        "list_filter": st.sampled_from(["", "deer", " à&=+%;"]),
        "list_page": st.sampled_from([0, 1, 10**6]),
        "selected": st.builds(
            write_images, st.sets(st.integers(0, 300)), st.sampled_from(["", "class 4; M(h) right"])
        ),
        "hidden": st.sampled_from([(), ("T", "beta")]),
    }
)


def as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the state as the page has them."""
    plain = values | ({"hidden": list(values["hidden"])} if "hidden" in values else {})
    if "snapshots" in values:
        plain["snapshots"] = [dataclasses.asdict(mix) for mix in values["snapshots"]]
    return plain


@given(mix=mixes(), others=STATES, kept=st.lists(mixes(), max_size=2, unique=True), opening=st.booleans())
@QUICK
def test_it_writes_the_same_query(app, mix, others, kept, opening):
    state = ExplorerState()
    state.set(**others, snapshots=tuple(kept))
    state.take(mix)
    opens = state.params if opening else None
    values = {name: getattr(state, name) for name in (*ExplorerState.SETTINGS, "bundle")}
    link = app("write", as_json(values), opens and dataclasses.asdict(opens))
    assert link == write_link(state, opens)
    assert same_link(app("read", link, NAMES), read_link(link, **NAMES))
    again = app("read", link, NAMES | {"bundles": [others["bundle"]]})
    assert (again["problems"], again["best"]) == ([], opening)
    found = as_json(all_defaults()) | again["values"] | {"bundle": again["bundle"]}
    left_out = {*("spc" if opening else ""), *(["row"] if others["case"] == "paper" else [])}
    expected = as_json(values | {"grid": others["grid"].rstrip("+")})
    assert {name: found[name] for name in expected.keys() - left_out} == {
        name: expected[name] for name in expected.keys() - left_out
    }


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


def test_a_link_is_readable_and_leaves_defaults_out(app):
    values = {"bundle": "digits", "s": 0.05, "p": 4, "c": -1.1, "beta": 0.95}
    assert app("write", values, None) == "bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95"
    mix = dataclasses.asdict(MixParams(s=5, p=4, c=-1.1, clamp="relu", alpha=0.9))
    link = app("write", values | {"snapshots": [mix]}, None)
    assert link.endswith("&snap=s:5,p:4,c:-1.1,clamp:relu,alpha:0.9")


def test_what_a_bundle_opens_on_needs_no_numbers(app):
    opening = MixParams(s=5, p=4, c=-1.1)
    values = {"bundle": "digits", "s": 5, "p": 4, "c": -1.1}
    assert app("write", values, dataclasses.asdict(opening)) == "bundle=digits"
    assert app("read", "bundle=digits", NAMES)["best"]
    link = app("write", values | {"temperature": 1}, dataclasses.asdict(opening))
    assert link == "bundle=digits&s=5&p=4&c=-1.1&T=1"
    assert not app("read", link, NAMES)["best"]


def test_a_widened_grid_is_written_as_the_one_it_came_from(app):
    assert "grid=cifar100" in app("write", {"grid": "cifar100+"}, None).split("&")


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
        ("image=-1", "image must be a whole number from 0"),
        ("shows=everything", "shows must be one of paper, clean, attacked"),
        ("list=all", "list must be one of example, clean, attacked, got 'all'"),
        ("list_kind=right", "list_kind must be one of both, fixed, broken"),
        ("list_sort=+margin", "list_sort must be one of none, image, -image"),
        ("list_page=-1", "list_page must be a whole number from 0 to 1000000, got '-1'"),
        ("list_filter=" + "x" * 101, "list_filter must be one line of at most 100 characters"),
        ("selected=3-x", "selected must be numbers of images, such as 3,5-9, got '3-x'"),
        ("selected=9-3", "selected must be numbers of images"),
        ("selected=~a", "selected must be numbers of images"),
        ("bundle=../../etc/passwd", "bundle must be one of digits, my bundle (2)"),
        ("grid=mine", "grid must be one of cifar10, cifar100"),
        ("hide=T,nothing", "hide must be one of T, beta, got 'nothing'"),
        ("snap=s:5,p:0", "p must be greater than 0 and at most 100 (the link has 0)"),
        ("snap=s:5,x:1", "snap knows s, p, c"),
        ("wrong=1", "'wrong' is no setting"),
        ("s=1&" + "x" * MAX_QUERY, "longer than 8,000 characters"),
    ],
)
def test_a_wrong_value_is_reported_and_the_rest_applies(app, query, message):
    link = app("read", f"{query}&p=2", NAMES)
    [problem] = link["problems"]
    assert message in problem
    assert link["values"].get("p") == (None if "longer" in message else 2.0)


def test_a_link_holds_few_snapshots_and_no_words_of_the_server(app):
    link = app("read", "&".join(f"snap=s:{s},p:4,c:-1" for s in range(1, MAX_SNAPSHOTS + 4)), NAMES)
    assert len(link["values"]["snapshots"]) == MAX_SNAPSHOTS
    assert "at most 6 snapshots, got 9" in link["problems"][0]
    assert app("read", "token=secret&theme=dark", NAMES)["problems"] == []
    assert app("read", "hide=T,nothing,beta", NAMES)["values"]["hidden"] == ["T", "beta"]


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
    *(
        "list_page=2.5",
        "list_page=1000001",
        "list_filter=a%0Ab",
        "list_filter=%20b%20",
        "selected=3,5-9;digit 4",
    ),
    *(
        "selected=;",
        "selected=~_-8",
        "selected=~_",
        "selected=1-2-3",
        "selected=00,1",
        "selected=3;a%0Ab",
        "selected=-3",
    ),
    *(
        "selected=;" + "é" * 160,
        "selected=;" + "😀" * 161,
        "selected=" + "1," * 1000 + "1",
        "selected=12345678",
    ),
    *("list=attacked&list_kind=fixed&list_sort=-margin", "list=", "list_kind=Fixed", "list_sort=size"),
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


def test_a_link_leaves_out_what_would_not_fit(app):
    text = write_images(range(0, 60_000, 2))
    assert len(text) > MOST_IN_LINK
    assert app("write", {"selected": text}, None) == app("write", {}, None)
    assert len(write_images(range(10_000), "long" * 99).partition(";")[2]) == 160


def test_repeats_count_once(app):
    values = app("read", "hide=T,beta,T&snap=s:5&snap=s:5", NAMES)["values"]
    assert values["hidden"] == ["T", "beta"]
    assert [mix["s"] for mix in values["snapshots"]] == [5]


WRITTEN = string.ascii_letters + string.digits + " .,:+-−%_&=?#'\"\\é😀"
WORDS_OF_A_LINK = st.sampled_from(sorted(WORDS))


ROWS = st.sets(st.integers(0, 2000)) | st.builds(
    lambda first, n: set(range(first, first + n)), st.integers(0, 99), st.integers(0, 99)
)


@given(ROWS, st.text(WRITTEN, max_size=20), st.integers(1, 2001))
@QUICK
def test_selected_images_are_one_text(app, rows, words, n):
    text = write_images(rows, words)
    assert app("writeImages", sorted(rows), words) == text
    assert read_images(text, n) == tuple(row for row in sorted(rows) if row < n)
    beyond = any(row >= n for row in rows)
    assert app("imagesIn", text, n) == {"rows": list(read_images(text, n)), "words": words, "beyond": beyond}


@given(
    st.lists(st.tuples(WORDS_OF_A_LINK, st.text(WRITTEN, max_size=12)), max_size=4),
    st.text(WRITTEN, max_size=60),
)
@QUICK
def test_whatever_is_typed_is_read_the_same(app, pairs, text):
    query = "&".join([*(f"{key}={value}" for key, value in pairs), text])
    assert same_link(app("read", query, NAMES), read_link(query, **NAMES))
