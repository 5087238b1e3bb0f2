"""One moment of the explorer: all that there is to show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mnuts_core.remix.answers import Remix
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import headline, margins, tradeoff
from mnuts_core.views.certified import CertifiedFigures, certified_figures
from mnuts_core.views.examples import Where
from mnuts_dashboards.bundles.computed import known_direct_frontier, known_frontier, known_search
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.bundles.verified import Known, VerifiedMixes
from mnuts_dashboards.explorer.state import ExplorerState


@dataclass(frozen=True)
class Scene:
    """One moment of the explorer: all that its plots show.

    Attributes:
        opened: The bundle.
        remix: The current mix.
        table: The headline figures.
        result: The search at hand, or None.
        frontier: Its β-frontier, or None.
        direct: The grid's frontier by attacked accuracy, or None.
        example: Part and row of the chosen example; None for the paper's two cases.
        kept: The snapshots' mixes.
        verified: Other mixes that were attacked.
        certified: Certified accuracies, of a bundle with a certificate of h.
    """

    opened: Opened
    remix: Remix
    table: headline.Headline
    result: GridSearchResult | None = None
    frontier: tradeoff.Frontier | None = None
    direct: tradeoff.Frontier | None = None
    example: tuple[Where, int] | None = None
    kept: tuple[Remix, ...] = ()
    verified: tuple[Known, ...] = ()
    certified: CertifiedFigures | None = None

    @cached_property
    def mix_histograms(self) -> margins.MarginHistograms:
        """M(h)'s margins: two plots show them, computed if either is in view."""
        return margins.mix_histograms(self.remix)


def look(
    opened: Opened,
    state: ExplorerState,
    results: VerifiedMixes,
    *,
    example: tuple[Where, int] | None,
    kept: tuple[Remix, ...],
) -> Scene:
    """All that there is to show now.

    Args:
        opened: The bundle.
        state: The settings.
        results: What was verified on the bundle.
        example: See `Scene`.
        kept: See `Scene`.
    """
    params, grid = state.params, state.grid
    remix = opened.engine.remix(params)
    known = results.of(remix.params)
    return Scene(
        opened=opened,
        remix=remix,
        table=headline.headline(opened.engine, params, remix, verified=known and known.verified),
        result=known_search(opened, params, grid),
        frontier=known_frontier(opened, params, grid),
        direct=known_direct_frontier(opened, params, grid),
        example=example,
        kept=kept,
        verified=results.others(remix.params),
        certified=certified_figures(opened.engine, params, remix),
    )
