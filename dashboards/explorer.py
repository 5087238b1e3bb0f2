"""The explorer: controls on the left, figures in numbers above, linked plots and cards below."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as w
import torch

from mnuts_core import views
from mnuts_core.config import MixConfig
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.example_views import Where
from mnuts_core.params import MixParams
from mnuts_core.remix import Remix

from . import figures, panels
from .below import Below
from .board import Board, BoardEvent
from .bundles import Bundles
from .clicks import follow
from .controls import Controls
from .drawing import ALL, PANELS, Scene, draw, notes
from .history import Navigator
from .intake import take_bundle, take_config, take_link
from .links import write_link
from .page import Page
from .report_view import view_report
from .searching import Searching
from .session import Opened, Session, known_frontier, known_opening, known_search
from .state import DEFAULT_GRID, ExplorerState
from .styles import STYLE
from .upload import Upload
from .verification import Verifier

log = logging.getLogger(__name__)

JSON, HTML = "application/json", "text/html"
FIXED = frozenset({"margins"})
"""Panels that no slider moves."""


class Explorer(w.VBox):
    """The explorer as one widget, for Voilà and JupyterLab alike.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; the first is opened.

    Attributes:
        state: Every setting; set it from Python and the page follows.
        board: The plots.
        controls: The control column.

    A bundle that is broken is passed over, and the banner says so.

    Raises:
        BundleError: If there is no bundle that can be opened.
    """

    def __init__(self, *bundles: str | os.PathLike[str]) -> None:
        torch.set_num_threads(1)  # remixing is milliseconds of work: a second thread only waits for it
        self.session = Session(*bundles)
        self.bundles = Bundles(self.session)
        self.state = ExplorerState(bundle=self.bundles.name)
        self.board = Board(PANELS, on_error=self.fail)
        self.page = Page()
        self.headline, self.banner, self.provenance = w.HTML(), w.HTML(), w.HTML()
        self.verifier = Verifier(lambda: self.config, self.refresh, self.refuse)
        upload = Upload(
            (".json", ".safetensors"), "Import JSON or bundle …", take=self.import_file, refuse=self.refuse
        )
        self.controls = Controls(
            self.state,
            self.session.names,
            list(self.opened.grids),
            verify=self.verifier,
            upload=upload,
            refuse=self.refuse,
        )
        self.below = Below(self._choose, self._restore, self.state.drop_snapshot, self._verified)
        self._scene: Scene | None = None
        self._held = False
        self.searching = Searching(
            self.state,
            self.controls,
            opened=lambda: self.opened,
            arrive=lambda change: self.navigator.complete(change),
            refresh=self.refresh,
            refuse=self.refuse,
            failed=self.fail,
        )
        self.navigator = Navigator(self.page, self.link, self._show_link, self._show_steps)
        self._connect()
        self._assemble()
        self._show_bundle()
        self.controls.row.max = self.last_row
        self.open_link("")
        self.board.draw(self.make(ALL))
        self.refuse(self.bundles.refused)

    def _assemble(self) -> None:
        top = [self.banner, self.provenance, self.headline]
        main = w.VBox([*top, self.board, self.below]).add_class("mnuts-main")
        body = w.HBox([self.controls, main]).add_class("mnuts-body")
        super().__init__([w.HTML(f"<style>{STYLE}</style>"), self.page, body])
        self.add_class("mnuts-explorer")

    def refuse(self, message: str | None) -> None:
        """Tell in the banner what was wrong; the view stays."""
        self.banner.value = panels.banner_html(message)
        self._told_for = self.state.trait_values()

    # --- from Python
    @property
    def config(self) -> MixConfig:
        """The current configuration with its figures, as *Export JSON* writes it; set one to take it over.

        α is taken as it stands in a configuration, from its β where that gives the same α on this bundle.
        """
        config = MixConfig.from_remix(self.opened.engine, self.state.params)
        known = self.verifier.of(config.params)
        return config if known is None else config.model_copy(update={"verified": known.card})

    @config.setter
    def config(self, config: MixConfig) -> None:
        params = config.params
        if config.beta is not None and self.opened.engine.bundle.n_adv:
            derived = params.with_(alpha=None)
            same = abs(self.opened.engine.remix(derived).alpha - config.alpha) < 1e-9
            params = derived if same else params
        self.verifier.take(config)
        self.state.take(params, level=True)

    @property
    def selection(self) -> tuple[Where, int] | None:
        """The chosen example, as the part (`clean` or `attacked`) and the row in it; None for none.

        Raises:
            ParameterError: When set: if there is no such row.
        """
        if self.state.case == "paper":
            return None
        return self.state.case, min(self.state.row, self.last_row)

    @selection.setter
    def selection(self, example: tuple[Where, int] | None) -> None:
        if example is None:
            self.state.case = "paper"
            return
        where, row = example
        n = {"clean": self.opened.engine.n_clean, "attacked": self.opened.engine.bundle.n_adv}.get(where, 0)
        if not 0 <= row < n:
            raise ParameterError(f"selection must be ('clean' or 'attacked', row in [0, {n})), got {example}")
        self._choose(where, row)

    @property
    def opened(self) -> Opened:
        """The bundle that is open."""
        return self.bundles.opened

    @property
    def remix(self) -> Remix:
        """The current mix."""
        return self.opened.engine.remix(self.state.params)

    def link(self) -> str:
        """The query that opens this view, without the question mark."""
        try:
            shown, default_grid = self.state.params, self.state.grid == DEFAULT_GRID
            opening = known_opening(self.opened) if default_grid else None
            return write_link(self.state, shown if self.searching.awaited else opening)
        except ParameterError:  # set from Python; the banner tells
            return self.navigator.history.now

    def open_link(self, query: str) -> None:
        """Take over what a link asks for; what is wrong with it stands in the banner.

        Args:
            query: The URL's query string, see `links`.
        """
        self._show_link(query)
        self.navigator.restart()

    # --- drawing
    def refresh(self, _: object = None) -> None:
        """Redraw what is visible as soon as the page is free; the newest settings win."""
        if not self._held:
            self.board.request(self.make)

    def make(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        """Figures of the visible panels for the current state; headline and banner are set on the way.

        Args:
            visible: Names of panels.
        """
        try:
            drawn = self._draw(visible)
        except MnutsError as error:
            self.refuse(str(error))
            return {}
        if self.banner.value and self._told_for != self.state.trait_values():
            self.refuse(None)
        return drawn

    def _draw(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        scene = self._scene = self._look()
        stale = None if scene.earlier is None else scene.earlier[1]
        attack = self.opened.engine.bundle.manifest.attack
        words = panels.words_html(scene.table, scene.remix.warnings, attack and attack.name)
        self.headline.value = panels.headline_html(scene.table, stale) + words
        self.controls.show_alpha(scene.remix.alpha)
        self.searching.age()
        self.below.follow(scene)
        return draw(scene, visible - FIXED)

    def _look(self) -> Scene:
        """All that there is to show at this moment."""
        opened, params, grid = self.opened, self.state.params, self.state.grid
        remix = opened.engine.remix(params)
        known, other = self.verifier.of(remix.params), self.verifier.latest(remix.params)
        table = views.headline(
            opened.engine, remix, views.plain_remix(opened.engine, params), known and known.verified
        )
        show_other = other is not None and other.clean is not None and known is None
        return Scene(
            opened=opened,
            remix=remix,
            table=table,
            result=known_search(opened, params, grid),
            frontier=known_frontier(opened, params, grid),
            example=self.selection,
            kept=self.below.snapshots.mixes(opened.engine, self.state.snapshots),
            earlier=(other.clean, other.verified) if show_other and other and other.clean else None,
        )

    def _verified(self, params: MixParams) -> Any:
        known = self.verifier.of(params)
        return None if known is None else known.verified

    @property
    def last_row(self) -> int:
        """The last row that can be chosen in the part that is shown."""
        bundle = self.opened.engine.bundle
        return (bundle.n_adv or bundle.n_clean if self.state.case == "attacked" else bundle.n_clean) - 1

    # --- events
    def _connect(self) -> None:
        seen = [*ExplorerState.MIX_TRAITS, "row", "snapshots"]
        self.state.observe(self.refresh, names=seen)
        self.state.observe(self._on_case, names="case")
        self.bundles.follow(
            self.state, switched=self._on_switched, loading=self._show_provenance, failed=self.complain
        )
        self.state.observe(self.navigator.note, names=["bundle", *ExplorerState.SETTINGS])
        self.page.on_arrive = self.navigator.arrive
        self.page.on_copied = self._on_copied
        self.board.on_event(self._on_click, kinds=["click"])
        controls = self.controls
        controls.undo.on_click(lambda _: self.navigator.undo())
        controls.redo.on_click(lambda _: self.navigator.redo())
        controls.defaults.on_click(self._on_defaults)
        controls.copy.on_click(lambda _: self.page.copy(self.link()))
        controls.keep.on_click(self._on_keep)
        controls.export.on_click(lambda _: self._save("json", lambda: self.config.to_json(), JSON))
        controls.report.on_click(lambda _: self._save("html", self.report, HTML))

    def _show_link(self, query: str) -> None:
        """Bring the state to what a link means, as one change."""
        self._held = True
        try:
            problems = take_link(self, query)
        finally:
            self._held = False
        self.refresh()
        self.refuse(" ".join(f"{problem.rstrip('.')}." for problem in problems) or None)

    def _show_steps(self) -> None:
        self.controls.undo.disabled = not self.navigator.history.can_undo
        self.controls.redo.disabled = not self.navigator.history.can_redo

    def _on_defaults(self, _: object) -> None:
        hidden = f"&hide={','.join(self.state.hidden)}" if self.state.hidden else ""
        self._show_link(f"bundle={quote(self.state.bundle)}{hidden}")

    def _on_keep(self, _: object) -> None:
        self.state.keep_snapshot()
        name = figures.letter(len(self.state.snapshots) - 1)
        self.controls.say(
            panels.remark_html(f"{name} is kept: on the plane, and in the table below the plots.")
        )

    def _on_copied(self, text: str | None) -> None:
        told = "Copied." if text else "The browser did not let us copy: take the link from its address bar."
        self.controls.say(panels.remark_html(told))

    def _on_case(self, _: object) -> None:
        self.controls.row.max = max(0, self.last_row)
        self.board.draw({}, notes(self.opened.engine.bundle, chosen=self.selection is not None))
        self.refresh()

    def _choose(self, where: Where, row: int) -> None:
        self.state.case = where  # first: it says how many rows there are
        self.state.row = row

    def _restore(self, place: int) -> None:
        self.state.take(self.state.snapshots[place], level=True)

    def _on_switched(self) -> None:
        self.controls.grid.offer(list(self.opened.grids))
        self.searching.forget()
        self._show_bundle()
        self._on_case(None)
        self.searching.start(move=False)

    def _on_click(self, event: BoardEvent) -> None:
        if self._scene is not None:
            follow(event, self.state, self._scene)

    # --- files
    def import_file(self, path: str | os.PathLike[str]) -> None:
        """Take over a configuration (`.json`) or a bundle (`.safetensors`); the banner tells what is wrong.

        Args:
            path: The file; a bundle's must stay where it is.
        """
        path = Path(path)
        take = take_config if path.suffix.lower() == ".json" else take_bundle
        try:
            take(self, path)
        except MnutsError as error:
            self.refuse(str(error).replace(str(path), path.name))

    def _save(self, ending: str, text: Callable[[], str], mime: str) -> None:
        try:
            self.board.download(f"mnuts-{self.state.bundle}.{ending}", text(), mime)
        except MnutsError as error:
            self.refuse(str(error))

    def report(self) -> str:
        """The current view as one HTML file that needs neither server nor network."""
        return view_report(self._look(), self.link(), self.config, self._verified)

    # --- the rest
    def fail(self, error: Exception) -> None:
        """Exceptions in callbacks vanish otherwise: say so on the page, keep the last good view."""
        log.error("the explorer could not do this", exc_info=error)
        self.refuse(f"Something went wrong: {error}. The last good view is shown.")

    def complain(self, error: Exception) -> None:
        """Tell of an error: in its own words if it is one of ours."""
        self.refuse(str(error)) if isinstance(error, MnutsError) else self.fail(error)

    def _show_provenance(self, loading: str | None = None) -> None:
        """What the figures rest on, or that a bundle is being loaded."""
        bundle = self.opened.engine.bundle
        facts, details = (["opening …"], []) if loading else panels.bundle_facts(bundle)
        self.provenance.value = panels.provenance_html(loading or bundle.name, facts, details)

    def _show_bundle(self) -> None:
        bundle = self.opened.engine.bundle
        self._show_provenance()
        self.controls.find.disabled = not bundle.n_adv
        self.verifier.use(self.opened.engine, trusted=self.session.trusted(self.state.bundle))
        base = {"margins": figures.histogram_figure(self.opened.histograms)}  # no slider moves it
        self.board.draw(base, notes(bundle, chosen=self.selection is not None))
