"""The check of a hand-in's folder, as a maintainer of the leaderboard would go through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mnuts_core.errors import ConfigError, MnutsError
from mnuts_core.export.config import MAX_BYTES, MixConfig
from mnuts_core.export.robustbench.check_points import Finding, Ground, faults, findings_of_points
from mnuts_core.export.robustbench.entry import (
    ACCURACIES,
    accuracies,
    entry_path,
    faults_of_entry,
    figures_of,
)
from mnuts_core.export.robustbench.hand_in import (
    CARD,
    CONFIG,
    NEW_EVALUATION,
    NEW_MODEL,
    POINTS,
    SPCA,
    STANDARD,
    HandIn,
)
from mnuts_core.export.robustbench.refusals import notes, refusals
from mnuts_core.export.robustbench.texts import TO_FILL, module_text
from mnuts_core.export.spca import read_spca
from mnuts_core.io.files import kind_of
from mnuts_core.io.untrusted import parse_json, read_bytes


def check_hand_in(folder: Path, ground: Ground | None = None) -> list[Finding]:
    """Everything that is wrong with a hand-in, or worth knowing; nothing in the folder is run.

    Args:
        folder: The folder that `mnuts export --robustbench` wrote, whatever was done to it since.
        ground: Images, and perhaps models, to check points and accuracies with.

    Raises:
        ConfigError: If there is no folder, or it holds no card of a hand-in.
    """
    card = HandIn.load(folder)
    _ = card.board
    try:
        config = MixConfig.load(folder / CONFIG)
        figures_of(config)
    except ConfigError as error:
        return [Finding("wrong", CONFIG, str(error))]
    return [
        *_refused(card, config),
        *_entry(folder, card, config),
        *_spca(folder, config),
        *_texts(folder, card, config),
        *findings_of_points(folder, card, config, ground),
    ]


def _refused(card: HandIn, config: MixConfig) -> Iterator[Finding]:
    """Why the leaderboard would not take it, by what it says now and by what it was written with."""
    reasons = refusals(config, card.data)
    yield from faults(CONFIG, reasons)
    yield from faults(CARD, (f"a draft: {reason}" for reason in card.draft if reason not in reasons))
    if config.verified is not None:
        yield from (Finding("note", CONFIG, text) for text in notes(config.verified))
    for spec in (card.std.spec, card.rob.spec):
        if "@" in spec:
            yield Finding("note", CARD, f"{spec} is a file of yours: others must find it where the code is")


def _entry(folder: Path, card: HandIn, config: MixConfig) -> Iterator[Finding]:
    """The JSON of the entry: where it lies, its fields, its numbers."""
    place = entry_path(card.board, card.id).as_posix()
    there = sorted(path.relative_to(folder).as_posix() for path in (folder / "model_info").glob("**/*.json"))
    yield from faults(CARD, (f"{other} is not its entry, {place} is" for other in there if other != place))
    try:
        entry = _object(folder / place)
        standard = MixConfig.load(folder / STANDARD) if kind_of(folder / STANDARD) else None
        expected = accuracies(config, standard)
    except MnutsError as error:
        yield Finding("wrong", place, str(error))
        return
    yield from faults(place, faults_of_entry(entry, card.board))
    for name in ACCURACIES:
        said, known = entry.get(name), expected.get(name)
        if said != known:
            yield Finding("wrong", place, f"{name} is {said!r}, but {known!r} by {CONFIG}")


def _object(path: Path) -> dict[str, Any]:
    content = parse_json(read_bytes(path, MAX_BYTES, ConfigError), "it", ConfigError)
    if not isinstance(content, dict):
        raise ConfigError("an entry must be a JSON object")
    return content


def _spca(folder: Path, config: MixConfig) -> Iterator[Finding]:
    """The block of `optimal_spca.yaml`: the same mix."""
    if kind_of(folder / SPCA) is None:
        yield Finding("note", SPCA, "not there: the authors' scripts cannot say what this mix is")
        return
    try:
        found = read_spca(folder / SPCA).config
    except MnutsError as error:
        yield Finding("wrong", SPCA, str(error))
        return
    if (found.transform, found.alpha, found.temperature) != (
        config.transform,
        config.alpha,
        config.temperature,
    ):
        yield Finding("wrong", SPCA, f"it says {found.params}, {CONFIG} {config.params}")


def _texts(folder: Path, card: HandIn, config: MixConfig) -> Iterator[Finding]:
    """The issues and the module: there, filled in, as they were written."""
    module = f"{card.module}.py"
    for name in (NEW_MODEL, module, *([NEW_EVALUATION] if kind_of(folder / POINTS) else [])):
        try:
            text = read_bytes(folder / name, MAX_BYTES, ConfigError).decode(errors="replace")
        except ConfigError as error:
            yield Finding("wrong", name, str(error))
            continue
        figures = [str(figure) for figure in figures_of(config)[: 1 + (name == NEW_MODEL)] if name != module]
        yield from faults(name, (f"{figure} is missing" for figure in figures if figure not in text))
        if TO_FILL in text:
            yield Finding("note", name, f"still {TO_FILL}")
        if name == module and text != module_text(card):
            yield Finding("note", name, "changed since it was written: read it before you run it")
