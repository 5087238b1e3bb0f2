"""The cells of the command line's tables."""

from mnuts_core.cli.answers import percent
from mnuts_core.functional.statistics import share


def test_percent_shows_the_interval():
    assert percent(share(8, 10, "attacked")).plain == "80.00 [49.0, 94.3]  "
    assert percent(share(8, 10, "transfer")).plain == "80.00 [49.0, 94.3]  "
    assert percent(None).plain.strip() == "–"
