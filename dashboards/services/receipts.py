"""What a page keeps of a verification, so that a reload, which has another kernel, does not lose it.

A page may send anything: what does not fit is passed over, and what fits is seen by that page alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.pipeline.verified_points import add_verified
from mnuts_dashboards.verification.points import checked_points, packed_points
from mnuts_dashboards.verification.run import Outcome, rows_of

MOST = 16
"""So many verifications of one bundle are taken."""


def receipt_of(before: LogitBundle, outcome: Outcome) -> dict[str, Any]:
    """What to keep of a verification.

    Args:
        before: The bundle whose mix was attacked.
        outcome: What it ended with.
    """
    points = packed_points(outcome.points)
    return {"before": before.digest, "config": outcome.config.to_json(), "points": points}


def add_receipts(
    bundle: LogitBundle, receipts: object, buffers: Sequence[Any]
) -> Iterator[tuple[LogitBundle, MixConfig]]:
    """A bundle with the points of one verification after the other, and each one's configuration.

    Args:
        bundle: The bundle as it is now.
        receipts: A list of what `receipt_of` gave, without the points.
        buffers: The points of each.
    """
    if not isinstance(receipts, list):
        return
    for receipt, points in list(zip(receipts, buffers, strict=False))[:MOST]:
        if not isinstance(receipt, dict) or receipt.get("before") != bundle.digest:
            continue
        try:
            config = MixConfig.from_json(str(receipt.get("config")))
            if config.verified is None:
                continue
            rows = rows_of(bundle, config.verified.accuracy.n)
            found = checked_points(bytes(points), rows, bundle.num_classes)
            bundle = add_verified(bundle, config, found)
        except MnutsError:
            continue
        yield bundle, config
