"""Processes that share work wait for each other by NCCL where they compute on GPUs, else by Gloo."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from mnuts_core.pipeline.distributed import World, backend_for


def test_one_rank(device: str, tmp_path: Path) -> None:
    backend = backend_for(World(0, 2, 0).device(device), {})
    assert backend == ("gloo" if device == "cpu" else "nccl")
    store = dist.FileStore(str(tmp_path / "store"), 1)
    dist.init_process_group(backend, store=store, rank=0, world_size=1, timeout=timedelta(seconds=30))
    try:
        World(0, 2, 0).wait()  # as if there were another
        total = torch.full((3,), 2.0, device=device)
        dist.all_reduce(total)
        assert total.tolist() == [2.0] * 3
    finally:
        dist.destroy_process_group()
