"""One remix in the page's engine, per slider, on SYNTHETIC logits, in node: milliseconds of CPU time.

Bars, one core and nothing kept between frames, for s, p and c: as printed beside each size. β or α alone:
0.3 ms. T above 0 has none.
"""

import subprocess
from pathlib import Path

from tests.dashboards.web.engine import node

DRIVER = Path(__file__).with_suffix(".mjs")


def main() -> None:
    """Measure and print a table: median / 95th percentile."""
    program = node()
    if program is None:
        print("neither node nor Playwright is here")
        return
    subprocess.run([program, DRIVER], check=True)
