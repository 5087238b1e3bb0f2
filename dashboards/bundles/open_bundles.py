"""What an app knows of the bundles it has opened; a page computes by itself, so that reading them is enough.

No widget, no figure. What is computed of a bundle is kept with it, see `mnuts_dashboards.bundles.computed`.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import PREFERRED, all_bundles, find_bundle
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.search.grids import PAPER_RANGES, GridSpec

if TYPE_CHECKING:
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.search.direct_result import DirectSearch
    from mnuts_core.search.result import GridSearchResult
    from mnuts_core.views.margins import MarginHistograms
    from mnuts_core.views.tradeoff import Curve, Frontier
    from mnuts_core.views.transform import LogitDensity

OPEN_BUNDLES = 3
"""So many bundles stay open, the least recently used one is closed."""


@dataclass
class Opened:
    """One open bundle with what is computed once for it, when it is asked for: an engine is large."""

    bundle: LogitBundle
    grids: dict[str, GridSpec] = field(default_factory=lambda: {n: GridSpec.paper(n) for n in PAPER_RANGES})
    searches: dict[object, GridSearchResult] = field(default_factory=dict)
    directs: dict[object, DirectSearch] = field(default_factory=dict)
    frontiers: dict[object, Frontier] = field(default_factory=dict)
    direct_frontiers: dict[object, Frontier] = field(default_factory=dict)
    histograms: dict[str, MarginHistograms] = field(default_factory=dict)
    plain_curves: dict[float, Curve] = field(default_factory=dict)
    densities: dict[int, LogitDensity] = field(default_factory=dict)

    @cached_property
    def engine(self) -> RemixEngine:
        """What answers for the bundle's mixes."""
        from mnuts_core.remix.engine import RemixEngine  # which imports torch: no page needs it to be opened

        return RemixEngine(self.bundle)


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
