"""How much of this machine one visitor, one attack and all visitors together may take."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

GIB = 2**30
PER_VISITOR = GIB // 2
"""Bytes that a visitor's kernel takes after an attack or a report, most of them PyTorch's."""
RESERVE = 4 * GIB
"""Bytes for the server, an attack and the system."""
LEAST_VISITORS, MOST_VISITORS = 4, 100


def memory() -> int:
    """Bytes of memory that this process and its like may use: the machine's, or the container's if less."""
    total = int(psutil.virtual_memory().total)
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max" is no number
            total = min(total, int(Path(name).read_text("ascii")))
    return total


def default_visitors() -> int:
    """How many visitors fit into the memory, at about half a GiB each."""
    return max(LEAST_VISITORS, min(MOST_VISITORS, (memory() - RESERVE) // PER_VISITOR))


def share_of_one() -> int:
    """Bytes that one kernel or one attack may take until it is ended: a quarter of all, at least 3 GiB."""
    return max(3 * GIB, memory() // 4)


def used_by(process: int) -> int:
    """Bytes that a process holds in memory; 0 if there is no such process."""
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0
