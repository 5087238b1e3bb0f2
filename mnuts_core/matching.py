"""Mixes made comparable: which weight α gives one mix the margin bound, or the clean accuracy, of another.

Each example is right on an interval of odds (1-α)/α, so a mix's figures change at finitely many odds only:
one α from each stretch between them tells all that any α can do.
"""

from __future__ import annotations

import numpy as np

from mnuts_core.params import MixParams
from mnuts_core.remix import RemixEngine
from mnuts_core.tradeoff import Array, Curve, alpha_curve, right_between

RESOLVED = 1e-12
"""Stretches of odds shorter than this are passed over: α in float64 could hardly land inside."""
SAME = 1e-9
"""Shares of counted examples that differ by less are equal."""


def plateau_curve(engine: RemixEngine, params: MixParams) -> Curve:
    """The mix at one α from the middle of each stretch of α on which its predictions stay the same.

    Args:
        engine: The engine of a bundle.
        params: Transform and temperature; β and α are ignored.

    Returns:
        The curve, α descending from 1 to 1/2: every pair of figures that some α reaches, but for odds at
        which two stretches meet.
    """
    low, high, _ = right_between(engine, params)
    margins = engine.margins(params).margin[engine.n_clean :].double().cpu().numpy()
    ends = np.unique(np.concatenate([low, high, margins]))
    ends = np.concatenate([[0.0], ends[(ends > 0) & (ends < 1)], [1.0]])
    middle = (ends[1:] + ends[:-1])[np.diff(ends) > RESOLVED] / 2
    return alpha_curve(engine, params, 1.0 / (1.0 + np.concatenate([[0.0], middle, [1.0]])))


def best_clean(curve: Curve, least_bound: float) -> int | None:
    """Where on a curve clean accuracy is highest while the margin bound is at least a given one.

    Args:
        curve: From `plateau_curve`.
        least_bound: The margin bound to keep, in [0, 1].

    Returns:
        The place; among equals the one with the higher bound, then the larger α. None if no α keeps it.
    """
    return _best(curve.clean, curve.margin_bound, least_bound, curve.alpha)


def best_bound(curve: Curve, least_clean: float) -> int | None:
    """Where on a curve the margin bound is highest while clean accuracy is at least a given one.

    Args:
        curve: From `plateau_curve`.
        least_clean: The clean accuracy to keep, in [0, 1].

    Returns:
        The place; among equals the one with more clean accuracy, then the larger α. None if no α keeps it.
    """
    return _best(curve.margin_bound, curve.clean, least_clean, curve.alpha)


def _best(wanted: Array, kept: Array, least: float, alpha: Array) -> int | None:
    allowed = kept >= least - SAME
    if not allowed.any():
        return None
    order = np.lexsort((alpha, kept, np.where(allowed, wanted, -np.inf)))
    return int(order[-1])
