"""Names of weights as training leaves them, brought to those of the bare network.

`DataParallel`, `torch.compile`, Lightning, averaging (EMA, SWA) and counters of operations all put something
before the names, or beside them. It is taken off exactly where the names then are the network's, all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

INSIDE = ("module", "_orig_mod")
"""What `DataParallel` and `torch.compile` put before the names of what they wrap, a part of a network too."""
LEADING = ("model", "net", "network", "backbone", "encoder")
"""What a module with one network inside puts before its names; there may be others beside them."""
LEFTOVERS = ("n_averaged", "total_ops", "total_params", "num_updates", "updates", "decay", "initted", "step")
"""Counters that averaging and profiling leave among the weights."""
AVERAGED = re.compile(r"(^|_)(ema|swa|averaged?|shadow)(_|\d*$)", re.IGNORECASE)
"""How averaged weights are called."""
MAX_WRAPPERS = 6


class Renamed(NamedTuple):
    """New names for a checkpoint's weights.

    Attributes:
        names: New name → name in the file.
        stripped: What was taken off, each with its dot.
        left_out: Names in the file that none of the new ones stands for.
        fits: Whether the new names are those of the network.
    """

    names: dict[str, str]
    stripped: tuple[str, ...]
    left_out: tuple[str, ...]
    fits: bool


def is_averaged(key: str) -> bool:
    """Whether a key is one that averaged weights go by.

    Example:
        >>> [is_averaged(key) for key in ("state_dict_ema", "ema_model", "ema", "swa", "schema", "model")]
        [True, True, True, True, False, False]
    """
    return AVERAGED.search(key) is not None


def renamed(stored: Collection[str], own: Collection[str], required: Collection[str]) -> Renamed:
    """Names in a file, with everything taken off that hides a network's own names.

    Args:
        stored: Names in the file.
        own: The network's names.
        required: Those of them that must be there.

    Returns:
        The names as they are where they fit so; else with as little taken off as makes them fit; else with
        what brings most of them to names of the network.
    """
    plain = Renamed({name: name for name in stored}, (), (), set(required) <= set(stored) <= set(own))
    wanted = {_without_inside(name): name for name in own}
    kept = [name for name in stored if name.rpartition(".")[2] not in LEFTOVERS or name in own]
    names: dict[str, str] | None = {_without_inside(name): name for name in kept}
    if plain.fits or len(wanted) < len(own) or len(names or ()) < len(kept):
        return plain
    tried: list[dict[str, str]] = []
    while names is not None and len(tried) < MAX_WRAPPERS:
        tried.append(names)
        names = _unwrapped(names)
    best = max(tried, key=lambda each: len(wanted.keys() & each.keys()))
    fits = {_without_inside(name) for name in required} <= best.keys() <= wanted.keys()
    return _result({wanted.get(name, name): old for name, old in best.items()}, stored, fits=fits)


def _without_inside(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in INSIDE)


def _unwrapped(names: dict[str, str]) -> dict[str, str] | None:
    """The names without one more wrapper; None if there is none.

    That is the first part that all have in common, or the averaged one of two copies of the same names, or
    a usual part that only some of them have.
    """
    groups: dict[str, dict[str, str]] = {}
    for name, old in names.items():
        first, dot, rest = name.partition(".")
        groups.setdefault(first if dot else "", {})[rest if dot else name] = old
    if len(groups) == 1:
        return None if "" in groups else next(iter(groups.values()))
    averaged = [group for first, group in groups.items() if is_averaged(first)]
    if len(averaged) == 1 and all(set(group) == set(averaged[0]) for group in groups.values()):
        return averaged[0]
    for first in LEADING:
        if first in groups:
            inner = groups[first]
            outer = {name: old for name, old in names.items() if name.partition(".")[0] != first}
            return None if set(inner) & set(outer) else outer | inner
    return None


def _result(names: dict[str, str], stored: Iterable[str], *, fits: bool) -> Renamed:
    used = set(names.values())
    stripped = dict.fromkeys(taken for new, old in names.items() if (taken := _taken_off(old, new)))
    return Renamed(names, tuple(stripped), tuple(name for name in stored if name not in used), fits)


def _taken_off(old: str, new: str) -> str:
    """The parts of a name in the file that the network's own has not, such as `module.model.`."""
    rest, taken = _without_inside(new).split("."), []
    for part in reversed(old.split(".")):
        if rest and part == rest[-1]:
            rest.pop()
        else:
            taken.append(part + ".")
    return "".join(reversed(taken))
