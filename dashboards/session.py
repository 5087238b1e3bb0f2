"""What the explorer knows of the bundles it has opened: engines, searches, and the views that move slowly.

No widget, no figure: it answers with views of the core, and remembers what a slider does not change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mnuts_core import views
from mnuts_core.bundle import LogitBundle
from mnuts_core.errors import BundleError
from mnuts_core.frontier import beta_frontier
from mnuts_core.grids import PAPER_RANGES, GridSpec
from mnuts_core.library import PREFERRED, all_bundles, find_bundle
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix import RemixEngine
from mnuts_core.search import grid_search
from mnuts_core.selection import GridSearchResult
from mnuts_core.tradeoff import Curve, alpha_curve

OPEN_BUNDLES = 3
"""So many bundles stay open, the least recently used one is closed."""


@dataclass
class Opened:
    """One open bundle with what is computed once for it."""

    engine: RemixEngine
    histograms: dict[str, views.MarginHistograms]
    grids: dict[str, GridSpec] = field(default_factory=lambda: {n: GridSpec.paper(n) for n in PAPER_RANGES})
    searches: dict[object, GridSearchResult] = field(default_factory=dict)
    frontiers: dict[object, Curve] = field(default_factory=dict)
    plain_curves: dict[float, Curve] = field(default_factory=dict)
    densities: dict[int, views.LogitDensity] = field(default_factory=dict)

    def density(self, ln_k: int) -> views.LogitDensity:
        """Where the logits lie, for a layer norm."""
        if ln_k not in self.densities:
            self.densities[ln_k] = views.logit_density(self.engine, ln_k)
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
        extra: Further bundle files, beside those that `mnuts_core.library` finds.

    Raises:
        BundleError: If there is no bundle at all, or an extra one does not exist.
    """

    def __init__(self, *extra: str | Path) -> None:
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
            engine = RemixEngine(LogitBundle.load(self.paths[name]))
            self._opened[name] = Opened(engine, views.base_histograms(engine))
            while len(self._opened) > OPEN_BUNDLES:
                self._opened.popitem(last=False)
        self._opened.move_to_end(name)
        return self._opened[name]


def known_search(opened: Opened, params: MixParams, grid: str) -> GridSearchResult | None:
    """The search that is at hand already for these settings, at whatever β it was made."""
    return opened.searches.get(_key(params, grid))


def known_frontier(opened: Opened, params: MixParams, grid: str) -> Curve | None:
    """Its β-frontier in the trade-off plane, at T = 0; None for other temperatures."""
    return opened.frontiers.get(_key(params, grid)) if params.temperature == 0 else None


def search(
    opened: Opened, params: MixParams, grid: str, progress: Callable[[float], None] | None = None
) -> GridSearchResult:
    """Algorithm 1 on an open bundle, at the parameters' β; the table is kept for the next β.

    It may run in a thread: the engine, which the page goes on using, is left alone.

    Args:
        opened: The bundle.
        params: β, clamp and ln_k.
        grid: Name of one of the opened bundle's grids.
        progress: Called with the share done.
    """
    key = _key(params, grid)
    if key not in opened.searches:
        opened.searches[key] = grid_search(
            opened.engine.bundle,
            opened.grids[grid],
            params.beta,
            clamp=params.clamp,
            ln_k=params.ln_k,
            progress=progress,
        )
    return opened.searches[key].at_beta(params.beta)


def draw_frontier(opened: Opened, params: MixParams, grid: str) -> None:
    """Work out the β-frontier of a finished search, with an engine of its own, and keep it."""
    key = _key(params, grid)
    if key not in opened.frontiers:
        engine = RemixEngine(opened.engine.bundle)
        opened.frontiers[key] = views.frontier(engine, beta_frontier(opened.searches[key]))


def _key(params: MixParams, grid: str) -> tuple[object, ...]:
    """What a search depends on, β aside: every β is had from the same table."""
    return (grid, params.clamp, params.ln_k)
