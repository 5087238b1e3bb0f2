"""What the report says, in words and tables, and its rows as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnuts_core.bundles.manifest import OPTIMISTIC
from mnuts_core.bundles.paper import paper_table
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate, columns
from mnuts_core.report.claims import (
    UNDER_ATTACK,
    WORDS,
    Statement,
    robust_change,
    statements,
)
from mnuts_core.report.compute import Report
from mnuts_core.report.matched import UNSEEN, Pairs, Trial
from mnuts_core.report.paper import paper_result
from mnuts_core.report.render import Block, Bullets, Document, Figure, Grid, Heading, Paragraph
from mnuts_core.report.rows import ReportRow
from mnuts_core.views.headline import FIGURES, error_change

if TYPE_CHECKING:
    import pandas as pd

NONE = "–"
PAIRED = ("clean", UNSEEN, "attacked", "by_margin", "verified")
"""The figures that are compared in pairs."""
LEGEND = (
    "Accuracies in percent with 95 % Wilson intervals. Clean is exact on these images. Attacked: right at "
    "every attacked point of the bundle and without an attack, an upper bound on robust accuracy; ABC has "
    "one only where it was attacked itself. Right by margin: M(h) right at every attacked point with margin "
    "≥ (1-α)/α, so that g cannot matter (Eq. 7). Verified: under an adaptive attack on the mix itself "
    "(B.2), from its configuration, on its own n images; it stays empty until that attack has been run."
)
MATCHING = (
    "Mixed is the mix of g and h without a transform (Bai et al., 2024b), with σ(g) at T = 1 (Eq. 1), and "
    "with the one-hot of g at T = 0 as MixedNUTS takes it. Its α: of all α in [1/2, 1] at which its clean "
    "accuracy is at least MixedNUTS's, the one with the highest accuracy by margin; at MixedNUTS's attacked "
    "accuracy, or accuracy by margin, the one with the highest clean accuracy. Every α is looked at, not a "
    "grid. (Where the bundle holds MMAA's points alone, Mixed is matched by margin only.) By attacked "
    "accuracy a Mixed that no attack was run on looks as good as MixedNUTS or better: that does not favour "
    "MixedNUTS."
)
VERDICTS = {True: "Reproduces", False: "Does not reproduce", None: "Cannot be told from these numbers"}


def document(report: Report, figure: Figure | None) -> Document:
    """The whole report.

    Args:
        report: The numbers.
        figure: The plane, if it is drawn.
    """
    claims = statements(report)
    blocks: list[Block] = [Paragraph(text) for text in report.missing]
    blocks += [figures_grid(report), Paragraph(f"{LEGEND} {OPTIMISTIC}" if report.optimistic else LEGEND)]
    if report.certified:
        blocks.append(Paragraph(" ".join(report.certified)))
    if any(trial.mixed for trial in report.trials):
        blocks.append(Paragraph(MATCHING))
    if figure is not None:
        blocks.append(figure)
    if report.trials:
        blocks += [
            Heading("Changes of the error rate, as in Table 1"),
            changes_grid(report),
            Paragraph(CHANGES),
            Heading("In pairs, on the same images"),
            pairs_grid(report),
            Paragraph(PAIRS),
        ]
    blocks += [Heading(f"The paper's own numbers ({report.paper} stands beside ours)"), *paper_grids()]
    blocks += _claims(claims)
    if lines := warnings(report):
        blocks += [Heading("Warnings"), Bullets(lines)]
    facts = tuple(f"{heading}: {text}" for heading, text in report.provenance.items())
    blocks += [Heading("What the numbers rest on"), Bullets(facts)]
    return Document(f"MixedNUTS on {report.name}", tuple(blocks))


CHANGES = (
    "Relative change of MixedNUTS's error rate; negative is better. Against RBC each figure under attack is "
    "held against RBC's accuracy under the bundle's attack; against Mixed, against Mixed's same figure. "
    "A verified figure is held against RBC on the same images where these are known to be the bundle's first "
    "n, else against RBC on all attacked images. In the figure by which Mixed is matched, the change says "
    "how close the match is, no more."
)
PAIRS = (
    "MixedNUTS's accuracy less the other's, in points, with Tango's 95 % interval for paired proportions "
    "(1998) and the p of McNemar's exact test. Unseen: clean accuracy on the images without attacked points, "
    "which no search looked at. Verified: each mix under the adaptive attack on itself, on the images that "
    "both attacks met; RBC at all points of the bundle, which come of more attacks than that one."
)


def warnings(report: Report) -> tuple[str, ...]:
    """All warnings, each with what it is about."""
    own = (f"{trial.mix.label}: {text}" for trial in report.trials for text in trial.warnings)
    return (*report.warnings, *own)


def _claims(claims: list[Statement]) -> list[Block]:
    blocks: list[Block] = []
    for verdict, heading in VERDICTS.items():
        lines = tuple(f"{claim.subject}: {claim.text}" for claim in claims if claim.holds is verdict)
        if lines:
            blocks += [Heading(heading), Bullets(lines)]
    return blocks


def figures_grid(report: Report) -> Grid:
    """The table of Fig. 5: a row for each classifier, a column for each figure."""
    names = _figures(report)
    header = ("classifier", "α", *(f"{WORDS.get(name, name)}, %" for name in names))
    rows = tuple((row.label, _alpha(row), *(_figure(row.figure(n)) for n in names)) for row in report.rows)
    strong = frozenset(place for place, row in enumerate(report.rows) if row.role == "mixednuts")
    return Grid(header, rows, strong)


def _figures(report: Report) -> tuple[str, ...]:
    return (*FIGURES, "certified") if report.certified else FIGURES


def changes_grid(report: Report) -> Grid:
    """Table 1, relative to RBC and to Mixed, with the paper's own beside it."""
    header = ("MixedNUTS against", "clean", *(WORDS[name] for name in UNDER_ATTACK))
    rows = []
    for trial in report.trials:
        for other in others(report, trial):
            robust = (robust_change(trial.mix, other, name) for name in UNDER_ATTACK)
            cells = (_change(change) for change in (error_change(trial.mix.clean, other.clean), *robust))
            rows.append((f"{trial.mix.label} against {other.label}", *cells))
    paper = paper_result(report.paper)
    for name, (clean, attacked) in (
        ("RBC", (paper.clean_change, paper.robust_change)),
        ("Mixed", paper.mixed_changes),
    ):
        label = f"paper, {report.paper}: against {name}"
        rows.append((label, _change(clean), _change(attacked), NONE, NONE))
    return Grid(header, tuple(rows))


def pairs_grid(report: Report) -> Grid:
    """MixedNUTS less each other classifier, figure by figure."""
    shown = [name for name in PAIRED if any(name in found for _, _, found in _all_pairs(report))]
    header = ("MixedNUTS less", *(f"{WORDS.get(name, name)}, points" for name in shown))
    rows = tuple(
        (f"{trial.mix.label} less {other.label}", *(_pair(found.get(name)) for name in shown))
        for trial, other, found in _all_pairs(report)
    )
    return Grid(header, rows)


def _all_pairs(report: Report) -> list[tuple[Trial, ReportRow, Pairs]]:
    return [
        (trial, other, trial.paired[other.key]) for trial in report.trials for other in others(report, trial)
    ]


def _pair(pair: Paired | None) -> str:
    if pair is None:
        return NONE
    return f"{pair.points.replace(' points', '')} p = {pair.p_value:.2g} n = {pair.n:,}"


def others(report: Report, trial: Trial) -> tuple[ReportRow, ...]:
    """What a MixedNUTS is held against."""
    return (report.base[1], *trial.mixed, *report.given)


def paper_grids() -> list[Block]:
    """Fig. 5 and Table 1 as printed."""
    fig5, table1 = (paper_table(name).to_dict("records") for name in ("fig05", "table01"))
    figures = Grid(
        ("data set", "classifier", "clean, %", "AutoAttack, %"),
        tuple(
            (r["dataset"], r["model"], f"{r['clean_percent']:.2f}", f"{r['autoattack_percent']:.2f}")
            for r in fig5
        ),
    )
    names = ("clean_error_change_percent", "robust_error_change_percent")
    changes = Grid(
        ("data set", "clean error against RBC", "robust error against RBC"),
        tuple((r["dataset"], *(_change(r[name] / 100) for name in names)) for r in table1),
    )
    sources = "; ".join(dict.fromkeys(r["source"] for r in (*fig5, *table1)))
    return [figures, changes, Paragraph(f"Source: {sources} of the paper.")]


def _alpha(row: ReportRow) -> str:
    return NONE if row.alpha is None else f"{row.alpha:.6g}"


def _figure(figure: Estimate | None) -> str:
    if figure is None:
        return NONE
    low, high = figure.interval
    return f"{100 * figure.value:.2f} [{100 * low:.1f}, {100 * high:.1f}] n = {figure.n:,}"


def _change(change: float | None) -> str:
    return NONE if change is None else f"{100 * change:+.2f} %"


def to_frame(report: Report) -> pd.DataFrame:
    """The rows, one a classifier and the paper's below; shares in [0, 1], NaN where there is no figure."""
    import pandas as pd

    rbc = report.base[1]
    matched = {
        trial.mix.key: [(match, report.row(match.key)) for match in trial.matches if match.key]
        for trial in report.trials
    }
    rows = []
    for row in report.rows:
        cells: dict[str, Any] = {
            "source": "ours",
            "data": report.name,
            "key": row.key,
            "classifier": row.label,
        }
        cells |= _params(row) | {"origin": row.source}
        for name in _figures(report):
            cells |= columns(name, row.figure(name))
        cells |= columns("rbc_on_verified_images", row.rbc_same)
        cells |= _changes("rbc", row, rbc if row.key in matched else None)
        for match, other in matched.get(row.key, ()):
            cells |= _changes(f"mixed_t{match.temperature:g}_{match.by}", row, other)
        rows.append(cells)
    for printed in paper_table("fig05").to_dict("records"):
        rows.append(
            {
                "source": f"paper: {printed['source']}",
                "data": printed["dataset"],
                "classifier": printed["model"],
                "clean": printed["clean_percent"] / 100,
                "verified": printed["autoattack_percent"] / 100,
            }
        )
    return pd.DataFrame(rows)


def _params(row: ReportRow) -> dict[str, Any]:
    names = ("s", "p", "c", "clamp", "ln_k", "temperature", "alpha")
    values = {name: None if row.params is None else getattr(row.params, name) for name in names}
    return values | {"beta": row.beta}


def _changes(against: str, mix: ReportRow, other: ReportRow | None) -> dict[str, float | None]:
    if other is None:
        return {}
    changes = {"clean": error_change(mix.clean, other.clean)}
    changes |= {name: robust_change(mix, other, name) for name in UNDER_ATTACK}
    return {f"{name}_error_change_to_{against}": change for name, change in changes.items()}


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON."""
    frame = to_frame(report)
    ours = frame[frame["source"] == "ours"].drop(columns="source")
    return {
        "bundle": report.name,
        "paper": report.paper,
        "rows": [_plain(row) for row in ours.to_dict("records")],
        "paper_rows": paper_table("fig05").to_dict("records"),
        "optimistic": report.optimistic,
        "margin_gaps": _plain(dict(report.gaps)),
        "pairs": [
            {"mix": trial.mix.key, "against": other.key}
            | {name: pair.to_json() for name, pair in found.items()}
            for trial, other, found in _all_pairs(report)
        ],
        "statements": [claim._asdict() for claim in statements(report)],
        "missing": list(report.missing),
        "warnings": list(warnings(report)),
        "provenance": dict(report.provenance),
    }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """A row without NaN."""
    return {str(name): None if value != value else value for name, value in row.items()}
