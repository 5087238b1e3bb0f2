"""The notebooks' playground: some of the explorer's plots under some of its sliders, as one widget.

It carries its bundle and its library in itself, so that it works while the kernel is busy with other cells.
Where there is no page to run it, on a site or in a printed notebook, the same plots stand still.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as tr
from markupsafe import Markup

from mnuts_core.bundles.library import default_bundle, find_bundle
from mnuts_core.params import MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.headline import headline
from mnuts_dashboards.bundles.open_bundles import draw_frontier, known_direct_frontier, known_frontier, search
from mnuts_dashboards.explorer.playground import playground_app, still_app
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.explorer.view import read_view, view_json
from mnuts_dashboards.explorer.views import BY_NAME, draw, notes
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.page.data import with_buffers
from mnuts_dashboards.page.one_file import App
from mnuts_dashboards.page.widget import PageApp
from mnuts_dashboards.plotlyjs.library import plotly_source
from mnuts_dashboards.plotlyjs.plain import plain_json
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import serve
from mnuts_dashboards.text.still import Still, still_html

STILL_VARIABLE = "MNUTS_STILL"
"""The environment variable that has plots stand still, for pages without a kernel, if it is not empty."""


class _Carrying(PageApp):
    """A page that needs no free kernel: what it would ask for is there from the start."""

    carried = tr.Dict(help="The open bundle with its arrays, and Plotly.").tag(sync=True)

    def __init__(self, app: App, bundles: list[dict[str, str]], opened: Mapping[str, Any] | None) -> None:
        super().__init__(app, bundles)
        plain, buffers = with_buffers(opened)
        self.carried = {"opened": plain, "buffers": buffers, "library": plotly_source()}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and the plots as they stand for where there is none to run it."""
        still = {"text/html": str(self.still()), "text/plain": repr(self)}
        if os.environ.get(STILL_VARIABLE):
            return still
        shown = super()._repr_mimebundle_(**kwargs)
        data, *more = shown if isinstance(shown, tuple) else (shown,)
        return ({**still, **(data or {})}, *more)

    def still(self) -> Markup:
        """The plots as they stand, as HTML."""
        raise NotImplementedError


class Playground(_Carrying):
    """Sliders above linked plots, on one bundle.

    Its page computes by itself and shares its state, as the explorer's does: `play.state.observe(...)` hears
    of every change, a moment later, and what Python sets is shown.

    Args:
        plots: Names of the explorer's plots, in reading order: `plane`, `transform`, `margins`,
            `mix_margins`, `slices`, `medians`, `simplex`, `bars`.
        controls: Names among the parameters (`s`, `p`, `c`, `beta`, `alpha`, `temperature`) and `clamp`. With
            `alpha` the weight is set by hand; otherwise it follows from β. None for plots without a mix of
            their own.
        bundle: A bundle's name or file; the default bundle if None.
        start: Values to start from, by name: any trait of `ExplorerState`.

    Attributes:
        state: Every setting; set it from Python and the plots follow.

    Raises:
        ParameterError: If a plot or a control is unknown.
        BundleError: If there is no such bundle.
    """

    def __init__(
        self,
        plots: Sequence[str],
        controls: Sequence[str] = ("s", "p", "c"),
        bundle: str | os.PathLike[str] | None = None,
        **start: Any,
    ) -> None:
        app = playground_app(plots, controls)
        path = default_bundle() if bundle is None else find_bundle(bundle)
        self._plots, self._name = tuple(plots), path.stem
        self._bundles = Bundles(path)
        super().__init__(app, self._bundles.offered[:1], self._bundles.record(self._name))
        self.state = ExplorerState(bundle=self._name)
        self.state.set(**start, by_hand="alpha" in controls)
        serve(self, self._bundles.services)
        self.view = view_json(self.state)
        self.share(self.state, self._view, lambda view: read_view(view, [self._name]))

    def _view(self) -> dict[str, Any]:
        """The state as the page has it; raises `ParameterError` if the mix is none."""
        _ = self.state.params
        return view_json(self.state)

    @property
    def engine(self) -> RemixEngine:
        """The engine of the bundle."""
        return self._bundles.opened(self._name).engine

    @property
    def params(self) -> MixParams:
        """The parameters that the controls show."""
        return self.state.params

    @property
    def remix(self) -> Remix:
        """The mix with these parameters."""
        return self.engine.remix(self.params)

    def figures(self) -> dict[str, Figure]:
        """The plots at the current settings as Plotly JSON, by name; `go.Figure` takes each of them."""
        return draw(self._scene(), frozenset(self._plots))

    def still(self) -> Markup:
        """The plots at the current settings, and the mix's figures, as HTML that needs no kernel."""
        figures, lines = self.figures(), notes(self.engine.bundle, chosen=False)
        panels = {name: BY_NAME[name].panel for name in self._plots}
        plots = [
            Still(panel.title, lines[name], panel.height, figures[name]) for name, panel in panels.items()
        ]
        return still_html(plots, self.remix if self.page["figures"] else None)

    def _scene(self) -> Scene:
        """The current moment, with a search where a plot rests on one; it takes a second at most, once."""
        params, grid, opened = self.params, self.state.grid, self._bundles.opened(self._name)
        mix = opened.engine.remix(params)
        found = curve = direct = None
        if opened.bundle.n_adv and any(BY_NAME[name].searched for name in self._plots):
            found = search(opened, params, grid)
            draw_frontier(opened, params, grid)
            curve = known_frontier(opened, params, grid)
            direct = known_direct_frontier(opened, params, grid)
        return Scene(opened, mix, headline(opened.engine, params, mix), found, curve, direct)


class StillFigure(_Carrying):
    """One figure that stands still, drawn as the explorer draws.

    Args:
        figure: Plotly JSON, as `mnuts_dashboards.figures` makes it; arrays may stand in it.
        title: Heading above the plot.
        height: In pixels.
        note: A small line under the title, such as n.
    """

    def __init__(self, figure: Mapping[str, Any], title: str, *, height: int = 340, note: str = "") -> None:
        self._still = Still(title, note, height, figure)
        super().__init__(still_app(plain_json(figure), title, height, note), [], None)

    def still(self) -> Markup:
        """The figure as HTML."""
        return still_html([self._still])


def show(figure: Mapping[str, Any], title: str, *, height: int = 340, note: str = "") -> StillFigure:
    """One figure that stands still, see `StillFigure`."""
    return StillFigure(figure, title, height=height, note=note)
