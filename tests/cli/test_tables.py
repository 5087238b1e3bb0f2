"""The arithmetic between rows, by hand."""

import pytest

from mnuts_core.cli.tables import Change, percent
from mnuts_core.functional.statistics import Estimate


def test_a_change_in_points_and_in_errors():
    change = Change.between(Estimate("clean", 90, 100), Estimate("clean", 95, 100))
    assert change.points == pytest.approx(5)
    assert change.relative_error == pytest.approx(-0.5)


def test_parts_of_different_size():
    change = Change.between(Estimate("attacked", 5, 10), Estimate("transfer", 40, 100))
    assert change.points == pytest.approx(-10)
    assert change.relative_error == pytest.approx(0.2)


def test_no_relative_change_of_no_errors():
    change = Change.between(Estimate("clean", 7, 7), Estimate("clean", 6, 7))
    assert change.points == pytest.approx(-100 / 7)
    assert change.relative_error is None


def test_no_change_from_or_to_nothing():
    assert Change.between(None, Estimate("clean", 1, 2)) is None
    assert Change.between(Estimate("clean", 1, 2), None) is None


def test_percent_shows_interval_and_marks_measured_figures():
    assert percent(Estimate("attacked", 8, 10)).plain == "80.00 [49.0, 94.3] †"
    assert percent(Estimate("transfer", 8, 10)).plain == "80.00 [49.0, 94.3]  "
    assert percent(None).plain.strip() == "–"
