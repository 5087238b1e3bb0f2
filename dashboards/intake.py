"""Files that come into the explorer: configurations and bundles, validated like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.config import MixConfig
from mnuts_core.errors import MnutsError

from . import panels
from .jobs import Job
from .session import Opened, load_bundle

if TYPE_CHECKING:
    from .explorer import Explorer


def take_config(explorer: Explorer, path: Path) -> None:
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
    told = f"{path.name} is taken over."
    if card is not None and card.digest != here.digest:
        told += f" It was made on the bundle {card.name}; the figures here are those of {here.name}."
    elif config.verified is not None and explorer.config.verified is None:
        told += " Its verified figure was left out: it belongs to other settings."
    explorer.controls.say(panels.remark_html(told))


def take_bundle(explorer: Explorer, path: Path) -> None:
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
        if isinstance(error, MnutsError):
            explorer.refuse(str(error).replace(str(path), path.name))
        else:
            explorer.fail(error)

    Job(lambda _: load_bundle(path), done=done, failed=failed, progress=lambda _: None).start()
