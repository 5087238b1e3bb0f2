"""What is computed of an open bundle once for many settings, and kept with it: searches, slow views."""

from __future__ import annotations

from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.direct import direct_search
from mnuts_core.search.direct_result import DirectSearch
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import margins, tradeoff, transform
from mnuts_dashboards.bundles.open_bundles import Opened


def base_histograms(opened: Opened) -> dict[str, margins.MarginHistograms]:
    """The base models' margins."""
    if not opened.histograms:
        opened.histograms.update(margins.base_histograms(opened.engine))
    return opened.histograms


def density(opened: Opened, ln_k: int) -> transform.LogitDensity:
    """Where the logits lie, for a layer norm."""
    if ln_k not in opened.densities:
        opened.densities[ln_k] = transform.logit_density(opened.engine, ln_k)
    return opened.densities[ln_k]


def plain_curve(opened: Opened, temperature: float) -> tradeoff.Curve:
    """The plain mix's α-curve at a temperature."""
    curves = opened.plain_curves
    if temperature not in curves:
        curves.clear()
        curves[temperature] = tradeoff.alpha_curve(opened.engine, IDENTITY.with_(temperature=temperature))
    return curves[temperature]


def known_search(opened: Opened, params: MixParams, grid: str) -> GridSearchResult | None:
    """The search that is at hand already for these settings, at whatever β it was made."""
    return opened.searches.get(_key(params, grid))


def known_frontier(opened: Opened, params: MixParams, grid: str) -> tradeoff.Frontier | None:
    """Its β-frontier in the trade-off plane, at T = 0; None for other temperatures."""
    return opened.frontiers.get(_key(params, grid)) if params.temperature == 0 else None


def known_direct_frontier(opened: Opened, params: MixParams, grid: str) -> tradeoff.Frontier | None:
    """The frontier by attacked accuracy, at T = 0; None for other temperatures, or until it is drawn."""
    return opened.direct_frontiers.get(_key(params, grid)) if params.temperature == 0 else None


def _search_directly(opened: Opened, params: MixParams, grid: str) -> DirectSearch:
    """The direct search on an open bundle, at T = 0, kept for every later choice; it may run in a thread.

    Args:
        opened: The bundle.
        params: Clamp and ln_k.
        grid: Name of one of the opened bundle's grids.
    """
    key = _key(params, grid)
    if key not in opened.directs:
        opened.directs[key] = direct_search(
            opened.bundle, opened.grids[grid], clamp=params.clamp, ln_k=params.ln_k
        )
    return opened.directs[key]


def search(opened: Opened, params: MixParams, grid: str) -> GridSearchResult:
    """Algorithm 1 on an open bundle, at the parameters' β; the table is kept for the next β.

    It may run in a thread: the engine, which others go on using, is left alone.

    Args:
        opened: The bundle.
        params: β, clamp and ln_k.
        grid: Name of one of the opened bundle's grids.
    """
    key = _key(params, grid)
    if key not in opened.searches:
        opened.searches[key] = grid_search(
            opened.bundle,
            opened.grids[grid],
            params.beta,
            clamp=params.clamp,
            ln_k=params.ln_k,
        )
    return opened.searches[key].at_beta(params.beta)


def draw_frontier(opened: Opened, params: MixParams, grid: str) -> None:
    """Work out the frontiers of a grid, by β and by attacked accuracy, with an engine of its own; keep them.

    Args:
        opened: The bundle; the grid has been searched.
        params: Clamp and ln_k.
        grid: Name of the grid.
    """
    key = _key(params, grid)
    if key in opened.frontiers and key in opened.direct_frontiers:
        return
    engine = RemixEngine(opened.bundle)
    if key not in opened.frontiers:
        opened.frontiers[key] = tradeoff.frontier(engine, beta_frontier(opened.searches[key]))
    found = _search_directly(opened, params, grid)
    opened.direct_frontiers[key] = tradeoff.frontier(engine, found.frontier)


def _key(params: MixParams, grid: str) -> tuple[object, ...]:
    """What a search depends on, β aside: every β is found in the same table."""
    return (grid, params.clamp, params.ln_k)
