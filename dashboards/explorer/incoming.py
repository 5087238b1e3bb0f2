"""What comes into the explorer: links, configurations and bundles, validated before anything changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.errors import MnutsError
from mnuts_core.export.belonging import belongs
from mnuts_core.export.config import MixConfig
from mnuts_dashboards.bundles.open_bundles import Opened, by_name, load_bundle
from mnuts_dashboards.explorer.controls import HIDEABLE
from mnuts_dashboards.explorer.links import all_defaults, read_link
from mnuts_dashboards.explorer.state import ExplorerState, traits_of
from mnuts_dashboards.text import messages
from mnuts_dashboards.widgets.background import Job
from mnuts_dashboards.widgets.query import FROM_LINK

if TYPE_CHECKING:
    from mnuts_dashboards.explorer.app import Explorer


def take_link(explorer: Explorer, query: str) -> list[str]:
    """Bring the state to what a link means.

    Args:
        explorer: The explorer.
        query: The URL's query string, see `links`.

    Returns:
        What is wrong with it, a sentence each; the rest of it applies.
    """
    state, session = explorer.state, explorer.session
    link = read_link(query, bundles=session.names, grids=explorer.opened.grids, controls=HIDEABLE)
    problems, name = list(link.problems), link.bundle or state.bundle
    try:
        explorer.bundles.switch(name, session.open(name))
    except MnutsError as error:
        problems.append(str(error))
    values = all_defaults() | link.values
    if link.best:
        mix = {name: values[name] for name in ExplorerState.MIX_TRAITS}
        values |= traits_of(explorer.searching.opening(ExplorerState(**mix).params, values["grid"]))
    state.case = values.pop("case")  # first: it says how many rows there are
    if state.case != "paper" and values["row"] > explorer.last_row:
        problems.append(f"image must be between 0 and {explorer.last_row:,} ({FROM_LINK} {values['row']:,})")
        values["row"] = 0
    state.set(**values)
    return problems


def take_file(explorer: Explorer, path: str | os.PathLike[str]) -> None:
    """Take over a configuration (`.json`) or a bundle; the banner shows what is wrong.

    Args:
        explorer: The explorer.
        path: The file; a bundle's must stay where it is.
    """
    path = Path(path)
    take = _take_config if path.suffix.lower() == ".json" else _take_bundle
    try:
        take(explorer, path)
    except MnutsError as error:
        explorer.header.refuse(by_name(error, path))


def _take_config(explorer: Explorer, path: Path) -> None:
    """Take over a configuration.

    Args:
        explorer: The explorer.
        path: A `mnuts-config/1` JSON file.

    Raises:
        MnutsError: If it is none, or does not fit the bundle.
    """
    config = MixConfig.load(path)
    explorer.config = config
    here, card = explorer.opened.engine.bundle, config.bundle
    remark = f"{path.name} loaded."
    if card is not None and not belongs(config, here):
        remark += f" It was made on the bundle {card.name}; the figures here are those of {here.name}."
    elif config.verified is not None and explorer.config.verified is None:
        remark += " Its verified figure is not shown: it was measured at different settings."
    explorer.controls.show_status(messages.remark_html(remark))


def _take_bundle(explorer: Explorer, path: Path) -> None:
    """Load a bundle in the background, and open it.

    Args:
        explorer: The explorer.
        path: The file, which must stay where it is.
    """

    def done(opened: Opened) -> None:
        name = explorer.session.add(path, opened)
        explorer.controls.bundle.offer(explorer.session.names)
        explorer.state.bundle = name

    def failed(error: Exception) -> None:
        explorer.header.complain(MnutsError(by_name(error, path)) if isinstance(error, MnutsError) else error)

    Job(lambda _: load_bundle(path), done=done, failed=failed, progress=lambda _: None).start()
