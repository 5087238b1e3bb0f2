"""Results by class: on which classes the mix gains or loses, and what it takes them for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.examples import Where
from mnuts_core.views.paired import Bools, right_of, right_of_robust, right_of_standard

Counts = NDArray[np.int64]


class ClassResults(NamedTuple):
    """How many images of each class are right; arrays of shape (K,).

    Attributes:
        n: Images of the class.
        std: Of these, how many g gets right; None for attacked images where no attack on g itself is among
            their points.
        rob: How many h does.
        mix: How many the mix does.
    """

    n: Counts
    std: Counts | None
    rob: Counts
    mix: Counts


def class_results(engine: RemixEngine, remix: Remix, where: Where = "clean") -> ClassResults:
    """Results by true class; attacked images are right where they are so at all of their points.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    labels, k = _labels(engine, where), engine.bundle.num_classes

    def by_class(right: Bools) -> Counts:
        return np.bincount(labels[right], minlength=k)

    std = right_of_standard(engine).get(where)
    return ClassResults(
        n=np.bincount(labels, minlength=k),
        std=None if std is None else by_class(std),
        rob=by_class(right_of_robust(engine)[where]),
        mix=by_class(right_of(remix)[where]),
    )


def confusion(engine: RemixEngine, remix: Remix, where: Where = "clean") -> Counts:
    """How often the mix takes one class (row) for another (column), shape (K, K).

    Of an attacked image its class counts where it is wrong, if it is so at any of its points.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    labels, k = _labels(engine, where), engine.bundle.num_classes
    found = remix.on_clean if where == "clean" else remix.require_images()
    return np.bincount(labels * k + found.mix_class, minlength=k * k).reshape(k, k)


def _labels(engine: RemixEngine, where: Where) -> Counts:
    """True classes of the images of a part."""
    if where == "clean":
        return engine.bundle.clean_labels
    return engine.bundle.require_attacked().first.labels
