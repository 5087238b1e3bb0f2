"""The explorer's words and numbers: the headline table, the gains in words, the banner. HTML, escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .theme import CLASSIFIER

if TYPE_CHECKING:
    from mnuts_core.estimates import Estimate
    from mnuts_core.selection import GridSearchResult
    from mnuts_core.views import Headline, HeadlineRow

COLUMNS = (
    ("Clean accuracy", "Exact on the images of the bundle."),
    ("Under MMAA", "Measured: the minimum-margin attack on this very model."),
    (
        "Margin bound",
        "Estimate: share of attacked images that M(h) gets right with margin ≥ (1-α)/α, taking the standard "
        "model to be always wrong under attack (Eq. 7).",
    ),
    (
        "Transfer",
        "Estimate: share that the mix gets right at the points found against LN∘h, not against the mix. For "
        "the standard model this is not its robust accuracy: an attack on it would find other points.",
    ),
    ("Clean error", "Relative change of the error rate against the robust model (Table 1)."),
    ("Robust error", "The same, from the margin bound: an estimate."),
)


def headline_html(table: Headline) -> str:
    """The headline table.

    Args:
        table: The figures.
    """
    head = "".join(f"<th scope='col' title='{escape(tip, quote=True)}'>{name}</th>" for name, tip in COLUMNS)
    body = "".join(_row(row) for row in table if row is not None)
    return (
        f"<table class='mnuts-headline'><thead><tr><th scope='col'></th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _row(row: HeadlineRow) -> str:
    dot = f"<span class='mnuts-dot' style='background:{CLASSIFIER[row.key]}'></span>"
    cells = [
        _cell(row.clean),
        _cell(row.attacked),
        _cell(row.margin_bound),
        _cell(row.transfer),
        _change(row.clean_error_change),
        _change(row.robust_error_change),
    ]
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    alpha = "" if row.alpha is None else f"<small>α&nbsp;=&nbsp;{row.alpha:.5f}</small>"
    return f"<tr data-row='{row.key}'><th scope='row'>{dot}{escape(row.name)}{alpha}</th>{body}</tr>"


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    low, high = estimate.interval
    return (
        f"<b>{100 * estimate.value:.2f}</b>&nbsp;%"
        f"<small>{100 * low:.1f} to {100 * high:.1f}, n&nbsp;=&nbsp;{estimate.n:,}</small>"
    )


def _change(change: float | None) -> str:
    return "" if change is None else f"{signed(100 * change, 1)}&nbsp;%"


def signed(value: float, digits: int) -> str:
    """A number with its sign, the minus as it is printed."""
    return f"{value:+.{digits}f}".replace("-", "−")


def words_html(table: Headline) -> str:
    """What the mix gains over the robust model and over the plain mix, in words."""
    mix, rob, plain = table.mix, table.rob, table.plain
    parts = [f"clean accuracy {_points(mix.clean, rob.clean)} against the robust model"]
    if mix.margin_bound is not None and rob.attacked is not None:
        parts.append(f"margin bound {_points(mix.margin_bound, rob.attacked)}")
    text = "This mix: " + ", ".join(parts)
    if plain is not None:
        text += f"; clean accuracy {_points(mix.clean, plain.clean)} against the plain mix"
        if mix.margin_bound is not None and plain.margin_bound is not None:
            text += f", margin bound {_points(mix.margin_bound, plain.margin_bound)}"
    return (
        f"<p class='mnuts-words'>{escape(text)}. Intervals are 95 % (Wilson); margin bound and transfer are "
        "estimates from cached logits, not verified robust accuracy.</p>"
    )


def _points(ours: Estimate, theirs: Estimate) -> str:
    return f"{signed(100 * (ours.value - theirs.value), 2)} points"


def found_html(result: GridSearchResult) -> str:
    """What a search found, with its warnings."""
    best, params = result.best, result.best.params
    lines = [
        f"s = {params.s:.4g}, p = {params.p:.3g}, c = {params.c:.3g}, α = {params.alpha:.5f}",
        f"objective {100 * best.objective:.1f} % of {result.n_wrong} wrong clean images "
        f"({result.n_clean} seen)",
        f"{result.grid.size} cells, grid {result.grid.name}; {len(result.ties) - 1} tied",
    ]
    lines = [f"<div>{escape(line)}</div>" for line in lines]
    lines += [f"<div class='mnuts-warning'>{escape(warning)}</div>" for warning in result.warnings]
    return f"<div class='mnuts-found' role='status'>{''.join(lines)}</div>"


def banner_html(message: str | None) -> str:
    """A banner for something that went wrong; empty for None."""
    return "" if message is None else f"<div class='mnuts-banner' role='alert'>{escape(message)}</div>"


def provenance_html(title: str, facts: Sequence[str], details: Sequence[str]) -> str:
    """What the figures rest on: a line of facts, and folded details.

    Args:
        title: The bundle's name.
        facts: Shown at once.
        details: Shown on demand.
    """
    shown = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    folded = "".join(f"<div>{escape(line)}</div>" for line in details)
    return (
        f"<div class='mnuts-provenance'><b>{escape(title)}</b>{shown}"
        f"<details><summary>where this comes from</summary>{folded}</details></div>"
    )
