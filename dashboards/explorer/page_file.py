"""The explorer as one HTML file."""

from __future__ import annotations

import dataclasses
from typing import Any

from mnuts_core.params import MAX_LN_K, PAPER_OPTIMA
from mnuts_core.search.grids import PAPER_RANGES
from mnuts_dashboards.explorer.state import PRESETS, ExplorerState
from mnuts_dashboards.figures.catalogue import catalogue
from mnuts_dashboards.page.data import paper_points, settings
from mnuts_dashboards.page.one_file import App, Configs, Named, page_html

TITLE = "MixedNUTS explorer"
SENTENCE = (
    "Mix an accurate and a robust image classifier: drag s, p, c and β, and watch accuracy on clean and on "
    "attacked images trade places."
)


def explorer_settings() -> list[dict[str, Any]]:
    """The explorer's settings as the page takes them, see `page.data.settings`."""
    return settings(
        ExplorerState,
        {
            "ln_k": {"kind": "whole", "low": 0, "high": MAX_LN_K},  # 1 is refused: no variance
            "selected": {"kind": "images"},
            "grid": {"kind": "choice", "choices": [[name, name] for name in PAPER_RANGES]},
        },
    )


def explorer_presets() -> dict[str, Any]:
    """Named transforms, whether each brings its β along, and the paper's mix for each grid."""
    named = [
        {"name": name, "params": dataclasses.asdict(params), "level": name.startswith("Paper")}
        for name, params in PRESETS.items()
    ]
    return {"named": named, "grids": {name: dataclasses.asdict(mix) for name, mix in PAPER_OPTIMA.items()}}


def explorer_app() -> App:
    """The explorer, for a page."""
    content = {
        "settings": explorer_settings(),
        "catalogue": catalogue(),
        "presets": explorer_presets(),
        "paper": paper_points(),
    }
    return App("explorer", TITLE, SENTENCE, content)


def explorer_page(bundles: list[Named], configs: Configs = (), *, title: str | None = None) -> str:
    """The explorer on some bundles as one HTML file.

    Args:
        bundles: See `page_html`.
        configs: See `page_html`.
        title: See `page_html`.

    Raises:
        MnutsError: See `page_html`.
    """
    return page_html(explorer_app(), bundles, configs, title=title)
