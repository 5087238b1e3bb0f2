"""Step: the tests that are marked for a GPU."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

from tests import ROOT
from tests.benchmarks.gpu.job import Job

OUTCOME = re.compile(r"^(\S+::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b")
"""A line of `pytest -v`: which test, and what came of it."""


def run(job: Job) -> None:
    """Run pytest; report how many passed, failed and were skipped, also if the step is cut off.

    Raises:
        RuntimeError: If a test failed, or none ran.
    """
    paths = [str(ROOT / place) for place in job.sizes.tests]
    options = ["-v", "-rs", "--tb=short", "-m", job.sizes.marked, "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *paths]
    job.numbers.clear()
    counts: Counter[str] = Counter()
    failed: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as pytest:
        assert pytest.stdout is not None  # it was asked for
        for line in pytest.stdout:
            print(line, end="", flush=True)
            if found := OUTCOME.match(line):
                counts[found[2].lower()] += 1
                failed += [found[1]] * (found[2] in ("FAILED", "ERROR"))
                job.report(**dict(counts))
    if failed:
        job.report(**{"which failed": ", ".join(failed)})
    if pytest.returncode or not counts["passed"]:
        raise RuntimeError(f"pytest ended with {pytest.returncode}: {dict(counts) or 'no test was found'}")
