"""One step in a process of its own: `python -m tests.benchmarks.gpu.one_step NAME DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from mnuts_core.devices import resolve_device
from tests import CIFAR10
from tests.benchmarks.gpu.job import Job
from tests.benchmarks.gpu.sizes import FULL, TINY
from tests.benchmarks.gpu.steps import STEPS
from tests.benchmarks.gpu.synthetic import SYNTHETIC


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[step.name for step in STEPS])
    parser.add_argument("out", type=Path)
    parser.add_argument("--rehearsal", action="store_true")
    given = parser.parse_args()
    rehearsal = given.rehearsal
    step = next(step for step in STEPS if step.name == given.name)
    job = Job(
        step=step.name,
        out=given.out,
        data=f"cifar10-jpeg:{CIFAR10}" if CIFAR10 else SYNTHETIC if rehearsal else "",
        device=str(resolve_device("cpu" if rehearsal else "auto")),
        sizes=TINY if rehearsal else FULL,
    )
    step.run(job)
    job.report()


if __name__ == "__main__":
    main()
