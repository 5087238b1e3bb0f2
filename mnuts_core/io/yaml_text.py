"""YAML from strangers as plain data: no objects, no aliases, nothing twice; and plain data as YAML."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import yaml

from mnuts_core.io.untrusted import Error, read_bytes
from mnuts_core.text import one_line, shortened

MAX_BYTES = 2**18
"""A YAML file larger than this is refused before it is parsed."""
MAX_DEPTH = 20
"""YAML may be nested so deeply."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, stricter: aliases can make a small file huge, of equal keys the last one wins."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node; refused are aliases and deep nesting."""
        if self.check_event(yaml.AliasEvent):
            raise ValueError("aliases (*name) are not allowed: write the values out")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are text or numbers, each once."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if not isinstance(key, (str, int, float)) or isinstance(key, bool):
                raise ValueError(f"names must be text or numbers, got {shortened(key)}")
            if key in keys[:place]:
                raise ValueError(f"{shortened(key)} stands twice in one block")
        return super().construct_mapping(node, deep=True)


def read_yaml(path: str | os.PathLike[str], error: Error) -> Any:
    """What a YAML file says, as plain data.

    Args:
        path: The file.
        error: The exception to raise if it is missing, too large, or not plain YAML.
    """
    return parse_yaml(read_bytes(path, MAX_BYTES, error), str(path), error)


def parse_yaml(text: str | bytes, where: str, error: Error) -> Any:
    """What YAML text says: text, numbers, lists and mappings, in one document.

    Args:
        text: The YAML.
        where: What to call it in messages.
        error: The exception to raise if it is something else.
    """
    try:
        if len(text) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES // 2**10} KiB")
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as problem:
        raise error(f"{where} is not plain YAML: {one_line(str(problem), 300)}") from None


def number(value: object) -> float | None:
    """A number of YAML, which takes 1e-3 for text; None for what is no number.

    Example:
        >>> number("1e-3"), number(2), number("a"), number(True)
        (0.001, 2.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def yaml_text(value: Mapping[str, Any]) -> str:
    """Plain data as YAML in blocks, in its own order; floats are written with all their digits.

    Example:
        >>> print(yaml_text({"cifar10": {"gelu": {98.5: {"s": 5.0}}}}), end="")
        cifar10:
          gelu:
            98.5:
              s: 5.0
    """
    text: str = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120
    )
    return text
