"""All plots of the explorer: place, template, what it rests on, one sentence for who does not see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mnuts_dashboards.figures import (
    classes,
    examples,
    margin_scatter,
    margins,
    medians,
    notes,
    sensitivity,
    tradeoff,
    transform,
)
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.template import Fields, Template, fill
from mnuts_dashboards.plotlyjs.panels import Panel


@dataclass(frozen=True)
class Plot:
    """One plot of the explorer.

    Attributes:
        panel: Its place.
        template: Its figure, over views and what `prepare` adds as `drawn`.
        prepare: What it draws beyond its views; the page's own is `dashboards/web/charts/prepare.js`.
        views: The views that it is made of, names of `mnuts_core.views.registry.VIEWS`.
        note: Template of the small line under its title: what it rests on.
        alternative: Template of its one sentence for those who do not see it.
        columns: What x, y and further arrays of its traces are called in a table.
        warning: Template of what puts the plot in doubt, a list of texts; empty where nothing does.
        options: What the visitor can switch on: field of `options` and its label.
        selects: Whether its points stand for images that can be selected, see `web/charts/images_of.js`.
    """

    panel: Panel
    template: Template
    prepare: Callable[[Fields], Fields | None] | None
    views: tuple[str, ...]
    note: Template
    alternative: Template
    columns: dict[str, str]
    warning: Template = ()
    options: tuple[tuple[str, str], ...] = ()
    selects: bool = False


def figure_of(name: str, fields: Fields) -> Figure:
    """One plot's figure.

    Args:
        name: The panel's name.
        fields: Its views, and `remix`, `state`, `meta`, `options`.
    """
    plot = PLOTS[name]
    drawn = plot.prepare(fields) if plot.prepare else None
    figure: Figure = fill(plot.template, {**fields, "drawn": drawn})
    return figure


def _listed(*plots: Plot) -> dict[str, Plot]:
    return {plot.panel.name: plot for plot in plots}


PLOTS = _listed(
    Plot(
        Panel("plane", "Clean and attacked accuracy", span=7, height=370),
        tradeoff.PLANE,
        tradeoff.prepare_plane,
        views=(
            *("headline", "curve", "plain_curve", "certified", "snapshots"),
            *("frontier", "direct_frontier"),
        ),
        note={
            "$text": [
                "Solid: attacked accuracy, ",
                notes.HOW_TIGHT,
                ". Dotted: right by margin. ",
                notes.N,
                ". A click on a curve or a star goes there",
            ]
        },
        alternative={
            "$text": [
                notes.MIX,
                "; robust model {headline.rob.clean.value:.2%} clean",
                {
                    "$if": "headline.rob.attacked",
                    "then": {"$text": ", {headline.rob.attacked.value:.2%} under attack"},
                },
                "; plain mix at the same level {headline.plain.clean.value:.2%} clean",
                {
                    "$if": "headline.plain.attacked",
                    "then": {"$text": ", {headline.plain.attacked.value:.2%} under attack"},
                },
                ".",
            ]
        },
        columns={
            "x": "clean_percent",
            "y": "attacked_percent",
            "customdata": "point_alpha",
            "hovertext": "what",
            "s": "point_s",
            "p": "point_p",
            "c": "point_c",
        },
        warning=notes.NOT_ALIKE,
        options=(("robustbench", "RobustBench"),),
    ),
    Plot(
        Panel("transform", "What M does to a single logit", span=5, height=370),
        transform.TRANSFORM,
        transform.prepare_transform,
        views=("transform",),
        note={"$text": "Over the logits of n = {meta.n_clean:,} clean images"},
        alternative={
            "$text": "M maps logits from {transform.z.0:.2f} to {transform.z.-1:.2f} to values from "
            "{transform.m.0:.4g} to {transform.m.-1:.4g}."
        },
        columns={"x": "logit", "y": "value"},
    ),
    Plot(
        Panel("margins", "Confidence margins of the base models", span=8, height=400),
        margins.MARGINS,
        margins.prepare_margins,
        views=("margins", "images"),
        note={
            "$text": [
                "As in the paper's Table 6; LN h: layer-normed",
                notes.OF_G,
                ". ",
                notes.N,
                notes.BRUSH,
            ]
        },
        alternative={
            "$text": "Median margins where right and where wrong, clean: "
            "g {margins.g.clean.median_right:.3f} and {margins.g.clean.median_wrong:.3f}, "
            "h {margins.h.clean.median_right:.3f} and {margins.h.clean.median_wrong:.3f}, "
            "layer-normed h {margins.LN h.clean.median_right:.3f} and {margins.LN h.clean.median_wrong:.3f}."
        },
        columns={"x": "margin_middle", "y": "percent", "customdata": "images", "hovertext": "margin"},
        options=notes.LOG,
        selects=True,
    ),
    Plot(
        Panel("mix_margins", "Margins of M(h)", span=4, height=400),
        margins.MIX_MARGINS,
        margins.prepare_mix_margins,
        views=("mix_margins", "images"),
        note={"$text": ["To the right of the dashed line, M(h) overrules g", notes.LEAST, notes.BRUSH]},
        alternative={
            "$text": "Median margin of M(h) on clean images: {mix_margins.clean.median_right:.4g} where it "
            "is right, {mix_margins.clean.median_wrong:.4g} where it is wrong; it overrules g from "
            "{remix.threshold:.4g} on."
        },
        columns={"x": "margin_middle", "y": "percent", "customdata": "images", "hovertext": "margin"},
        options=notes.LOG,
        selects=True,
    ),
    Plot(
        Panel("slices", "Sensitivity of the objective", span=8, height=380),
        sensitivity.SLICES,
        sensitivity.prepare_slices,
        views=("sensitivity",),
        note={
            "$text": [
                "Objective for every grid cell at this β (Fig. 9). Darker is better; ☆ is the best, ○ the "
                "current mix. Click a cell to go there",
                {
                    "$if": "drawn.importance",
                    "then": {
                        "$text": ". One step from ☆ it rises by up to {drawn.importance.s} points along s, "
                        "{drawn.importance.p} along p, {drawn.importance.c} along c"
                    },
                },
            ]
        },
        alternative={
            "$if": "sensitivity",
            "then": {
                "$text": "The search's best mix of the grid: s = {sensitivity.best.0:.4g}, "
                "p = {sensitivity.best.1:.4g}, c = {sensitivity.best.2:.4g}."
            },
            "else": "No search is done yet.",
        },
        columns={"x": "c", "y": "s", "z": "objective_percent"},
        warning=notes.OUTSIDE,
    ),
    Plot(
        Panel("medians", "Median margins, margin gap", span=4, height=380),
        medians.MEDIANS,
        medians.prepare_medians,
        views=("margins", "mix_margins"),
        note={
            "$text": [
                "Gap = median margin of correct attacked images minus that of misclassified clean images "
                "(Fig. 6)",
                notes.OF_G,
                ". ",
                notes.N,
            ]
        },
        alternative={
            "$if": "mix_margins.attacked",
            "then": {
                "$text": "Margin gaps: g {margins.g.gap:+.3f}, h {margins.h.gap:+.3f}, "
                "layer-normed h {margins.LN h.gap:+.3f}, M(h) {mix_margins.gap:+.3f}."
            },
            "else": "Without attacked images there is no margin gap.",
        },
        columns={"x": "classifier", "y": "median_margin", "customdata": "images", "text": "gap"},
    ),
    Plot(
        Panel("simplex", "Trajectories on the probability simplex", span=7, height=340),
        examples.SIMPLEX,
        examples.prepare_simplex,
        views=("simplex",),
        note={
            "$text": [notes.CASE, "; large marks τ = 1, dots τ = 3, 0.06, 0.003 as in Fig. 4", notes.PRINTED]
        },
        alternative={"$text": ["Paths of probabilities as the temperature falls. ", notes.CASE, "."]},
        columns={"x": "x", "y": "y", "customdata": "probability_1 probability_2 probability_3 tau"},
    ),
    Plot(
        Panel("bars", "Probabilities", span=5, height=340),
        examples.BARS,
        examples.prepare_bars,
        views=("bars",),
        note={
            "$text": [
                notes.CASE,
                ", at τ = 1",
                {"$if": "state.example", "then": "; ✓ is the label", "else": notes.PRINTED},
            ]
        },
        alternative={
            "$text": [
                "Margins, {bars.0.name}: h {bars.0.margin.h:.2g}, M(h) {bars.0.margin.M(h):.2g}",
                {
                    "$if": "bars.1",
                    "then": {
                        "$text": " (Fig. 3 {bars.0.margin.printed:.2g}); {bars.1.name}: "
                        "h {bars.1.margin.h:.2g}, M(h) {bars.1.margin.M(h):.2g} "
                        "(Fig. 3 {bars.1.margin.printed:.2g})"
                    },
                },
                ".",
            ]
        },
        warning=notes.CHANGED,
        columns={"x": "class", "y": "probability"},
    ),
    Plot(
        Panel("classes", "Right predictions by class", span=7, height=380),
        classes.CLASSES,
        classes.prepare_classes,
        views=("classes_clean", "classes_attacked", "images"),
        note={
            "$text": [
                {
                    "$if": "meta.classes.20",
                    "then": f"The {classes.MOST_BARS} classes that the mix changes most against h. ",
                },
                notes.N,
                ". Click a bar to select its images",
            ]
        },
        alternative={
            "$text": "{drawn.names.0}, {drawn.clean.n.0} clean images: g {drawn.clean.std.0:.1f} % right, "
            "h {drawn.clean.rob.0:.1f} %, this mix {drawn.clean.mix.0:.1f} %; the table has all."
        },
        columns={"x": "class", "y": "right_percent", "customdata": "images"},
        selects=True,
    ),
    Plot(
        Panel("confusion", "What the mix takes classes for", span=5, height=380),
        classes.CONFUSION,
        classes.prepare_confusion,
        views=("confusion_clean", "confusion_attacked", "images"),
        note={
            "$text": [
                "Mistakes on {drawn.part} images, in % of the true class",
                {
                    "$if": "options.confusion_attacked",
                    "then": "; each where it is wrong, if it is so at any point",
                },
                ". Click a cell to select its images",
            ]
        },
        alternative={
            "$text": "Mistakes of the mix on {drawn.part} images, true by predicted class; see the table."
        },
        columns={"x": "predicted", "y": "true", "z": "percent", "customdata": "images"},
        options=(("confusion_attacked", "attacked images"),),
        selects=True,
    ),
    Plot(
        Panel("margin_scatter", "M(h)'s margin where g is right or wrong", span=12, height=300),
        margin_scatter.MARGIN_SCATTER,
        margin_scatter.prepare_margin_scatter,
        views=("images",),
        note={
            "$text": "{drawn.shown:,} of n = {drawn.n:,} clean images, evenly spread; left of the dashed "
            "line g decides. Drag over points to select the images of that range"
        },
        alternative={
            "$text": "Clean images where g is right: {drawn.std_right_right:,} with M(h) right and "
            "{drawn.std_right_wrong:,} with M(h) wrong; where g is wrong: {drawn.std_wrong_right:,} and "
            "{drawn.std_wrong_wrong:,}. g decides below a margin of {remix.threshold:.4g}."
        },
        columns={"x": "margin", "y": "g_right_spread", "customdata": "image"},
        options=notes.LOG,
        selects=True,
    ),
)
"""In reading order."""
