"""Pools on equal terms: which kinds of sources all have, and what is left of a bundle."""

from __future__ import annotations

import numpy as np
import pytest

from mnuts_core import RemixEngine
from mnuts_core.bundles.manifest import STD_TARGET, SourceCard
from mnuts_core.views.equal_terms import on_equal_terms, shared_kinds, with_kinds
from mnuts_core.views.sources import kinds
from tests.synthetic import clean_only, make_bundle, make_pool


@pytest.fixture(scope="module")
def rich():
    """First points, two attacks on mixes, and one on g."""
    bundle = make_pool(n=60, m=40)
    first, rng = bundle.require_attacked().first, np.random.default_rng(3)
    shape = first.std_logits.shape
    card = SourceCard(name="SYNTHETIC attack on g", target=STD_TARGET, images=len(first))
    return bundle.with_points(card, first.index, rng.normal(size=shape), rng.normal(size=shape))


def test_kinds_follow_what_was_attacked(rich):
    assert kinds(rich.manifest) == ("first", "mixes", "mixes", "g")
    assert kinds(make_pool(n=60, m=40, mixes=False).manifest) == ("first", "others", "others")


def test_all_share_the_first_points(rich):
    plain = make_bundle(n=60, m=40, seed=4)
    assert shared_kinds({"a": rich, "b": plain}) == {"first"}
    assert shared_kinds({"a": rich, "b": clean_only(plain)}) == {"first", "mixes", "g"}
    assert shared_kinds({"a": rich, "b": make_pool(n=60, m=40)}) == {"first", "mixes"}


def test_what_is_left_is_a_bundle_of_these_points(rich):
    left = with_kinds(rich, {"g"})
    part, whole = left.require_attacked(), rich.require_attacked()
    stays = np.isin(whole.source, [0, 3])
    np.testing.assert_array_equal(part.rob_logits, whole.rob_logits[stays])
    assert [card.name for card in left.manifest.sources] == [rich.manifest.sources[i].name for i in (0, 3)]
    assert set(part.source) == {0, 1}
    assert (left.manifest.optimistic, left.manifest.std_attacked) == (True, True)
    assert left.n_adv == rich.n_adv


def test_fewer_points_are_never_harder(rich):
    both = on_equal_terms({"rich": rich, "plain": make_bundle(n=60, m=40, seed=4)})
    assert both["rich"].n_points == rich.n_adv
    assert both["plain"].n_points == 40
    assert RemixEngine(both["rich"]).base.rob_attacked.value >= RemixEngine(rich).base.rob_attacked.value
    assert with_kinds(rich, {"mixes", "g"}) is rich
