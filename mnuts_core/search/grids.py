"""Grids of (s, p, c) for the search: s log-spaced, p and c linear, the paper's ranges as presets (C.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS

LEAST_POWER = 0.1
"""A widened grid's powers stop here: p must be positive."""
MAX_CELLS = 100_000
"""More cells than this are refused: their margins alone would fill the memory."""


@dataclass(frozen=True, eq=False)
class GridSpec:
    """Candidate values of s, p and c; the search visits every combination.

    Attributes:
        s: Ascending candidates for the scale, float64.
        p: Ascending candidates for the power.
        c: Ascending candidates for the bias.
        name: What to call the grid.

    Raises:
        ParameterError: If a list is empty, not ascending, or holds a value outside its interval.

    Example:
        >>> GridSpec.paper("cifar10").shape
        (8, 8, 8)
        >>> [round(float(s), 3) for s in GridSpec.paper("cifar10").s]
        [0.05, 0.097, 0.186, 0.36, 0.695, 1.341, 2.59, 5.0]
    """

    s: NDArray[np.float64]
    p: NDArray[np.float64]
    c: NDArray[np.float64]
    name: str = "custom"

    def __post_init__(self) -> None:
        for axis in ("s", "p", "c"):
            object.__setattr__(self, axis, _candidates(axis, getattr(self, axis)))
        if self.size > MAX_CELLS:
            raise ParameterError(
                f"a grid may hold at most {MAX_CELLS:,} cells, got {self.size:,}: coarsen it"
            )

    @classmethod
    def from_ranges(
        cls,
        s: tuple[float, float],
        p: tuple[float, float],
        c: tuple[float, float],
        *,
        steps: int = 8,
        name: str = "custom",
    ) -> GridSpec:
        """A grid from the ends of three ranges.

        Args:
            s: Lowest and highest scale; the steps between are even in log s.
            p: Lowest and highest power.
            c: Lowest and highest bias.
            steps: Values per axis (one, if both ends agree).
            name: What to call it.
        """
        if not isinstance(steps, int) or steps < 1:
            raise ParameterError(f"steps must be an integer of at least 1, got {steps!r}")
        if steps > MAX_CELLS:  # before they are made
            raise ParameterError(
                f"a grid may hold at most {MAX_CELLS:,} cells, got {steps:,} steps: coarsen it"
            )
        for axis, ends in (("s", s), ("p", p), ("c", c)):
            if len(ends) != 2:
                raise ParameterError(f"{axis} needs a lowest and a highest value, got {ends!r}")
            low, high = (PARAMS[axis].check(end) for end in ends)
            if low > high:
                raise ParameterError(f"the range of {axis} must ascend, got {low:g} to {high:g}")
        return cls(s=spaced("s", s, steps), p=spaced("p", p, steps), c=spaced("c", c, steps), name=name)

    @classmethod
    def paper(cls, name: str) -> GridSpec:
        """One of the paper's grids: `cifar10`, `cifar100` or `imagenet` (Table 3).

        Raises:
            ParameterError: If there is none of that name.
        """
        if name not in PAPER_RANGES:
            raise ParameterError(f"grid must be one of {', '.join(PAPER_RANGES)}, got {name!r}")
        return cls.from_ranges(*PAPER_RANGES[name], name=name)

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(len(s), len(p), len(c))`, the shape of every table of the search."""
        return len(self.s), len(self.p), len(self.c)

    @property
    def size(self) -> int:
        """How many cells."""
        return len(self.s) * len(self.p) * len(self.c)

    def at(self, index: tuple[int, int, int]) -> tuple[float, float, float]:
        """The s, p and c of the cell at a place in the tables."""
        i, j, k = index
        return float(self.s[i]), float(self.p[j]), float(self.c[k])

    def axes(self) -> Mapping[str, NDArray[np.float64]]:
        """The three lists by name, in the order of the tables' axes."""
        return {"s": self.s, "p": self.p, "c": self.c}

    def widened(self, edges: Mapping[str, str]) -> GridSpec:
        """A grid that reaches further where an optimum sat on the edge, with the same number of steps.

        Args:
            edges: For some of "s", "p", "c": "low" or "high".

        Returns:
            A grid in which each named range is half as long again on that side (in log s for s).
        """
        wider = {}
        for axis, values in self.axes().items():
            spec = PARAMS[axis]
            log = spec.scale == "log"
            low, high = (np.log10(values[[0, -1]]) if log else values[[0, -1]]).tolist()
            reach = 0.5 * (high - low) or 0.5
            low -= reach if edges.get(axis) == "low" else 0.0
            high += reach if edges.get(axis) == "high" else 0.0
            low, high = (10**low, 10**high) if log else (low, high)
            least = LEAST_POWER if axis == "p" else spec.low
            ends = max(low, min(least, float(values[0]))), min(high, spec.high)
            wider[axis] = spaced(axis, ends, len(values))
        return GridSpec(s=wider["s"], p=wider["p"], c=wider["c"], name=f"{self.name}+")


PAPER_RANGES: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "cifar10": ((0.05, 5.0), (1.0, 4.0), (-1.1, 0.0)),
        "cifar100": ((0.05, 4.0), (1.0, 4.0), (-2.5, -0.4)),
        "imagenet": ((0.01, 0.2), (2.0, 3.0), (-2.0, 0.0)),
    }
)
"""Ranges of s, p and c in the paper's searches (Table 3)."""


def spaced(axis: str, ends: tuple[float, float], steps: int) -> NDArray[np.float64]:
    """Values from end to end, evenly spaced on the parameter's own scale; one, if both ends agree."""
    if PARAMS[axis].scale == "log":
        values = np.logspace(np.log10(ends[0]), np.log10(ends[1]), steps)
        values[[0, -1]] = ends  # exactly, not but for rounding
    else:
        values = np.linspace(*ends, steps)
    return np.unique(values)


def _candidates(axis: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(values, np.float64))
    if array.ndim != 1 or not array.size:
        raise ParameterError(f"the grid's {axis} must be a non-empty list of numbers, got {values!r}")
    for value in array:
        PARAMS[axis].check(float(value))
    if (np.diff(array) <= 0).any():
        raise ParameterError(f"the grid's {axis} must ascend without repeats, got {array.tolist()}")
    array.setflags(write=False)
    return array


DEFAULT_GRID = "cifar10"
"""The grid that is searched unless another one is chosen."""
