"""The (1-β)-quantile of margins: line 9 of Algorithm 1, and the weight α = 1/(1+q) that follows."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnuts_core.errors import ParameterError

QuantileMethod = Literal["linear", "lower"]

TIE = 1e-15
"""Margins and odds this close count as equal: α = 1/(1+q) is stored, and (1-α)/α is q but for rounding."""

TRIFLE = 1e-300
"""Makes of 0 what is larger than 0, and leaves every other number as it is."""

SATURATED = 1.0 - 3e-6
"""A quantile above this leaves margins that float64 can no longer tell apart (the paper's code warns)."""
UNRESOLVED = 1e-12
"""A quantile below this gives an α that float64 hardly tells from 1: not to be trusted either."""


def least_kept(threshold: ArrayLike) -> NDArray[np.float64]:
    """The smallest margin that counts as reaching `(1-α)/α`.

    It is the threshold itself, but for rounding. Next to 1, where float64 rounds different margins to the
    same number, a tie counts as lost: the mix itself gives it to the standard model.

    Args:
        threshold: Odds `(1-α)/α` in [0, 1], any shape.

    Example:
        >>> bool(least_kept(0.5) <= 0.5), bool(least_kept(1.0) > 1.0)
        (True, True)
    """
    threshold = np.asarray(threshold, np.float64)
    return np.where(threshold > SATURATED, threshold + UNRESOLVED, threshold - TIE)


def margin_quantile(
    sorted_margins: NDArray[np.float64], beta: ArrayLike, method: QuantileMethod = "linear"
) -> NDArray[np.float64]:
    """The (1-β)-quantile along the last axis of margins that are sorted already.

    Args:
        sorted_margins: Ascending margins in [0, 1], shape (..., n), n ≥ 1; only those at the places that
            `quantile_places` names are looked at.
        beta: Level(s) in [0, 1], scalar or shape (b,).
        method: `linear` interpolates between the two neighbours, as `numpy.percentile` and so the
            paper's code does; `lower` takes the smaller neighbour, so that at least a share β of the
            margins lies at or above the result.

    Returns:
        Quantiles, shape (...) for a scalar β, (..., b) otherwise.

    Raises:
        ParameterError: If the method is unknown.

    Example:
        >>> margin_quantile(np.array([0.0, 0.5, 1.0]), 0.75)
        array(0.25)
        >>> margin_quantile(np.array([0.0, 0.5, 1.0]), 0.75, "lower")
        array(0.)
    """
    check_method(method)
    low, high, share = quantile_places(beta, sorted_margins.shape[-1])
    lower = np.asarray(sorted_margins[..., low])
    if method == "lower":
        return lower
    return np.asarray(lower + share * (sorted_margins[..., high] - lower))


def quantile_places(
    beta: ArrayLike, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Between which of n sorted margins the (1-β)-quantile lies, and how far from the lower one.

    Args:
        beta: Level(s) in [0, 1].
        n: How many margins, at least 1.

    Returns:
        Lower and upper place in [0, n), and the share of the way in [0, 1), each of β's shape.
    """
    place = (1.0 - np.asarray(beta, np.float64)) * (n - 1)
    # β = 0.985 is stored as 0.98499...: a place that is an integer but for rounding is that integer
    place = np.where(np.abs(place - np.rint(place)) < 1e-9, np.rint(place), place)
    low = np.floor(place).astype(np.int64)
    return low, np.minimum(low + 1, n - 1), np.asarray(place - low)


def check_method(method: Any) -> QuantileMethod:
    """The method, if it is known.

    Raises:
        ParameterError: If it is not.
    """
    if method not in get_args(QuantileMethod):
        raise ParameterError(f"quantile must be 'linear' or 'lower', got {method!r}")
    return method  # type: ignore[no-any-return]
