"""What a hand-in is made of, beside its configuration; and the mix that both describe, for RobustBench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from mnuts_core.bundles.leaderboard import Leaderboard, leaderboard_at
from mnuts_core.bundles.manifest import Card, DataCard, ModelCard, Name, Text, first_problem
from mnuts_core.errors import ConfigError
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MAX_BYTES, MixConfig
from mnuts_core.export.robustbench.entry import ID
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.models.predict import model_card
from mnuts_core.models.specs import ModelError, load_model
from mnuts_core.text import visible_json

CONFIG, CARD, STANDARD, POINTS = "mix.json", "hand-in.json", "mix-autoattack.json", "adversarial.pt"
SPCA, NEW_MODEL, NEW_EVALUATION = "optimal_spca.yaml", "new-model.md", "new-evaluation.md"
"""The files of a hand-in, beside its entry and its module."""


class HandIn(Card):
    """Where a hand-in comes from: its leaderboard, its base models by spec and digest, its images."""

    schema_: Literal["mnuts-robustbench/1"] = Field(default="mnuts-robustbench/1", alias="schema")
    id: Annotated[str, StringConstraints(pattern=ID, max_length=200)]
    dataset: Name
    norm: Name
    std: ModelCard
    rob: ModelCard
    data: DataCard
    draft: tuple[Text, ...] = Field(default=(), max_length=100, description="Why it is a draft, if it is.")

    @property
    def board(self) -> Leaderboard:
        """The leaderboard.

        Raises:
            ConfigError: If there is none of this data set and norm.
        """
        board = leaderboard_at(self.dataset, self.norm)
        if board is None:
            raise ConfigError(f"{CARD}: RobustBench has no leaderboard {self.dataset}, {self.norm}")
        return board

    @property
    def module(self) -> str:
        """The name by which RobustBench's `load_model` looks the mix up in timm."""
        return f"{self.id.lower().replace('-', '_')}_{self.dataset.lower()}_{self.norm.lower()}"

    def to_json(self) -> str:
        """The card as the text of its file."""
        return visible_json(self.model_dump_json(by_alias=True, indent=2, exclude_none=True)) + "\n"

    @classmethod
    def load(cls, folder: Path) -> HandIn:
        """The card of a folder.

        Raises:
            ConfigError: If there is no folder, or the card is missing or broken.
        """
        if not folder.is_dir():
            raise ConfigError(f"no folder at {folder}: give one that `mnuts export --robustbench` wrote")
        where = str(folder / CARD)
        content = parse_json(read_bytes(where, MAX_BYTES, ConfigError), where, ConfigError)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise ConfigError(f"{where} is wrong at {first_problem(error)}") from None


def load_mix(folder: Path, num_classes: int | None = None) -> MixedClassifier:
    """The mix of a hand-in, in evaluation mode: base models by their specs, mixed as its configuration says.

    Args:
        folder: The folder that `mnuts export --robustbench` wrote.
        num_classes: K of the leaderboard's images, if known.

    Raises:
        MnutsError: If a file is missing or broken, or a base model cannot be loaded, or has other weights
            than the ones that were verified.
    """
    card, config = HandIn.load(folder), MixConfig.load(folder / CONFIG)
    settings = {} if config.verified is None else config.verified.settings
    modules = []
    for role, known in (("std", card.std), ("rob", card.rob)):
        loaded = load_model(known.spec, dataset=card.dataset, norm=card.norm, num_classes=num_classes)
        weights = loaded.card.digest, model_card("", loaded.module).digest
        expected = known.digest or weights[0], settings.get(f"{role}_digest", weights[1])
        if weights != expected:
            raise ModelError(
                f"{known.spec} has other weights than those that were verified, see {folder / CARD}"
            )
        modules.append(loaded.module)
    return MixedClassifier.from_config(config, *modules).eval()
