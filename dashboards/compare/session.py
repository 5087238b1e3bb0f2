"""What the comparison knows: the bundles at hand, those that are open, and their searches. No widgets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.clamps import Clamp
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views.comparison import Medians, Summary, comparison_warnings, margin_medians, summary
from mnuts_core.views.transfer_matrix import AlphaFrom, Best, Transfer, best_of, transfer_matrix
from mnuts_dashboards.bundles.open_bundles import Session, by_name
from mnuts_dashboards.compare.state import MAX_COMPARED

MAX_SEARCHES = 3 * MAX_COMPARED
"""So many searches are remembered: three settings of grid and clamp for as many bundles as are shown."""
Progress = Callable[[float], None]


class Settings(NamedTuple):
    """What a comparison depends on, as in `compare_state.CompareState`."""

    bundles: tuple[str, ...]
    beta: float
    grid: str
    clamp: Clamp
    alpha: AlphaFrom


class Comparison(NamedTuple):
    """Everything the page shows; mappings are by the bundle's name, in the order asked for.

    Attributes:
        settings: What was asked for, less the bundles that were refused.
        summaries: What each bundle's figures rest on.
        medians: Its median margins, M(h)'s with its own best parameters.
        best: Its best parameters, where it has any.
        transfers: The transfer matrix.
        notes: What makes the figures not comparable, and why a bundle has no best parameters.
        refused: Bundles that could not be opened, and why.
    """

    settings: Settings
    summaries: Mapping[str, Summary]
    medians: Mapping[str, Mapping[str, Medians]]
    best: Mapping[str, Best]
    transfers: tuple[Transfer, ...]
    notes: tuple[str, ...]
    refused: Mapping[str, str]


class CompareSession:
    """The bundles at hand and what is known of them.

    `compare` belongs to the thread of the page's one running job; the rest to the page's own.

    Args:
        extra: Further bundle files, beside those that `mnuts_core.bundles.library` finds.

    Raises:
        BundleError: If there is no bundle at all, or an extra one does not exist.
    """

    def __init__(self, *extra: str | Path) -> None:
        self.paths: dict[str, Path] = dict(Session(*extra).paths)
        self._versions: dict[
            str, int
        ] = {}  # so that what a running job still keeps of an old file is not found
        self._engines: OrderedDict[tuple[str, int], RemixEngine] = OrderedDict()
        self._searches: OrderedDict[tuple[str, int, str, Clamp], GridSearchResult] = OrderedDict()

    @property
    def names(self) -> list[str]:
        """Names of the bundles at hand."""
        return list(self.paths)

    def add(self, path: Path) -> str:
        """Offer one more file; a file that is there already is read anew.

        Args:
            path: The file; it is opened when it is compared.

        Returns:
            Its name: the file's, made unlike all others.
        """
        name = next((known for known, old in self.paths.items() if old == path), None)
        if name is None:
            name, number = path.stem, 1
            while name in self.paths:
                number += 1
                name = f"{path.stem} ({number})"
        self.forget(name)
        self.paths[name] = path
        return name

    def forget(self, name: str) -> None:
        """Take a bundle off the list; what was computed for it is not used again."""
        self.paths.pop(name, None)
        self._versions[name] = self._versions.get(name, 0) + 1

    def compare(self, settings: Settings, progress: Progress) -> Comparison:
        """The comparison for these settings; only what is not known yet is computed.

        Args:
            settings: What to compare; a bundle that cannot be opened is left out and named in `refused`.
            progress: Called with the share done; what it raises ends the work.
        """
        steps = len(settings.bundles) + 1
        engines: dict[str, RemixEngine] = {}
        best: dict[str, Best] = {}
        refused: dict[str, str] = {}
        notes: list[str] = []
        for number, name in enumerate(settings.bundles):
            progress(number / steps)
            version = self._versions.get(name, 0)
            try:
                engines[name] = self._open(name, version)
            except MnutsError as error:
                refused[name] = by_name(error, self.paths[name]) if name in self.paths else str(error)
                continue
            if not engines[name].bundle.n_adv:
                notes.append(f"{name} has no attacked part: no best parameters, and no figures under attack.")
                continue

            def report(share: float, done: int = number) -> None:
                progress((done + share) / steps)

            try:
                best[name] = best_of(self._search(name, version, engines[name], settings, report))
            except MnutsError as error:
                notes.append(f"{name} has no best parameters: {error}.")
        bundles = {name: engine.bundle for name, engine in engines.items()}
        params = {name: found.params for name, found in best.items()}
        return Comparison(
            settings=settings._replace(bundles=tuple(engines)),
            summaries={name: summary(engine) for name, engine in engines.items()},
            medians={name: margin_medians(engine, params.get(name)) for name, engine in engines.items()},
            best=best,
            transfers=transfer_matrix(
                engines, params, settings.alpha, lambda share: progress((steps - 1 + share) / steps)
            ),
            notes=(*comparison_warnings(bundles), *notes),
            refused=refused,
        )

    def _open(self, name: str, version: int) -> RemixEngine:
        if name not in self.paths:
            raise BundleError(f"no bundle {name!r}: there are {', '.join(self.names)}")
        if (name, version) not in self._engines:
            self._engines[name, version] = RemixEngine(LogitBundle.load(self.paths[name]))
            while len(self._engines) > MAX_COMPARED:
                self._engines.popitem(last=False)
        self._engines.move_to_end((name, version))
        return self._engines[name, version]

    def _search(
        self, name: str, version: int, engine: RemixEngine, settings: Settings, progress: Progress
    ) -> GridSearchResult:
        key = (name, version, settings.grid, settings.clamp)
        if key not in self._searches:
            self._searches[key] = grid_search(
                engine.bundle,
                GridSpec.paper(settings.grid),
                settings.beta,
                clamp=settings.clamp,
                progress=progress,
            )
            while len(self._searches) > MAX_SEARCHES:
                self._searches.popitem(last=False)
        self._searches.move_to_end(key)
        return self._searches[key].at_beta(settings.beta)
