"""`mnuts compare`: the table and JSON of two configurations, on their verifications and on a bundle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import share_of
from mnuts_core.views.paired import mix_pairs
from tests.conftest import DIGITS

PARAMS = MixParams(s=2, p=3, c=-0.5, alpha=0.6)
OTHER = PARAMS.with_(alpha=0.95)
RIGHT = np.arange(40) % 10 < 7
THEIRS = np.arange(40) % 8 < 5


def write(path: Path, params: MixParams, right: np.ndarray | None = None, **settings: object) -> Path:
    config = MixConfig.from_params(params)
    if right is not None:
        clean = np.ones(len(right), bool)
        card = VerifiedCard(
            accuracy=EstimateCard.of(share_of(right, "verified")),
            clean=EstimateCard.of(share_of(clean, "clean")),
            attack="made up",
            settings={"data_digest": "sha256:1", **settings},
            digest="sha256:" + 64 * "0",
            outcomes=OutcomesCard.of(clean, right),
        )
        config = config.model_copy(update={"verified": card})
    return config.save(path)


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    return write(tmp_path / "a.json", PARAMS, RIGHT), write(tmp_path / "b.json", OTHER, THEIRS)


def test_verified_on_the_same_images(mnuts, pair):
    code, out, err = mnuts("compare", *pair)
    expected = Paired.of(RIGHT, THEIRS)
    assert (code, err) == (0, "")
    assert expected.points in out
    assert f"p = {expected.p_value:.2g}, only A {expected.only_first}, only B {expected.only_second}" in out
    assert f"{100 * RIGHT.mean():.2f} [" in out
    assert "not paired" not in out
    assert max(map(len, out.splitlines())) <= 100
    card = json.loads(mnuts("compare", *pair, "--json").out)
    assert card["verification"]["paired"]["verified"] == json.loads(json.dumps(expected.to_json()))
    assert card["a"]["verified"]["value"] == RIGHT.mean()
    assert (card["b"]["alpha"], card["bundle"]) == (0.95, None)


def test_on_a_bundle(mnuts, pair, toy):
    engine = RemixEngine(LogitBundle.load(toy))
    one, two = engine.remix(PARAMS), engine.remix(OTHER)
    expected = mix_pairs(one, two)
    code, out, err = mnuts("compare", *pair, "--bundle", toy)
    assert (code, err) == (0, "")
    assert "on toy" in out
    assert all(found.points in out for found in expected.values())
    card = json.loads(mnuts("compare", *pair, "--bundle", toy, "--json").out)["bundle"]
    assert (card["name"], list(card["figures"])) == ("toy", ["clean", "attacked", "by_margin"])
    for name, found in expected.items():
        assert card["figures"][name]["paired"] == json.loads(json.dumps(found.to_json()))
    assert card["figures"]["attacked"]["a"]["value"] == one.attacked.value
    assert card["figures"]["attacked"]["b"]["value"] == two.attacked.value


def test_on_a_bundle_without_an_attacked_part(mnuts, pair, clean_only):
    card = json.loads(mnuts("compare", *pair, "--bundle", clean_only, "--json").out)["bundle"]["figures"]
    assert card["clean"]["paired"]["n"] == 120
    assert card["attacked"] is None
    assert mnuts("compare", *pair, "--bundle", clean_only).code == 0


def test_why_not_paired_and_what_differs_are_stated(mnuts, pair, tmp_path):
    a, _ = pair
    bare = write(tmp_path / "bare.json", OTHER)
    result = mnuts("compare", a, bare)
    assert result.code == 0
    assert "not paired: no attack was run on B: run `mnuts evaluate`" in result.out
    assert json.loads(mnuts("compare", a, bare, "--json").out)["verification"]["paired"] is None
    weaker = write(tmp_path / "weaker.json", OTHER, THEIRS, n_iter=5, eps=0.1)
    err = mnuts("compare", a, weaker).err
    assert err == "warning: the attacks differ: n_iter not set and 5, eps not set and 0.1\n"


def test_settings_of_strangers_make_one_visible_line(mnuts, pair, tmp_path):
    hostile = {f"{place}\n\x1b[2J" + 500 * "x": "\u202e" + 3000 * "y" for place in range(50)}
    result = mnuts("compare", pair[0], write(tmp_path / "hostile.json", OTHER, THEIRS, **hostile))
    assert result.code == 0
    assert result.err.startswith("warning: the attacks differ: ")
    assert result.err.count("\n") == 1
    assert len(result.err) < 1000
    assert result.err.strip().isprintable()


def test_another_bundle_than_the_configurations_is_stated(mnuts, pair, toy, clean_only, tmp_path):
    made = tmp_path / "made.json"
    assert mnuts("export", toy, "--s", 1, "--p", 1, "--c", 0, "--out", made).code == 0
    assert mnuts("compare", made, pair[1], "--bundle", toy).err == ""
    assert mnuts("compare", made, pair[1], "--bundle", clean_only).err == "", "the same clean logits"
    err = mnuts("compare", pair[0], made, "--bundle", DIGITS).err
    assert err == "warning: B was made on another bundle, toy: it brings its α from there\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("{a}",), "issing argument"),
        (("{a}", "no-such.json"), "cannot read no-such.json"),
        (("{a}", "{folder}"), "cannot read"),
        (("{a}", "{toy}"), "not valid JSON"),
        (("{a}", "{b}", "--bundle", "nope"), "'nope'"),
        (("{a}", "{b}", "--bundle", "{a}"), "not a readable safetensors file"),
        (("{a}", "{b}", "--bundle", "{toy}", "--device", "abacus"), "device must be"),
    ],
)
def test_bad_input_is_one_line(mnuts, pair, toy, tmp_path, words, message):
    names = {"a": pair[0], "b": pair[1], "toy": toy, "folder": tmp_path}
    code, out, err = mnuts("compare", *(word.format(**names) for word in words))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
