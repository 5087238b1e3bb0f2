"""Step: MMAA's images per second against the library's APGD loop, at equal budget, on the shipped pair."""

from __future__ import annotations

from mnuts_core.demo.cifar10 import load_network_of
from tests.benchmarks.gpu.job import Job
from tests.benchmarks.mmaa import LIBRARY, compare


def run(job: Job) -> None:
    """Report after each batch, so that a step that is cut off leaves what the batches before gave."""
    network = load_network_of("rob")[0].requires_grad_(False)
    n, batch = job.sizes.bench
    data = job.images("test")
    images, labels = data.images[:n], data.labels[:n]
    for sides in compare(network, images, labels, budget=job.sizes.budget, batch=batch, device=job.device):
        library = sides[LIBRARY]
        for name, side in sides.items():
            job.report(
                **{
                    f"{name}: images per second": round(side.rate, 1),
                    f"{name}: times the library": round(side.rate / library.rate, 3),
                    f"{name}: right under attack": side.right,
                    f"{name}: median |Δ margin| to the library": side.apart(library),
                }
            )
