"""Results by class: on which classes the mix gains or loses, and what it takes them for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.remix.engine import Remix, RemixEngine
from mnuts_core.views.examples import Where, rows_of

Counts = NDArray[np.int64]


class ClassResults(NamedTuple):
    """How many images of each class are right; arrays of shape (K,).

    Attributes:
        n: Images of the class.
        std: Of these, how many g gets right.
        rob: How many h does.
        mix: How many the mix does.
    """

    n: Counts
    std: Counts
    rob: Counts
    mix: Counts


def class_results(engine: RemixEngine, remix: Remix, where: Where = "clean") -> ClassResults:
    """Results by true class.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle; `attacked`: the first points.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    part, rows = rows_of(engine, remix, where)
    labels, k = engine.labels[rows].cpu().numpy(), engine.bundle.num_classes
    return ClassResults(
        n=np.bincount(labels, minlength=k),
        std=np.bincount(labels[engine.std_right[rows]], minlength=k),
        rob=np.bincount(labels[engine.rob_right[rows]], minlength=k),
        mix=np.bincount(labels[part.mix_right], minlength=k),
    )


def confusion(engine: RemixEngine, remix: Remix, where: Where = "clean") -> Counts:
    """How often the mix takes one class (row) for another (column), shape (K, K).

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle; `attacked`: the first points.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    part, rows = rows_of(engine, remix, where)
    labels, k = engine.labels[rows].cpu().numpy(), engine.bundle.num_classes
    return np.bincount(labels * k + part.mix_class, minlength=k * k).reshape(k, k)
