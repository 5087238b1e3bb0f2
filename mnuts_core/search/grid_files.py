"""Grids in files: a list of candidates for each of s, p and c, or the authors' `spca_initial_guess.yaml`.

Candidates, as JSON or YAML:

    s: [0.05, 0.5, 5]
    p: {low: 1, high: 4, steps: 8}
    c: [-1.1, 0]

The authors' ranges, each of eight steps:

    cifar10:
      Peng2023Robust:
        gelu: {s_low: 0.05, s_high: 5, c_low: -1.1, c_high: 0, p_low: 1, p_high: 4}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mnuts_core.errors import ParameterError
from mnuts_core.io.blocks import Block, blocks_of, choose
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.io.yaml_text import MAX_BYTES, number, parse_yaml, yaml_text
from mnuts_core.search.grids import GridSpec, spaced
from mnuts_core.text import shortened

ENDINGS = (".yaml", ".yml", ".json")
AXES = ("s", "p", "c")
AUTHORS_STEPS = 8
"""Values of each range in the authors' search (C.1)."""


def read_grid(path: str | os.PathLike[str], entry: str | None = None) -> GridSpec:
    """A grid from a file; the module's text tells the forms.

    Args:
        path: A `.yaml`, `.yml` or `.json` file.
        entry: In a file of the authors' form with several robust models: data set and robust model, such as
            `cifar10/Peng2023Robust`, and the clamp if there are several.

    Raises:
        ParameterError: If the file is missing or broken, or has no such grid.
    """
    content, where = _content(path), str(path)
    if isinstance(content, Mapping) and set(content) & set(AXES):
        if entry is not None:
            raise ParameterError(f"{where} holds one grid without entries: leave {shortened(entry)} out")
        return _from_candidates(content, where)
    block = choose(blocks_of(content, where, ParameterError), entry, where, ParameterError)
    return _from_ranges(block, f"{where} at {block.name}")


def grid_text(grid: GridSpec, path: str | os.PathLike[str], place: tuple[str, str, str] | None = None) -> str:
    """A grid as a file has it.

    Args:
        grid: The grid.
        path: Where it is to be written: its ending says whether as YAML or JSON.
        place: Data set, robust model and clamp, for the authors' form; candidates if None.

    Raises:
        ParameterError: If the file's ending is another, or the authors' form cannot hold the grid.
    """
    content: dict[str, Any] = {name: values.tolist() for name, values in grid.axes().items()}
    if place is not None:
        dataset, rob_model, clamp = place
        content = {dataset: {rob_model: {clamp: _ranges(grid)}}}
    ending = _ending(path)
    return json.dumps(content, indent=2) + "\n" if ending == ".json" else yaml_text(content)


def _content(path: str | os.PathLike[str]) -> Any:
    ending, text = _ending(path), read_bytes(path, MAX_BYTES, ParameterError)
    parse = parse_json if ending == ".json" else parse_yaml
    return parse(text, str(path), ParameterError)


def _ending(path: str | os.PathLike[str]) -> str:
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ParameterError(f"a grid's file must end in {', '.join(ENDINGS)}, got {path}")
    return ending


def _from_candidates(content: Mapping[str, Any], where: str) -> GridSpec:
    if set(content) != set(AXES):
        raise ParameterError(
            f"{where} must have s, p and c and nothing else, got {shortened(sorted(content))}"
        )
    axes = {name: _candidates(name, value, f"{where} at {name}") for name, value in content.items()}
    try:
        return GridSpec(**axes, name=Path(where).stem)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None


def _candidates(axis: str, value: Any, where: str) -> Any:
    """A list of numbers, or a range with its steps."""
    if isinstance(value, Mapping):
        if set(value) != {"low", "high", "steps"}:
            raise ParameterError(f"{where} must have low, high and steps, got {shortened(value)}")
        low, high, steps = (_number(value[name], f"{where}/{name}") for name in ("low", "high", "steps"))
        return _range(axis, (low, high), steps, where)
    if not isinstance(value, list) or not value:
        raise ParameterError(
            f"{where} must be a list of numbers, or low, high and steps, got {shortened(value)}"
        )
    return [_number(one, where) for one in value]


def _range(axis: str, ends: tuple[float, float], steps: float, where: str) -> Any:
    try:
        if steps != int(steps):
            raise ParameterError(f"steps must be an integer, got {steps:g}")
        s, p, c = (ends if name == axis else (1.0, 1.0) for name in AXES)
        return GridSpec.from_ranges(s, p, c, steps=int(steps)).axes()[axis]
    except (ParameterError, OverflowError, ValueError) as error:
        raise ParameterError(f"{where}: {error}") from None


def _from_ranges(block: Block, where: str) -> GridSpec:
    content = block.content
    names = [f"{axis}_{end}" for axis in AXES for end in ("low", "high")]
    if not isinstance(content, Mapping) or not set(content) <= set(names):
        raise ParameterError(f"{where} must have {', '.join(names)}, got {shortened(content)}")
    ends = {name: _number(content.get(name), f"{where}/{name}") for name in names}
    s, p, c = ((ends[f"{axis}_low"], ends[f"{axis}_high"]) for axis in AXES)
    try:
        return GridSpec.from_ranges(s, p, c, steps=AUTHORS_STEPS, name=block.name)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None


def _ranges(grid: GridSpec) -> dict[str, float]:
    """The ends of a grid that has eight even steps on each axis, or one."""
    ranges: dict[str, float] = {}
    for axis, values in grid.axes().items():
        low, high = float(values[0]), float(values[-1])
        even = spaced(axis, (low, high), AUTHORS_STEPS)
        if len(values) != len(even) or not np.allclose(values, even, rtol=1e-12, atol=1e-12):
            raise ParameterError(
                f"the authors' file has ranges of {AUTHORS_STEPS} even steps, and this grid's {axis} are "
                "others: write it as candidates, without an entry"
            )
        ranges |= {f"{axis}_low": low, f"{axis}_high": high}
    return ranges


def _number(value: object, where: str) -> float:
    found = number(value)
    if found is None:
        raise ParameterError(f"{where} must be a number, got {shortened(value)}")
    return found
