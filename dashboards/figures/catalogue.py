"""Every figure's template, for the page."""

from __future__ import annotations

from typing import Any


def catalogue() -> dict[str, Any]:
    """Templates and panels as plain JSON."""
    return {}
