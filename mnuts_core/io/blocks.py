"""Blocks within blocks, as the authors' YAML files have them: data set, then robust model, then clamp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mnuts_core.io.untrusted import Error
from mnuts_core.text import shortened

LEVELS = ("data set", "robust model", "clamp")


class Block(NamedTuple):
    """One clamp's block of a file.

    Attributes:
        place: Data set, robust model and clamp.
        content: What is written there.
    """

    place: tuple[str, ...]
    content: Any

    @property
    def name(self) -> str:
        """Its place in one word, such as `cifar10/Peng2023Robust/gelu`."""
        return "/".join(self.place)


def blocks_of(content: Any, where: str, error: Error) -> list[Block]:
    """All blocks of a file that are not empty.

    Args:
        content: What the file says.
        where: What to call it in messages.
        error: The exception to raise if it is not blocks within blocks.
    """
    return [block for block in _walk(content, (), where, error) if block.content is not None]


def _walk(content: Any, place: tuple[str, ...], where: str, error: Error) -> Iterator[Block]:
    if len(place) == len(LEVELS):
        yield Block(place, content)
        return
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        raise error(
            f"{where} must have a block for each {LEVELS[len(place)]}"
            f"{' in ' + '/'.join(place) if place else ''}, got {shortened(content)}"
        )
    for name, inside in content.items():
        yield from _walk(inside, (*place, name), where, error)


def choose(blocks: Sequence[Block], entry: str | None, where: str, error: Error) -> Block:
    """The block that somebody asks for; the only one, if nobody does.

    Args:
        blocks: Those of a file.
        entry: The place or its beginning, such as `cifar10/Peng2023Robust`; None for any.
        where: What to call the file in messages.
        error: The exception to raise if there is none, or several.
    """
    wanted = entry.split("/") if entry else []
    found = [block for block in blocks if list(block.place[: len(wanted)]) == wanted]
    if len(found) == 1:
        return found[0]
    names = ", ".join(block.name for block in blocks) or "nothing"
    problem = "has several entries" if found else f"has no entry {shortened(entry)}"
    raise error(f"{where} {problem}: name one of {shortened(names, 600)}")
