"""`mnuts search --clean-at-least` and `--attacked-at-least`, and `--points`."""

from __future__ import annotations

import csv
import json

import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.params import MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.direct import direct_search
from mnuts_core.search.grids import GridSpec
from tests.synthetic import make_pool

SMALL = ("--s", 0.05, 5, "--p", 1, 4, "--c", -1.1, 0, "--steps", 3)
GRID = GridSpec.from_ranges((0.05, 5), (1, 4), (-1.1, 0), steps=3)


@pytest.fixture(scope="module")
def pool() -> LogitBundle:
    return make_pool()


@pytest.fixture(scope="module")
def path(pool, tmp_path_factory):
    path = tmp_path_factory.mktemp("pool") / "pool.safetensors"
    pool.save(path)
    return path


@pytest.mark.parametrize(
    ("option", "ask"),
    [
        ("--clean-at-least", lambda found: found.clean_at_least(0.9)),
        ("--attacked-at-least", lambda found: found.attacked_at_least(0.3)),
    ],
)
def test_the_answer_is_the_searchs_and_the_engines(mnuts, path, pool, option, ask):
    share = 0.9 if option == "--clean-at-least" else 0.3
    code, out, _ = mnuts("search", path, *SMALL, option, share, "--json")
    card, choice = json.loads(out), ask(direct_search(pool, GRID))
    assert code == 0
    best = card["best"]
    assert [best[name] for name in ("s", "p", "c", "alpha")] == [
        getattr(choice.params, name) for name in ("s", "p", "c", "alpha")
    ]
    params = MixParams(
        **{name: best[name] for name in ("s", "p", "c", "clamp", "ln_k", "alpha", "temperature")}
    )
    remix = RemixEngine(pool, device="cpu").remix(params)
    assert best["attacked"]["value"] == remix.attacked.value == pytest.approx(choice.attacked)
    assert best["clean"]["value"] == remix.clean.value
    seen, unseen = best["clean_seen"], best["clean_unseen"]
    assert seen["value"] == pytest.approx(choice.clean)
    assert seen["n"] + unseen["n"] == pool.n_clean
    assert card["optimistic"] is False
    assert card["against_plain_mix"]["attacked"]["n"] == pool.n_adv
    assert {level["verdict"] for level in card["levels"]} <= {"ahead", "behind", "open"}


def test_tables_csv_and_how_to_keep_it(mnuts, path, pool, tmp_path):
    out_file = tmp_path / "frontier.csv"
    code, out, err = mnuts("search", path, *SMALL, "--clean-at-least", 0.9, "--csv", out_file)
    assert code == 0
    for words in ("best mix at clean accuracy ≥ 90 %", "clean, unseen", "attacked accuracy at equal clean"):
        assert words in out
    assert "MMAA points only" not in out
    assert "keep the best with: mnuts export" in err
    assert "--alpha" in err
    rows = list(csv.DictReader(out_file.open()))
    frontier = direct_search(pool, GRID).frontier
    assert [float(row["attacked"]) for row in rows] == frontier.attacked.tolist()
    assert set(rows[0]) == {"s", "p", "c", "alpha", "quantile", "clean", "attacked"}


def test_mmaa_points_alone_are_called_optimistic(mnuts, toy):
    assert "MMAA points only: optimistic" in mnuts("search", toy, *SMALL, "--clean-at-least", 0.8).out
    card = json.loads(mnuts("search", toy, *SMALL, "--clean-at-least", 0.8, "--json").out)
    assert card["optimistic"] is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--clean-at-least", 1), "no mix of this grid has clean accuracy of at least 100 %: the most is"),
        (("--attacked-at-least", 0.99), "no mix of this grid has attacked accuracy of at least 99 %"),
        (("--clean-at-least", 95), "--clean-at-least must lie in [0, 1], got 95: give 0.95 for 95 %"),
        (("--clean-at-least", "nan"), "--clean-at-least must lie in [0, 1], got nan"),
        (("--attacked-at-least", -0.1), "--attacked-at-least must lie in [0, 1]"),
        (("--clean-at-least", 0.9, "--attacked-at-least", 0.3), "not both"),
        (("--clean-at-least", 0.9, "--beta", 0.9), "--beta: only for Algorithm 1"),
        (("--attacked-at-least", 0.3, "--points", "mmaa", "--widen", 1), "--points, --widen: only for"),
        (("--points", "some"), "points must be one of pool, mmaa, got 'some'"),
    ],
)
def test_errors_are_one_line(mnuts, path, options, words):
    code, out, err = mnuts("search", path, *SMALL, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_points_of_algorithm_1(mnuts, path, pool):
    for points in ("pool", "mmaa"):
        card = json.loads(mnuts("search", path, *SMALL, "--beta", 0.9, "--points", points, "--json").out)
        want = grid_search(pool, GRID, 0.9, points=points)
        assert card["settings"]["points"] == points
        assert card["best"]["alpha"] == want.best.params.alpha
        assert card["mix"]["params"]["alpha"] == pytest.approx(want.best.params.alpha, abs=1e-9)
