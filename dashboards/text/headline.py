"""The explorer's words and numbers: the headline table, the gains in words, the banner. HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mnuts_core.bundles.manifest import OPTIMISTIC
from mnuts_core.text import counted
from mnuts_core.views.certified import certified_meaning
from mnuts_core.views.headline import Change, Headline, Row
from mnuts_dashboards.text import messages
from mnuts_dashboards.text.numbers import alpha_text, errors_text, minus, signed
from mnuts_dashboards.text.templates import Texts
from mnuts_dashboards.theme import CLASSIFIER

if TYPE_CHECKING:
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.search.direct_result import DirectSearch
    from mnuts_core.search.result import GridSearchResult
    from mnuts_core.views.certified import CertifiedFigures
    from mnuts_core.views.direct import Match

NAMES = {
    "std": "Standard model",
    "rob": "Robust model",
    "mapped": "Transformed M(h)",
    "adaptive": "α by the image",
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
        "Certified, at least",
        "Share of the clean images that are right whatever the standard model says and whatever the "
        "perturbation within the radius named below: a lower bound, as far as the certificate of the robust "
        "model holds.",
    ),
    (
        "Verified",
        "What an adaptive attack (B.2.1) on this very mix has left, once you have run it under Verify.",
    ),
)

_CERTIFIED = 3
"""The place of the column that only bundles with a certificate have."""
_TEXTS = Texts("text/templates/headline.html")


def headline_html(
    table: Headline, certified: CertifiedFigures | None = None, others: Sequence[Row] = ()
) -> Markup:
    """The headline table.

    Args:
        table: The figures.
        certified: Certified accuracies, of a bundle with a certificate.
        others: Rows of other methods, which stand above the mixes.
    """
    rows = [table.std, table.rob, table.mapped, *others, table.plain, table.mix]
    found = [_figures(row, certified) for row in rows]
    counts = [_count([figures[place] for figures in found]) for place in range(len(COLUMNS))]
    columns = [(*column, n) for column, n in zip(COLUMNS, counts, strict=True)]
    shown = [_row(table, row, counts, certified) for row in rows]
    if certified is None:
        for cells in (columns, *(row["cells"] for row in shown)):
            del cells[_CERTIFIED]
    return _TEXTS.html("table", columns=columns, rows=shown)


def _figures(row: Row, certified: CertifiedFigures | None) -> tuple[Estimate | None, ...]:
    """A row's figures, column by column."""
    return row.clean, row.attacked, row.by_margin, getattr(certified, row.key, None), row.verified


def _count(figures: Sequence[Estimate | None]) -> str:
    """The number of images that all figures of a column rest on; empty if they differ."""
    counts = {figure.n for figure in figures if figure is not None}
    return f"{counts.pop():,}" if len(counts) == 1 else ""


def _row(
    table: Headline, row: Row, counts: Sequence[str], certified: CertifiedFigures | None
) -> dict[str, Any]:
    cells = [_cell(figure, n) for figure, n in zip(_figures(row, certified), counts, strict=True)]
    if row.attacked is None and table.rob.attacked is not None:
        cells[1] = "not attacked"
    if row.key == "mix" and certified is not None and certified.refused:
        cells[_CERTIFIED] = "not for this mix"
    if row.verified is None and row.key == "mix":
        cells[-1] = "not yet"
    return {
        "key": row.key,
        "name": NAMES[row.key],
        "colour": CLASSIFIER[row.key],
        "alpha": None if row.alpha is None else alpha_text(row.alpha),
        "cells": cells,
    }


def _cell(estimate: Estimate | None, column_n: str) -> dict[str, str] | str | None:
    """A figure with its interval; with its n unless the head of its column has it."""
    if estimate is None:
        return None
    low, high = estimate.interval
    return {
        "value": f"{100 * estimate.value:.2f}",
        "low": f"{100 * low:.1f}",
        "high": f"{100 * high:.1f}",
        "n": "" if column_n else f"{estimate.n:,}",
    }


def words_html(table: Headline, warnings: Sequence[str], points: str, more: Sequence[str] = ()) -> Markup:
    """What the mix gains, in words; what the figures mean; what puts them in doubt.

    Args:
        table: The headline figures.
        warnings: Of the mix, one line each.
        points: Where the attacked points come from, in a few words.
        more: Further sentences about what the figures mean.
    """
    meaning = " ".join([_meaning(table, points), *more])
    return _TEXTS.html("words", gains=_gains(table), warnings=warnings, meaning=meaning)


def certified_lines(found: CertifiedFigures) -> list[str]:
    """What certified accuracies mean and rest on, a line each.

    Args:
        found: The accuracies.
    """
    refused = [f"Of this mix nothing is certified: {found.refused}."] if found.refused else []
    return [*certified_meaning(found.within, found.basis, found.of_threat), *refused]


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


def _meaning(table: Headline, points: str) -> str:
    if table.rob.attacked is None:
        return "The bundle has no attacked part: there are no figures under attack."
    text = f"Intervals: 95 %, Wilson's; of gains, Tango's on the same images. Attacked points: {points}. "
    if table.remix.optimistic:
        text += f"{OPTIMISTIC} "
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
        f"attacked, at most {100 * attacked.value:.2f} % of {counted(attacked.n, 'image')}"
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
    mixes, cells = counted(found.n_mixes, "mix", "mixes"), counted(found.grid.size, "cell")
    lines.append(f"{mixes} of {cells}, grid {found.grid.name}")
    return messages.found_html(lines, (*found.notes, *choice.warnings))


def found_html(result: GridSearchResult) -> Markup:
    """What a search found, with its warnings."""
    best, params = result.best, result.best.params
    lines = [
        f"best of the grid for β = {result.beta:.4g}, chosen on these images:",
        f"s = {params.s:.4g}, p = {params.p:.3g}, c = {params.c:.3g}, α = {alpha_text(params.alpha or 1.0)}",
        f"objective {100 * best.objective:.1f} % of "
        f"{counted(result.n_wrong, 'wrong clean image')} ({result.n_clean:,} seen)",
        f"{counted(result.grid.size, 'cell')}, grid {result.grid.name}; {len(result.ties) - 1:,} tied",
    ]
    return messages.found_html(lines, result.warnings)
