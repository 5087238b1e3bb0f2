"""Many processes at one build: who they are, what each one's share is, and where they wait for each other.

`torchrun` starts the same command once per device, on one machine or on many. The processes exchange no
arrays: each computes whole batches and leaves them in the work folder, which all of them must see. All that
`torch.distributed` does here is a barrier, a few times in a build, and to pass a word on, so its backend
changes neither the result nor the speed. It is `nccl` where each process has a GPU and `gloo` elsewhere;
`$MNUTS_BACKEND` says otherwise. With `gloo`, a process whose partner dies ends by itself; with `nccl` it may
be left to `torchrun` to end it, and a process that waits keeps its GPU busy.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.pipeline.locks import PATIENCE

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

BACKENDS = ("gloo", "nccl")
BACKEND_VARIABLE = "MNUTS_BACKEND"
"""The environment variable that names the backend of `torch.distributed`, instead of the device's own."""

RESTART_PATIENCE = 60.0
"""Seconds that a restarted process waits for those before it to let go of the work folder."""
WAIT = timedelta(days=30)
"""How long one process waits for the slowest; one that dies ends the others at once, whatever this is."""


class World(NamedTuple):
    """The processes of one build, as one of them sees them.

    Attributes:
        rank: This process, in [0, size).
        size: How many processes.
        local_rank: This process among those of its machine: which GPU it takes.
        restarts: How often `torchrun` has started the processes again.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    restarts: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes the result and talks to the user."""
        return self.rank == 0

    @property
    def patience(self) -> float:
        """Seconds to wait for a work folder's lock: processes before a restart may be ending elsewhere."""
        return RESTART_PATIENCE if self.restarts else PATIENCE

    def share(self, batches: Sequence[int]) -> Sequence[int]:
        """Which of these batches this process computes: every size-th.

        Example:
            >>> [list(World(rank, 3).share(range(7))) for rank in range(3)]
            [[0, 3, 6], [1, 4], [2, 5]]
        """
        return batches[self.rank :: self.size]

    def device(self, device: str) -> str:
        """The device of this process, as torch names it: with several, each takes the GPU of its local rank.

        Args:
            device: As `resolve_device` takes it; with several processes `auto`, `cpu` or `cuda`.

        Raises:
            ParameterError: If it is unknown or not there, several are to share one GPU, or there are too few.
        """
        if device == "cpu":
            return device
        if self.size == 1:
            from mnuts_core.devices import resolve_device  # torch takes a second

            return str(resolve_device(device))
        import torch

        if device not in ("auto", "cuda"):
            raise ParameterError(
                f"device must be auto, cpu or cuda with {self.size} processes, got {device!r}: "
                "each takes the GPU of its local rank"
            )
        if device == "auto" and not torch.cuda.is_available():
            return "cpu"
        if self.local_rank >= torch.cuda.device_count():
            raise ParameterError(
                f"process {self.local_rank} of this machine has no GPU of its own, torch sees "
                f"{torch.cuda.device_count()}: lower --nproc-per-node, or give --device cpu"
            )
        return f"cuda:{self.local_rank}"

    def wait(self) -> None:
        """Wait until all processes are here.

        Raises:
            MnutsError: If one of them has ended.
        """
        if self.size == 1:
            return
        import torch.distributed as dist

        with self._not_alone():
            if dist.get_backend() == "nccl":
                dist.barrier(device_ids=[self.local_rank])
            else:
                dist.barrier()

    def heard(self, word: str) -> str:
        """What the first process says: all of them wait for it.

        Args:
            word: What this process would say.

        Raises:
            MnutsError: If one of them has ended.
        """
        if self.size == 1:
            return word
        import torch.distributed as dist

        words = [word]
        with self._not_alone():
            dist.broadcast_object_list(words, src=0)
        return words[0]

    @contextmanager
    def _not_alone(self) -> Iterator[None]:
        """Say so where another process has ended: then its connection is closed."""
        try:
            yield
        except RuntimeError:
            raise MnutsError(f"process {self.rank} stops: another one has ended, see its message") from None


ALONE = World()


def world_from(environment: Mapping[str, str]) -> World:
    """The world that `torchrun` describes; alone if it did not start this process.

    Args:
        environment: Environment variables.

    Raises:
        ParameterError: If they make no sense.

    Example:
        >>> world_from({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"})
        World(rank=1, size=2, local_rank=1, restarts=0)
    """
    if "WORLD_SIZE" not in environment or "RANK" not in environment:
        return ALONE
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "TORCHELASTIC_RESTART_COUNT")
    given = {name: environment.get(name, "0") for name in names}
    try:
        world = World(*(int(value) for value in given.values()))
    except ValueError:
        raise ParameterError(f"{', '.join(names)} must be integers, got {given}: use torchrun") from None
    if not 0 <= world.rank < world.size:
        raise ParameterError(f"RANK must lie in [0, WORLD_SIZE), got {given}: use torchrun")
    return world


def backend_for(device: str, environment: Mapping[str, str]) -> str:
    """The backend by which the processes wait for each other: by device, or as `$MNUTS_BACKEND` says.

    Args:
        device: Of this process, as `World.device` gives it.
        environment: Environment variables.

    Raises:
        ParameterError: If there is no such backend, or `nccl` is wanted without a GPU for each process.

    Example:
        >>> backend_for("cuda:3", {"MNUTS_BACKEND": "gloo"}), backend_for("cpu", {})
        ('gloo', 'gloo')
    """
    import torch.distributed as dist

    on_gpu, wanted = device.startswith("cuda"), environment.get(BACKEND_VARIABLE, "")
    if wanted not in (*BACKENDS, ""):
        raise ParameterError(f"${BACKEND_VARIABLE} must be one of {', '.join(BACKENDS)}, got {wanted!r}")
    if wanted == "nccl" and not (on_gpu and dist.is_nccl_available()):
        raise ParameterError(
            f"${BACKEND_VARIABLE} nccl needs a GPU for each process and a torch with NCCL, but this one "
            f"computes on {device}: leave it unset, or gloo"
        )
    return wanted or ("nccl" if on_gpu and dist.is_nccl_available() else "gloo")


@contextmanager
def joined(device: str = "auto") -> Iterator[World]:
    """Join the processes that `torchrun` has started, for as long as the block runs.

    Args:
        device: What the user wants to compute on, as for `World.device`; it decides the backend.

    Yields:
        The world; `ALONE` where this process was started by itself.

    Raises:
        ParameterError: If the processes cannot have this device or backend.
    """
    world = world_from(os.environ)
    if world.size == 1:
        yield world
        return
    import torch
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    backend = backend_for(world.device(device), os.environ)
    if backend == "nccl":
        torch.cuda.set_device(world.local_rank)
    # From torch 2.14 on, restarted processes may find the store as those before them left it, and would
    # take their addresses for their partners'. So each set of processes agrees on a part of its own first.
    store, rank, size = next(iter(rendezvous("env://", timeout=WAIT)))
    store = PrefixStore(_agreed(store, rank, size), store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=WAIT)
    try:
        yield world
    finally:
        dist.destroy_process_group()


def _agreed(store: Store, rank: int, size: int) -> str:
    """A name that these processes share, and none that wrote to the store before.

    Each leaves a fresh mark. The first offers the list of all marks until everybody has found its own mark
    in it and confirmed that; marks left by processes that are gone drop out as the new ones overwrite them.
    """
    mark = uuid.uuid4().hex
    store.set(f"mnuts/mark/{rank}", mark)
    while True:
        if rank == 0:
            offer = ",".join(_peek(store, f"mnuts/mark/{other}") for other in range(size))
            store.set("mnuts/offer", offer)
            if all(_peek(store, f"mnuts/seen/{other}") == offer for other in range(1, size)):
                store.set("mnuts/agreed", offer)
        else:
            offer = _peek(store, "mnuts/offer")
            if mark in offer.split(","):
                store.set(f"mnuts/seen/{rank}", offer)
        if mark in offer.split(",") and _peek(store, "mnuts/agreed") == offer:
            return hashlib.sha256(offer.encode()).hexdigest()
        time.sleep(0.05)


def _peek(store: Store, key: str) -> str:
    """What is stored, without waiting for it."""
    return store.get(key).decode() if store.check([key]) else ""
