"""The explorer's words and numbers: the headline table, the gains in words, the banner. HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from mnuts_core.views.headline import Change, Headline, Row, error_change
from mnuts_dashboards.text import messages
from mnuts_dashboards.text.numbers import alpha_text, errors_text, minus, signed
from mnuts_dashboards.text.templates import Texts
from mnuts_dashboards.theme import CLASSIFIER

if TYPE_CHECKING:
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.search.direct import DirectSearch
    from mnuts_core.search.result import GridSearchResult
    from mnuts_core.views.direct import Match

NAMES = {
    "std": "Standard model",
    "rob": "Robust model",
    "mapped": "Transformed M(h)",
    "plain": "Plain mix",
    "mix": "This mix",
}
COLUMNS = (
    ("Clean accuracy", "Exact on the images of the bundle."),
    (
        "Attacked, at most",
        "Share of the attacked images that are right at every known point: an upper bound on robust "
        "accuracy, as good as the points are. The standard model has one only where it was attacked itself.",
    ),
    (
        "Right by margin",
        "Share that M(h) gets right at every attacked point with margin ≥ (1-α)/α: right there whatever the "
        "standard model says (Eq. 7).",
    ),
    (
        "Verified",
        "What an adaptive attack (B.2.1) on this very mix has left, once you have run it under Verify.",
    ),
)


_TEXTS = Texts("text/templates/headline.html")


def headline_html(table: Headline) -> Markup:
    """The headline table.

    Args:
        table: The figures.
    """
    return _TEXTS.html("table", columns=COLUMNS, rows=[_row(table, row) for row in table.rows])


def _row(table: Headline, row: Row) -> dict[str, object]:
    mix = row.alpha is not None
    return {
        "key": row.key,
        "name": NAMES[row.key],
        "colour": CLASSIFIER[row.key],
        "alpha": None if row.alpha is None else alpha_text(row.alpha),
        "cells": [
            _cell(row.clean, error_change(row.clean, table.rob.clean) if mix else None),
            _cell(row.attacked, error_change(row.attacked, table.rob.attacked) if mix else None),
            _cell(row.by_margin),
            _verified(row),
        ],
    }


def _verified(row: Row) -> dict[str, str] | str | None:
    """The verified figure; a mix that has not been attacked has none yet."""
    return "not yet" if row.verified is None and row.key == "mix" else _cell(row.verified)


def _cell(estimate: Estimate | None, error_change: float | None = None) -> dict[str, str] | None:
    """A figure with its interval and n, and how its errors compare with the robust model's (Table 1)."""
    if estimate is None:
        return None
    low, high = estimate.interval
    return {
        "value": f"{100 * estimate.value:.2f}",
        "low": f"{100 * low:.1f}",
        "high": f"{100 * high:.1f}",
        "n": f"{estimate.n:,}",
        "errors": "" if error_change is None else f"{errors_text(error_change)} than robust model",
    }


def words_html(table: Headline, warnings: Sequence[str], attack: str | None) -> Markup:
    """What the mix gains, in words; what the figures mean; what puts them in doubt.

    Args:
        table: The headline figures.
        warnings: Of the mix, one line each.
        attack: Name of the attack that the bundle records, if it does.
    """
    return _TEXTS.html("words", gains=_gains(table), warnings=warnings, meaning=_meaning(table, attack))


def _gains(table: Headline) -> str:
    changes = table.changes()
    return (
        f"Compared with the robust model: {_gain(changes['rob'])}. "
        f"Compared with the plain mix: {_gain(changes['plain'])}."
    )


def _gain(changes: Mapping[str, Change | None]) -> str:
    """The gains in points, and what the clean one does to the errors (Table 1)."""
    words, clean, attacked = [], changes["clean"], changes["attacked"]
    if clean is not None:
        errors = "" if clean.relative_error is None else f" ({errors_text(clean.relative_error)})"
        words.append(f"{_points(clean)} clean accuracy{errors}")
    if attacked is not None:
        words.append(f"{_points(attacked)} attacked accuracy")
    return ", ".join(words)


def _points(change: Change) -> str:
    """The gain in points, with its paired interval where both were on the same images."""
    if change.paired is None:
        return f"{signed(change.points, 2)} points"
    return minus(change.paired.points)


def _meaning(table: Headline, attack: str | None) -> str:
    if table.rob.attacked is None:
        return "The bundle has no attacked part: there are no figures under attack."
    attack = attack or "not recorded in the bundle"
    text = "Intervals are 95 %: of accuracies Wilson's, of gains Tango's for the same images. "
    text += f"Attack, on the robust model: {attack}. "
    if table.remix.optimistic:
        text += "MMAA points only: attacked figures are optimistic, no attack on a mix is among them. "
    if table.std.attacked is None:
        text += "The standard model was not attacked. "
    return text + "Only an adaptive attack on the mix itself verifies its robust accuracy."


def direct_html(pair: Match, found: DirectSearch, kept: str, least: float) -> Markup:
    """What a direct search found, on seen and unseen images, and beside the plain mix; with its warnings.

    Args:
        pair: The mix and the plain one.
        found: The search.
        kept: Which accuracy is kept, `clean` or `attacked`.
        least: The least that it may be.
    """
    choice, (seen, unseen) = pair.ours.choice, pair.ours.clean
    params, attacked = choice.params, pair.ours.attacked
    lines = [
        f"best of the grid at {kept} accuracy of at least {100 * least:.4g} %, T = 0:",
        f"s = {params.s:.4g}, p = {params.p:.3g}, c = {params.c:.3g}, α = {alpha_text(params.alpha or 1.0)}",
        f"attacked, at most {100 * attacked.value:.2f} % of {attacked.n:,} images"
        + (" (MMAA points only: optimistic)" if found.optimistic else ""),
        "clean "
        + "; ".join(
            f"{100 * figure.value:.2f} % of {figure.n:,} {name}"
            for name, figure in (("seen", seen), ("unseen", unseen))
            if figure is not None
        ),
    ]
    if pair.plain is not None:
        clean = pair.plain.clean.seen or pair.plain.remix.clean
        lines.append(
            f"plain mix: clean {100 * clean.value:.2f} % of the seen, attacked "
            f"{100 * pair.plain.attacked.value:.2f} %; gain {minus(pair.paired['attacked'].points)} attacked"
        )
    else:
        lines.append("no α of the plain mix reaches that")
    lines.append(f"{found.n_mixes:,} mixes of {found.grid.size:,} cells, grid {found.grid.name}")
    return messages.found_html(lines, (*found.notes, *choice.warnings))


def found_html(result: GridSearchResult) -> Markup:
    """What a search found, with its warnings."""
    best, params = result.best, result.best.params
    lines = [
        f"best of the grid for β = {result.beta:.4g}, chosen on these images:",
        f"s = {params.s:.4g}, p = {params.p:.3g}, c = {params.c:.3g}, α = {alpha_text(params.alpha or 1.0)}",
        f"objective {100 * best.objective:.1f} % of {result.n_wrong} wrong clean images "
        f"({result.n_clean} seen)",
        f"{result.grid.size} cells, grid {result.grid.name}; {len(result.ties) - 1} tied",
    ]
    return messages.found_html(lines, result.warnings)
