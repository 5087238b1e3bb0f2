"""Figures described once: plain Plotly JSON in which a value may name a field, a text or a condition.

A template is filled here for Python's callers, and by `dashboards/web/charts/fill.js` on the page; a test
holds the two to each other. Besides plain values it may hold:

- `{"$": "curve.clean"}`: the field at a path. Numbers in the path index lists, from the end where negative;
  `*` stands for every entry. What is missing is null, or the value of `"else"`. `"times": 100` multiplies it,
  after the field at the path `"minus"` is taken off, and `"map"` looks texts up.
- `{"$text": "n = {margins.n:,}"}`: a text with placeholders, each a path and a format of Python's: `,` `.Nf`
  `+.Nf` `.Ng` `.N%`, or none for texts and whole numbers; never a minus before 0, and a space before %. A
  list of texts and nodes is joined, and `%{x}` is left to Plotly.
- `{"$if": path, "then": …, "else": …}`: one of two values; false are null, false, 0, NaN, and what is empty.
  In place of a path may stand a node, such as a difference.
- An entry of a list with `"$if": path` is left out where that is false; one with `"$each": path` stands once
  for every entry there, which it calls `item`, and its place `i`.
- `"$entries": [{"$each": path, "$key": path, "value": …}]` in an object: one key for every entry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Any

import numpy as np

Template = Any
"""Plain JSON, see above."""
Fields = Mapping[str, Any]
"""Views and what stands beside them, by name: mappings, records, sequences and arrays."""

_PLACEHOLDER = re.compile(r"(?<!%)\{([^{}:]+)(?::([^{}]*))?\}")
_NO_MINUS_ZERO = re.compile(r"^(\+?)(.*)")
_INDEX = re.compile(r"-?\d+")


def fill(template: Template, fields: Fields) -> Any:
    """A template with its fields put in; with NumPy arrays where the fields are such.

    Args:
        template: The template.
        fields: What it names.

    Example:
        >>> fill([{"x": {"$": "a.b", "times": 100}}, {"$if": "c", "y": 1}], {"a": {"b": 0.5}})
        [{'x': 50.0}]
    """
    if isinstance(template, list | tuple):
        return [fill(entry, own) for node in template for entry, own in _entries(node, fields)]
    if not isinstance(template, Mapping):
        return template
    if "$" in template:
        return _value(template, fields)
    if "$text" in template:
        return _text(template["$text"], fields)
    if "$if" in template and ("then" in template or "else" in template):
        return fill(template.get("then" if _holds(template["$if"], fields) else "else"), fields)
    filled = {key: fill(node, fields) for key, node in template.items() if not key.startswith("$")}
    for node in template.get("$entries", ()):
        for own in _each(node["$each"], fields):
            filled[at(own, node["$key"])] = fill(node["value"], own)
    return filled


def at(fields: Any, path: str) -> Any:
    """The field at a path; None where there is none.

    Example:
        >>> at({"a": [{"b": 1}, {"b": 2}]}, "a.-1.b"), at({"a": [{"b": 1}, {"b": 2}]}, "a.*.b")
        (2, [1, 2])
    """
    found, parts = fields, path.split(".")
    for place, part in enumerate(parts):
        if part == "*":
            rest = ".".join(parts[place + 1 :])
            return [at(entry, rest) if rest else entry for entry in found or ()]
        found = _part(found, part)
        if found is None:
            return None
    return found


def _part(found: Any, name: str) -> Any:
    if isinstance(found, Mapping):
        return found.get(name)
    if _INDEX.fullmatch(name) and isinstance(found, Sequence | np.ndarray):
        place = int(name)
        return found[place] if -len(found) <= place < len(found) else None
    return getattr(found, name, None)


def truthy(value: Any) -> bool:
    """Whether a condition on a field holds."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return False
    return len(value) > 0 if isinstance(value, Sized) else bool(value)


def _holds(condition: Template, fields: Fields) -> bool:
    return truthy(at(fields, condition) if isinstance(condition, str) else fill(condition, fields))


def _entries(node: Template, fields: Fields) -> Iterator[tuple[Template, Fields]]:
    """What an entry of a list stands for: nothing, itself, or one of itself for each entry of a field."""
    if isinstance(node, Mapping) and "$each" in node:
        single = {key: value for key, value in node.items() if key != "$each"}
        for own in _each(node["$each"], fields):
            yield from _entries(single, own)
    elif isinstance(node, Mapping) and "$if" in node and not ("then" in node or "else" in node):
        if _holds(node["$if"], fields):
            yield {key: value for key, value in node.items() if key != "$if"}, fields
    else:
        yield node, fields


def _each(path: str, fields: Fields) -> Iterator[Fields]:
    for place, item in enumerate(at(fields, path) or ()):
        yield {**fields, "item": item, "i": place}


def _value(node: Mapping[str, Any], fields: Fields) -> Any:
    value = at(fields, node["$"])
    if value is None:
        return node.get("else")
    if "map" in node:
        return [node["map"][one] for one in value] if isinstance(value, list | tuple) else node["map"][value]
    if "minus" in node or "times" in node:
        value = np.asarray(value, np.float64) if isinstance(value, Sequence) else value
        value = value - at(fields, node["minus"]) if "minus" in node else value
        return value * node.get("times", 1)
    return value


def _text(text: Any, fields: Fields) -> str:
    if isinstance(text, list | tuple):
        return "".join(
            fill(part if not isinstance(part, str) else {"$text": part}, fields) or "" for part in text
        )
    return _PLACEHOLDER.sub(lambda match: _formatted(at(fields, match[1]), match[2] or ""), text)


def _formatted(value: Any, spec: str) -> str:
    if value is None:
        return ""
    if spec.endswith("%"):
        return f"{_formatted(100 * value, f'{spec[:-1]}f')} %"
    return format(value, _NO_MINUS_ZERO.sub(r"\1z\2", spec) if spec[-1:] in ("f", "g") else spec)
