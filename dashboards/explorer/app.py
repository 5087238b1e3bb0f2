"""The explorer: controls on the left, figures in numbers above, linked plots and cards below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import ipywidgets as w

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.export.config import MixConfig, configs_of
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import MixParams
from mnuts_core.remix.engine import Remix, RemixEngine
from mnuts_core.search.grids import DEFAULT_GRID
from mnuts_dashboards.board.board import Board, BoardEvent
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.bundles.open_bundles import Opened, Session, known_opening, renewed
from mnuts_dashboards.bundles.verified import key_of
from mnuts_dashboards.explorer.actions import connect_buttons
from mnuts_dashboards.explorer.controls import Controls
from mnuts_dashboards.explorer.details import Details
from mnuts_dashboards.explorer.header import Header
from mnuts_dashboards.explorer.incoming import take_file, take_link
from mnuts_dashboards.explorer.links import write_link
from mnuts_dashboards.explorer.open_bundle import Bundles
from mnuts_dashboards.explorer.page_file import explorer_page
from mnuts_dashboards.explorer.report import view_report
from mnuts_dashboards.explorer.scene import Scene, look
from mnuts_dashboards.explorer.search import Searching
from mnuts_dashboards.explorer.selection import Example, Selection
from mnuts_dashboards.explorer.state import PLOT_TRAITS, ExplorerState
from mnuts_dashboards.explorer.views import ALL, FIXED, PANELS, draw, draw_fixed, follow, notes
from mnuts_dashboards.verification.panel import Verifier
from mnuts_dashboards.widgets.browser import Page
from mnuts_dashboards.widgets.entries import sentence
from mnuts_dashboards.widgets.heartbeat import Heartbeat
from mnuts_dashboards.widgets.styles import APPS, style_sheet
from mnuts_dashboards.widgets.undo import Navigator
from mnuts_dashboards.widgets.upload import Upload


class Explorer(w.VBox):
    """The explorer as one widget, for Voilà and JupyterLab alike.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; the first is opened.

    Attributes:
        state: Every setting; set it from Python and the page follows.
        board: The plots.
        controls: The control column.
        header: What stands above the plots: messages, origin of the data, the figures.

    A bundle that is broken is passed over, and the banner says so.

    Raises:
        BundleError: If there is no bundle that can be opened.
    """

    def __init__(self, *bundles: str | os.PathLike[str]) -> None:
        self.session = Session(*bundles)
        self.bundles = Bundles(self.session)
        self.state = ExplorerState(bundle=self.bundles.name)
        self._selected = Selection(self.state, lambda: self.opened.engine.bundle)
        # first of all who observe it: what others make of a change is no step of its own
        self.state.observe(lambda _: self.navigator.note(), names=["bundle", *ExplorerState.SETTINGS])
        self.header = Header(self.state)
        self.board = Board(PANELS, on_error=self.header.fail, on_ready=self._send_again)
        self.page = Page()
        refuse = self.header.refuse
        self.verifier = Verifier(lambda: self.config, self._on_points, self.refresh, refuse)
        upload = Upload(
            (".json", ".safetensors"), "Import JSON or bundle …", take=self.import_file, refuse=refuse
        )
        self.controls = Controls(
            self.state,
            self.session.names,
            list(self.opened.grids),
            verify=self.verifier,
            upload=upload,
            take=self.import_file,
            refuse=refuse,
        )
        choose = self._selected.choose
        self.details = Details(choose, self._restore, self.state.drop_snapshot, self._verified)
        self._scene: Scene | None = None
        self._held = False
        self.searching = Searching(
            self.state,
            self.controls,
            opened=lambda: self.opened,
            arrive=lambda change: self.header.keep_message_during(lambda: self.navigator.complete(change)),
            refresh=self._on_searched,
            refuse=refuse,
            failed=self.header.fail,
        )
        self.navigator = Navigator(
            self.page, self.link, self.show_link, lambda: self.controls.toolbar.show_steps(self.navigator)
        )
        self._connect()
        connect_buttons(self)
        self._assemble()
        self._show_bundle()
        self.controls.inputs["row"].max = self.last_row
        self.open_link("")
        self.board.draw(self.make(ALL))
        refuse(self.bundles.refused)

    def _assemble(self) -> None:
        main = w.VBox([*self.header.lines, self.board, self.details]).add_class("mnuts-main")
        body = w.HBox([self.controls, main]).add_class("mnuts-body")
        super().__init__([style_sheet(APPS), self.page, Heartbeat(self), body])
        self.add_class("mnuts-explorer")

    # --- from Python
    @property
    def config(self) -> MixConfig:
        """The current configuration with its figures, as *Export JSON* writes it; set one to take it over.

        α is taken as it stands in a configuration, from its β where that gives the same α on this bundle.
        """
        config = MixConfig.from_remix(self.opened.engine, self.state.params)
        known = self.verifier.results.of(config.params)
        return config if known is None else config.model_copy(update={"verified": known.config.verified})

    @config.setter
    def config(self, config: MixConfig) -> None:
        self.verifier.results.take(config)
        self.state.take(settings_of(self.opened.engine, config), level=True)

    @property
    def selection(self) -> Example | None:
        """The chosen example, as the part (`clean` or `attacked`) and the row in it; None for none.

        Raises:
            ParameterError: When set: if there is no such row.
        """
        return self._selected.example

    @selection.setter
    def selection(self, example: Example | None) -> None:
        self._selected.example = example

    @property
    def last_row(self) -> int:
        """The last row that can be chosen in the part that is shown."""
        return self._selected.last_row

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
            shown, here = self.state.params, self.state.bundle == self.bundles.name
            opening = known_opening(self.opened) if here and self.state.grid == DEFAULT_GRID else None
            return write_link(self.state, shown if self.searching.awaited else opening)
        except ParameterError:  # set from Python; the banner shows it
            return self.navigator.history.now

    def open_link(self, query: str) -> None:
        """Take over what a link asks for; what is wrong with it stands in the banner.

        Args:
            query: The URL's query string, see `links`.
        """
        self.show_link(query)
        self.navigator.restart()

    def show_link(self, query: str) -> None:
        """Bring the state to what a link means, as one change, which can be undone.

        Args:
            query: The URL's query string.
        """
        self._held = True
        try:
            problems = take_link(self, query)
        finally:
            self._held = False
        self.refresh()
        self.header.refuse(" ".join(sentence(problem) for problem in problems) or None)

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
            self.header.refuse(str(error))
            return {}
        self.header.settle()
        self.controls.settle()
        return drawn

    def _draw(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        scene = self._scene = self._look()
        self.header.show(scene)
        self.controls.show_alpha(scene.remix.alpha)
        self.searching.age()
        self.details.follow(scene)
        return draw(scene, visible - FIXED)

    def _look(self) -> Scene:
        kept = self.details.snapshots.mixes(self.opened.engine, self.state.snapshots)
        return look(self.opened, self.state, self.verifier.results, example=self.selection, kept=kept)

    def _verified(self, params: MixParams) -> Estimate | None:
        known = self.verifier.results.of(params)
        return None if known is None else known.verified

    def _send_again(self) -> None:
        """Send once more what a search in the background may have changed while the page came.

        A widget's message that leaves after the page has read all states and before it listens is lost.
        """
        for widget in (*self.controls.searched, *self.controls.settings, *self.header.lines):
            widget.layout.send_state()
            widget.send_state()
        self.navigator.announce()

    # --- events
    def _connect(self) -> None:
        self.state.observe(self.refresh, names=[*ExplorerState.MIX_TRAITS, *PLOT_TRAITS, "row", "snapshots"])
        self.state.observe(self._on_case, names="case")
        self.bundles.follow(
            self.state, switched=self._on_switched, loading=self._on_loading, failed=self.header.complain
        )
        self.page.on_arrive = self.navigator.arrive
        self.board.on_event(self._on_click, kinds=["click"])

    def _on_case(self, _: object) -> None:
        self.controls.inputs["row"].max = max(0, self.last_row)
        self.board.draw({}, notes(self.opened.engine.bundle, chosen=self.selection is not None))
        self.refresh()

    def _restore(self, place: int) -> None:
        self.state.take(self.state.snapshots[place], level=True)

    def _on_searched(self) -> None:
        self.refresh()
        if not self._held:
            self.navigator.agree()  # a link leaves out what has been found now

    def _on_switched(self) -> None:
        if self.state.grid not in self.opened.grids:  # one that was widened on the bundle before
            self.state.grid = self.state.grid.rstrip("+")
        self.controls.inputs["grid"].offer(list(self.opened.grids))
        self.searching.forget()
        self._show_bundle()
        self._on_case(None)
        self.searching.start(move=False)
        self._on_searched()

    def _on_points(self, bundle: LogitBundle, config: MixConfig) -> RemixEngine:
        """Show the open bundle with the points of a verification: its figures move, all settings stay.

        Where the verified mix is shown, it stays the very same: α by hand, if β gives another one now.
        """
        shown = key_of(self.remix.params) == key_of(config.params)
        self.bundles.renew(renewed(self.opened, bundle))
        if shown:
            self.state.take(settings_of(self.opened.engine, config), level=True)
        self.searching.forget()
        self.header.rest_on(bundle)
        self.board.draw(draw_fixed(self.opened), notes(bundle, chosen=self.selection is not None))
        self.searching.start(move=False)
        return self.opened.engine

    def _on_loading(self, name: str | None) -> None:
        self.header.rest_on(self.opened.engine.bundle, loading=name)

    def _show_bundle(self) -> None:
        bundle = self.opened.engine.bundle
        self.header.rest_on(bundle)
        self.controls.find.disabled = not bundle.n_adv
        configs, trusted = configs_of(bundle), self.session.trusted(self.state.bundle)
        self.controls.preset.offer(configs)
        self.verifier.use(self.opened.engine, [config for _, config in configs], trusted=trusted)
        self.board.draw(draw_fixed(self.opened), notes(bundle, chosen=self.selection is not None))

    def _on_click(self, event: BoardEvent) -> None:
        if self._scene is not None:
            follow(event, self.state, self._scene)

    # --- files
    def import_file(self, path: str | os.PathLike[str]) -> None:
        """Take over a configuration (`.json`) or a bundle (`.safetensors`); the banner shows what is wrong.

        Args:
            path: The file; a bundle's must stay where it is.
        """
        take_file(self, path)

    def report(self) -> str:
        """The current view as one HTML file that needs neither server nor network."""
        return view_report(self._look(), self.link(), self.config, self._verified)

    def page_file(self) -> str:
        """The open bundle and an explorer that computes by itself as one HTML file."""
        return explorer_page([(self.state.bundle, self.opened.engine.bundle)])
