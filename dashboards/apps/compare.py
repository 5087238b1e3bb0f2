"""The comparison in Voilà, JupyterLab and notebooks: its state as traits, its bundles, and its tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_dashboards.compare.page_file import compare_app
from mnuts_dashboards.compare.state import AT_FIRST, CompareState, read_view, view_json, write_link
from mnuts_dashboards.page.widget import PageApp
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import serve
from mnuts_dashboards.services.files import Imports

if TYPE_CHECKING:
    import pandas as pd


class Compare(PageApp):
    """The comparison as one widget.

    Its page computes by itself and shares its state: `compare.state.observe(...)` hears of every change, a
    moment later, and what Python sets is shown.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; they are compared first.

    Attributes:
        state: Every setting.

    Raises:
        BundleError: If there is no bundle that can be opened.
    """

    def __init__(self, *bundles: str | os.PathLike[str]) -> None:
        self._bundles = Bundles(*bundles)
        self._imports = Imports(self._bundles, lambda: self.offer(self._bundles.offered))
        super().__init__(compare_app(), self._bundles.offered)
        self.state = CompareState(bundles=tuple(self._bundles.session.names[:AT_FIRST]))
        pieces = {"begin": self._imports.serve_begin, "piece": self._imports.serve_piece}
        serve(self, {**self._bundles.services, **pieces})
        self.share(
            self.state,
            lambda: view_json(self.state),
            lambda view: read_view(view, self._bundles.session.names),
        )

    def link(self) -> str:
        """The query that opens what is shown, without the question mark."""
        return self.query or write_link(self.state)

    def frames(self) -> dict[str, pd.DataFrame]:
        """The page's tables as data frames, computed anew: `facts`, `medians`, `best` and `transfers`.

        Raises:
            BundleError: If a bundle is broken.
        """
        from mnuts_dashboards.compare.numbers import frames  # late for torch, which the page has no need of

        opened = {name: self._bundles.opened(name).bundle for name in self.state.bundles}
        return frames(opened, self.state)

    def add(self, path: str | os.PathLike[str]) -> str:
        """Compare a bundle, or a table of logits, with those that are chosen.

        Args:
            path: The file; a bundle's must stay where it is.

        Returns:
            Its name.

        Raises:
            MnutsError: If it is none of these.
        """
        name = self._imports.take(Path(path))
        self.state.bundles = (*self.state.bundles, name)
        return name

    def close(self) -> None:
        """Drop an unfinished file with the widget."""
        if hasattr(self, "_imports"):  # without bundles it was never made
            self._imports.close()
        super().close()
