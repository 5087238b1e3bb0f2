"""Batches that one or many processes compute, each its share, through a work folder that all of them see."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mnuts_core.errors import MnutsError
from mnuts_core.models.inputs import Progress
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.workfolder import Arrays, WorkFolder

SLOW_DISK = 60.0
"""Seconds until a file that one machine wrote must be seen by the others."""


def finish(
    compute: Callable[[int, Progress | None], Arrays],
    costs: Sequence[int],
    work: WorkFolder | None,
    world: World = ALONE,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
) -> list[Arrays]:
    """Compute the batches that are missing, this process its share of them, and return all.

    Args:
        compute: Batch number → its arrays; the same whichever process computes it, and when.
        costs: How much work each batch is.
        work: Where finished batches are kept; None for a single process that keeps none.
        world: The processes that share the work.
        fresh: Throw away what is in the work folder.
        progress: Called with (work done, work in all) of this process's share.

    Returns:
        The arrays of every batch, in order.

    Raises:
        MnutsError: If another process has ended, or its batches cannot be seen.
        WorkFolderError: If the folder was begun with other settings, or cannot be written.
    """
    done = _begin(len(costs), work, world, fresh)
    share = world.share([number for number in range(len(costs)) if number not in done])
    total, before = sum(costs[number] for number in share), 0
    for number in share:
        done[number] = compute(number, _after(before, total, progress))
        before += costs[number]
        if work is not None:
            work.write(number, done[number])
    world.wait()
    batches = [done.get(number) or from_others(work, number) for number in range(len(costs))]
    world.wait()  # nobody may clear the work folder before all have read it
    return batches


def _begin(n: int, work: WorkFolder | None, world: World, fresh: bool) -> dict[int, Arrays]:
    """Open the work folder, and read the batches that an earlier process has finished."""
    if work is None:
        return {}
    if world.is_first:
        work.open(fresh=fresh)
    world.wait()
    work.check()
    found = {number: work.read(number) for number in range(n)}
    world.wait()  # nobody may finish a batch while another still looks which are missing
    return {number: arrays for number, arrays in found.items() if arrays is not None}


def from_others(
    work: WorkFolder | None, number: int, finished: Callable[[Arrays], bool] = lambda arrays: True
) -> Arrays:
    """A batch that another process has finished; a network's disk may show it a little later.

    Args:
        work: Where it is kept.
        number: Its number.
        finished: Whether what is there is the whole of it, where batches are kept in between, too.

    Raises:
        MnutsError: If it does not come.
    """
    give_up = time.monotonic() + SLOW_DISK
    while work is not None:
        if (arrays := work.read(number)) is not None and finished(arrays):
            return arrays
        if time.monotonic() > give_up:
            break
        time.sleep(SLOW_DISK / 60)
    raise MnutsError(
        f"batch {number} of another process is not in {work and work.path}: all processes must see "
        "the same folder, put it on a shared disk"
    )


def _after(before: int, total: int, progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda done, _: progress(before + done, total)
