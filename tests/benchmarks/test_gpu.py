"""A rehearsal of `make gpu` on the CPU: each step with tiny sizes, its limit, and what a second call does."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.demo.cifar10 import load_network_of
from mnuts_core.demo.cifar10_wide import RECIPES
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from tests.benchmarks.gpu import marked_tests, pool, throughput, training, verification
from tests.benchmarks.gpu.job import SHIPPED, TRAINED, Job
from tests.benchmarks.gpu.runner import run_steps
from tests.benchmarks.gpu.sizes import TINY
from tests.benchmarks.gpu.steps import STEPS
from tests.benchmarks.gpu.summary import State, Summary
from tests.benchmarks.gpu.synthetic import SYNTHETIC


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of training, pool and verification, in a row."""
    folder = tmp_path_factory.mktemp("gpu")
    for step in (training, pool, verification):
        step.run(job(folder, step.__name__.rpartition(".")[2]))
    return folder


def job(out: Path, step: str) -> Job:
    return Job(step, out, SYNTHETIC, "cpu", TINY)


def numbers(out: Path, step: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((out / "results" / f"{step}.json").read_text())[
        "numbers"
    ]
    return found


def test_the_pair_is_trained_and_carries_its_cards(out: Path) -> None:
    for role in ("std", "rob"):
        network, card = load_network_of(role, out / TRAINED)
        assert card.architecture == network.architecture
        assert card.training.split.endswith("but the last 16")
        assert "weights" in card.recipe
        assert numbers(out, "training")[f"{role}: clean"]["n"] == TINY.n_test
    assert card.attacked is not None
    assert card.attacked.n == TINY.n_test


def test_mixes_are_chosen_on_one_half_and_reported_on_the_other(out: Path) -> None:
    found = numbers(out, "pool")
    attacked = {name: number for name, number in found.items() if "attacked, round" in name}
    assert {number["n"] for number in attacked.values()} == {TINY.n_test // 2}
    assert found["pair"]["value"] == TRAINED
    path = pool.newest(out / TRAINED / "pool")
    assert path is not None
    assert path.name == f"round-{TINY.rounds}.safetensors"
    bundle = LogitBundle.load(path)
    assert bundle.manifest.std_attacked
    assert not bundle.manifest.optimistic
    halves = [pool.half_of(bundle, second=second) for second in (False, True)]
    assert [half.n_clean for half in halves] == [20, 20]
    assert sum(half.n_points for half in halves) == bundle.n_points


def test_mixes_are_verified_and_figures_never_above(out: Path) -> None:
    folder = out / TRAINED / "verified"
    configs = [MixConfig.load(path) for path in folder.glob("*.json")]
    assert len(configs) == len(list((out / TRAINED / "pool").glob("*.json"))) >= 2
    for config in configs:
        assert config.verified is not None
        assert config.verified.accuracy.n == TINY.verified[0]


def test_what_is_there_is_not_made_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: object, **__: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(training, "train_wide", again)
    monkeypatch.setattr(pool, "build_bundle", again)
    monkeypatch.setattr(pool, "attack_pool", again)
    monkeypatch.setattr(verification, "verify_mixes", again)
    before = {step: numbers(out, step) for step in ("training", "pool", "verification")}
    training.run(job(out, "training"))
    pool.run(job(out, "pool"))
    verification.run(job(out, "verification"))
    assert {step: numbers(out, step) for step in before} == before


def test_a_pool_that_has_grown_is_verified_anew(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def verify(bundle: LogitBundle, *_: object, **__: object) -> None:
        seen.append(bundle.digest)
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "verify_mixes", verify)
    (out / TRAINED / "verified" / "pool.txt").write_text("sha256:another")
    with pytest.raises(KeyboardInterrupt):
        verification.run(job(out, "verification"))
    path = pool.newest(out / TRAINED / "pool")
    assert path is not None
    assert seen == [LogitBundle.load(path).digest]


def test_without_a_trained_pair_the_shipped_one_is_attacked(tmp_path: Path) -> None:
    which, std, rob = job(tmp_path, "pool").pair()
    assert which == SHIPPED
    assert not any(parameter.requires_grad for model in (std, rob) for parameter in model.parameters())
    with pytest.raises(MnutsError, match="the step pool has to come first"):
        verification.run(job(tmp_path, "verification"))


def test_throughput_is_reported_for_every_side(tmp_path: Path) -> None:
    throughput.run(job(tmp_path, "throughput"))
    found = numbers(tmp_path, "throughput")
    assert len(found) == 4 * 7
    assert found["library, float32: times the library"]["value"] == 1.0
    assert found["ours, bfloat16, channels last: right under attack"]["n"] == TINY.bench[0]


def test_outcomes_of_pytest_are_counted_and_failures_named(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\npytestmark = pytest.mark.gpu\n"
        "def test_good(): pass\ndef test_bad(): assert 0\n@pytest.mark.skip\ndef test_left(): pass\n"
    )
    given = replace(job(tmp_path, "tests"), sizes=TINY._replace(tests=(str(tmp_path),), marked="gpu"))
    with pytest.raises(RuntimeError, match="ended with 1"):
        marked_tests.run(given)
    found = {name: number["value"] for name, number in numbers(tmp_path, "tests").items()}
    assert (found["passed"], found["failed"], found["skipped"]) == (1, 1, 1)
    assert "test_bad" in str(found["which failed"])


def test_images_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(MnutsError, match="MNUTS_CIFAR10"):
        Job("training", tmp_path, "", "cpu", TINY).images("train")


class Fake(NamedTuple):
    """A step that is a line for the shell."""

    name: str
    line: str
    limit: float = 20.0
    after: tuple[str, ...] = ()


def run(out: Path, *steps: Fake, total: float = 60.0) -> Summary:
    lines = {step.name: step.line for step in steps}
    return run_steps(steps, out, lambda name: ["sh", "-c", lines[name]], total=total, say=lambda _: None)


GOOD, BAD = Fake("good", "echo well"), Fake("bad", "echo no such module >&2; exit 3")


def test_what_fails_fails_alone_and_is_tried_again(tmp_path: Path) -> None:
    summary = run(tmp_path, BAD, GOOD)
    states = {name: outcome.state for name, outcome in summary.outcomes.items()}
    assert states == {"bad": State.FAILED, "good": State.DONE}
    assert summary.outcomes["bad"].lines == ("no such module",)
    assert "no such module" in (tmp_path / "summary.md").read_text()
    assert not summary.ended_well
    again = run(tmp_path, BAD._replace(line="true"), GOOD._replace(line="exit 1"))
    assert again.ended_well, "the good one was not run again"
    assert again.outcomes["bad"].earlier > 0
    assert again.outcomes["good"] == summary.outcomes["good"]


def test_a_step_runs_again_when_what_it_uses_did(tmp_path: Path) -> None:
    user = GOOD._replace(name="user", after=("bad",))
    first = run(tmp_path, user, BAD)
    assert first.outcomes["user"].state is State.DONE
    again = run(tmp_path, BAD._replace(line="true"), user)
    assert again.outcomes["user"].at > first.outcomes["user"].at


def test_a_step_that_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.gpu.runner.LEAST", 0.0)
    slow = Fake("slow", "trap '' TERM; sleep 60 & echo $!; wait", limit=0.5)
    monkeypatch.setattr("tests.benchmarks.gpu.runner.GRACE", 0.1)
    summary = run(tmp_path, slow, GOOD, total=0.5)
    assert summary.outcomes["slow"].state is State.TIMED_OUT
    assert summary.outcomes["good"].state is State.NOT_BEGUN
    (started,) = summary.outcomes["slow"].lines
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(int(started)).status() == psutil.STATUS_ZOMBIE


def test_a_damaged_summary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(MnutsError, match="is damaged"):
        Summary.load(tmp_path)


def test_the_limits_make_twelve_minutes_and_the_training_fits_its_own() -> None:
    assert sum(step.limit for step in STEPS) == 720
    limit = next(step.limit for step in STEPS if step.name == "training")
    assert sum(recipe.seconds for recipe in RECIPES.values()) <= limit - 30
