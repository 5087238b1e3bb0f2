"""A link to a view: the whole state as a readable query, `?bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95`.

The page writes the same and reads it, see `dashboards/web/app/links.js`.

What stands at its default is left out. s, p and c stand together; without them a link means the best mix of
the grid at the link's β. A snapshot is written the same way in one value: `snap=s:5,p:4,c:-1.1,beta:0.95`.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

from mnuts_core.params import MixParams
from mnuts_dashboards.explorer.state import DECLARED, ExplorerState

TRANSFORM_KEYS = ("s", "p", "c")
MIX = {field.name: DECLARED[field.name] for field in dataclasses.fields(MixParams)}
"""The settings of a mix, which a snapshot holds too."""
OTHERS = {name: setting for name, setting in DECLARED.items() if name not in MIX}


def write_link(state: ExplorerState, opening: MixParams | None = None) -> str:
    """The query of the state, without the question mark.

    Args:
        state: The state.
        opening: The mix that a link without s, p and c opens on: then these are not written.
    """
    params = state.params
    pairs = [("bundle", state.bundle)] if state.bundle else []
    pairs += [pair for pair in _mix_pairs(params) if params != opening or pair[0] not in TRANSFORM_KEYS]
    pairs += _other_pairs(state)
    pairs += [("snap", ",".join(f"{key}:{value}" for key, value in _mix_pairs(m))) for m in state.snapshots]
    pairs += [("hide", ",".join(state.hidden))] if state.hidden else []
    return "&".join(f"{key}={quote(value, safe=':,')}" for key, value in pairs)


def _mix_pairs(params: MixParams) -> list[tuple[str, str]]:
    """A mix in words of a link; s, p and c always, the rest where it is not the default."""
    default, pairs = MixParams(), []
    for name, setting in MIX.items():
        value = getattr(params, name)
        if name in TRANSFORM_KEYS or value != getattr(default, name):
            pairs.append((setting.word, setting.write(value)))
    return pairs


def _other_pairs(state: ExplorerState) -> list[tuple[str, str]]:
    """The other settings, where they are not the default; the image wherever one is shown."""
    default, pairs = ExplorerState(), []
    for name, setting in OTHERS.items():
        text, usual = (setting.write(getattr(at, name)) for at in (state, default))
        if state.case != "paper" if name == "row" else text != usual:
            pairs.append((setting.word, text))
    return pairs
