"""How much each step does: in full, and tiny, so that every line can be run on a CPU in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from mnuts_core.demo.cifar10 import GRID
from mnuts_core.demo.cifar10_wide import HELD_OUT, RECIPES, WidePair
from mnuts_core.demo.timed_training import TimedRecipe
from mnuts_core.demo.weights import Role
from mnuts_core.search.grids import GridSpec
from tests.benchmarks.mmaa import Budget


class Sizes(NamedTuple):
    """How much is done.

    Attributes:
        tests: Where pytest looks.
        marked: What marks it takes.
        budget: Steps and targets of both sides in the benchmark of MMAA.
        bench: Images of that benchmark, and how many at a time.
        pair: The networks that are trained.
        recipes: How.
        n_train: Training images; all if None.
        held_out: How many of them are held out.
        save_every: Seconds between two checkpoints at least.
        n_test: Test images; all are attacked. Mixes are chosen on the second half, figures are of the first.
        batch: Images at a time in attacks.
        mmaa: Steps and targets of MMAA.
        pool: Steps and targets of the attacks on mixes.
        rounds: How often mixes are chosen and attacked.
        grid: Where mixes are looked for.
        verified: Images of the verification, the first ones, its steps, and how many images at a time: what
            is cut off loses one component on so many.
    """

    tests: tuple[str, ...] = ("tests/gpu", "tests/models/test_compat.py")
    marked: str = "gpu"
    budget: Budget = Budget()
    bench: tuple[int, int] = (1000, 500)
    pair: WidePair = WidePair()
    recipes: Mapping[Role, TimedRecipe] = RECIPES
    n_train: int | None = None
    held_out: int = HELD_OUT
    save_every: float = 20.0
    n_test: int = 10_000
    batch: int = 2000
    mmaa: Budget = Budget()
    pool: Budget = Budget(steps=20, targets=2)
    rounds: int = 2
    grid: GridSpec = GRID
    verified: tuple[int, int, int] = (1000, 100, 250)


FULL = Sizes()
TINY = Sizes(
    tests=("tests/gpu/test_processes.py",),
    marked="not gpu",
    budget=Budget(steps=3, targets=1),
    bench=(4, 2),
    pair=WidePair(std_widths=(8, 8, 8), rob_widths=(4, 8), rob_blocks=1),
    recipes={role: replace(recipe, epochs=2, batch_size=16) for role, recipe in RECIPES.items()},
    n_train=80,
    held_out=16,
    save_every=0.0,
    n_test=40,
    batch=20,
    mmaa=Budget(steps=5, targets=1),
    pool=Budget(steps=5, targets=1),
    rounds=2,
    grid=GridSpec([0.5, 2.0, 8.0], [1.0, 2.0, 3.0], [-1.0, -0.5, 0.0]),
    verified=(4, 1, 4),
)
