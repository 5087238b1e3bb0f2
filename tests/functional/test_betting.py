"""The bettor's wealth: by hand, as a product of single bets, fair, and rarely large by chance."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from mnuts_core import ParameterError
from mnuts_core.functional.betting import LEVEL, Look, wealth
from mnuts_core.functional.paired import Paired, mcnemar


def one_by_one(outcomes: tuple[int, ...]) -> float:
    """Each bet stakes on what the share so far says, from half a success and half a failure on."""
    money, seen = 1.0, [0.5, 0.5]
    for outcome in outcomes:
        money *= 2 * seen[outcome] / sum(seen)
        seen[outcome] += 1
    return money


def test_bets_one_by_one_in_any_order():
    for outcomes in itertools.product((0, 1), repeat=6):
        better = sum(outcomes)
        assert wealth(better, 6 - better) == pytest.approx(one_by_one(outcomes), rel=1e-12)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (3, 1), (1, 3), (40, 20)])
def test_the_odds_are_fair(better, worse):
    """If both are equally accurate, one image more changes nothing on average."""
    after = (wealth(better + 1, worse) + wealth(better, worse + 1)) / 2
    assert after == pytest.approx(wealth(better, worse), rel=1e-12)
    assert wealth(better, worse) == pytest.approx(wealth(worse, better), rel=1e-12)


def test_told_apart_by_chance_no_oftener_than_the_level_says_and_for_a_cause_nearly_always():
    """A look after each of 400 images, of which the two classifiers differ at each; p alone would not do."""
    rng, runs, m = np.random.default_rng(0), 400, 400

    def ever(share: float) -> float:
        better = (rng.random((runs, m)) < share).cumsum(axis=1)
        looks = range(10, m, 10)
        return float(
            np.mean([any(wealth(int(b[i]), i + 1 - int(b[i])) >= 1 / LEVEL for i in looks) for b in better])
        )

    assert ever(0.5) <= LEVEL
    assert ever(0.7) > 0.9
    flips = (rng.random((runs, m)) < 0.5).cumsum(axis=1)
    peeked = [any(mcnemar(int(b[i]), i + 1 - int(b[i])) < LEVEL for i in range(10, m, 10)) for b in flips]
    assert np.mean(peeked) > 3 * LEVEL, "what a p-value does when it is looked at 39 times"


def test_a_look_in_words_and_as_json():
    look = Look(Paired(both=60, only_first=30, only_second=8, neither=2))
    assert look.different
    assert look.p_value == 1 / look.e_value
    for words in ("on the first 100 images", "30 and 8", f"e-value {look.e_value:.3g}"):
        assert words in str(look)
    assert json.loads(json.dumps(look.to_json()))["p_at_any_time"] == look.p_value
    undecided = Look(Paired(both=60, only_first=3, only_second=2, neither=2))
    assert (undecided.different, undecided.p_value) == (False, 1.0)
    assert Look(Paired(0, 10**6, 0, 0)).e_value < np.inf


def test_counts_are_counts():
    with pytest.raises(ParameterError, match="must be counts of images, got -1 and 2"):
        wealth(-1, 2)
