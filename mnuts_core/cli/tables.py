"""The headline table: base models, plain mix and this mix, with intervals, and the changes between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.console import printable
from mnuts_core.params import MixParams

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.remix.engine import BaseFigures, Remix, RemixEngine

NONE = "–"
FIGURES = ("clean", "margin_bound", "transfer")
"""The three figures, in the order of the table's columns."""


@dataclass(frozen=True)
class Row:
    """One classifier's figures.

    Attributes:
        label: What to call it.
        clean: Clean accuracy, exact.
        margin_bound: Estimate from the margins, or None.
        transfer: Estimate at the cached points, or None.
        attacked: Accuracy under an attack on this very classifier, or None.
        alpha: Weight of the robust model, if it is a mix.
    """

    label: str
    clean: Estimate
    margin_bound: Estimate | None = None
    transfer: Estimate | None = None
    attacked: Estimate | None = None
    alpha: float | None = None

    @classmethod
    def of(cls, label: str, remix: Remix) -> Row:
        """The row of a mix."""
        return cls(label, remix.clean, remix.margin_bound, remix.transfer, alpha=remix.alpha)

    def figure(self, name: str) -> Estimate | None:
        """One of `FIGURES`; a measured accuracy under attack stands in for both estimates."""
        own: Estimate | None = getattr(self, name)
        return own if name == "clean" else own or self.attacked

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON; what does not exist is null."""
        figures = {name: getattr(self, name) for name in (*FIGURES, "attacked")}
        cells = {name: figure and figure.to_json() for name, figure in figures.items()}
        return {"label": self.label, "alpha": self.alpha, **cells}


@dataclass(frozen=True)
class Change:
    """From one accuracy to another: in points, and of the errors relative to what they were."""

    points: float
    relative_error: float | None

    @classmethod
    def between(cls, before: Estimate | None, after: Estimate | None) -> Change | None:
        """The change from one figure to another, if both exist."""
        if before is None or after is None:
            return None
        errors = 1.0 - before.value
        gain = after.value - before.value
        return cls(100.0 * gain, -gain / errors if before.successes < before.n else None)

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON."""
        return {"points": self.points, "relative_error": self.relative_error}


@dataclass(frozen=True)
class Headline:
    """What a mix does on a bundle, beside what it is made of and the mix without a transform."""

    rows: Mapping[str, Row]
    params: MixParams
    threshold: float
    warnings: tuple[str, ...] = ()

    def changes(self) -> dict[str, dict[str, Change | None]]:
        """This mix against the robust model and against the plain mix, for each of `FIGURES`."""
        mix = self.rows["mix"]
        return {
            other: {name: Change.between(self.rows[other].figure(name), mix.figure(name)) for name in FIGURES}
            for other in ("robust", "plain_mix")
        }

    def to_json(self) -> dict[str, Any]:
        """The table as plain JSON."""
        changes = {
            other: {name: change and change.to_json() for name, change in row.items()}
            for other, row in self.changes().items()
        }
        figures = {key: row.to_json() for key, row in self.rows.items()}
        return {"figures": figures, "changes": changes, "warnings": list(self.warnings)}


def headline(engine: RemixEngine, params: MixParams, quantile: Any = "linear") -> Headline:
    """The headline figures of a mix.

    Args:
        engine: The engine of the bundle.
        params: The parameters; where α is set, the plain mix gets the same α, else the same β.
        quantile: How α follows from β.
    """
    from mnuts_core.views.headline import plain_remix  # loads torch, which `mnuts --help` does not need

    mix, level = engine.remix(params, quantile=quantile), "β" if params.alpha is None else "α"
    rows = base_rows(engine.base)
    rows["transformed"] = Row("transformed M(h)", mix.rob_clean, transfer=mix.rob_attacked)
    rows["plain_mix"] = Row.of(f"plain mix, same {level}", plain_remix(engine, params, quantile))
    rows["mix"] = Row.of("this mix", mix)
    return Headline(rows, mix.params, mix.threshold, mix.warnings)


def base_rows(base: BaseFigures) -> dict[str, Row]:
    """The rows of the two base models."""
    return {
        "standard": Row("standard model g", base.std_clean, transfer=base.std_attacked),
        "robust": Row("robust model h", base.rob_clean, attacked=base.rob_attacked),
    }


def headline_table(headline: Headline, title: str) -> Table:
    """The headline as a table, the changes below."""
    table = figures_table(headline.rows, title)
    for other, row in headline.changes().items():
        table.add_section()
        against = "robust model" if other == "robust" else "plain mix"
        table.add_row(f"vs {against}", "points", *(_points(row[name]) for name in FIGURES))
        table.add_row("", "errors", *(_errors(row[name]) for name in FIGURES))
    return table


def figures_table(rows: Mapping[str, Row], title: str, names: Sequence[str] = FIGURES) -> Table:
    """Rows of figures as a table; accuracies in percent.

    Args:
        rows: What to show; a column for the weight α comes with the first mix among them.
        title: The table's title.
        names: Which of `FIGURES`.
    """
    mixes = any(row.alpha is not None for row in rows.values())
    table = Table(title=Text(title, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("accuracy in %\n[95 % interval]")
    if mixes:
        table.add_column("weight α", justify="right")
    for name in names:
        counts = {figure.n for row in rows.values() if (figure := row.figure(name)) is not None}
        kind = "exact" if name == "clean" else "estimate"
        n = f"{kind}, n = {max(counts):,}" if counts else NONE
        table.add_column(f"{name.replace('_', ' ')}\n{n}", justify="right", no_wrap=True)
    for key, row in rows.items():
        cells = (percent(row.figure(name)) for name in names)
        alpha = [NONE if row.alpha is None else f"{row.alpha:.6g}"] if mixes else []
        table.add_row(row.label, *alpha, *cells, style="bold" if key == "mix" else "")
    return table


def legend(rows: Mapping[str, Row], bundle: LogitBundle) -> Text:
    """What the figures in a table mean, and what they do not."""
    if rows["robust"].attacked is None:
        return Text("The bundle has no attacked part: there are no figures under attack.", style="dim")
    attack = bundle.manifest.attack
    name = printable(attack.name) if attack else "not recorded in the bundle"
    lines = [f"† on h itself, under the attack that found the attacked points: {name}."]
    if "mix" in rows:
        lines += [
            "margin bound: M(h) right with margin ≥ (1-α)/α at these points, g taken as always wrong.",
            "transfer: right at these points, which were found against LN∘h, not against the mix.",
            "Only an adaptive attack on the mix itself verifies its robust accuracy.",
        ]
    else:
        lines.append("transfer: right at these points; g's own robust accuracy is at most this.")
    return Text("\n".join(lines), style="dim")


def describe(bundle: LogitBundle) -> str:
    """A bundle in one line: name, counts, classes, threat model."""
    threat = "" if bundle.manifest.threat is None else f" · {bundle.manifest.threat}"
    counts = f"{bundle.n_clean:,} clean, {bundle.n_adv:,} attacked"
    return f"{printable(bundle.name)} · {counts} · {bundle.num_classes} classes{threat}"


def transform_words(params: MixParams) -> str:
    """The parameters in one line."""
    norm = "no layer norm" if params.ln_k == 0 else f"layer norm over top {params.ln_k}"
    values = f"s = {params.s:.6g}, p = {params.p:.6g}, c = {params.c:.6g}"
    return f"{values} · {params.clamp} · {norm} · T = {params.temperature:g}"


def percent(estimate: Estimate | None) -> Text:
    """An accuracy in percent with its interval; a dagger where an attack on that very model measured it."""
    if estimate is None:
        return Text(f"{NONE}  ", style="dim")
    low, high = estimate.interval
    mark = " †" if estimate.kind == "attacked" else "  "
    return Text.assemble(
        f"{100 * estimate.value:.2f} ", (f"[{100 * low:.1f}, {100 * high:.1f}]", "dim"), mark
    )


def _points(change: Change | None) -> str:
    return _signed(None if change is None else change.points, 2, "")


def _errors(change: Change | None) -> str:
    share = None if change is None else change.relative_error
    return _signed(None if share is None else 100 * share, 1, " %")


def _signed(value: float | None, digits: int, unit: str) -> str:
    """A number with its sign, set as the table's figures are; no sign before zero."""
    if value is None:
        return f"{NONE}  "
    rounded = round(value, digits) + 0.0  # -0.0 becomes 0.0
    return f"{rounded:{'+' if rounded else ''}.{digits}f}{unit}  "
