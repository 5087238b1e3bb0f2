"""Who computes what under torchrun; and two processes, one of them killed, against one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.app import run
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.pipeline import shared_work
from mnuts_core.pipeline.distributed import ALONE, World, backend_for, joined, world_from
from mnuts_core.pipeline.shared_work import finish
from mnuts_core.pipeline.workfolder import WorkFolder

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits")
THREAT = ("--norm", "Linf", "--eps", "3/16", "--n-iter", "6", "--n-targets", "2", "--device", "cpu")
BUILD = ("build", *PAIR, *THREAT, "--n-clean", "130", "--n-adv", "90", "--batch-size", "20")

RANK = """
import os, signal, sys
from mnuts_core.cli.app import run
from mnuts_core.pipeline.workfolder import WorkFolder

write, log, first_life = WorkFolder.write, sys.argv[1], os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"

def write_and_die(self, number, arrays):
    write(self, number, arrays)
    with open(log, "a") as stream:
        print(os.environ["RANK"], number, file=stream, flush=True)
    if first_life and os.environ["RANK"] == "1" and number == 3:
        os.kill(os.getpid(), signal.SIGKILL)

WorkFolder.write = write_and_die
sys.exit(run(sys.argv[2:]))
"""


def test_alone_without_torchrun() -> None:
    assert world_from({}) == ALONE
    assert world_from({"RANK": "3"}) == ALONE
    with joined() as world:
        assert world == ALONE
    world.wait()


def test_torchrun_says_who_we_are() -> None:
    env = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "TORCHELASTIC_RESTART_COUNT": "2"}
    assert world_from(env) == World(rank=5, size=8, local_rank=1, restarts=2)
    for wrong in ({"RANK": "x"}, {"RANK": "8"}, {"WORLD_SIZE": "0"}):
        with pytest.raises(ParameterError, match="RANK"):
            world_from(env | wrong)


def test_shares_are_disjoint_and_complete() -> None:
    shares = [list(World(rank, 3).share([1, 2, 5, 6, 9])) for rank in range(3)]
    assert shares == [[1, 6], [2, 9], [5]]


def test_each_process_takes_its_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert World(1, 2, 1).device("cpu") == "cpu"
    with pytest.raises(ParameterError, match="device must be auto, cpu or cuda with 2 processes"):
        World(1, 2, 1).device("cuda:1")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert (ALONE.device("auto"), ALONE.device("cuda:1")) == ("cuda", "cuda:1")
    assert World(5, 8, 1).device("auto") == "cuda:1"
    with pytest.raises(ParameterError, match="has no GPU of its own, torch sees 2"):
        World(7, 8, 3).device("cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert World(7, 8, 3).device("auto") == ALONE.device("auto") == "cpu"
    with pytest.raises(ParameterError, match="torch sees no GPU"):
        ALONE.device("cuda")


def test_the_backend_follows_the_device_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: True)
    assert backend_for("cpu", {}) == "gloo"
    assert backend_for("cuda:1", {}) == "nccl"
    assert backend_for("cuda:1", {"MNUTS_BACKEND": "gloo"}) == "gloo"
    assert backend_for("cuda:1", {"MNUTS_BACKEND": "nccl"}) == "nccl"
    with pytest.raises(ParameterError, match=r"\$MNUTS_BACKEND nccl needs a GPU .* computes on cpu"):
        backend_for("cpu", {"MNUTS_BACKEND": "nccl"})
    with pytest.raises(ParameterError, match=r"\$MNUTS_BACKEND must be one of gloo, nccl, got 'mpi'"):
        backend_for("cpu", {"MNUTS_BACKEND": "mpi"})
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: False)
    assert backend_for("cuda:1", {}) == "gloo"


def test_a_batch_that_others_hide_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "wait", lambda self: None)
    monkeypatch.setattr(shared_work, "SLOW_DISK", 0.05)
    work = WorkFolder(tmp_path / "w", {})

    def compute(number: int, progress: Any) -> dict[str, Any]:
        return {"x": np.full(2, number)}

    with pytest.raises(MnutsError, match=r"batch 1 of another process is not in .* shared disk"):
        finish(compute, [1] * 4, work, World(0, 2))
    finish(compute, [1] * 4, work, World(0, 1))
    batches = finish(compute, [1] * 4, work, World(1, 2))
    assert [int(batch["x"][0]) for batch in batches] == [0, 1, 2, 3]


@pytest.mark.slow
def test_two_processes_one_of_them_killed_give_the_bytes_of_one(tmp_path: Path) -> None:
    (tmp_path / "rank.py").write_text(RANK)
    two, one, log = tmp_path / "two.safetensors", tmp_path / "one.safetensors", tmp_path / "log"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "--max-restarts", "1", tmp_path / "rank.py", log, *BUILD, "--out", two]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC")}
    done = subprocess.run(
        [str(word) for word in [*command, "--json", tmp_path / "two.json"]],
        env=clean | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert run([*BUILD, "--out", str(one)]) == 0
    bundle = LogitBundle.load(two)
    assert bundle.digest == LogitBundle.load(one).digest
    assert (bundle.n_clean, bundle.n_adv) == (130, 90)
    assert json.loads((tmp_path / "two.json").read_text())["manifest"]["digest"] == bundle.digest
    written = [line.split() for line in log.read_text().splitlines()]
    assert {rank for rank, _ in written} == {"0", "1"}
    numbers = [number for _, number in written]
    assert len(numbers) == len(set(numbers)), "restarted processes found the batches that were finished"
    assert done.stdout.count("written: ") == 1, "one process reports"
    assert not (tmp_path / "two.safetensors.mnuts-work").exists()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


WAYS = {
    "static, MMAA": (
        ("--node_rank={node}", "--master_addr=127.0.0.1", "--master_port={port}"),
        ("--n-iter", "6", "--n-targets", "2"),
    ),
    "c10d, Square": (
        ("--rdzv-backend=c10d", "--rdzv-id=7", "--rdzv-endpoint=127.0.0.1:{port}"),
        ("--attack", "square", "--n-queries", "30"),
    ),
}
"""How the nodes find each other, the second as in README's Slurm script; and what they run."""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_two_nodes_on_one_folder_give_the_bytes_of_one(tmp_path: Path, way: str) -> None:
    meeting, attack = WAYS[way]
    two, one, port = tmp_path / "two.safetensors", tmp_path / "one.safetensors", free_port()
    sizes = ("--n-clean", "130", "--n-adv", "90", "--batch-size", "20", "--device", "cpu")
    build = ("build", *PAIR, *THREAT[:4], *attack, *sizes)
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc_per_node=1")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC")}
    nodes = [
        subprocess.Popen(
            [
                *torchrun,
                *(word.format(node=node, port=port) for word in meeting),
                *("-m", "mnuts_core.cli", *build, "--out", str(two)),
            ],
            env=clean | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for node in range(2)
    ]
    try:
        outputs = [node.communicate(timeout=240) for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    assert [node.returncode for node in nodes] == [0, 0], outputs
    assert sorted(out.count("written: ") for out, _ in outputs) == [0, 1], "one process reports"
    assert run([*build, "--out", str(one)]) == 0
    assert LogitBundle.load(two).digest == LogitBundle.load(one).digest
    assert not (tmp_path / "two.safetensors.mnuts-work").exists()
