"""What several commands print: tables of figures with intervals, what they mean, and their JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.console import printable
from mnuts_core.params import MixParams

if TYPE_CHECKING:
    from pathlib import Path

    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.functional.quantiles import QuantileMethod
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.remix.answers import BaseFigures
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.headline import Change, Headline, Row

NAMES = {"clean": "clean", "attacked": "attacked", "by_margin": "by margin", "verified": "verified"}
KINDS = {"clean": "exact", "attacked": "at most", "by_margin": "all points", "verified": "attacked itself"}
"""What the figures are called in tables, and what they are."""
NONE = "–"


def mix_headline(engine: RemixEngine, params: MixParams, quantile: QuantileMethod = "linear") -> Headline:
    """The headline figures of a mix.

    Args:
        engine: The engine of the bundle.
        params: The parameters.
        quantile: How α follows from β.
    """
    from mnuts_core.views.headline import headline  # loads torch, which `mnuts --help` does not need

    return headline(engine, params, engine.remix(params, quantile=quantile), quantile=quantile)


def other_rows(bundle: LogitBundle) -> list[Row]:
    """Other methods whose answers follow from the bundle, as rows beside those of the headline."""
    from mnuts_core.views.adaptive_alpha import adaptive_row

    row = adaptive_row(bundle)
    return [] if row is None else [row]


def headline_table(headline: Headline, title: str, others: Sequence[Row] = ()) -> Table:
    """The headline as a table, the changes below.

    Args:
        headline: The headline.
        title: The table's title.
        others: Rows of other methods, which stand above this mix.
    """
    from mnuts_core.views.headline import ESTIMATED

    *rows, mix = headline.rows
    table = figures_table([*rows, *others, mix], title, ESTIMATED)
    for other, row in headline.changes().items():
        table.add_section()
        against = "robust model" if other == "rob" else "plain mix"
        table.add_row(f"vs {against}", "points", *(_points(row[name]) for name in ESTIMATED))
        table.add_row("", "95 %", *(_interval(row[name]) for name in ESTIMATED))
        table.add_row("", "p", *(_p_value(row[name]) for name in ESTIMATED))
        table.add_row("", "errors", *(_errors(row[name]) for name in ESTIMATED))
    return table


def figures_table(rows: Sequence[Row], title: str, names: Sequence[str]) -> Table:
    """Rows of figures as a table; accuracies in percent.

    Args:
        rows: What to show; a column for the weight α comes with the first mix among them.
        title: The table's title.
        names: Which figures; the robust model's accuracy under attack stands in for its estimates.
    """
    mixes = any(row.alpha is not None for row in rows)
    table = Table(title=Text(title, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("accuracy in %\n[95 % interval]")
    if mixes:
        table.add_column("weight α", justify="right")
    for name in names:
        counts = {figure.n for row in rows if (figure := row.comparable(name)) is not None}
        n = f"{KINDS[name]}, n = {max(counts):,}" if counts else NONE
        table.add_column(f"{NAMES[name]}\n{n}", justify="right", no_wrap=True)
    for row in rows:
        cells = (percent(row.comparable(name)) for name in names)
        alpha = [NONE if row.alpha is None else f"{row.alpha:.6g}"] if mixes else []
        table.add_row(row.label, *alpha, *cells, style="bold" if row.key == "mix" else "")
    return table


def legend(rows: Iterable[Row], bundle: LogitBundle) -> Text:
    """What the figures in a table mean, and what they do not."""
    from mnuts_core.bundles.manifest import OPTIMISTIC
    from mnuts_core.views.adaptive_alpha import CAUTION
    from mnuts_core.views.sources import sources_words

    if not bundle.n_adv:
        return Text("The bundle has no attacked part: there are no figures under attack.", style="dim")
    points = printable(sources_words(bundle))
    lines = [f"attacked: right at every known point, an upper bound. Points: {points}."]
    if not bundle.manifest.std_attacked:
        lines.append("g has no such figure: no attack on g itself is among them.")
    rows = list(rows)
    if any(row.key == "adaptive" for row in rows):
        lines.append(CAUTION)
    if any(row.alpha is not None for row in rows):
        lines.append("by margin: M(h) right there with margin ≥ (1-α)/α, whatever g says.")
        if bundle.manifest.optimistic:
            lines.append(f"{OPTIMISTIC} `mnuts refine` adds attacks on mixes.")
        lines.append("95 %, p: of the gain on the same images (Tango's interval, McNemar's exact test).")
        lines.append("Only an adaptive attack on the mix itself verifies its robust accuracy.")
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
    """An accuracy in percent with its interval."""
    if estimate is None:
        return Text(f"{NONE}  ", style="dim")
    low, high = estimate.interval
    interval = f"[{100 * low:.1f}, {100 * high:.1f}]"
    return Text.assemble(f"{100 * estimate.value:.2f} ", (interval, "dim"), "  ")


def _points(change: Change | None) -> str:
    return _signed(None if change is None else change.points, 2, "")


def _interval(change: Change | None) -> str:
    """The paired interval of the gain in points."""
    if change is None or change.paired is None:
        return f"{NONE}  "
    low, high = (_signed(100 * end, 2, "").rstrip() for end in change.paired.difference.interval)
    return f"[{low}, {high}]  "


def _p_value(change: Change | None) -> str:
    return f"{NONE}  " if change is None or change.paired is None else f"{change.paired.p_value:.2g}  "


def _errors(change: Change | None) -> str:
    share = None if change is None else change.relative_error
    return _signed(None if share is None else 100 * share, 1, " %")


def _signed(value: float | None, digits: int, unit: str) -> str:
    """A number with its sign, set as the table's figures are; no sign before zero."""
    if value is None:
        return f"{NONE}  "
    rounded = round(value, digits) + 0.0  # -0.0 becomes 0.0
    return f"{rounded:{'+' if rounded else ''}.{digits}f}{unit}  "


def title(figures: Headline, bundle: str, from_beta: bool) -> str:
    """What a headline table is about: bundle, parameters, level and weight."""
    level = f"β = {figures.remix.params.beta:g} → " if from_beta else ""
    weight = f"{level}α = {figures.remix.params.alpha:.6g}, margin threshold {figures.remix.threshold:.4g}"
    return f"{bundle}\n{transform_words(figures.remix.params)}\n{weight}"


def bundle_card(bundle: LogitBundle) -> dict[str, Any]:
    """The bundle in a JSON answer."""
    counts = {"n_clean": bundle.n_clean, "n_attacked": bundle.n_adv, "classes": bundle.num_classes}
    return {"name": bundle.name, "digest": bundle.digest, **counts}


def mix_card(figures: Headline, from_beta: bool) -> dict[str, Any]:
    """A mix in a JSON answer: parameters, threshold, figures, changes."""
    params = figures.remix.params
    values = {name: getattr(params, name) for name in ("s", "p", "c", "clamp", "ln_k", "temperature")}
    level = {"alpha": params.alpha, "beta": params.beta if from_beta else None}
    return {"params": values | level, "threshold": figures.remix.threshold, **figures.to_json()}


def bundle_json(path: Path, bundle: LogitBundle, base: BaseFigures) -> dict[str, Any]:
    """A bundle in a JSON answer: path, counts, manifest, base figures."""
    from mnuts_core.views.headline import base_rows, rows_json
    from mnuts_core.views.sources import sources

    attacked = bundle.attacked
    return {
        "path": path,
        "n_clean": bundle.n_clean,
        "n_attacked": bundle.n_adv,
        "num_classes": bundle.num_classes,
        "images": {
            "clean": _shape(bundle.clean_images),
            "attacked": _shape(attacked and attacked.images),
        },
        "sources": [source.to_json() for source in sources(bundle)],
        "settled": None if attacked is None else int(attacked.settled.sum()),
        "optimistic": None if attacked is None else bundle.manifest.optimistic,
        "manifest": bundle.manifest.model_dump(mode="json", by_alias=True),
        "columns": column_cards(bundle),
        "figures": rows_json([*base_rows(base), *other_rows(bundle)]),
    }


def column_cards(bundle: LogitBundle) -> dict[str, Any]:
    """What a bundle has of each image beside its logits, by name: how many values, and their range."""
    named = {
        "clean.alpha": bundle.clean_alpha,
        "adv.alpha": None if bundle.attacked is None else bundle.attacked.alpha,
        "clean.certified_radius": bundle.clean_certified_radius,
    }
    known = {name: values[values == values] for name, values in named.items() if values is not None}
    return {
        name: {"n": len(values), "low": float(values.min()), "high": float(values.max())}
        for name, values in known.items()
    }


def _shape(array: Any) -> Any:
    return None if array is None else array.shape
