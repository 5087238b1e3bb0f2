"""The lesson beside a kernel, without a page: its state from the page and from Python."""

from __future__ import annotations

import json

import pytest

from mnuts_core import BundleError
from mnuts_dashboards.apps.lesson import Lesson
from mnuts_dashboards.lesson.state import view_json
from tests import ROOT
from tests.conftest import DIGITS


@pytest.fixture(scope="module")
def lesson():
    return Lesson(DIGITS)


def test_what_the_page_shows_is_the_state_and_the_other_way_round(lesson):
    lesson.set_state({"view": view_json(lesson.state) | {"step": 3, "said": {"benign": 0.2}, "of": "g"}})
    assert (lesson.state.step, lesson.state.said, lesson.state.of) == (3, {"benign": 0.2}, "g")
    lesson.state.step = 7
    lesson.state.p = 2.5
    assert (lesson.view["step"], lesson.view["p"], lesson.view["alpha"]) == (7, 2.5, None)


@pytest.mark.parametrize(
    "change",
    [
        {"step": 11},
        {"step": "2"},
        {"p": -1.0},
        {"of": "f"},
        {"bundle": "none"},
        {"said": {"benign": [1]}},
        {"said": 3},
        {"more": 1},
    ],
)
def test_what_is_not_allowed_is_passed_over(lesson, change):
    before = view_json(lesson.state)
    lesson.set_state({"view": before | change})
    assert view_json(lesson.state) == lesson.view == before


def test_a_link_goes_to_the_page(lesson):
    lesson.open_link("step=4")
    assert lesson.query == "step=4"


def test_a_missing_bundle_is_an_error(tmp_path):
    with pytest.raises(BundleError):
        Lesson(tmp_path / "none.safetensors")


def test_the_notebook_is_thin_and_without_outputs():
    notebook = json.loads((ROOT / "dashboards" / "teaching.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]]
    assert notebook["metadata"]["title"] == "Why a robust model knows when it is wrong"
