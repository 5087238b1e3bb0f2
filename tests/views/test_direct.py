"""A direct search in figures, against counts by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mnuts_core import GridSpec, ParameterError, RemixEngine
from mnuts_core.search.direct import direct_plain, direct_search
from mnuts_core.views.direct import advantage, at_least, match
from tests.synthetic import make_pool


@pytest.fixture(scope="module")
def parts():
    pool = make_pool()
    grid = GridSpec.from_ranges((0.05, 5), (1, 4), (-1.1, 0), steps=3)
    return RemixEngine(pool, device="cpu"), direct_search(pool, grid), direct_plain(pool)


def test_a_match_holds_both_mixes_to_the_condition(parts):
    engine, found, plain = parts
    pair = match(engine, found, plain, at_least(clean=0.9))
    assert pair.plain is not None
    assert pair.plain.choice.params.plain
    for side in (pair.ours, pair.plain):
        seen, unseen = side.clean
        assert seen.value >= 0.9
        assert seen.n == engine.bundle.n_adv
        assert seen.successes + unseen.successes == side.remix.clean.successes
    paired = pair.paired["attacked"]
    assert (
        paired.only_first - paired.only_second == pair.ours.attacked.successes - pair.plain.attacked.successes
    )


def test_every_clean_image_is_seen_when_asked():
    pool = make_pool()
    found = direct_search(pool, GridSpec.from_ranges((1, 1), (1, 4), (-0.5, 0), steps=2), clean="all")
    pair = match(RemixEngine(pool), found, direct_plain(pool, "all"), at_least(clean=0.9))
    assert pair.ours.clean.unseen is None
    assert pair.ours.clean.seen == pair.ours.remix.clean


def test_where_the_plain_mix_cannot_follow(parts):
    engine, found, plain = parts
    less = plain.mixes.at(plain.mixes.attacked < round(0.2 * plain.n_attacked))
    pair = match(engine, found, replace(plain, mixes=less), at_least(attacked=0.2))
    assert pair.plain is None
    assert "the plain mix cannot do it: no mix of this grid has attacked accuracy" in pair.reason
    assert pair.to_json()["plain_mix"] is None


def test_levels(parts):
    engine, found, plain = parts
    levels = advantage(engine, found, plain, levels=5)
    assert 2 <= len(levels) <= 5
    for level in levels:
        assert level.ours.choice.clean >= level.clean - 1e-9
        assert level.plain.choice.clean >= level.clean - 1e-9
        low, high = level.attacked.difference.interval
        verdicts = {"ahead": low > 0, "behind": high < 0, "open": low <= 0 <= high}
        assert verdicts[level.verdict]


def test_one_condition():
    for wrong in ({}, {"clean": 0.9, "attacked": 0.3}):
        with pytest.raises(ParameterError, match="one of them"):
            at_least(**wrong)
