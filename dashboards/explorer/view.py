"""The state as the page has it, plain JSON, and back: a page may send anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.params import MixParams
from mnuts_core.search.grids import PAPER_RANGES
from mnuts_dashboards.explorer.state import HIDEABLE, MAX_SNAPSHOTS, ExplorerState
from mnuts_dashboards.widgets.settings import state_of

NAMES = ("bundle", *ExplorerState.SETTINGS)
"""Of the settings that the page and Python share: all."""
MAX_WIDER = 8
"""So often a grid can be widened, each with a plus after its name."""


def view_json(state: ExplorerState) -> dict[str, Any]:
    """A state as plain JSON."""
    values = {name: getattr(state, name) for name in NAMES}
    return values | {
        "snapshots": [mix_json(kept) for kept in state.snapshots],
        "hidden": list(state.hidden),
    }


def mix_json(params: MixParams) -> dict[str, Any]:
    """A mix as plain JSON."""
    return dataclasses.asdict(params)


def read_view(view: object, bundles: Collection[str]) -> dict[str, Any]:
    """The traits that a page's state stands for.

    Args:
        view: What the page sent.
        bundles: Names of the bundles at hand.

    Raises:
        ParameterError: If any of it is not allowed; nothing of it counts then.
    """
    if not isinstance(view, dict) or set(view) != set(NAMES):
        raise ParameterError(f"a state has {', '.join(NAMES)}, the page sent something else")
    values = view | {"snapshots": _snapshots(view["snapshots"]), "hidden": _names(view["hidden"])}
    grid, known = str(values["grid"]), values["bundle"] in bundles
    wider = len(grid) - len(grid.rstrip("+"))
    if not known or grid.rstrip("+") not in PAPER_RANGES or wider > MAX_WIDER:
        raise ParameterError("the page sent the name of no bundle or grid here")
    state = state_of(ExplorerState, values)
    _ = state.params  # its ranges
    return {name: getattr(state, name) for name in NAMES}


def _snapshots(mixes: object) -> tuple[MixParams, ...]:
    if not isinstance(mixes, list) or len(mixes) > MAX_SNAPSHOTS:
        raise ParameterError(f"snapshots must be at most {MAX_SNAPSHOTS} mixes")
    try:
        return tuple(MixParams(**mix) for mix in mixes)
    except (MnutsError, TypeError, ValueError) as error:
        raise ParameterError(f"a snapshot is no mix: {error}") from None


def _names(hidden: object) -> tuple[str, ...]:
    if not isinstance(hidden, list) or not all(isinstance(name, str) and name in HIDEABLE for name in hidden):
        raise ParameterError(f"hidden must be among {', '.join(HIDEABLE)}")
    return tuple(hidden)
