"""The JSON of one entry, `model_info/<dataset>/<threat>/<Name>.json`: its fields, types and numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mnuts_core.bundles.leaderboard import Leaderboard
from mnuts_core.errors import ConfigError
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.text import shortened, visible

TEXTS = ("link", "name", "authors", "venue", "architecture", "dataset", "eps", "clean_acc", "reported")
REQUIRED: dict[str, type] = dict.fromkeys((*TEXTS, "autoattack_acc"), str) | {
    "additional_data": bool,
    "number_forward_passes": int,
}
OPTIONAL: dict[str, type] = {"external": str, "footnote": str, "unreliable": bool}
"""The fields of RobustBench's entries against norm-bounded perturbations, and their types."""
ACCURACIES = ("clean_acc", "reported", "autoattack_acc", "external")
PASSES = 2
"""One forward pass through each base model."""
DRAFT = "DRAFT, not to be handed in: "
ID = r"^[A-Za-z-]+[0-9]{4}[A-Z][A-Za-z0-9_-]*$"
"""How RobustBench calls models: surname, year, first word of the title, and perhaps more."""
_VENUE = re.compile(r"\S.* [0-9]{4}|N/A")
_ACCURACY = re.compile(r"(?:[0-9]|[1-9][0-9])\.[0-9]{2}|100\.00")
_KINDS = {str: "text", bool: "true or false", int: "a whole number"}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What nobody but the authors can say of an entry.

    Attributes:
        id: How the model will be called: surname, year, first word of the title, and perhaps `_` and more.
        title: The paper's title.
        authors: Their names, separated by commas.
        link: The paper's address.
        venue: Where and when it appeared, such as `ICLR 2025` or `arXiv, Feb 2024`; `N/A` if nowhere.
        architecture: Of both base models, such as `ResNet-152 + WideResNet-70-16`.
        additional_data: Whether training took more than the data set's own training images.
        footnote: What else a reader of the leaderboard must know; may be empty.
        code: Where checkpoints and code are; empty if they will be sent by mail.

    Raises:
        ConfigError: If one is empty, or not of its form.
    """

    id: str
    title: str
    authors: str
    link: str
    venue: str
    architecture: str
    additional_data: bool
    footnote: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "title", "authors", "link", "venue", "architecture"):
            if not getattr(self, name).strip():
                raise ConfigError(f"{name} must not be empty")
        for name, value in vars(self).items():
            if isinstance(value, str) and visible(value) != value:
                raise ConfigError(f"{name} must be one line of visible text, got {shortened(value)}")
        if not re.fullmatch(ID, self.id):
            raise ConfigError(
                f"id must be NameYearWord, such as Bai2024MixedNUTS, and perhaps _ and more, got {self.id!r}"
            )
        if not _VENUE.fullmatch(self.venue):
            raise ConfigError(
                f"venue must end in a year, such as arXiv, Feb 2024, or be N/A, got {self.venue!r}"
            )
        for name, address in (("link", self.link), ("code", self.code)):
            if address and not address.startswith(("https://", "http://")):
                raise ConfigError(f"{name} must be an address that begins with https://, got {address!r}")


def entry_of(
    config: MixConfig, board: Leaderboard, paper: Paper, standard: MixConfig | None, reasons: list[str]
) -> dict[str, Any]:
    """The fields of an entry, in the order of RobustBench's own.

    Args:
        config: The configuration, verified.
        board: The leaderboard.
        paper: What the authors say.
        standard: The same mix verified by AutoAttack itself, if it was.
        reasons: Why it is a draft; empty if it is none.
    """
    figures = accuracies(config, standard)
    return {
        "link": paper.link,
        "name": paper.title,
        "authors": paper.authors,
        "additional_data": paper.additional_data,
        "number_forward_passes": PASSES,
        "dataset": board.dataset,
        "venue": paper.venue,
        "architecture": paper.architecture,
        "eps": board.eps,
        **figures,
        "footnote": _footnote((config, standard), figures["reported"], paper, reasons),
    }


def accuracies(config: MixConfig, standard: MixConfig | None = None) -> dict[str, str]:
    """The accuracies of an entry, in percent with two digits.

    `reported` is the least that any attack has left. `autoattack_acc` is what AutoAttack itself has left, if
    it was run, else the adaptive one; `external`, by which a leaderboard is sorted, is the adaptive one where
    that found more.

    Args:
        config: The configuration, verified.
        standard: The same mix verified by AutoAttack itself, if it was.

    Raises:
        ConfigError: If a configuration is not verified, or `standard` is another mix or on other images.
    """
    adaptive, clean = figures_of(config)
    theirs = adaptive if standard is None else _standard(config, standard)
    found = {
        "clean_acc": percent(clean),
        "reported": percent(min(adaptive, theirs, key=lambda figure: figure.value)),
        "autoattack_acc": percent(theirs),
    }
    return found | ({"external": percent(adaptive)} if adaptive.value < theirs.value else {})


def figures_of(config: MixConfig) -> tuple[Estimate, Estimate]:
    """Verified and clean accuracy of a configuration, on the same images.

    Raises:
        ConfigError: If it is not verified, or does not say the clean accuracy.
    """
    card = config.verified
    if card is None or card.clean is None:
        raise ConfigError("the configuration must be verified, with its clean accuracy: run `mnuts evaluate`")
    return card.accuracy.estimate, card.clean.estimate


def _standard(config: MixConfig, standard: MixConfig) -> Estimate:
    """What AutoAttack itself has left of the same mix on the same images."""
    ours, theirs = config.verified, standard.verified
    if theirs is None or theirs.settings.get("attack") != "autoattack":
        raise ConfigError("the second configuration must be verified by `mnuts evaluate --attack autoattack`")
    if standard.digest != config.digest or ours is None or ours.images != theirs.images:
        raise ConfigError("the second configuration must be the same mix, verified on the same images")
    return theirs.accuracy.estimate


def _footnote(configs: tuple[MixConfig | None, ...], reported: str, paper: Paper, reasons: list[str]) -> str:
    """What a reader must know: that it is a draft, what the authors say, whose figure is reported."""
    draft = f"{DRAFT}{'; '.join(reasons)}." if reasons else ""
    cards = [config.verified for config in configs if config is not None and config.verified is not None]
    attack = next(card.attack for card in cards if percent(card.accuracy.estimate) == reported)
    method = f"A mix of two networks. {reported}% robust accuracy is that of {attack}."
    return " ".join(part for part in (draft, paper.footnote.strip(), method) if part)


def percent(figure: Estimate) -> str:
    """An accuracy as entries write it.

    Example:
        >>> from mnuts_core.functional.statistics import share
        >>> percent(share(9519, 10_000))
        '95.19'
    """
    return f"{100 * figure.value:.2f}"


def entry_json(entry: Mapping[str, Any]) -> str:
    """An entry as the text of its file."""
    return json.dumps(entry, indent=2) + "\n"


def entry_path(board: Leaderboard, name: str) -> PurePosixPath:
    """Where an entry lies in RobustBench's repository."""
    return PurePosixPath("model_info", board.dataset, board.norm, f"{name}.json")


def faults_of_entry(entry: Mapping[str, Any], board: Leaderboard) -> Iterator[str]:
    """What RobustBench's readers of an entry would stumble over: fields, types, and how numbers are written.

    Args:
        entry: The content of the file.
        board: The leaderboard in whose folder it lies.
    """
    for name in REQUIRED:
        if name not in entry:
            yield f"{name} is missing"
    for name, value in entry.items():
        fault = _fault_of_type(name, value) or (_fault_of_text(name, value) if type(value) is str else None)
        if fault is not None:
            yield fault
    for name, value in (("dataset", board.dataset), ("eps", board.eps)):
        if isinstance(entry.get(name), str) and entry[name] != value:
            yield f'{name} must be "{value}" on this leaderboard, got {shortened(entry[name])}'


def _fault_of_type(name: str, value: object) -> str | None:
    known = REQUIRED | OPTIONAL
    kind = known.get(name)
    if kind is None:
        return f"{shortened(name)} is no field of an entry: {', '.join(known)}"
    return None if type(value) is kind else f"{name} must be {_KINDS[kind]}, got {shortened(value)}"


def _fault_of_text(name: str, value: str) -> str | None:
    if not value.strip():
        return f"{name} must not be empty"
    if name in ACCURACIES and not _ACCURACY.fullmatch(value):
        return f'{name} must be a percentage with two digits, such as "95.19", got {shortened(value)}'
    if name == "venue" and not _VENUE.fullmatch(value):
        return f"venue must end in a year, or be N/A, got {shortened(value)}"
    return None
