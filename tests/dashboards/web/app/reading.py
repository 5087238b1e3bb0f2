"""What a link asks for, read in Python from what is declared of the settings: the page must read the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mnuts_core.errors import ParameterError
from mnuts_core.params import MixParams
from mnuts_dashboards.explorer.links import MIX, OTHERS, TRANSFORM_KEYS
from mnuts_dashboards.explorer.state import DECLARED, MAX_SNAPSHOTS, ExplorerState, traits_of
from mnuts_dashboards.widgets.query import FOREIGN, MAX_QUERY, one_of

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
