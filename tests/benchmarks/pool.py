"""What a pool of four sources costs beside one source, on SYNTHETIC logits, one thread, both in one run.

Bar: at most twice the time, for a remix, Algorithm 1, the direct search, and a curve over α. Medians, wall
clock and CPU; the two take turns, so that a busy machine slows both.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.search.direct import direct_search
from mnuts_core.views.tradeoff import alpha_curve
from tests.synthetic import make_pool

SIZES = ((10_000, 1_000, 10), (10_000, 1_000, 100), (5_000, 1_000, 1_000))
SOURCES = 4
RUNS = 15


class Work(NamedTuple):
    name: str
    on: Callable[[LogitBundle], Callable[[int], object]]
    """A bundle → what is timed, given the number of the run."""
    runs: int = RUNS


def _remix(slider: str, low: float, high: float) -> Callable[[LogitBundle], Callable[[int], object]]:
    def prepared(bundle: LogitBundle) -> Callable[[int], object]:
        engine, values = RemixEngine(bundle), np.linspace(low, high, RUNS + 1)
        engine.remix(MixParams())
        return lambda run: engine.remix(MixParams(**{slider: float(values[run + 1])}))

    return prepared


def _search(bundle: LogitBundle) -> Callable[[int], object]:
    grid = GridSpec.paper("cifar10")
    return lambda run: grid_search(bundle, grid)


def _direct(bundle: LogitBundle) -> Callable[[int], object]:
    grid = GridSpec.paper("cifar10")
    return lambda run: direct_search(bundle, grid)


def _curve(bundle: LogitBundle) -> Callable[[int], object]:
    engine, scales = RemixEngine(bundle), np.linspace(0.5, 4, RUNS + 1)
    alpha_curve(engine, MixParams())
    return lambda run: alpha_curve(engine, MixParams(s=float(scales[run + 1])))


WORKS = (
    Work("remix, s", _remix("s", 0.5, 4)),
    Work("remix, p", _remix("p", 1, 4)),
    Work("remix, c", _remix("c", -1, 0.5)),
    Work("remix, beta", _remix("beta", 0.5, 0.99)),
    Work("remix, alpha", _remix("alpha", 0.5, 0.99)),
    Work("curve over alpha", _curve),
    Work("Algorithm 1", _search, 3),
    Work("direct search", _direct, 3),
)


def main() -> None:
    torch.set_num_threads(1)
    for n, m, k in SIZES:
        bundles = [make_pool(n=n, m=m, k=k, sources=sources) for sources in (1, SOURCES)]
        points = " and ".join(f"{bundle.n_points:,}" for bundle in bundles)
        print(f"{n:,}+{m:,}×{k:,}, {points} points{'':12} wall ms                 CPU ms")
        for name, on, runs in WORKS:
            both = [on(bundle) for bundle in bundles]
            spent = [[_time(work, run) for work in both] for run in range(runs)]
            (wall, cpu), (wall_4, cpu_4) = np.median(spent, axis=0).tolist()
            print(
                f"  {name:18} {wall:9.2f} → {wall_4:9.2f} {wall_4 / wall:6.2f}×"
                f" {cpu:9.2f} → {cpu_4:9.2f} {cpu_4 / cpu:6.2f}×"
            )


def _time(work: Callable[[int], object], run: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work(run)
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)
