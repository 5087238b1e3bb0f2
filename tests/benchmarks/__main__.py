"""Run the benchmarks: `python -m tests.benchmarks [NAME ...]`."""

import argparse
import platform

import torch

from tests.benchmarks import browser_latency, mmaa, page_engine, page_file, pool, remix, search

BENCHMARKS = {
    "browser_latency": browser_latency.main,
    "mmaa": mmaa.main,
    "page_engine": page_engine.main,
    "page_file": page_file.main,
    "pool": pool.main,
    "remix": remix.main,
    "search": search.main,
}


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}; default all"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for name in names:
        print(f"\n== {name}")
        BENCHMARKS[name]()


if __name__ == "__main__":
    run()
