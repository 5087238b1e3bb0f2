"""What the page says of figures: the words of `mnuts_dashboards.text`, on many bundles and settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mnuts_core import MixParams, MnutsError, RemixEngine
from mnuts_core.bundles.manifest import STD_TARGET, SourceCard
from mnuts_core.views.assumptions import assumptions
from mnuts_core.views.examples import Story
from mnuts_core.views.headline import headline, seen_and_unseen
from mnuts_core.views.sources import Source
from mnuts_dashboards.text import cards
from mnuts_dashboards.text.headline import words_html
from tests.dashboards.web.engine import packed
from tests.dashboards.web.test_engine import RECIPES, made
from tests.synthetic import make_pool

SENTENCES = "explorer/sentences.js"
SETTINGS = st.builds(
    MixParams,
    s=st.floats(0.1, 20),
    p=st.floats(0.5, 5),
    c=st.floats(-2, 1),
    beta=st.floats(0.5, 1),
    alpha=st.none() | st.floats(0.5, 1),
)


def plain(html: str) -> str:
    """What is to be read in HTML, in one line."""
    words = re.sub(r"<[^>]*>", " ", html).replace("&#39;", "'").replace("&lt;", "<")
    return " ".join(words.split())


@given(recipe=RECIPES, params=SETTINGS)
@settings(max_examples=25, phases=[Phase.generate])
def test_gains_meaning_and_assumptions(engine, page, recipe, params):
    bundle = made(**recipe)
    reference = RemixEngine(bundle, device="cpu")
    try:
        remix = reference.remix(params)
    except MnutsError:  # nothing that α could follow from
        assume(False)
    [frame] = engine.ask(["frame", {"params": params}], bundle=packed(bundle))
    views = {name: in_json(frame["views"][name]) for name in ("headline", "assumptions", "seen_and_unseen")}
    words = plain(words_html(headline(reference, params, remix), (), "POINTS"))
    [gains] = page.call(SENTENCES, "gains", [views["headline"]["changes"]])
    [meaning] = page.call(SENTENCES, "meaning", [views["headline"], bundle.manifest.optimistic, "POINTS"])
    assert f"{gains} {meaning}" == words
    view, split = assumptions(reference, remix), seen_and_unseen(reference, remix)
    html = plain(cards.assumptions_html(view, split))
    [rows] = page.call(SENTENCES, "assumptionRows", [views["assumptions"]])
    [cost] = page.call(SENTENCES, "assumptionCost", [views["assumptions"]])
    [seen] = page.call(SENTENCES, "seenWords", [views["seen_and_unseen"]])
    ours = " ".join([*(" ".join(row) for row in sorted(rows)), cost, seen])
    assert html.endswith(ours)


def in_json(value: Any) -> Any:
    """A view of plain figures, without arrays."""
    if isinstance(value, dict):
        return {key: in_json(one) for key, one in value.items()}
    return value


@given(
    margin=st.floats(0, 0.9998),
    threshold=st.one_of(st.floats(0, 0.9998), st.floats(-1e-15, 1e-15)),
    same=st.booleans(),
)
def test_who_decides_and_why(page, margin, threshold, same):
    threshold = abs(threshold)
    story = Story(
        "clean", 1, 1, "", "a", "b", "c", "d", "d" if same else "e", "right", margin, threshold
    )  # fmt: skip
    for margin_of in (margin, threshold):
        one = story._replace(margin=margin_of)
        assert page.call(SENTENCES, "rule", [one._asdict()]) == [cards._rule(one)]


@pytest.mark.parametrize("mixes", [True, False])
def test_where_the_points_come_from(page, mixes):
    bundle = make_pool(n=20, m=10, mixes=mixes)
    check_sources(page, bundle.manifest.sources)


@pytest.mark.parametrize(
    "targets",
    [[""], ["LN∘h_rob"], ["LN∘h_rob", "mix"], ["LN∘h_rob", "mix", "mix", STD_TARGET, "f"], ["h", STD_TARGET]],
)
def test_sources_in_a_few_words(page, targets):
    params = {"s": 5.0, "alpha": 0.97}
    check_sources(
        page,
        [
            SourceCard(name="MMAA: strong", target=target, params=params if target == "mix" else None)
            for target in targets
        ],
    )


def check_sources(page, found: Any) -> None:
    class Bundle:
        class manifest:  # noqa: N801  # as a bundle names it
            sources = found

    from mnuts_core.views.sources import sources_words

    records = [Source(source, 10, 10).to_json() for source in found]
    assert page.call(SENTENCES, "sourcesWords", [records]) == [sources_words(Bundle)]


def test_the_place_in_the_line_is_named(page):
    one, two = page.call("explorer/words.js", "WORDS.attack.waiting", [1], [2])
    assert one.startswith("Waiting: 1 verification of other visitors before yours.")
    assert two.startswith("Waiting: 2 verifications of other visitors before yours.")
