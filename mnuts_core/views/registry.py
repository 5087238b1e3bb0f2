"""All views by name: what each one shows of one moment, as the page's `engine/views/all.js`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mnuts_core.functional.quantiles import QuantileMethod
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import (
    assumptions,
    certified,
    classes,
    comparison,
    examples,
    headline,
    images,
    margins,
    tradeoff,
    transform,
)
from mnuts_core.views.examples import Where


@dataclass(frozen=True)
class Moment:
    """One state of the explorer on a bundle.

    Attributes:
        engine: The engine of the bundle.
        params: The parameters asked for; α follows from β where it is None.
        quantile: How it does.
        example: Part and row of the chosen example; None for the paper's two cases.
        verified: What an adaptive attack has left of this very mix.
        snapshots: Mixes that are kept beside it.
        result: A finished search of a grid.
        frontier: Its β-frontier.
        direct_frontier: Its frontier by attacked accuracy.
    """

    engine: RemixEngine
    params: MixParams
    quantile: QuantileMethod = "linear"
    example: tuple[Where, int] | None = None
    verified: Estimate | None = None
    snapshots: tuple[MixParams, ...] = ()
    result: GridSearchResult | None = None
    frontier: tradeoff.Frontier | None = None
    direct_frontier: tradeoff.Frontier | None = None

    @cached_property
    def remix(self) -> Remix:
        """The mix."""
        return self.engine.remix(self.params, quantile=self.quantile)

    @property
    def attacked(self) -> bool:
        """Whether the bundle has an attacked part."""
        return self.engine.bundle.attacked is not None


def views_of(moment: Moment, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Some views of one moment, by name.

    Args:
        moment: The moment.
        names: Names among `VIEWS`; None for all.
    """
    return {name: VIEWS[name](moment) for name in (VIEWS if names is None else names)}


def _plain_curve(moment: Moment) -> tradeoff.Curve:
    return tradeoff.alpha_curve(moment.engine, IDENTITY.with_(temperature=moment.params.temperature))


def _transform(moment: Moment) -> transform.TransformCurve:
    params = moment.remix.params
    return transform.transform_curve(transform.logit_density(moment.engine, params.ln_k), params)


def _simplex(moment: Moment) -> tuple[examples.SimplexCase, ...]:
    engine, params = moment.engine, moment.remix.params
    if moment.example is None or engine.bundle.num_classes < 3:
        return examples.paper_cases(params)
    where, place = moment.example
    row = int(examples.shown_rows(engine, moment.remix, where)[place])
    return (examples.example_case(engine, row, params),)


def _bars(moment: Moment) -> tuple[examples.Bars, ...]:
    if moment.example is None:
        return examples.paper_bars(moment.remix.params)
    return (examples.example_bars(moment.engine, moment.remix, *moment.example),)


def _story(moment: Moment) -> examples.Story | None:
    return examples.story(moment.engine, moment.remix, *moment.example) if moment.example else None


def _of_part(view: Callable[[RemixEngine, Remix, Where], Any], where: Where) -> Callable[[Moment], Any]:
    """A view of a part of the bundle; None of an attacked part that is not there."""

    def shown(moment: Moment) -> Any:
        return view(moment.engine, moment.remix, where) if where == "clean" or moment.attacked else None

    return shown


def _snapshots(moment: Moment) -> tuple[Remix, ...]:
    return tuple(moment.engine.remix(params, quantile=moment.quantile) for params in moment.snapshots)


def _sensitivity(moment: Moment) -> tradeoff.Sensitivity | None:
    return tradeoff.sensitivity(moment.result, moment.remix.params) if moment.result else None


VIEWS: dict[str, Callable[[Moment], Any]] = {
    "headline": lambda at: headline.headline(
        at.engine, at.params, at.remix, quantile=at.quantile, verified=at.verified
    ),
    "seen_and_unseen": lambda at: headline.seen_and_unseen(at.engine, at.remix),
    "certified": lambda at: certified.certified_figures(at.engine, at.params, at.remix, at.quantile),
    "curve": lambda at: tradeoff.alpha_curve(at.engine, at.remix.params),
    "plain_curve": _plain_curve,
    "transform": _transform,
    "margins": lambda at: margins.base_histograms(at.engine),
    "mix_margins": lambda at: margins.mix_histograms(at.remix),
    "medians": lambda at: comparison.margin_medians(at.engine, at.remix.params),
    "simplex": _simplex,
    "bars": _bars,
    "story": _story,
    "examples_clean": _of_part(examples.changed_examples, "clean"),
    "examples_attacked": _of_part(examples.changed_examples, "attacked"),
    "classes_clean": _of_part(classes.class_results, "clean"),
    "classes_attacked": _of_part(classes.class_results, "attacked"),
    "confusion_clean": _of_part(classes.confusion, "clean"),
    "confusion_attacked": _of_part(classes.confusion, "attacked"),
    "images": lambda at: images.images(at.engine, at.remix),
    "assumptions": lambda at: assumptions.assumptions(at.engine, at.remix),
    "snapshots": _snapshots,
    "frontier": lambda at: at.frontier,
    "direct_frontier": lambda at: at.direct_frontier,
    "sensitivity": _sensitivity,
}
"""By name; the last three are None before a search."""
