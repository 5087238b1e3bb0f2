"""Algorithm 1 on 512 cells against the authors' map in a plain loop, on SYNTHETIC logits, both in one run.

Bars: at most 1/30 of the loop's time at both sizes, with the same objective table; the frontier over 200 β in
0.1 s at most. Times are medians, wall clock and CPU; on a busy machine only the CPU's can be compared.
"""

import time
from typing import NamedTuple

import numpy as np
import torch

from mnuts_core import GridSpec, LogitBundle, beta_frontier, grid_search
from mnuts_core.models.compat import import_robustbench
from tests.synthetic import make_arrays

EVERY = 32
"""The plain loop visits every 32nd cell, and its time is multiplied: the whole would take minutes."""
RUNS = 5
SIZES = ((2_478, 4_267, 100, "cifar100"), (575, 212, 1_000, "imagenet"))
"""Attacked examples that h gets right, clean ones that it gets wrong, classes, grid."""


class Spent(NamedTuple):
    wall: float
    cpu: float


def main() -> None:
    import_robustbench()
    for n_right, n_wrong, k, name in SIZES:
        bundle, grid = _bundle(n_right, n_wrong, k), GridSpec.paper(name)
        ours, result = _median(lambda bundle=bundle, grid=grid: grid_search(bundle, grid))
        frontier, _ = _median(lambda result=result: beta_frontier(result))
        authors, worst = _authors(bundle, grid, result)
        print(
            f"{result.n_right:,} attacked right + {result.n_wrong:,} clean wrong × {k:,} classes, 512 cells"
        )
        print(f"  grid_search     wall {ours.wall:7.3f} s   CPU {ours.cpu:7.3f} s")
        print(f"  authors' map    wall {authors.wall:7.3f} s   CPU {authors.cpu:7.3f} s   (every {EVERY}th)")
        print(
            f"  ratio           wall {authors.wall / ours.wall:6.1f}×    CPU {authors.cpu / ours.cpu:6.1f}×"
        )
        print(f"  largest difference of the objective outside saturated cells: {worst:.2e}")
        print(f"  frontier, 200 β wall {frontier.wall:7.3f} s   CPU {frontier.cpu:7.3f} s")


def _bundle(n_right: int, n_wrong: int, k: int) -> LogitBundle:
    """As many rows of either kind as asked for; each image is clean and attacked."""
    n = 16_000 if k < 500 else 2_400
    drawn = LogitBundle.from_arrays(**make_arrays(n=n, m=n, k=k, boost=1.3 if k < 500 else 2.5))
    index, attacked = drawn.attacked.index, drawn.attacked
    wrong = drawn.clean_rob_logits[index].argmax(1) != attacked.labels
    right = attacked.rob_logits.argmax(1) == attacked.labels
    keep = np.concatenate(
        [
            np.flatnonzero(wrong & ~right)[:n_wrong],
            np.flatnonzero(right & ~wrong)[:n_right],
        ]
    )
    rows = index[keep]
    return LogitBundle.from_arrays(
        clean_labels=drawn.clean_labels[rows],
        clean_std_logits=drawn.clean_std_logits[rows],
        clean_rob_logits=drawn.clean_rob_logits[rows],
        adv_index=np.arange(len(rows)),
        adv_std_logits=attacked.std_logits[keep],
        adv_rob_logits=attacked.rob_logits[keep],
    )


def _median(work) -> tuple[Spent, object]:
    spent = []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = work()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return Spent(*np.median(spent, axis=0).tolist()), answer


def _authors(bundle, grid, result) -> tuple[Spent, float]:
    from robustbench.model_zoo.architectures.output_maps import LNClampPowerScaleMap

    labels, index = bundle.clean_labels, bundle.attacked.index
    clean, attacked = (
        torch.from_numpy(bundle.clean_rob_logits[index]),
        torch.from_numpy(bundle.attacked.rob_logits),
    )
    wrong = clean[clean.argmax(1).numpy() != labels[index]]
    right = attacked[attacked.argmax(1).numpy() == labels[index]]
    worst, spent = 0.0, []
    for cell in list(np.ndindex(grid.shape))[::EVERY]:
        wall, cpu = time.perf_counter(), time.process_time()
        s, p, c = (float(axis[place]) for axis, place in zip(grid.axes().values(), cell, strict=True))
        transform, margins = LNClampPowerScaleMap(scale=s, power=p, clamp_bias=c), []
        for logits in (right, wrong):
            top = transform(logits, return_probs=True).topk(2, 1).values
            margins.append((top[:, 0] - top[:, 1]).numpy())
        q = np.percentile(margins[0], 100 * (1 - result.beta))
        objective = (margins[1] >= min(q, 1 - 1e-9)).mean()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
        if not result.saturated[cell]:
            worst = max(worst, abs(objective - result.objective[cell]))
    return Spent(*(np.median(spent, axis=0) * grid.size).tolist()), worst
