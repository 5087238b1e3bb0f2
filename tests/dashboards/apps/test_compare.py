"""The comparison beside a kernel, without a page: its state, its tables, and files that come."""

from __future__ import annotations

import json

import pytest

from mnuts_core import BundleError, MnutsError
from mnuts_dashboards.apps.compare import Compare
from mnuts_dashboards.compare.state import view_json
from tests import ROOT
from tests.dashboards.apps.conftest import assert_a_page_writes_nothing_else
from tests.synthetic import clean_only, make_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("bundles")
    for name, bundle in {"one": make_bundle(n=60, m=40), "bare": clean_only(make_bundle(n=40, m=20))}.items():
        bundle.save(made / f"{name}.safetensors")
    return made


@pytest.fixture
def compare(folder):
    return Compare(folder / "one.safetensors", folder / "bare.safetensors")


def test_it_opens_on_the_bundles_that_were_named(compare):
    assert compare.state.bundles[:2] == ("one", "bare")
    assert {"one", "bare", "digits"} <= {one["name"] for one in compare.page["bundles"]}


def test_what_the_page_shows_is_the_state_and_the_other_way_round(compare):
    change = {"bundles": ["bare"], "beta": 0.9, "alpha": "source", "first": "of:one"}
    compare.set_state({"view": view_json(compare.state) | change})
    assert (compare.state.bundles, compare.state.beta, compare.state.first) == (("bare",), 0.9, "of:one")
    compare.state.bundles = ("one",)
    compare.state.points = "own"
    assert (compare.view["bundles"], compare.view["points"]) == (["one"], "own")


def test_a_link_says_what_is_not_at_its_default(compare):
    compare.state.bundles = ("one", "bare")
    assert compare.link() == "bundles=one,bare"
    compare.state.set_trait("beta", 0.9)
    compare.state.first = "of:a&b"
    assert compare.link() == "bundles=one,bare&beta=0.9&first=of%3Aa%26b"
    compare.open_link("bundles=bare")
    assert compare.link() == "bundles=bare"


@pytest.mark.parametrize(
    "change",
    [
        {"bundles": ["nope"]},
        {"bundles": ["one"] * 7},
        {"bundles": "one"},
        {"bundles": [["one"]]},
        {"beta": 2.0},
        {"beta": "x"},
        {"grid": "mine"},
        {"points": "all"},
        {"first": "x" * 400},
        {"more": 1},
    ],
)
def test_what_is_not_allowed_is_passed_over(compare, change):
    before = view_json(compare.state)
    compare.set_state({"view": before | change})
    assert view_json(compare.state) == compare.view == before


def test_a_page_writes_only_the_traits_that_it_may(compare):
    assert_a_page_writes_nothing_else(compare)


def test_the_tables_are_data_frames(compare):
    compare.state.bundles = ("one", "bare")
    found = compare.frames()
    assert found["facts"].bundle.tolist() == ["one", "bare"]
    assert found["transfers"][["parameters_of", "used_on"]].to_numpy().tolist() == [
        ["one", "one"],
        ["one", "bare"],
    ]
    assert len(found["medians"]) == 4 * 4 + 3 * 2
    assert found["best"].bundle.tolist() == ["one"]


def test_an_added_bundle_is_compared_under_a_name_of_its_own(compare, tmp_path):
    path = make_bundle(n=40, m=20, k=20, seed=2).save(tmp_path / "one.safetensors")
    compare.state.bundles = ("one",)
    assert compare.add(path) == "one (2)"
    assert compare.state.bundles == ("one", "one (2)")
    assert "one (2)" in {one["name"] for one in compare.page["bundles"]}


def test_a_broken_file_is_called_by_its_name_and_not_by_where_it_lies(compare, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no bundle")
    with pytest.raises(MnutsError, match=r"^bad\.safetensors is not a readable safetensors file"):
        compare.add(bad)


def test_a_missing_bundle_is_an_error(tmp_path):
    with pytest.raises(BundleError):
        Compare(tmp_path / "none.safetensors")


def test_the_notebook_is_thin_and_without_outputs():
    notebook = json.loads((ROOT / "dashboards" / "compare.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]]
    assert notebook["metadata"]["title"] == "MixedNUTS: bundles side by side"
