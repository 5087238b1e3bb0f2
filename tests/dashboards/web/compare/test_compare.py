"""The comparison in node: settings move the numbers, which are the core's; what is wrong is said."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mnuts_core import RemixEngine
from mnuts_core.functional.paired import Paired
from mnuts_core.params import IDENTITY
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.views.equal_terms import on_equal_terms
from mnuts_dashboards.compare.numbers import frames
from mnuts_dashboards.compare.page_file import paper_best, paper_gaps
from mnuts_dashboards.compare.state import CompareState
from mnuts_dashboards.page.modules import WEB
from tests.dashboards.web.compare.conftest import BEST, FACTS, MIXES, PAIRS
from tests.dashboards.web.explorer.visit import opened
from tests.dashboards.web.node import check
from tests.synthetic import make_bundle

FILES = {"facts": FACTS, "best": BEST, "transfers": PAIRS}
CHECK = Path(__file__).with_name("figures_check.mjs")


def saved(page, table: str) -> pd.DataFrame:
    """What a table is saved as."""
    label = "Median margins, CSV" if table == "medians" else f"Save this table: {FILES[table]}"
    page.press(label)
    return pd.read_csv(io.StringIO(page.saved()))


def assert_cores(page, bundles, **settings) -> None:
    """Every number of every table is the core's."""
    state = CompareState(**page.sees["state"] | {"bundles": tuple(page.sees["state"]["bundles"])})
    assert {name: getattr(state, name) for name in settings} == settings
    for name, frame in frames({one: bundles[one] for one in state.bundles}, state).items():
        ours = saved(page, name)
        assert len(ours) == len(frame), name
        for column in frame.columns.difference(["warnings", "refused"]):
            theirs = frame[column]
            numbers = pd.to_numeric(theirs, errors="coerce")
            if theirs.notna().any() and numbers.isna().all():
                assert (
                    ours[column].astype(object).fillna("").tolist()
                    == theirs.astype(object).fillna("").tolist()
                ), (name, column)
            else:
                shown = ours[column].astype(float)
                np.testing.assert_allclose(shown, numbers, atol=1e-9, err_msg=f"{name} {column}")


def test_the_numbers_are_the_cores(compare, bundles):
    page = compare("one", "two", "many", "bare", "rich")
    assert page.names == ["one", "two", "many"], "the first three are compared"
    page.link("bundles=one,rich,many,bare&alpha=source&beta=0.9")
    assert_cores(page, bundles, beta=0.9, alpha="source", points="equal")
    page.link("bundles=rich,one&points=own&grid=cifar100&clamp=relu")
    assert_cores(page, bundles, points="own", grid="cifar100", clamp="relu", alpha="target")


def test_controls_move_the_numbers_and_the_link(compare):
    page = compare("one", "two")
    before = page.cells()
    page.choose("α", "keep α")
    page.type("beta", "0.9")
    page.choose("clamp", "relu")
    assert page.cells() != before
    assert page.sees["address"] == "bundles=one,two&beta=0.9&clamp=relu&alpha=source"
    page.press("Undo")
    assert page.sees["address"] == "bundles=one,two&beta=0.9&alpha=source"
    page.press("Redo")
    assert page.sees["state"]["clamp"] == "relu"
    page.tick("one")
    assert page.names == ["two"]
    assert "Only one bundle is chosen" in page.sees["notes"][0]
    page.tick("two")
    assert "Choose bundles" in page.sees["notes"][0]
    page.go(-1)
    assert page.names == ["two"]


def test_bundles_of_all_kinds_stand_beside_each_other(compare):
    page = compare("one", "two", "many", "bare", query="bundles=one,two,many,bare&alpha=source")
    seen = page.sees
    assert seen["errors"] == []
    assert "bare has no attacked part" in " ".join(seen["notes"])
    differs = {row[0]: row[1:] for row in seen["differs"]}
    assert differs["classes"][:4] == ["10", "10", "20", "10"]
    assert differs["first attack"][:2] == [
        "MMAA, white box, 20 steps, 9 targets",
        "Square, black box, 300 queries",
    ]
    assert differs["first attack"][3] == "none"
    assert "ε = 0.5" in differs["threat model"][2]
    carried = [row for row in page.cells() if row[1].startswith("bare")]
    assert all(row[3] and not row[6] for row in carried), "clean figures, and none under attack"
    page.choose("α", "recompute α there")
    refused = [row for row in page.cells() if row[1].startswith("bare")]
    assert all("set α by hand" in row[1] and not row[3] for row in refused)
    assert page.names == ["one", "two", "many", "bare"]


def test_pools_count_on_equal_terms_unless_asked_otherwise(compare, bundles):
    page = compare("one", "rich")
    assert "rich has points of more kinds of attacks" in page.sees["notes"][0]
    assert "optimistic" in page.sees["notes"][1]
    for points, counted in (
        ("equal", on_equal_terms({name: bundles[name] for name in ("one", "rich")})),
        ("own", bundles),
    ):
        page.link(f"points={points}")
        base = RemixEngine(counted["rich"], device="cpu").base.rob_attacked
        assert page.cells(FACTS)[1][7].startswith(f"{100 * base.value:.2f}")
    assert "whole pool" in page.sees["notes"][0]


def test_why_is_said_with_the_bundles_numbers(compare, bundles):
    page = compare("one", "two")
    best = grid_search(bundles["one"], GridSpec.paper("cifar10"), 0.985)
    engine = RemixEngine(bundles["one"], device="cpu")
    mix, plain = engine.remix(best.best.params.with_(alpha=None)), engine.remix(IDENTITY.with_(beta=0.985))
    gain = Paired.of(mix.on_clean.mix_right, plain.on_clean.mix_right).difference
    [first, *_] = page.sees["reasons"]
    assert f"of the {best.n_wrong} clean images" in first
    assert f"{100 * best.best.objective:.1f} % stay out of its reach" in first
    assert f"{100 * gain.value:+.2f} points [{100 * gain.low:+.2f}, ".replace("-", "−") in first
    assert "in 1 of 2 cases" in " ".join(page.sees["reasons"]) or "of 2 cases" in " ".join(
        page.sees["reasons"]
    )


def test_two_mixes_on_the_same_images(compare, bundles):
    page = compare("one", "two", query="on=two&first=of:one&second=plain")
    assert page.offers("second mix")[:3] == [
        "own best (Algorithm 1)",
        "plain mix at β",
        "best s, p, c of one",
    ]
    engine = RemixEngine(bundles["two"], device="cpu")
    lent = grid_search(bundles["one"], GridSpec.paper("cifar10"), 0.985).best.params.with_(alpha=None)
    mixes = engine.remix(lent), engine.remix(IDENTITY.with_(beta=0.985))
    pair = Paired.of(*(mix.on_clean.mix_right for mix in mixes))
    clean = page.cells(MIXES)[0]
    assert [clean[1][:5], clean[2][:5]] == [f"{100 * mix.clean.value:.2f}"[:5] for mix in mixes]
    assert clean[3].startswith(pair.points.replace("-", "−"))
    page.choose("first mix", "plain mix at β")
    assert page.sees["pair"] == "Both are the same mix."
    assert "first=plain" in page.sees["address"]


def test_a_bundle_that_the_kernel_does_not_hand_over_can_be_chosen_again(compare):
    page = compare("one", "two", "rich", query="bundles=one,two")
    page.cutOff(True)
    page.tick("rich")
    assert page.names == ["one", "two"]
    assert page.sees["errors"] == ["rich is left out: the kernel has ended."]
    page.cutOff(False)
    page.tick("rich")
    assert page.names == ["one", "two", "rich"]
    assert page.sees["errors"] == []


def test_a_broken_bundle_is_left_out_in_one_line(compare):
    broken = {"name": "bad <b>", "broken": "bad.safetensors is damaged"}
    page = compare("one", "two", more=(broken,), query="bundles=one,bad%20%3Cb%3E,two")
    assert page.names == ["one", "two"]
    assert page.sees["errors"] == ["bad <b> is left out: bad.safetensors is damaged."]
    assert page.sees["bundles"] == [["one", True], ["two", True]]
    page.type("beta", "0.9")
    assert page.sees["errors"] == []


def test_more_than_six_are_refused(compare):
    more = tuple(opened(f"extra{i}", make_bundle(n=20, m=12, seed=i)) for i in range(5))
    page = compare("one", "two", more=more, query="bundles=one,two,extra0,extra1,extra2,extra3")
    page.tick("extra4")
    assert "At most 6 bundles" in page.sees["errors"][0]
    assert ["extra4", False] in page.sees["bundles"]
    assert len(page.names) == 6


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("bundles=nope,one", "no bundle 'nope' here"),
        ("beta=98.5", "β must be between 0 and 1. Did you mean 0.985?"),
        ("beta=x", "β must be a number between 0 and 1"),
        ("grid=mine", "grid must be one of cifar10"),
        ("clamp=tanh", "clamp must be one of gelu"),
        ("alpha=1", "alpha must be one of target, source"),
        ("points=all", "points must be one of equal, own"),
        ("s=3", "'s' is no setting"),
        ("bundles=" + "x" * 9000, "longer than 8,000"),
    ],
)
def test_what_is_wrong_with_a_link_is_reported_and_the_rest_counts(compare, query, message):
    page = compare("one", "two", query=f"{query}&theme=dark")
    assert message in page.sees["errors"][0]
    assert page.names


def test_names_with_commas_survive_a_link(compare):
    names = ["a,b", "c&d", "é"]
    more = tuple(opened(name, make_bundle(n=20, m=12, seed=i)) for i, name in enumerate(names))
    page = compare(more=more, query="bundles=a%2Cb,c%26d,%C3%A9")
    assert page.names == names
    page.type("beta", "0.9")
    link = page.sees["address"]
    assert compare(more=more, query=link).names == names
    other = compare("one", "two", query="bundles=one%2Ctwo")
    assert other.names == ["one", "two"]


def test_a_choice_in_one_place_is_seen_in_the_others_and_again_undone(compare):
    page = compare("one", "two")
    page.choice(FACTS, "two")
    assert page.table(FACTS)["chosen"] == "two"
    page.choice(FACTS, "two")
    assert page.table(FACTS)["chosen"] is None
    key = json.dumps(["two", "one"], separators=(",", ":"))
    page.choice(PAIRS, key)
    assert page.table(PAIRS)["chosen"] == key
    page.tick("two")
    assert page.table(PAIRS)["chosen"] is None


def test_a_search_can_be_cancelled_and_taken_up_again(compare):
    page = compare("one", "two")
    before = page.cells()
    page.hold(True)
    page.choose("grid", "cifar100")
    assert page.sees["searching"]
    page.press("Cancel")
    assert (page.sees["searching"], page.cells()) == (False, before)
    assert "Cancelled" in page.sees["remark"]
    page.hold(False)
    page.press("Compute")
    assert page.cells() != before


def test_another_beta_does_not_search_again(compare):
    page = compare("one", "two")
    before = page.searches()
    page.type("beta", "0.9")
    assert page.searches() == before
    page.choose("grid", "cifar100")
    assert page.searches() > before


def test_the_papers_numbers_are_the_papers():
    gaps = paper_gaps()
    assert len(gaps) == 9
    assert {"name": "Peng 2023, CIFAR-10 ℓ∞", "gap": 0.395} in gaps
    assert "Wang et al. (2023) s = 5, c = −1.1, p = 2.71" in paper_best()


def test_every_sentence_is_used():
    """By its key, or by one that is put together of a fixed beginning."""
    code = "".join(path.read_text("utf-8") for path in (WEB / "compare").rglob("*.js"))
    keys = re.findall(r"`([a-z_.]*\$\{[^`]*)`", code)
    made = [re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(key)) for key in keys]
    texts = json.loads((WEB / "compare" / "texts" / "en.json").read_text("utf-8"))
    unused = [key for key in texts if f'"{key}"' not in code]
    assert [key for key in unused if not any(re.fullmatch(one, key) for one in made)] == []


def test_figures():
    check(CHECK)
