"""What `mnuts evaluate` answers: the figures of a verification as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.bundles.manifest import ThreatModel
    from mnuts_core.cli.anytime import Ending
    from mnuts_core.cli.into import PoolFile
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.models.passes import Passes
    from mnuts_core.pipeline.verified import Verified

EXPLAINED = (
    "each component attacks what those before it have left; forward, backward: passes through the mix for "
    "each image"
)


def to_json(
    verified: Verified,
    threat: ThreatModel,
    target: Path | None,
    config: MixConfig,
    pool: PoolFile | None,
    ending: Ending,
) -> dict[str, Any]:
    """The result as plain JSON.

    Args:
        verified: What the attack found.
        threat: What it was allowed.
        target: Where the configuration is, if it was written.
        config: The configuration with the result.
        pool: The bundle that the points have joined, if any.
        ending: Whether all images are done.
    """
    from mnuts_core.attacks.published import nearest

    published = nearest(verified.accuracy.value)
    return {
        "path": target,
        **ending.to_json(),
        "bundle": None if pool is None else {"path": pool.target, "points": pool.added},
        "accuracy": verified.accuracy.to_json(),
        "clean": verified.clean.to_json(),
        "components": [
            {
                "name": part.name,
                "broken": part.broken,
                **part.accuracy.to_json(),
                "passes": part.passes and part.passes._asdict(),
            }
            for part in verified.components
        ],
        "published": {
            "network": published.network,
            "accuracy": published.accuracy,
            "autoattack": published.autoattack._asdict(),
            "a3": published.a3._asdict(),
        },
        "threat": threat.model_dump(),
        "attack": verified.attack,
        "settings": verified.settings,
        "warnings": [diagnostic._asdict() for diagnostic in verified.warnings],
        "digest": verified.digest,
        "config": json.loads(config.to_json()),
    }


def report(
    verified: Verified,
    threat: ThreatModel,
    config: MixConfig,
    target: Path | None,
    pool: PoolFile | None,
    ending: Ending,
) -> Sequence[str | Table]:
    """The result as a table, and what the configuration had estimated; the arguments are `to_json`'s."""
    from mnuts_core.attacks.published import nearest

    table = Table(box=box.SIMPLE)
    table.add_column("after")
    for column in ("right, %", "95 % interval", "broken", "forward", "backward"):
        table.add_column(column, justify="right")
    table.add_row("no attack", *_cells(verified.clean), "", "", "")
    for part in verified.components:
        table.add_row(part.name, *_cells(part.accuracy), f"{part.broken:,}", *_passes(part.passes))
    table.add_section()
    table.add_row("verified", *_cells(verified.accuracy), "", *_passes(verified.passes), style="bold")
    heading = f"{verified.attack}; {threat}; n = {verified.accuracy.n:,}"
    lines: list[str | Table] = [heading, table, EXPLAINED, str(nearest(verified.accuracy.value))]
    if config.estimates is not None:
        cards = (config.estimates.attacked, config.estimates.by_margin)
        estimates = [f"{card.kind} {100 * card.value:.2f} % (n = {card.n:,})" for card in cards if card]
        where = "from cached logits" if pool is None else "from cached logits, these points included"
        lines += [f"{where}: {', '.join(estimates)}"] if estimates else []
    written = f"written: {target}" if target else "not written: give --out FILE.json or --in-place"
    if pool is not None:
        lines.append(f"written: {pool.target}, with {counted(pool.added, 'more point')}")
    return [*lines, written, *ending.lines()]


def _passes(passes: Passes | None) -> tuple[str, str]:
    return ("–", "–") if passes is None else (f"{passes.forward:,.0f}", f"{passes.backward:,.0f}")


def _cells(figure: Estimate) -> tuple[str, str]:
    low, high = figure.interval
    return f"{100 * figure.value:.2f}", f"[{100 * low:.2f}, {100 * high:.2f}]"
