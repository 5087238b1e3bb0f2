"""What an app knows of the bundles it has opened: engines, searches, and the views that move slowly.

No widget, no figure: it answers with views of the core, and remembers what a slider does not change.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import PREFERRED, all_bundles, find_bundle
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.direct import direct_search
from mnuts_core.search.direct_result import DirectSearch
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.search.grids import PAPER_RANGES, GridSpec
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import margins, tradeoff, transform
from mnuts_core.views.tradeoff import Curve, alpha_curve

OPEN_BUNDLES = 3
"""So many bundles stay open, the least recently used one is closed."""


@dataclass
class Opened:
    """One open bundle with what is computed once for it, when it is asked for: an engine is large."""

    bundle: LogitBundle
    grids: dict[str, GridSpec] = field(default_factory=lambda: {n: GridSpec.paper(n) for n in PAPER_RANGES})
    searches: dict[object, GridSearchResult] = field(default_factory=dict)
    directs: dict[object, DirectSearch] = field(default_factory=dict)
    frontiers: dict[object, tradeoff.Frontier] = field(default_factory=dict)
    direct_frontiers: dict[object, tradeoff.Frontier] = field(default_factory=dict)
    plain_curves: dict[float, Curve] = field(default_factory=dict)
    densities: dict[int, transform.LogitDensity] = field(default_factory=dict)

    @cached_property
    def engine(self) -> RemixEngine:
        """What answers for the bundle's mixes."""
        return RemixEngine(self.bundle)

    @cached_property
    def histograms(self) -> dict[str, margins.MarginHistograms]:
        """The base models' margins."""
        return margins.base_histograms(self.engine)

    def density(self, ln_k: int) -> transform.LogitDensity:
        """Where the logits lie, for a layer norm."""
        if ln_k not in self.densities:
            self.densities[ln_k] = transform.logit_density(self.engine, ln_k)
        return self.densities[ln_k]

    def plain_curve(self, temperature: float) -> Curve:
        """The plain mix's α-curve at a temperature."""
        if temperature not in self.plain_curves:
            self.plain_curves.clear()
            self.plain_curves[temperature] = alpha_curve(self.engine, IDENTITY.with_(temperature=temperature))
        return self.plain_curves[temperature]


class Session:
    """The bundles at hand, and those that are open.

    Args:
        extra: Further bundle files, beside those that `mnuts_core.bundles.library` finds.

    Raises:
        BundleError: If there is no bundle at all, or an extra one does not exist.
    """

    def __init__(self, *extra: str | os.PathLike[str]) -> None:
        self.paths: dict[str, Path] = {}
        for path in extra:
            found = find_bundle(path)
            self.paths[found.stem] = found
        named = all_bundles()
        for name in sorted(named, key=lambda name: (name not in PREFERRED, name)):
            self.paths.setdefault(name, named[name])
        if not self.paths:
            raise BundleError("no logit bundle found: make one with `mnuts demo build digits`")
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._uploaded: set[str] = set()
        self._changed: set[str] = set()

    def add(self, path: Path, opened: Opened) -> str:
        """Take in a bundle that the visitor brought; its name, which is a new one.

        Args:
            path: The file, which must stay.
            opened: What `load_bundle` made of it.
        """
        name, number = path.stem, 2
        while name in self.paths:
            name, number = f"{path.stem} ({number})", number + 1
        self.paths[name] = path
        self._uploaded.add(name)
        self.keep(name, opened)
        return name

    def trusted(self, name: str) -> bool:
        """Whether a bundle lay on this machine, and was not brought by a visitor."""
        return name not in self._uploaded

    @property
    def names(self) -> list[str]:
        """Names of the bundles at hand."""
        return list(self.paths)

    def open(self, name: str) -> Opened:
        """The bundle of a name, loaded if it is not open.

        Raises:
            BundleError: If the name is unknown, or the file is broken.
        """
        if name not in self.paths:
            raise BundleError(f"no bundle {name!r}: there are {', '.join(self.names)}")
        if name not in self._opened:
            self.keep(name, self.load(name))
        self._opened.move_to_end(name)
        return self._opened[name]

    def is_open(self, name: str) -> bool:
        """Whether a bundle is available without loading it."""
        return name in self._opened

    def load(self, name: str) -> Opened:
        """The bundle of a name, read from its file; it may run in a thread.

        Raises:
            BundleError: If the file is broken.
        """
        return load_bundle(self.paths[name])

    def keep(self, name: str, opened: Opened) -> None:
        """Hold a bundle open; the least recently used one of those that could be read again makes room."""
        self._opened[name] = opened
        others = [other for other in self._opened if other not in self._changed | {name}]
        for other in others[: max(0, len(self._opened) - OPEN_BUNDLES)]:
            del self._opened[other]

    def replace(self, name: str, opened: Opened) -> None:
        """Hold a bundle in the place of what its file has, for as long as the page lives."""
        self._changed.add(name)
        self.keep(name, opened)


def load_bundle(path: Path) -> Opened:
    """A bundle from its file, with what is computed once for it.

    Raises:
        BundleError: If the file is missing or broken.
    """
    return Opened(LogitBundle.load(path))


def renewed(opened: Opened, bundle: LogitBundle) -> Opened:
    """An open bundle with more points: nothing of what depends on them is kept.

    Args:
        opened: What is open.
        bundle: The same with more points.
    """
    return Opened(bundle, grids=opened.grids)


def by_name(error: MnutsError, path: Path) -> str:
    """An error about a file that was brought, by its name: where it lies here is nobody's business."""
    return str(error).replace(str(path), path.name)


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
