"""The explorer in Voilà, JupyterLab and notebooks: its state as traits, and what its page asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnuts_core.errors import ParameterError
from mnuts_core.export.config import MixConfig
from mnuts_core.params import MixParams
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.explorer.images import read_images, write_images
from mnuts_dashboards.explorer.links import write_link
from mnuts_dashboards.explorer.page_file import explorer_app, explorer_page
from mnuts_dashboards.explorer.selection import Example, Selection
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.explorer.view import read_view, view_json
from mnuts_dashboards.page.widget import PageApp
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import Call, serve
from mnuts_dashboards.services.files import Imports, bundle_bytes, saved

if TYPE_CHECKING:
    from mnuts_core.remix.answers import Remix
    from mnuts_dashboards.services.verify import Verifier


class Explorer(PageApp):
    """The explorer as one widget.

    Its page computes by itself and shares its state: `explorer.state.observe(...)` hears of every change, a
    moment later, and what Python sets is shown. A page begins by itself if nobody has set the state.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; the first is opened.

    Raises:
        BundleError: If there is no bundle that can be opened.
    """

    def __init__(self, *bundles: str | os.PathLike[str]) -> None:
        self._bundles = Bundles(*bundles)
        self._imports = Imports(self._bundles, lambda: self.offer(self._bundles.offered))
        super().__init__(explorer_app(), self._bundles.offered)
        self.state = ExplorerState(bundle=self._bundles.first)
        self._selection = Selection(self.state, lambda: self.opened.bundle)
        services = {
            **self._bundles.services,
            "begin": self._imports.serve_begin,
            "piece": self._imports.serve_piece,
            "config": lambda call: self._bundles.serve_keep(call, self.state.bundle),
            "verify": lambda call: self._verifier.start(call, *self._shown(call)),
            "cancel": lambda call: self._verifier.serve_cancel(call),
            "save": lambda call: self._serve_file(call, "safetensors", lambda: bundle_bytes(self.opened)),
            "report": self._serve_report,
            "page": lambda call: self._serve_file(call, "page.html", lambda: self.page_file().encode()),
        }
        serve(self, services)
        self.share(self.state, self._view, lambda view: read_view(view, self._bundles.session.names))

    # --- from Python
    @property
    def opened(self) -> Opened:
        """The bundle that the state names.

        Raises:
            BundleError: If there is none, or it is broken.
        """
        return self._bundles.opened(self.state.bundle)

    @property
    def remix(self) -> Remix:
        """The current mix."""
        return self.opened.engine.remix(self.state.params)

    @property
    def config(self) -> MixConfig:
        """The current configuration with its figures, as *Download JSON* writes it; set one to take it over.

        α is taken as it stands in a configuration, from its β where that gives the same α on this bundle.
        """
        config = MixConfig.from_remix(self.opened.engine, self.state.params)
        known = self._bundles.results(self.state.bundle).of(config.params)
        return config if known is None else config.model_copy(update={"verified": known.config.verified})

    @config.setter
    def config(self, config: MixConfig) -> None:
        self.state.take(settings_of(self.opened.engine, config))
        self._bundles.keep(self.state.bundle, config)

    @property
    def selection(self) -> Example | None:
        """The chosen example, as the part (`clean` or `attacked`) and the row in it; None for none.

        Raises:
            ParameterError: When set: if there is no such row.
        """
        return self._selection.example

    @selection.setter
    def selection(self, example: Example | None) -> None:
        self._selection.example = example

    @property
    def selected(self) -> tuple[int, ...]:
        """The clean rows that are selected: brushed on a plot, or set here; every plot marks them.

        Raises:
            ParameterError: When set: if there are no such rows.
        """
        return read_images(self.state.selected, self.opened.bundle.n_clean)

    @selected.setter
    def selected(self, rows: Iterable[int]) -> None:
        wanted, n = set(rows), self.opened.bundle.n_clean
        if not wanted <= set(range(n)):
            raise ParameterError(f"selected must be clean rows from 0 to {n - 1:,}, got {max(wanted):,}")
        self.state.selected = write_images(wanted)

    def link(self) -> str:
        """The query that opens what is shown, without the question mark."""
        return self.query or write_link(self.state)

    def import_file(self, path: str | os.PathLike[str]) -> None:
        """Take over a configuration (`.json`), or open a bundle or a table of logits.

        Args:
            path: The file; a bundle's must stay where it is.

        Raises:
            MnutsError: If it is none of these.
        """
        if Path(path).suffix.lower() == ".json":
            self.config = MixConfig.load(path)
        else:
            self.state.bundle = self._imports.take(Path(path))

    def report(self) -> str:
        """What is shown as one HTML file that needs neither server nor network."""
        from mnuts_dashboards.services.report import report_of  # late for torch, as `_verifier`

        state, results = self.state, self._bundles.results(self.state.bundle)
        return report_of(self.opened, state, results, self.selection, self.link(), self.config)

    def page_file(self) -> str:
        """The open bundle and an explorer that computes by itself as one HTML file."""
        name = self.state.bundle
        return explorer_page([(name, self.opened.bundle)], self._bundles.configs(name))

    def close(self) -> None:
        """End an attack and drop an unfinished file with the widget."""
        if "_verifier" in vars(self):
            self._verifier.cancel()
        self._imports.close()
        super().close()

    # --- the page's state
    def _view(self) -> dict[str, Any]:
        """The state as the page has it; raises `ParameterError` if the mix is none."""
        _ = self.state.params
        return view_json(self.state)

    @cached_property
    def _verifier(self) -> Verifier:
        """Made for the first attack: it imports torch, which takes longer than all else that a page needs."""
        from mnuts_dashboards.services.verify import Verifier

        return Verifier(self._bundles)

    def _shown(self, call: Call) -> tuple[str, MixParams]:
        """The bundle and the mix that a page shows as it calls, which the state may be late to have."""
        view = call.args.get("view")
        self.view = dict(view) if isinstance(view, dict) else {}
        return self.state.bundle, self.state.params

    def _serve_report(self, call: Call) -> None:
        """The report, once the search that its plots rest on is at hand."""
        from mnuts_dashboards.services.report import search_for_report  # late for torch, as `_verifier`

        self._shown(call)
        opened, params, grid = self.opened, self.state.params, self.state.grid
        call.work(
            lambda _: search_for_report(opened, params, grid),
            lambda _: saved(self.state.bundle, "html", self.report().encode()),
        )

    def _serve_file(self, call: Call, ending: str, content: Callable[[], bytes]) -> None:
        name, _ = self._shown(call)
        call.answer(saved(name, ending, content()))
