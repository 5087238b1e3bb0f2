"""A link to a view: the whole state as a readable query, `?bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95`.

What stands at its default is left out. s, p and c stand together; without them a link means the best mix of
the grid at the link's β. A snapshot is written the same way in one value: `snap=s:5,p:4,c:-1.1,beta:0.95`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from mnuts_core.clamps import check_clamp
from mnuts_core.errors import ParameterError
from mnuts_core.params import MixParams
from mnuts_dashboards.explorer.state import MAX_SNAPSHOTS, ExplorerState, traits_of
from mnuts_dashboards.widgets.entries import read_ln_k
from mnuts_dashboards.widgets.query import FOREIGN, FROM_LINK, MAX_QUERY, one_of, parameter_reader, read_whole

TRANSFORM_KEYS = ("s", "p", "c")
NAMES = {"k": "ln_k", "T": "temperature"}
"""The link's word for a field of `MixParams`, where it is another."""


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
    pairs += _unless_default(state, "grid", "grid", lambda grid: grid.rstrip("+"))
    pairs += _unless_default(state, "case", "shows", str)
    pairs += [("image", str(state.row))] if state.case != "paper" else []
    pairs += [("snap", ",".join(f"{key}:{value}" for key, value in _mix_pairs(m))) for m in state.snapshots]
    pairs += [("hide", ",".join(state.hidden))] if state.hidden else []
    return "&".join(f"{key}={quote(value, safe=':,')}" for key, value in pairs)


def _unless_default(
    state: ExplorerState, trait: str, key: str, text: Callable[[Any], str]
) -> list[tuple[str, str]]:
    value, default = text(getattr(state, trait)), text(ExplorerState.class_traits()[trait].default_value)
    return [] if value == default else [(key, value)]


def _mix_pairs(params: MixParams) -> list[tuple[str, str]]:
    """A mix in words of a link; s, p and c always, the rest where it is not the default."""
    default = MixParams()
    pairs = [(key, _number(getattr(params, key))) for key in TRANSFORM_KEYS]
    pairs += [("clamp", params.clamp)] if params.clamp != default.clamp else []
    pairs += [("k", str(params.ln_k))] if params.ln_k != default.ln_k else []
    pairs += [("beta", _number(params.beta))] if params.beta != default.beta else []
    pairs += [("alpha", _number(params.alpha))] if params.alpha is not None else []
    return pairs + ([("T", _number(params.temperature))] if params.temperature != default.temperature else [])


def _number(value: float) -> str:
    """The shortest text that reads back as the very same number."""
    return repr(value).removesuffix(".0")


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
    snapshots = [value for key, value in pairs if key == "snap"]
    reading = _Reading()
    bundle = reading.take("bundle", fields, lambda name: one_of("bundle", name, bundles))
    values = reading.mix(fields)
    best = not set(TRANSFORM_KEYS) & fields.keys()
    for key, trait, read in (
        ("grid", "grid", lambda text: one_of("grid", text, grids)),
        ("shows", "case", lambda text: one_of("shows", text, ("paper", "clean", "attacked"))),
        ("image", "row", _row),
        ("hide", "hidden", lambda text: reading.names("hide", text, controls)),
    ):
        found = reading.take(key, fields, read)
        values |= {} if found is None else {trait: found}
    values["snapshots"] = tuple(
        kept for text in snapshots[:MAX_SNAPSHOTS] if (kept := reading.snapshot(text)) is not None
    )
    if len(snapshots) > MAX_SNAPSHOTS:
        problem = f"a link holds at most {MAX_SNAPSHOTS} snapshots, got {len(snapshots)}: the first are used"
        reading.problems.append(problem)
    for key in fields.keys() - _KNOWN:
        reading.problems.append(f"{key[:40]!r} is no setting: a link knows {', '.join(sorted(_KNOWN))}")
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
        names = [name for name in text.split(",") if name]
        return tuple(
            name for name in names if self.take(key, {key: name}, lambda one: one_of(key, one, allowed))
        )

    def mix(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """The mix's traits that are named; α counts as set by hand if it is."""
        values: dict[str, Any] = {}
        for key, read in _MIX.items():
            found = self.take(key, fields, read)
            if found is not None:
                values[NAMES.get(key, key)] = found
        return values | ({"by_hand": True} if "alpha" in values else {})

    def snapshot(self, text: str) -> MixParams | None:
        """A mix in one value; None if any of it is wrong."""
        before = len(self.problems)
        fields = dict(part.partition(":")[::2] for part in text.split(","))
        values = self.mix(fields)
        if unknown := sorted(fields.keys() - _MIX.keys()):
            self.problems.append(f"snap knows {', '.join(_MIX)}, got {unknown[0][:40]!r}")
        if len(self.problems) > before:
            return None
        values.pop("by_hand", None)
        return MixParams(**values)


def _read_k(text: str) -> int:
    return read_ln_k(text, FROM_LINK)


def _row(text: str) -> int:
    row = read_whole("image", text)
    if row < 0:
        raise ParameterError(f"image must be a whole number from 0, got {text!r}")
    return row


_MIX: dict[str, Callable[[str], Any]] = {
    **{key: parameter_reader(key) for key in (*TRANSFORM_KEYS, "beta", "alpha")},
    "clamp": check_clamp,
    "k": _read_k,
    "T": parameter_reader("temperature"),
}
_KNOWN = frozenset({"bundle", *_MIX, "grid", "shows", "image", "snap", "hide"})


def all_defaults() -> dict[str, Any]:
    """What a link means where it says nothing, the bundle aside."""
    values = ExplorerState().trait_values()
    return {name: values[name] for name in ExplorerState.SETTINGS} | traits_of(MixParams())
