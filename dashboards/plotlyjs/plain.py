"""Figures as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_json(node: Any) -> Any:
    """Plotly JSON without arrays: lists in their place, plain numbers, None for what is not finite.

    Args:
        node: A figure or a part of it.

    Example:
        >>> plain_json({"x": np.array([1.0, np.nan]), "range": (0, 1)})
        {'x': [1.0, None], 'range': [0, 1]}
    """
    if isinstance(node, np.ndarray):
        texts = node.dtype.kind in "mM"  # times
        return plain_json((node.astype(str) if texts else node).tolist())
    if isinstance(node, Mapping):
        return {str(key): plain_json(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain_json(value) for value in node]
    if isinstance(node, np.generic):
        return plain_json(node.item())
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node
