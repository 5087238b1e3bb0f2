"""A link to a view: the whole state as a readable query, `?bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95`.

What stands at its default is left out. s, p and c stand together; without them a link means the best mix of
the grid at the link's β. A snapshot is written the same way in one value: `snap=s:5,p:4,c:-1.1,beta:0.95`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from mnuts_core.errors import ParameterError
from mnuts_core.params import MixParams
from mnuts_dashboards.explorer.state import DECLARED, MAX_SNAPSHOTS, ExplorerState, traits_of
from mnuts_dashboards.widgets.query import FOREIGN, MAX_QUERY, one_of

TRANSFORM_KEYS = ("s", "p", "c")
MIX = {field.name: DECLARED[field.name] for field in dataclasses.fields(MixParams)}
"""The settings of a mix, which a snapshot holds too."""
OTHERS = {name: setting for name, setting in DECLARED.items() if name not in MIX}
WORDS = frozenset({"bundle", *(setting.word for setting in DECLARED.values()), "snap", "hide"})


class Link(NamedTuple):
    """What a query asks for.

    Attributes:
        bundle: Name of the bundle; None for the one that is open.
        values: Traits of the state, those that the query names.
        best: Whether s, p and c are those of the best mix, since the query names none of them.
        problems: What was wrong with it, one sentence each; the rest counts all the same.
    """

    bundle: str | None
    values: dict[str, Any]
    best: bool
    problems: tuple[str, ...]


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


def read_link(
    query: str, *, bundles: Collection[str], grids: Collection[str], controls: Collection[str]
) -> Link:
    """What a query asks for, validated; a wrong value is reported and left out.

    Args:
        query: The query, without the question mark.
        bundles: Names of the bundles at hand.
        grids: Names of the grids that can be searched.
        controls: Names of the controls that `hide=` may name.
    """
    if len(query) > MAX_QUERY:
        problem = f"the link is longer than {MAX_QUERY:,} characters and was ignored"
        return Link(None, {}, True, (problem,))
    pairs = [(key, value) for key, value in parse_qsl(query) if key not in FOREIGN]
    fields = dict(pairs)
    snapshots = list(dict.fromkeys(value for key, value in pairs if key == "snap"))
    reading = _Reading()
    bundle = reading.take("bundle", fields, lambda name: one_of("bundle", name, bundles))
    values = reading.mix(fields)
    best = not set(TRANSFORM_KEYS) & fields.keys()
    for name, setting in OTHERS.items():
        at_hand = (lambda text: one_of("grid", text, grids)) if name == "grid" else setting.read
        found = reading.take(setting.word, fields, at_hand)
        values |= {} if found is None else {name: found}
    if "hide" in fields:
        values["hidden"] = reading.names("hide", fields["hide"], controls)
    values["snapshots"] = tuple(
        kept for text in snapshots[:MAX_SNAPSHOTS] if (kept := reading.snapshot(text)) is not None
    )
    if len(snapshots) > MAX_SNAPSHOTS:
        problem = f"a link holds at most {MAX_SNAPSHOTS} snapshots, got {len(snapshots)}: the first are used"
        reading.problems.append(problem)
    for key in fields.keys() - WORDS:
        reading.problems.append(f"{key[:40]!r} is no setting: a link knows {', '.join(sorted(WORDS))}")
    return Link(bundle, values, best, tuple(reading.problems))


class _Reading:
    """Reads words one by one, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def take(self, key: str, fields: Mapping[str, str], read: Callable[[str], Any]) -> Any:
        """The value of a word; None if it is not there, or wrong."""
        if key not in fields:
            return None
        try:
            return read(fields[key])
        except (ParameterError, ValueError) as error:
            self.problems.append(str(error))
            return None

    def names(self, key: str, text: str, allowed: Collection[str]) -> tuple[str, ...]:
        """The allowed ones among several names."""
        names = [name for name in dict.fromkeys(text.split(",")) if name]
        return tuple(
            name for name in names if self.take(key, {key: name}, lambda one: one_of(key, one, allowed))
        )

    def mix(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """The mix's traits that are named; α counts as set by hand if it is."""
        values: dict[str, Any] = {}
        for name, setting in MIX.items():
            found = self.take(setting.word, fields, setting.read)
            values |= {} if found is None else {name: found}
        return values | ({"by_hand": True} if "alpha" in values else {})

    def snapshot(self, text: str) -> MixParams | None:
        """A mix in one value; None if any of it is wrong."""
        before = len(self.problems)
        fields = dict(part.partition(":")[::2] for part in text.split(","))
        values = self.mix(fields)
        words = [setting.word for setting in MIX.values()]
        if unknown := sorted(fields.keys() - set(words)):
            self.problems.append(f"snap knows {', '.join(words)}, got {unknown[0][:40]!r}")
        if len(self.problems) > before:
            return None
        values.pop("by_hand", None)
        return MixParams(**values)


def all_defaults() -> dict[str, Any]:
    """What a link means where it says nothing, the bundle aside."""
    values = ExplorerState().trait_values()
    return {name: values[name] for name in ExplorerState.SETTINGS} | traits_of(MixParams())
