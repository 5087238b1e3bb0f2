"""Commands that are stopped, started twice, or find a full disk or output: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mnuts_core.bundles import library, named
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.app import run
from mnuts_core.demo import digits
from mnuts_core.export.config import MixConfig
from mnuts_core.params import BETAS, MixParams
from mnuts_core.pipeline.locks import LOCK, held
from mnuts_core.pipeline.workfolder import count_batches, work_folder_of
from mnuts_core.remix.engine import RemixEngine

MODELS = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")
PAIR = (*MODELS, "--norm", "Linf", "--eps", "3/16", "--n-targets", 2, "--precision", "full")
BUILD = ("build", *PAIR, "--n-clean", 160, "--n-iter", 10, "--batch-size", 20)
SHORT = ("build", *PAIR, "--n-clean", 60, "--n-iter", 2)
POINT = ("--s", 5, "--p", 4, "--c", -0.6, "--beta", 0.95)
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}

MANY = """
import resource, sys
from mnuts_core.cli.app import run
limit, *commands = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
for command in commands:
    code = run(command.split())
    print(f"{command.split()[0]} {code}", file=sys.stderr)
"""


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "mnuts_core.cli", *map(str, words)]


def many(*commands: tuple, limit: int = 10**9, **options: Any) -> list[str]:
    """What several commands, one after another in one process, and its end say on standard error.

    No file may grow beyond the limit, in bytes. Each command's first word and exit code come after its lines.
    """
    words = [" ".join(map(str, words)) for words in commands]
    call = [sys.executable, "-c", MANY, str(limit), *words]
    done = subprocess.run(call, env=ALONE, stderr=subprocess.PIPE, text=True, timeout=100, **options)
    return done.stderr.splitlines()


@contextmanager
def started(*words: object, until: Callable[[], bool]) -> Iterator[subprocess.Popen[str]]:
    """A command that runs, and has come so far."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(*words), text=True, env=ALONE, **pipes) as process:
        deadline = time.monotonic() + 100
        while not until():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_stopped(mnuts, tmp_path: Path, number: int) -> None:
    """The second is reported; it ends in order and shows how to go on; and it goes on to the same bytes."""
    out, whole = tmp_path / "b.safetensors", tmp_path / "whole.safetensors"
    work = work_folder_of(out)
    with started(*BUILD, "--out", out, until=lambda: count_batches(work) > 0) as build:
        build.send_signal(signal.SIGSTOP)  # so that it does not end meanwhile
        second = mnuts(*BUILD, "--out", out)
        build.send_signal(number)
        build.send_signal(signal.SIGCONT)
        printed, err = build.communicate(timeout=100)
    assert second[:2] == (2, "")
    assert f"mnuts: {work} is in use by process {build.pid} on " in second.err
    assert (build.returncode, printed) == (128 + number, "")
    assert err.strip() == f"stopped: the same command goes on where this one was, from {work}"
    assert not out.exists()
    assert not [file for file in work.iterdir() if file.name.startswith(".")], "no lock, nothing half written"
    if number == signal.SIGTERM:
        code, _, err = mnuts(*BUILD, "--out", out)
        assert code == 0
        assert "of 8 batches done" in err
        assert sorted(tmp_path.iterdir()) == [out]
        assert mnuts(*BUILD, "--out", whole).code == 0
        assert LogitBundle.load(out).digest == LogitBundle.load(whole).digest


@pytest.mark.slow
def test_one_evaluation_at_a_time_for_each_target(mnuts, tmp_path: Path) -> None:
    """Another attack on the same target is another evaluation; a killed one leaves no lock."""
    mix, out = tmp_path / "mix.json", tmp_path / "out.json"
    assert mnuts("export", "digits", *POINT, "--out", mix).code == 0
    evaluate = ("evaluate", mix, *MODELS, "--n", 10, "--n-iter", 1, "--out", out)
    work = work_folder_of(f"{out}.transfer")
    long = (*evaluate, "--n", 1000, "--n-iter", 100)
    with started(*long, until=(work / LOCK).exists) as first:
        for attack in ("transfer", "bypass"):
            code, printed, err = mnuts(*evaluate, "--attack", attack)
            assert (code, printed) == (2, "")
            assert f"mnuts: {work} is in use by process {first.pid} on " in err
        first.kill()
        first.wait()
    assert sorted(tmp_path.iterdir()) == [mix, work]
    assert mnuts(*evaluate, "--fresh").code == 0
    assert sorted(tmp_path.iterdir()) == [mix, out]


def test_outputs_are_looked_at_again_once_the_folder_is_free(
    mnuts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the lock finds the bundle there, and does not do the work again."""
    out = tmp_path / "b.safetensors"

    def written_meanwhile(*_: object, **__: object) -> object:
        out.write_text("precious")
        return held(work_folder_of(out))

    monkeypatch.setattr("mnuts_core.cli.shared_run.resumable", written_meanwhile)
    monkeypatch.setattr("mnuts_core.cli.build.load_all", lambda *_, **__: pytest.fail("the work has begun"))
    code, _, err = mnuts(*BUILD, "--out", out)
    assert code == 2
    assert "b.safetensors exists already" in err
    assert out.read_text() == "precious"


def stop_with(number: int) -> Callable[[object], None]:
    def stop(_: object) -> None:
        signal.raise_signal(number)

    return stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_exit_code_names_the_signal_and_handlers_are_put_back(mnuts, monkeypatch, number: int) -> None:
    monkeypatch.setattr(library, "find_bundle", stop_with(number))
    before = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        assert mnuts("info", "x") == (128 + number, "", "")
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_what_the_caller_ignores_stays_ignored(mnuts, monkeypatch) -> None:
    """As under nohup."""
    monkeypatch.setattr(library, "find_bundle", stop_with(signal.SIGHUP))
    monkeypatch.setattr(named, "find_bundle", lambda _: None)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert mnuts("info", "x").code == 1  # it went on, to what the false bundle leads to
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_full_standard_output_is_reported_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        lines = many(("info",), ("info", "--json"), ("--help",), ("remix", "digits", *POINT), stdout=full)
    assert len(lines) == 8, "and nothing at the end of the process"
    for line, code in zip(lines[::2], lines[1::2], strict=True):
        assert line.startswith("mnuts: cannot write")
        assert line.endswith(": No space left on device")
        assert code.endswith(" 2")


def test_a_closed_standard_output_is_quiet() -> None:
    shell = ["sh", "-c", '"$@" <&- >&-', "sh", *command("--version")]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("words", "code"), [(("search", "digits", "--json"), 0), (("nope",), 2)])
def test_a_full_standard_error_stops_nothing(words: tuple[str, ...], code: int) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*words), env=ALONE, stdout=subprocess.PIPE, stderr=full, text=True, timeout=100
        )
    assert done.returncode == code
    assert done.stdout.startswith("{") is (code == 0)


def test_a_full_disk_is_reported_in_one_line_and_leaves_nothing_half_written(
    toy: Path, tmp_path: Path
) -> None:
    full = {
        "w.mnuts-work/batch-000000.safetensors": (*SHORT, "--out", "w"),
        "b": (*SHORT, "--batch-size", 10, "--out", "b"),
        "r/report.md": ("report", toy, "--beta", 0.95, "--out", "r"),
    }
    lines = many(*full.values(), limit=2500, cwd=tmp_path, stdout=subprocess.DEVNULL)
    for file, words in full.items():
        line = lines.index(f"mnuts: cannot write {file}: File too large")
        assert lines[line + 1] == f"{words[0]} 2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.mnuts-work", toy.name, "w.mnuts-work"]
    assert len(list((tmp_path / "b.mnuts-work").glob("batch-*"))) == 6, "with which the build goes on"
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_an_interrupted_demo_leaves_nothing_that_looks_whole(mnuts, tmp_path: Path, monkeypatch) -> None:
    """Its finished files wait in the work folder, and the same command goes on."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    networks = dict(zip(("std", "rob"), digits.load_digits_models(), strict=True))
    bundle = LogitBundle.load(library.find_bundle("digits"))
    monkeypatch.setattr(digits, "train_digits", lambda role, **_: networks[role])
    monkeypatch.setattr(digits, "build_bundle", lambda *_, **__: bundle)
    monkeypatch.setattr(digits, "refine_and_verify", stop)
    demo = ("demo", "build", "digits", "--out", tmp_path / "out")
    code, _, err = mnuts(*demo)
    assert code == 130
    work = tmp_path / "out" / "digits.demo-work"
    assert f"stopped: the same command goes on where this one was, from {work}" in err
    assert list((tmp_path / "out").iterdir()) == [work]

    def choose(bundle: LogitBundle, *_: object, **__: object) -> tuple[LogitBundle, dict[str, MixConfig]]:
        config = MixConfig.from_remix(RemixEngine(bundle), MixParams(alpha=0.9))
        return bundle, {f"digits-beta{str(beta)[2:]}.json": config for beta in BETAS}

    monkeypatch.setattr(digits, "refine_and_verify", choose)
    assert mnuts(*demo).code == 0
    names = ["digits-beta95.json", "digits-beta985.json", "digits-rob.safetensors", "digits-std.safetensors"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*names, "digits.safetensors"]
    assert run([str(word) for word in demo]) == 2, "which are not overwritten unasked"
