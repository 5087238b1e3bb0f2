"""At which attacked point of an image a classifier's margin stands: at its own point of least signed margin.

One rule for every plot, median and table of margins. Of g it holds only where an attack on g itself is among
the points; else g stands at the first points, which were found against h, and is marked as not attacked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.functional.margins import confidence_margin, signed_margin
from mnuts_core.params import LN_ONLY, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.remix.rows import Rows

Array = NDArray[np.float64]


class OwnPoints(NamedTuple):
    """A classifier on the clean rows, and then on the attacked images at its own points.

    Attributes:
        margin: Confidence margins, shape (N + m,).
        right: Whether it predicts the label, shape (N + m,).
        attacked_itself: Whether the attacked points are its own; not so for g without an attack on it.
    """

    margin: Array
    right: NDArray[np.bool_]
    attacked_itself: bool = True


def of_standard(engine: RemixEngine, scaled: Callable[[Tensor], Tensor] = lambda logits: logits) -> OwnPoints:
    """The standard model.

    Args:
        engine: The engine of a bundle.
        scaled: What its logits go through first, such as layer norm.
    """
    itself = engine.bundle.manifest.std_attacked
    margin, signed = _on_all_rows(engine, lambda rows: _margins(scaled(rows.std_logits), rows))
    return _at_own(engine, margin, engine.on_all_rows("std_right"), signed if itself else None)


def of_robust(engine: RemixEngine) -> OwnPoints:
    """The robust model, without layer norm."""
    margin, signed = _on_all_rows(engine, lambda rows: _margins(rows.rob_logits, rows))
    return _at_own(engine, margin, engine.on_all_rows("plain_right"), signed)


def of_transform(engine: RemixEngine, params: MixParams) -> OwnPoints:
    """M(h); for LN∘h see `of_layer_normed`."""
    margin, signed = engine.all_margins(params), engine.all_signed(params)
    return _at_own(engine, margin, engine.all_right(params), signed)


def of_layer_normed(engine: RemixEngine) -> OwnPoints:
    """LN∘h (k = 250)."""
    return of_transform(engine, LN_ONLY)


def base_points(engine: RemixEngine) -> dict[str, OwnPoints]:
    """g, h and LN∘h by name."""
    return {"g": of_standard(engine), "h": of_robust(engine), "LN h": of_layer_normed(engine)}


def _margins(logits: Tensor, rows: Rows) -> tuple[Array, Array]:
    margin, signed = confidence_margin(logits), signed_margin(logits, rows.labels)
    return margin.cpu().numpy(), signed.cpu().numpy()


def _on_all_rows(engine: RemixEngine, of: Callable[[Rows], tuple[Array, Array]]) -> tuple[Array, Array]:
    parts = [of(rows) for rows in (engine, engine.further) if rows is not None]
    margin, signed = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return margin, signed


def _at_own(engine: RemixEngine, margin: Array, right: NDArray[np.bool_], signed: Array | None) -> OwnPoints:
    """Of all rows the clean ones, and for each attacked image one; without signed margins the first."""
    n, pool = engine.n_clean, engine.pool
    rows = np.arange(n + engine.bundle.n_adv)
    if pool is not None and signed is not None:
        rows[n:] = pool.worst_rows(signed, right)
    return OwnPoints(margin[rows], right[rows], attacked_itself=signed is not None)
