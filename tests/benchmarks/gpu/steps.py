"""The steps in the order of their value, each with its time limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.benchmarks.gpu import marked_tests, pool, throughput, training, verification
from tests.benchmarks.gpu.job import Job


class Step(NamedTuple):
    """One step.

    Attributes:
        name: As results and options call it.
        run: Does it.
        limit: Seconds after which it is ended; what it has finished stays.
        after: Steps whose results it uses: when one of them has run again, it runs again.
    """

    name: str
    run: Callable[[Job], None]
    limit: float
    after: tuple[str, ...] = ()


STEPS = (
    Step("tests", marked_tests.run, 90),
    Step("throughput", throughput.run, 60),
    Step("training", training.run, 330),
    Step("pool", pool.run, 150, after=("training",)),
    Step("verification", verification.run, 90, after=("training", "pool")),
)
"""Twelve minutes in all."""
