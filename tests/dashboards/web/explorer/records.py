"""Records of the core as the page's engine gives them."""

from __future__ import annotations

import dataclasses
from typing import Any

from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate


def estimate(figure: Estimate | None) -> dict[str, Any] | None:
    """A figure."""
    return None if figure is None else dataclasses.asdict(figure)


def paired(table: Paired) -> dict[str, Any]:
    """Two classifiers on the same images."""
    return {
        "n": table.n,
        "difference": estimate(table.difference),
        "clear": table.clear,
        "p_value": table.p_value,
    }
