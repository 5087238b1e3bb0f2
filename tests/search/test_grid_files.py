"""Grids in files: candidates, and the authors' `spca_initial_guess.yaml`."""

import numpy as np
import pytest
import yaml

from mnuts_core.errors import ParameterError
from mnuts_core.search.grid_files import grid_text, read_grid
from mnuts_core.search.grids import PAPER_RANGES, GridSpec

# The ranges of the authors' own file.
AUTHORS = """
cifar10:
  Peng2023Robust:
    gelu:
      s_low: 0.05
      s_high: 5
      c_low: -1.1
      c_high: 0
      p_low: 1
      p_high: 4
    none:
imagenet:
  Liu2023Comprehensive_Swin-L:
    gelu: {s_low: 0.01, s_high: 0.2, c_low: -2, c_high: 0, p_low: 2, p_high: 3}
    none:
"""


def same(one, two):
    return all(np.array_equal(one.axes()[axis], two.axes()[axis]) for axis in "spc")


@pytest.mark.parametrize(("entry", "name"), [("cifar10/Peng2023Robust", "cifar10"), ("imagenet", "imagenet")])
def test_the_authors_file_is_the_papers_grid(tmp_path, entry, name):
    path = tmp_path / "guess.yaml"
    path.write_text(AUTHORS)
    assert same(read_grid(path, entry), GridSpec.paper(name))


@pytest.mark.parametrize("name", PAPER_RANGES)
def test_ranges_are_written_as_the_authors_write_them(tmp_path, name):
    path = tmp_path / "guess.yml"
    path.write_text(grid_text(GridSpec.paper(name), path, (name, "Mine", "gelu")))
    content = yaml.safe_load(path.read_text())[name]["Mine"]["gelu"]
    s, p, c = PAPER_RANGES[name]
    assert [content[f"{axis}_{end}"] for axis in "spc" for end in ("low", "high")] == [*s, *p, *c]
    assert same(read_grid(path), GridSpec.paper(name))


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_candidates_keep_every_digit(tmp_path, ending):
    path = tmp_path / f"mine.{ending}"
    grid = GridSpec(s=[0.1, 1 / 3, 7], p=[1], c=[-2, 1e-9])
    path.write_text(grid_text(grid, path))
    found = read_grid(path)
    assert same(found, grid)
    assert found.name == "mine"


def test_a_range_of_any_number_of_steps(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("s: {low: 1e-2, high: 100, steps: 5}\np: [2]\nc: {low: -1, high: 1, steps: 3}")
    grid = read_grid(path)
    assert grid.s == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert grid.c.tolist() == [-1, 0, 1]


def test_other_values_than_the_authors_ranges_are_no_ranges():
    with pytest.raises(ParameterError, match="this grid's s are others"):
        grid_text(GridSpec(s=[1, 2], p=[1], c=[0]), "x.yaml", ("cifar10", "Mine", "gelu"))


BROKEN = {
    "another name": ("s: [1]\np: [1]\nc: [0]\nq: [1]", "must have s, p and c and nothing else"),
    "no list": ("s: 1\np: [1]\nc: [0]", "at s must be a list of numbers, or low, high and steps"),
    "text": ("s: [a]\np: [1]\nc: [0]", "at s must be a number, got 'a'"),
    "true": ("s: [true]\np: [1]\nc: [0]", "at s must be a number, got True"),
    "descending": ("s: [2, 1]\np: [1]\nc: [0]", "must ascend"),
    "outside": ("s: [-1]\np: [1]\nc: [0]", "s must lie in"),
    "too many": ("s: {low: 1, high: 2, steps: 1.0e+9}\np: [1]\nc: [0]", "may hold at most"),
    "half a step": ("s: {low: 1, high: 2, steps: 1.5}\np: [1]\nc: [0]", "steps must be an integer"),
    "an end missing": ("d: {m: {gelu: {s_low: 1}}}", "at d/m/gelu/s_high must be a number, got None"),
    "several": (AUTHORS, "has several entries: name one of .*cifar10/Peng2023Robust/gelu"),
    "empty": ("", "must have a block for each data set"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_in_one_line(tmp_path, case):
    content, problem = BROKEN[case]
    path = tmp_path / "grid.yaml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=problem) as caught:
        read_grid(path)
    assert "\n" not in str(caught.value)


def test_entries_and_endings(tmp_path):
    path = tmp_path / "grid.json"
    path.write_text('{"s": [1], "p": [1], "c": [0]}')
    with pytest.raises(ParameterError, match="holds one grid without entries"):
        read_grid(path, "cifar10")
    with pytest.raises(ParameterError, match=r"must end in \.yaml"):
        read_grid(tmp_path / "grid.toml")
