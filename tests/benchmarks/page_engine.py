"""The page's engine, slider by slider, on SYNTHETIC logits, in node, on one core: milliseconds of CPU time.

For each size and slider the median / 95th percentile of a remix, and of a frame with the views of a page;
then a search. Bars for s, p and c, with nothing kept between frames, stand beside each size. T above 0, clamp
and top-k have none.
"""

import subprocess
from pathlib import Path

from tests.dashboards.web.node import node

DRIVER = Path(__file__).with_suffix(".mjs")


def main() -> None:
    """Measure and print a table: median / 95th percentile."""
    program = node()
    if program is None:
        print("neither node nor Playwright is here")
        return
    subprocess.run([program, DRIVER], check=True)
