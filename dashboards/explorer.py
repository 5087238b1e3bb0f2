"""The explorer: controls on the left, figures in numbers above, linked plots below."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import ipywidgets as w
import torch

from mnuts_core import views
from mnuts_core.bundle import LogitBundle
from mnuts_core.config import MixConfig
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.params import MixParams
from mnuts_core.remix import Remix
from mnuts_core.selection import GridSearchResult

from . import figures, panels
from .board import Board, BoardEvent, Panel
from .controls import Controls
from .jobs import Cancelled, Job
from .session import Opened, Session, draw_frontier, known_frontier, known_search, search
from .state import ExplorerState
from .styles import STYLE

log = logging.getLogger(__name__)

PANELS = (
    Panel("plane", "Clean accuracy and estimates under attack", span=7, height=400),
    Panel("transform", "The transform M of one logit", span=5, height=400),
    Panel("margins", "Confidence margins of the base models", span=8, height=400),
    Panel("mix_margins", "Margins of M(h)", span=4, height=400),
    Panel("simplex", "Trajectories on the probability simplex", span=7, height=340),
    Panel("medians", "Median margins, margin gap", span=5, height=340),
    Panel("slices", "Sensitivity of the objective", span=12, height=260),
)


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
        name, self.opened, refused = self._first_sound()
        self.state = ExplorerState(bundle=name)
        self.state.take(self._opening(), level=True)
        self.board = Board(PANELS, on_error=self._on_error)
        self.headline, self.banner, self.provenance = w.HTML(), w.HTML(), w.HTML()
        self.controls = Controls(self.state, self.session.names, list(self.opened.grids), self._refuse)
        self._found: MixParams | None = None
        self._job: Job[GridSearchResult] | None = None
        self._connect()
        main = w.VBox([self.banner, self.provenance, self.headline, self.board]).add_class("mnuts-main")
        body = w.HBox([self.controls, main]).add_class("mnuts-body")
        super().__init__([w.HTML(f"<style>{STYLE}</style>"), body])
        self.add_class("mnuts-explorer")
        self._show_bundle()
        self.controls.row.max = self._last_row()
        self.board.draw(self.make(frozenset(panel.name for panel in PANELS)))
        self._start_search(move=False)
        self._refuse(refused)

    def _first_sound(self) -> tuple[str, Opened, str | None]:
        """The first bundle that opens, and why those before it did not."""
        refused: list[str] = []
        for name in self.session.names:
            try:
                return name, self.session.open(name), " ".join(refused) or None
            except MnutsError as error:
                refused.append(str(error))
        raise BundleError(" ".join(refused))

    def _refuse(self, message: str | None) -> None:
        """Tell in the banner what was wrong; the view stays."""
        self.banner.value = panels.banner_html(message)

    @property
    def config(self) -> MixConfig:
        """The current configuration with its figures, as *Export JSON* writes it."""
        return MixConfig.from_remix(self.opened.engine, self.state.params)

    @property
    def remix(self) -> Remix:
        """The current mix."""
        return self.opened.engine.remix(self.state.params)

    def refresh(self, _: object = None) -> None:
        """Redraw what is visible as soon as the page is free; the newest settings win."""
        self.board.request(self.make)

    def make(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        """Figures of the visible panels for the current state; headline and banner are set on the way.

        Args:
            visible: Names of panels.
        """
        try:
            drawn = self._draw(visible)
        except MnutsError as error:
            self._refuse(str(error))
            return {}
        self._refuse(None)
        return drawn

    def _draw(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        opened, params = self.opened, self.state.params
        remix = opened.engine.remix(params)
        table = views.headline(opened.engine, remix, views.plain_remix(opened.engine, params))
        attack = opened.engine.bundle.manifest.attack
        words = panels.words_html(table, remix.warnings, attack and attack.name)
        self.headline.value = panels.headline_html(table) + words
        self.controls.show_alpha(remix.alpha)
        self.controls.age(stale=self._found is not None and self._found != params)
        histograms = cache(lambda: views.mix_histograms(remix))  # for two panels, if either is in view
        result = known_search(opened, params, self.state.grid)
        makers = {
            "plane": lambda: figures.plane_figure(
                views.plane(opened.engine, remix),
                opened.plain_curve(params.temperature),
                known_frontier(opened, params, self.state.grid),
                table,
            ),
            "transform": lambda: figures.transform_figure(
                views.transform_curve(opened.density(params.ln_k), params), ln=params.ln_k > 0
            ),
            "mix_margins": lambda: figures.histogram_figure({"M(h)": histograms()}, remix.threshold),
            "simplex": lambda: figures.simplex_figure(self._cases()),
            "medians": lambda: figures.medians_figure(opened.histograms, histograms()),
            "slices": lambda: (
                {"data": [], "layout": {}}
                if result is None
                else figures.slices_figure(views.sensitivity(result, params))
            ),
        }
        return {name: makers[name]() for name in visible & makers.keys()}

    def open_link(self, query: str) -> None:
        """Take over what a link asks for.

        Args:
            query: The URL's query string; `bundle=NAME` chooses among the bundles at hand.
        """
        name = parse_qs(query).get("bundle", [""])[0]
        if name in self.session.names:
            self.state.bundle = name

    def _cases(self) -> tuple[views.SimplexCase, ...]:
        if self.state.case == "paper" or self.opened.engine.bundle.num_classes < 3:
            return views.paper_cases(self.state.params)
        first = 0 if self.state.case == "clean" else self.opened.engine.n_clean
        row = first + min(self.state.row, self._last_row())
        return (views.example_case(self.opened.engine, row, self.state.params),)

    def _last_row(self) -> int:
        bundle = self.opened.engine.bundle
        return (bundle.n_adv or bundle.n_clean if self.state.case == "attacked" else bundle.n_clean) - 1

    def _opening(self) -> MixParams:
        """What the page opens on: the best mix that Algorithm 1 finds, or without an attack a fixed α."""
        params = self.state.params
        if not self.opened.engine.bundle.n_adv:
            return params.with_(alpha=self.state.alpha)
        try:
            return search(self.opened, params, self.state.grid).best.params.with_(alpha=None)
        except MnutsError:
            return params

    def _connect(self) -> None:
        self.state.observe(self.refresh, names=[*ExplorerState.MIX_TRAITS, "row"])
        self.state.observe(self._on_case, names="case")
        self.state.observe(self._on_bundle, names="bundle")
        self.state.observe(self._on_search_setting, names=["grid", "clamp", "ln_k"])
        self.board.on_event(self._on_click, kinds=["click"])
        self.controls.find.on_click(self._on_find)
        self.controls.widen.on_click(self._on_widen)
        self.controls.cancel.on_click(lambda _: self._job and self._job.cancel())
        self.controls.export.on_click(self._on_export)

    def _on_case(self, _: object) -> None:
        self.controls.row.max = self._last_row()
        self.refresh()

    def _on_bundle(self, change: Mapping[str, Any]) -> None:
        try:
            self.opened = self.session.open(change["new"])
        except MnutsError as error:
            self._refuse(str(error))
            self.state.bundle = change["old"]
            return
        self.controls.grid.offer(list(self.opened.grids))
        self.controls.found.value, self._found = "", None
        self._on_case(None)
        self._show_bundle()
        self._start_search(move=False)

    def _on_search_setting(self, _: object) -> None:
        self.controls.widen.layout.display = "none"
        self._start_search(move=False)

    def _on_find(self, _: object) -> None:
        self._start_search(move=True)

    def _on_widen(self, _: object) -> None:
        result = known_search(self.opened, self.state.params, self.state.grid)
        if result is None:
            return
        wider = result.at_beta(self.state.beta).widened_grid()
        self.opened.grids[wider.name] = wider
        self.controls.grid.offer(list(self.opened.grids))
        self.state.grid = wider.name
        self._start_search(move=True)

    def _on_click(self, event: BoardEvent) -> None:
        result = known_search(self.opened, self.state.params, self.state.grid)
        if event.panel != "slices" or result is None or not event.points:
            return
        point = event.points[0]
        if point["curve"] < len(result.grid.p):
            s = result.grid.s[abs(result.grid.s - 10 ** float(point["y"])).argmin()]
            self.state.set(s=float(s), p=float(result.grid.p[point["curve"]]), c=float(point["x"]))

    def _start_search(self, *, move: bool) -> None:
        """Search in the background; with `move` the sliders go to what it finds."""
        opened, grid = self.opened, self.state.grid
        try:
            params = self.state.params
            opened.engine.bundle.require_attacked()
        except MnutsError as error:
            if move:
                self._refuse(str(error))
            return

        def work(progress: Any) -> GridSearchResult:
            result = search(opened, params, grid, progress)
            draw_frontier(opened, params, grid)
            return result

        def done(result: GridSearchResult) -> None:
            self._on_found(opened, result, move)

        if self._job is not None:
            self._job.cancel()
        self.controls.searching(0.0)
        self._job = Job(
            work, done=done, failed=self._on_search_failed, progress=self.controls.searching
        ).start()

    def _on_found(self, opened: Opened, result: GridSearchResult, move: bool) -> None:
        self.controls.searching(None)
        if opened is not self.opened:
            return
        if move:
            self._found = result.best.params.with_(alpha=None, temperature=self.state.temperature)
            self.controls.found.value = panels.found_html(result)
            self.controls.widen.layout.display = "" if result.edges else "none"
            self.state.take(self._found, level=True)
        self.refresh()

    def _on_search_failed(self, error: Exception) -> None:
        self.controls.searching(None)
        if isinstance(error, MnutsError):
            self._refuse(str(error))
        elif not isinstance(error, Cancelled):
            self._on_error(error)

    def _on_export(self, _: object) -> None:
        try:
            text = self.config.to_json()
        except MnutsError as error:
            self._refuse(str(error))
            return
        self.board.download(f"mnuts-{self.state.bundle}.json", text)

    def _on_error(self, error: Exception) -> None:
        """Exceptions in callbacks vanish otherwise: say so on the page, keep the last good view."""
        log.error("the explorer could not do this", exc_info=error)
        self._refuse(f"Something went wrong: {error}. The last good view is shown.")

    def _show_bundle(self) -> None:
        bundle = self.opened.engine.bundle
        self.provenance.value = panels.provenance_html(bundle.name, *_facts(bundle))
        self.controls.find.disabled = not bundle.n_adv
        base = {"margins": figures.histogram_figure(self.opened.histograms)}  # no slider moves it
        self.board.draw(base, _notes(bundle.n_clean, bundle.n_adv))


def _notes(n_clean: int, n_adv: int) -> dict[str, str]:
    """The small line under each plot's title: what it rests on."""
    n = f"n = {n_clean:,} clean" + (f", {n_adv:,} attacked" if n_adv else "")
    return {
        "plane": f"Solid: margin bound; dotted and hollow: transfer; both are estimates. {n}",
        "transform": f"Over the logits of n = {n_clean:,} clean images",
        "margins": f"g standard, h robust, LN h layer-normed robust; as in the paper's Table 6. {n}",
        "mix_margins": "From the dashed (1−α)/α on, M(h) outvotes g",
        "simplex": "Paths for τ from 100 (centre) to 0.001; marks at τ = 1; as in the paper's Fig. 4",
        "medians": f"Gap: attacked right minus clean wrong, as in the paper's Fig. 6. {n}",
        "slices": "Algorithm 1 at this β, as in the paper's Fig. 9: darker is better, blank is left out, "
        "☆ is best; click to go there",
    }


def _facts(bundle: LogitBundle) -> tuple[list[str], list[str]]:
    """What a bundle's figures rest on: in short, and in detail."""
    card = bundle.manifest
    sizes = f"{bundle.n_clean:,} clean and {bundle.n_adv:,} attacked images"
    facts = [f"{sizes}, {bundle.num_classes} classes", *([str(card.threat)] if card.threat else [])]
    details = [
        f"Data: {card.data.name}, {card.data.split or 'part not stated'}. {card.data.source}",
        f"Standard model: {card.std_model.spec}. Robust model: {card.rob_model.spec}.",
        f"Made {card.created or 'at an unknown time'}. Tensors {bundle.digest}.",
    ]
    if card.attack:
        details.insert(
            2, f"Attack: {card.attack.name}, {card.attack.n_iter} steps, on {card.attack.surrogate}."
        )
    if card.command:
        details.append(f"Made again with: {card.command}")
    return facts, details
