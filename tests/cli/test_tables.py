"""The arithmetic between rows, by hand."""

import pytest

from mnuts_core.cli.tables import Change, percent
from mnuts_core.functional.statistics import share


def test_a_change_in_points_and_in_errors():
    change = Change.between(share(90, 100, "clean"), share(95, 100, "clean"))
    assert change.points == pytest.approx(5)
    assert change.relative_error == pytest.approx(-0.5)


def test_parts_of_different_size():
    change = Change.between(share(5, 10, "attacked"), share(40, 100, "transfer"))
    assert change.points == pytest.approx(-10)
    assert change.relative_error == pytest.approx(0.2)


def test_no_relative_change_of_no_errors():
    change = Change.between(share(7, 7, "clean"), share(6, 7, "clean"))
    assert change.points == pytest.approx(-100 / 7)
    assert change.relative_error is None


def test_no_change_from_or_to_nothing():
    assert Change.between(None, share(1, 2, "clean")) is None
    assert Change.between(share(1, 2, "clean"), None) is None


def test_percent_shows_interval_and_marks_measured_figures():
    assert percent(share(8, 10, "attacked")).plain == "80.00 [49.0, 94.3] †"
    assert percent(share(8, 10, "transfer")).plain == "80.00 [49.0, 94.3]  "
    assert percent(None).plain.strip() == "–"
