"""Run the steps: `python -m tests.benchmarks.gpu [--out DIR] [--total SECONDS] [--rehearsal] [STEP ...]`."""

import argparse
import sys
from pathlib import Path

from tests.benchmarks.gpu.runner import run_steps
from tests.benchmarks.gpu.steps import STEPS


def run() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu", description=__doc__)
    names = [step.name for step in STEPS]
    parser.add_argument("names", nargs="*", metavar="STEP", help=f"some of {', '.join(names)}; default all")
    parser.add_argument("--out", type=Path, default=Path("build/gpu"), metavar="DIR", help="for the results")
    parser.add_argument(
        "--total", type=float, default=sum(step.limit for step in STEPS), metavar="SECONDS", help="for all"
    )
    parser.add_argument("--rehearsal", action="store_true", help="tiny sizes, on the CPU")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(names)):
        parser.error(f"unknown {', '.join(unknown)}: there are {', '.join(names)}")
    import torch

    if not (given.rehearsal or torch.cuda.is_available()):
        parser.error("torch sees no GPU: --rehearsal runs everything on the CPU, with tiny sizes")
    more = ["--rehearsal"] if given.rehearsal else []
    summary = run_steps(
        [step for step in STEPS if step.name in given.names or not given.names],
        given.out,
        lambda name: [sys.executable, "-m", "tests.benchmarks.gpu.one_step", name, str(given.out), *more],
        total=given.total,
    )
    print(f"results: {given.out / 'summary.md'}")
    return 0 if summary.ended_well else 1


if __name__ == "__main__":
    sys.exit(run())
