"""The cells of the command line's tables."""

import pandas as pd
from rich.console import Console

from mnuts_core.cli.answers import percent
from mnuts_core.cli.frames import frame_table
from mnuts_core.functional.statistics import share


def test_percent_shows_the_interval():
    assert percent(share(8, 10, "attacked")).plain == "80.00 [49.0, 94.3]  "
    assert percent(share(8, 10, "transfer")).plain == "80.00 [49.0, 94.3]  "
    assert percent(None).plain.strip() == "–"


def test_a_column_with_nothing_in_it_is_left_out():
    console = Console(width=120)
    with console.capture() as shown:
        console.print(
            frame_table(pd.DataFrame({"clamp": ["gelu", "relu"], "edges": ["", ""], "beta": [0.9, 0.9]}))
        )
    assert "edges" not in shown.get()
    assert "in all rows: beta = 0.9" in " ".join(shown.get().split())
