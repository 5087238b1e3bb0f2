"""One remix in the kernel, per slider, on SYNTHETIC logits, one thread as in the dashboards.

Bars: 10,000×100 worst slider 20 ms; β or α alone 1 ms.
"""

import time

import numpy as np
import torch

from mnuts_core import MixParams, RemixEngine
from tests.synthetic import make_bundle

SIZES = ((10_000, 1_000, 10), (10_000, 1_000, 100), (5_000, 1_000, 1_000))
SLIDERS = {
    "s": np.geomspace(0.1, 5, 40),
    "p": np.linspace(1, 5, 40),
    "c": np.linspace(-2, 1, 40),
    "beta": np.linspace(0.5, 1, 40),
    "alpha": np.linspace(0.5, 1, 40),
    "temperature": np.linspace(0.1, 2, 10),
}


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'size':>18} " + " ".join(f"{name:>16}" for name in SLIDERS) + "   median / p95 ms")
    for n, m, k in SIZES:
        engine = RemixEngine(make_bundle(n=n, m=m, k=k))
        engine.remix(MixParams())
        cells = []
        for name, values in SLIDERS.items():
            times = [_time(engine, MixParams(**{name: float(value)})) for value in values]
            cells.append(f"{np.median(times):7.2f} /{np.quantile(times, 0.95):7.2f}")
        print(f"{f'{n:,}+{m:,}×{k:,}':>18} " + " ".join(f"{cell:>16}" for cell in cells))


def _time(engine: RemixEngine, params: MixParams) -> float:
    start = time.perf_counter()
    engine.remix(params)
    return 1e3 * (time.perf_counter() - start)
