"""A link on the page and the same mix on the command line: every figure of the headline and the export."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixConfig, MixParams, ParameterError, RemixEngine
from mnuts_core.cli.app import run
from mnuts_core.views.headline import ESTIMATED, JSON_KEYS
from mnuts_dashboards.page.data import page_meta
from tests.dashboards.web.engine import packed
from tests.dashboards.web.test_engine import SETTINGS, resolved
from tests.synthetic import make_pool

NAMES = {"bundles": ["digits"], "grids": ["cifar10"], "controls": []}
AT_ONCE = 20
"""Mixes of one message: the bundle travels with it."""
OPTIONS = {"s": "s", "p": "p", "c": "c", "clamp": "clamp", "ln_k": "k", "beta": "beta", "alpha": "alpha"}
TOLERANCE = {"rel": 1e-9, "abs": 1e-12}


@pytest.fixture(scope="module")
def pool() -> LogitBundle:
    """A small one, on which a hundred mixes take seconds."""
    return make_pool(n=200, m=100, k=10, sources=3)


@pytest.fixture(scope="module")
def reference(pool) -> RemixEngine:
    return RemixEngine(pool, device="cpu")


@pytest.fixture(scope="module")
def meta(pool, engine) -> dict[str, Any]:
    [loaded] = engine.ask(["loaded", []], bundle=packed(pool))
    return json.loads(json.dumps(page_meta(pool))) | {"auxiliary": loaded["auxiliary"]}


def link_of(params: MixParams) -> str:
    """A link as a person would write it, every setting named."""
    values = {word: getattr(params, name) for name, word in OPTIONS.items()} | {"T": params.temperature}
    named = {word: value for word, value in values.items() if value is not None}
    return "bundle=digits&" + "&".join(f"{word}={quote(str(value))}" for word, value in named.items())


def on_the_page(app: Any, engine: Any, bundle: LogitBundle, links: list[str]) -> list[dict[str, Any]]:
    """What the page shows for links."""
    states = []
    for link in links:
        found = app("read", link, NAMES)
        assert found["problems"] == []
        values = found["values"]
        values.setdefault("alpha", None)
        states.append({name: values[name] for name in ("temperature", *OPTIONS)})
    asked = [{"params": state} for state in states]
    [frames] = engine.ask(["frames", asked, ["headline"]], bundle=packed(bundle))
    return frames


def known_to_python(reference: RemixEngine, params: MixParams) -> bool:
    """Whether the mix exists and rounding, which differs between machines, decides nothing."""
    try:
        return resolved(reference, reference.remix(params))
    except ParameterError:  # nothing that α could follow from
        return False


def assert_figure(ours: dict[str, Any] | None, theirs: dict[str, Any] | None, at: str) -> None:
    assert (ours is None) == (theirs is None), at
    if ours is None or theirs is None:
        return
    assert (ours["kind"], ours["n"]) == (theirs["kind"], theirs["n"]), at
    numbers = [theirs["value"], *theirs["ci95"]]
    assert [ours["value"], ours["low"], ours["high"]] == pytest.approx(numbers, **TOLERANCE), at


def assert_headline(ours: dict[str, Any], answer: dict[str, Any]) -> None:
    """The page's headline against the answer of `mnuts remix --json`."""
    rows = {name: ours[key] for key, name in JSON_KEYS.items() if key in ours}
    assert set(rows) == set(answer["figures"])
    for name, row in rows.items():
        theirs = answer["figures"][name]
        for figure in ESTIMATED:
            assert_figure(row.get(figure), theirs[figure], f"{name} {figure}")
        weight = (row.get("params") or {}).get("alpha")
        assert weight == (theirs["alpha"] and pytest.approx(theirs["alpha"], **TOLERANCE)), name


def command_line(params: MixParams, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The answer of `mnuts remix --json`."""
    level = ["--beta", params.beta] if params.alpha is None else ["--alpha", params.alpha]
    words = ["--s", params.s, "--p", params.p, f"--c={params.c!r}", "--clamp", params.clamp]
    words += ["--ln-k", params.ln_k, "-T", params.temperature, *level]
    assert run(["remix", "digits", *(str(word) for word in words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def assert_export(
    app: Any, meta: dict[str, Any], remix: dict[str, Any], reference: RemixEngine, params: MixParams
) -> None:
    """The file that the page saves against the one that Python makes."""
    fields = ("params", "clean", "attacked", "by_margin", "optimistic", "warnings")
    plain = {name: remix[name] for name in fields}
    beta = params.beta if params.alpha is None else None
    text = app("configText", app("configOf", meta, plain, {"beta": beta, "created": ""}))
    ours, theirs = MixConfig.from_json(text), MixConfig.from_remix(reference, params)
    same = {"transform", "beta", "temperature", "bundle", "threat", "warnings"}
    assert ours.model_dump(include=same) == theirs.model_dump(include=same)
    assert ours.auxiliary is not None
    assert theirs.auxiliary is not None
    assert ours.auxiliary.alpha_d == pytest.approx(theirs.auxiliary.alpha_d, **TOLERANCE)
    assert ours.alpha == pytest.approx(theirs.alpha, **TOLERANCE)
    assert ours.estimates is not None
    assert theirs.estimates is not None
    one, other = (card.model_dump(exclude_none=True) for card in (ours.estimates, theirs.estimates))
    assert one.keys() == other.keys()
    assert one.pop("optimistic") == other.pop("optimistic")
    for name, figure in other.items():
        assert one[name] == figure | {"ci95": pytest.approx(figure["ci95"], **TOLERANCE)}, name


@given(mixes=st.lists(SETTINGS, min_size=AT_ONCE, max_size=AT_ONCE))
@settings(max_examples=5, phases=[Phase.generate], deadline=None)
def test_a_hundred_mixes(app, engine, pool, meta, reference, mixes):
    mixes = [params for params in mixes if known_to_python(reference, params)]
    frames = on_the_page(app, engine, pool, [link_of(params) for params in mixes])
    for params, frame in zip(mixes, frames, strict=True):
        assert_export(app, meta, frame["remix"], reference, params)


def test_the_command_line_prints_the_same(app, engine, digits, capsys):
    mixes = [
        MixParams(),
        MixParams(s=5000.0, p=10.0, c=-0.25, clamp="relu", beta=0.9),
        MixParams(s=0.03, p=2.25, c=-1.5, clamp="softplus", ln_k=3, alpha=0.93, temperature=0.7),
    ]
    frames = on_the_page(app, engine, digits, [link_of(params) for params in mixes])
    for params, frame in zip(mixes, frames, strict=True):
        assert_headline(frame["views"]["headline"], command_line(params, capsys))
