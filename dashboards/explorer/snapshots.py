"""The rows of the table of snapshots: up to six mixes beside the current one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.views.paired import mix_pairs
from mnuts_dashboards.figures.other_mixes import letter
from mnuts_dashboards.text.numbers import alpha_text, minus, signed
from mnuts_dashboards.theme import MIX, MUTED
from mnuts_dashboards.widgets.table import Column

COLUMNS = (
    Column("name", "snapshot"),
    Column("settings", "settings"),
    Column("alpha", "α", numeric=True),
    Column("clean", "clean, %", numeric=True, digits=2, help="Exact on the images of the bundle"),
    Column("attacked", "attacked, %", numeric=True, digits=2, help="An upper bound; see the table above"),
    Column("by_margin", "by margin, %", numeric=True, digits=2, help="See the table above"),
    Column("verified", "verified, %", numeric=True, digits=2, help="By an adaptive attack on that mix"),
)
CURRENT = 99
"""Key of the current mix's row."""
Verified = Callable[[MixParams], Estimate | None]


def snapshot_rows(current: Remix, kept: Sequence[Remix], verified: Verified) -> list[dict[str, Any]]:
    """The rows of the table, the current mix last.

    Args:
        current: The current mix.
        kept: The snapshots' mixes.
        verified: Gives what an attack left of a mix, if one was run.
    """
    rows = [_row(i, letter(i), MUTED, mix, verified(mix.params), current) for i, mix in enumerate(kept)]
    here = _row(CURRENT, "current", MIX, current, verified(current.params), None)
    return [*rows, here | {"fixed": True}]


def _row(
    key: int, name: str, dot: str, mix: Remix, verified: Estimate | None, current: Remix | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": key,
        "name": name,
        "dot": dot,
        "settings": _settings(mix.params),
        "alpha": alpha_text(mix.alpha),
    }
    against = {} if current is None else mix_pairs(mix, current)
    for column, figure in (
        ("clean", mix.clean),
        ("attacked", mix.attacked),
        ("by_margin", mix.by_margin),
        ("verified", verified),
    ):
        if figure is None:
            continue
        row[column] = 100 * figure.value
        row[f"{column}_tip"] = str(figure)
        pair = against.get(column)
        if pair is not None:
            row[f"{column}_more"] = signed(100 * pair.difference.value, 2)
            row[f"{column}_tip"] += f"; {minus(pair.points)} against the current mix, on the same images"
        elif column == "verified":
            row[f"{column}_more"] = f"n = {figure.n:,}"
    return row


def _settings(params: MixParams) -> str:
    parts = [f"s {params.s:.4g}", f"p {params.p:.4g}", f"c {params.c:.4g}"]
    parts += [params.clamp] if params.clamp != "gelu" else []
    parts += [f"T {params.temperature:g}"] if params.temperature else []
    parts += [f"k {params.ln_k}"] if params.ln_k != MixParams().ln_k else []
    return minus(", ".join(parts))
