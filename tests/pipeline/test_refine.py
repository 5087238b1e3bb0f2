"""Refinement: what each round attacks, when it ends, and with what; a killed run ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnuts_core import LogitBundle, MixConfig, RemixEngine
from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool_plan import PoolPlan
from mnuts_core.datasets.specs import load_data
from mnuts_core.errors import ParameterError
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.refine import (
    BY_CLEAN,
    BY_MARGIN,
    CHOICE,
    SETTLED,
    Refined,
    Round,
    refine,
    verify_refined,
)
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.mild import mild_best

GRID = GridSpec.from_ranges((0.5, 5.0), (1.0, 4.0), (-1.5, 0.0), steps=4)
BETA, N = 0.95, 60


@pytest.fixture(scope="module")
def run(mmaa_digits: LogitBundle) -> Run:
    std, rob = (load_model(f"demo:digits/{role}").module for role in ("std", "rob"))
    data = load_data("digits", n=int(mmaa_digits.require_attacked().index.max()) + 1)
    return Run(std, rob, data.images, data.labels, n=N, batch_size=30, device="cpu")


@pytest.fixture(scope="module")
def plan(mmaa_digits: LogitBundle) -> PoolPlan:
    threat = mmaa_digits.manifest.threat
    assert threat is not None
    return PoolPlan(norm=threat.norm, eps=threat.eps, n_iter=3, n_targets=1)


@pytest.fixture(scope="module")
def rounds() -> list[Round]:
    return []


@pytest.fixture(scope="module")
def refined(mmaa_digits: LogitBundle, run: Run, plan: PoolPlan, rounds: list[Round]) -> Refined:
    return refine(mmaa_digits, run, grid=GRID, beta=BETA, plan=plan, rounds=3, on_round=rounds.append)


def test_g_is_attacked_once_then_each_round_the_choice_and_its_plain_mixes(refined, mmaa_digits, rounds):
    assert list(refined.rounds) == rounds
    mmaa, standard, *others = refined.bundle.manifest.attacks
    assert (mmaa.target, standard.target) == ("LN∘h_rob", "g")
    attacked = [str(moved.params) for each in rounds for moved in each.mixes.values()]
    assert [source.target for source in others] == attacked
    assert [source.seed for source in others] == [each.number for each in rounds for _ in each.mixes]
    assert set(rounds[0].mixes) == {CHOICE, BY_MARGIN, BY_CLEAN}
    assert [moved.params.plain for moved in rounds[0].mixes.values()] == [False, True, True]


def test_the_choice_is_the_best_mild_cell_on_the_pool_of_then(refined, mmaa_digits, run, plan):
    before = refine(mmaa_digits, run, grid=GRID, beta=BETA, plan=plan, rounds=1)
    pool = replace(
        before.bundle, attacked=before.bundle.attacked.rows(before.bundle.attacked.source < 2)
    )  # without the round's own points
    chosen = mild_best(grid_search(pool, GRID, BETA, device="cpu"), pool).cell.params
    assert before.rounds[0].mixes[CHOICE].params == chosen


def test_figures_are_those_of_the_engine_and_never_rise(refined, mmaa_digits):
    engine = RemixEngine(refined.bundle, device="cpu")
    last = refined.rounds[-1]
    for moved in last.mixes.values():
        remix = engine.remix(moved.params)
        assert (remix.clean, remix.attacked, remix.by_margin) == (
            moved.clean,
            moved.attacked,
            moved.by_margin,
        )
    for each in refined.rounds:
        assert all(moved.before.value >= moved.attacked.value for moved in each.mixes.values())
    assert refined.rounds[0].moved > 0
    moving = [each.moved >= SETTLED for each in refined.rounds]
    assert all(moving[:-1]), "it ends with the first round that moves little"
    assert refined.converged == (not moving[-1])


def test_the_plain_mixes_hold_what_they_are_compared_by(refined):
    engine = RemixEngine(refined.bundle, device="cpu")
    choice, by_margin, by_clean = (
        engine.remix(refined.configs[name].params) for name in (CHOICE, BY_MARGIN, BY_CLEAN)
    )
    assert by_margin.by_margin.value >= choice.by_margin.value
    assert by_clean.clean.value >= choice.clean.value
    card = refined.configs[CHOICE]
    assert (card.beta, card.bundle.digest) == (BETA, refined.bundle.digest)
    assert engine.remix(card.params.with_(alpha=None)).alpha == pytest.approx(card.alpha, abs=1e-15)


def test_verification_joins_the_pool_and_the_configurations(refined, run, plan):
    full = Plan(norm=plan.norm, eps=plan.eps, n_iter=2)
    verified = verify_refined(refined, run, plan=full, n=20)
    engine = RemixEngine(verified.bundle, device="cpu")
    for config in verified.configs.values():
        assert config.verified.accuracy.n == 20
        assert list(config.verified.components)[:4] == ["apgd-ce", "apgd-t", "fab-t", "square"]
        right = engine.remix(config.params).on_images.mix_right[:20]
        assert right.mean() <= config.verified.accuracy.value
        assert not (right & ~config.verified.outcomes.attacked_right).any()
        assert config.bundle.digest == verified.bundle.digest
        assert config.estimates.attacked.value == engine.remix(config.params).attacked.value
    assert [source.verified for source in verified.bundle.manifest.attacks[-3:]] == [True] * 3


def refine_with(mmaa_digits, run, plan, change: dict[str, Any]):
    if "plan" in change:
        change = {"plan": replace(plan, **change["plan"])}
    return refine(mmaa_digits, run, **({"grid": GRID, "beta": BETA, "plan": plan} | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rounds": 0}, "rounds must be an integer of at least 1"),
        ({"beta": 1.5}, "beta must lie in"),
        ({"plan": {"n_iter": 0}}, "n_iter must be an integer"),
    ],
)
def test_what_is_refused(mmaa_digits, run, plan, change: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        refine_with(mmaa_digits, run, plan, change)


def test_more_images_than_there_are_cannot_be_verified(refined, run, plan):
    with pytest.raises(ParameterError, match="n must be at most 1000"):
        verify_refined(refined, run, plan=Plan(norm=plan.norm, eps=plan.eps), n=1001)


RUN = """
import os, signal, sys
from mnuts_core.cli.app import run
from mnuts_core.pipeline.workfolder import WorkFolder

write, left = WorkFolder.write, [int(sys.argv[1])]

def write_and_die(self, number, arrays):
    write(self, number, arrays)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

WorkFolder.write = write_and_die
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.full  # resuming of each attack is in the fast suite, see test_pool
def test_killed_twice_it_ends_with_the_same_bundle_and_configurations(
    mmaa_digits: LogitBundle, tmp_path: Path
) -> None:
    mmaa_digits.save(tmp_path / "mmaa.safetensors")
    (tmp_path / "run.py").write_text(RUN)
    common = [
        "refine",
        str(tmp_path / "mmaa.safetensors"),
        "--std",
        "demo:digits/std",
        "--rob",
        "demo:digits/rob",
        "--data",
        "digits",
    ]
    common += ["--beta", "0.95", "--n-adv", "40", "--batch-size", "20", "--steps", "2", "--n-targets", "1"]
    common += ["--components", "apgd-ce", "--rounds", "2", "--verify", "8", "--device", "cpu"]

    def run(dies_at: int, out: Path) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, str(tmp_path / "run.py"), str(dies_at), *common, "--out", str(out)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.run(call, env=environment, capture_output=True, text=True, timeout=200)

    one, killed = tmp_path / "one.safetensors", tmp_path / "killed.safetensors"
    done = run(0, one)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("round 1: ") == 1
    assert run(5, killed).returncode == -signal.SIGKILL  # in the first round, after g
    assert run(6, killed).returncode == -signal.SIGKILL  # in the first verification
    assert not killed.exists()
    resumed = run(0, killed)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming: 9 batches done" in resumed.stderr
    assert LogitBundle.load(one).digest == LogitBundle.load(killed).digest
    for name in ("choice", "plain-by-margin", "plain-by-clean"):
        a, b = (MixConfig.load(path.with_name(f"{path.stem}-{name}.json")) for path in (one, killed))
        assert a.model_copy(update={"created": b.created}) == b
        assert a.verified is not None
    assert not list(tmp_path.glob("*.mnuts-work"))
