"""The folder of a hand-in, written from a verified configuration and its bundle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.leaderboard import entries_of, leaderboard_of
from mnuts_core.errors import ConfigError
from mnuts_core.export.belonging import Identity
from mnuts_core.export.config import MixConfig
from mnuts_core.export.robustbench.entry import Paper, entry_json, entry_of, entry_path
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
from mnuts_core.export.robustbench.points import points_file, points_of
from mnuts_core.export.robustbench.refusals import other_images, refusals, threat_of
from mnuts_core.export.robustbench.texts import draft_lines, module_text, new_evaluation, new_model
from mnuts_core.export.spca import spca_text
from mnuts_core.io.files import FILE, kind_of, make_folder, shown, write_together


class Prepared(NamedTuple):
    """A hand-in, ready to be written.

    Attributes:
        contents: Each file's content by its place in the folder; none where there is no leaderboard that it
            could be for, or no figure.
        reasons: Why the leaderboard would refuse it; none if it would not.
        notes: What is missing without harm.
    """

    contents: Mapping[PurePosixPath, bytes]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def prepare(
    bundle: LogitBundle,
    config: MixConfig,
    paper: Paper,
    *,
    standard: MixConfig | None = None,
    points: str | os.PathLike[str] | None = None,
) -> Prepared:
    """Everything that a RobustBench entry needs, and what stands against it.

    Args:
        bundle: The bundle that the configuration was made on: it names the base models and the images.
        config: The configuration, verified.
        paper: What the authors say.
        standard: The same mix verified by AutoAttack itself (`--attack autoattack`), if it was.
        points: The points of the verification, as `mnuts evaluate --points` wrote them.

    Raises:
        ConfigError: If the configuration is of another bundle, the name is taken, or the points are those of
            another verification.
    """
    Identity(bundle).check(config, "the configuration")
    data, threat = bundle.manifest.data, threat_of(config)
    reasons = refusals(config, data)
    if (problem := other_images(config, bundle)) is not None:
        reasons.append(problem)
    board = leaderboard_of(data, threat)
    if board is None or config.verified is None:
        return Prepared({}, tuple(reasons), ())
    if paper.id in {entry.model for entry in entries_of(board)}:
        raise ConfigError(f"id must be new, but {paper.id} is on RobustBench's leaderboard {board} already")
    card = HandIn(
        id=paper.id,
        dataset=board.dataset,
        norm=board.norm,
        std=bundle.manifest.std_model,
        rob=bundle.manifest.rob_model,
        data=data,
        draft=tuple(reasons),
    )
    spca, notes = _spca(config, card)
    texts = {
        entry_path(board, paper.id): entry_json(entry_of(config, board, paper, standard, reasons)),
        PurePosixPath(f"{card.module}.py"): module_text(card),
        PurePosixPath(CONFIG): config.to_json(),
        PurePosixPath(CARD): card.to_json(),
        PurePosixPath(NEW_MODEL): new_model(config, card, paper, standard),
        **({} if spca is None else {PurePosixPath(SPCA): spca}),
        **({} if standard is None else {PurePosixPath(STANDARD): standard.to_json()}),
        **({} if points is None else {PurePosixPath(NEW_EVALUATION): new_evaluation(config, card, paper)}),
    }
    contents = {path: text.encode() for path, text in texts.items()}
    if points is not None:
        contents[PurePosixPath(POINTS)] = points_file(points_of(points, config))
    return Prepared(contents, tuple(reasons), tuple(notes))


def _spca(config: MixConfig, card: HandIn) -> tuple[str | None, list[str]]:
    """The block of `optimal_spca.yaml`; a note where that file cannot say what the mix is."""
    family, _, name = card.rob.spec.partition(":")
    robust = name if family == "robustbench" else card.rob.spec
    try:
        return draft_lines(card.draft, "# ") + spca_text(config, card.dataset, robust), []
    except ConfigError as error:
        return None, [f"no {SPCA}: {error}"]


def write(prepared: Prepared, folder: Path, *, force: bool) -> list[Path]:
    """Write a hand-in, all of it or nothing; of an earlier one nothing is left beside it.

    Args:
        prepared: What to write.
        folder: Where; made if it is not there.
        force: Whether existing files may be overwritten.

    Returns:
        The files.

    Raises:
        ConfigError: If a file is there already and `force` is not given, or it cannot be written.
    """
    targets = {folder / path: content for path, content in prepared.contents.items()}
    there = [path for path in targets if kind_of(path) is not None]
    if there and not force:
        raise ConfigError(
            f"{shown(there[0])} exists already: give another --robustbench, or --force to overwrite it"
        )
    for parent in sorted({path.parent for path in targets}):
        make_folder(parent, ConfigError)
    files = write_together(targets, ConfigError)
    for name in (
        SPCA,
        STANDARD,
        POINTS,
        NEW_EVALUATION,
    ):  # what an earlier one may have had, and this has not
        if PurePosixPath(name) not in prepared.contents and kind_of(folder / name) == FILE:
            (folder / name).unlink()
    return files
