"""Where a mix stands among entries, by hand."""

import pytest

from mnuts_core.bundles.leaderboard import Entry
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import share
from mnuts_core.views.leaderboard import Rank, standing

A, B, C = Entry("A", "", 95.0, 60.0), Entry("B", "", 90.0, 70.0), Entry("C", "", 80.0, 50.0)


def placed(clean, robust, entries=(A, B, C)):
    return standing("mix", share(clean, 100, "clean"), share(robust, 100, "verified"), entries)


def test_behind_the_frontier():
    found = placed(85, 55)
    assert (found.of_clean.place, found.of_robust.place) == (3, 3)
    assert found.dominated_by == (A, B)
    assert found.dominates == (C,)
    assert found.distance == pytest.approx(5)  # (90, 60) ties A in one and B in the other
    assert found.short_of_robust == pytest.approx(15)
    assert found.short_of_clean == pytest.approx(10)


def test_between_two_entries_of_the_frontier():
    found = placed(93, 66)
    assert found.dominated_by == ()
    assert found.dominates == (C,)
    assert found.distance == pytest.approx(-3)  # three points less clean, and B is as clean and more robust
    assert found.short_of_robust == pytest.approx(-6)
    assert found.short_of_clean == pytest.approx(-3)


def test_beyond_all_entries():
    found = placed(97, 75)
    assert (found.of_clean.place, found.of_robust.place) == (1, 1)
    assert (found.short_of_robust, found.short_of_clean) == (None, None)
    assert found.dominates == (A, B, C)


def test_an_entry_that_is_equal_dominates_nothing():
    found = placed(95, 60)
    assert (found.dominated_by, found.dominates, found.distance) == ((), (C,), 0)
    assert found.of_clean.place == 1


def test_a_place_has_the_interval_of_its_figure():
    found = placed(90, 55)  # clean: 82.6 to 94.5 %
    assert found.of_clean == Rank(2, 2, 3)
    assert found.to_json()["of_clean"] == {"place": 2, "best": 2, "worst": 3}
    assert found.to_json()["dominated_by"][0]["model"] == "A"


def test_no_entries():
    with pytest.raises(ParameterError, match="at least one entry"):
        placed(90, 55, ())
