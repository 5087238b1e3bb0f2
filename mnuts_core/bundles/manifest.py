"""What a logit bundle says of itself: where its numbers come from, and how to make them again."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

BUNDLE_SCHEMA: Literal["mnuts-bundle/1"] = "mnuts-bundle/1"

Text = Annotated[str, StringConstraints(max_length=4000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Setting = str | bool | int | Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class Card(BaseModel):
    """Base of all cards: unknown fields are refused, values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class DataCard(Card):
    """The images: which, which part, and how the pixels were obtained."""

    name: Name
    split: Text = ""
    source: Text = ""


class ModelCard(Card):
    """One classifier: the spec that loads it, its size, and the SHA-256 digest of its weights."""

    spec: Text
    parameters: int | None = Field(default=None, ge=0)
    digest: Digest | None = None


class ThreatModel(Card):
    """The perturbations allowed: an ε-ball in the given norm around pixels in [0, 1]."""

    norm: Literal["Linf", "L2"]
    eps: float = Field(gt=0, allow_inf_nan=False)

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(ThreatModel(norm="Linf", eps=8 / 255)), str(ThreatModel(norm="L2", eps=0.5))
            ('ℓ∞, ε = 8/255', 'ℓ2, ε = 0.5')
        """
        levels = self.eps * 255  # pixels have 256 levels, and ℓ∞ radii are usually told in these
        whole = self.norm == "Linf" and abs(levels - round(levels)) < 1e-6
        radius = f"{round(levels)}/255" if whole else f"{self.eps:.4g}"
        return f"{'ℓ∞' if self.norm == 'Linf' else 'ℓ2'}, ε = {radius}"


class AttackCard(Card):
    """The attack that found the perturbations, and those settings that it has: the others are None."""

    name: Name
    surrogate: Text = Field(default="LN∘h_rob", description="The classifier that was attacked.")
    n_iter: int | None = Field(default=None, ge=1)
    n_targets: int | None = Field(default=None, ge=0)
    n_queries: int | None = Field(default=None, ge=1)
    seed: int | None = None
    precision: Text = ""


class Manifest(Card):
    """Everything a bundle says of itself."""

    schema_: Literal["mnuts-bundle/1"] = Field(default=BUNDLE_SCHEMA, alias="schema")
    name: Name
    data: DataCard
    classes: tuple[Name, ...] = Field(min_length=2, max_length=100_000)
    std_model: ModelCard
    rob_model: ModelCard
    threat: ThreatModel | None = None
    attack: AttackCard | None = None
    command: Text = Field(default="", description="The command that makes the bundle again.")
    versions: dict[str, Text] = Field(default_factory=dict, max_length=100)
    created: Text = ""
    digest: Digest | None = Field(default=None, description="SHA-256 over all tensors.")

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, ser_json_inf_nan="constants"
    )


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that numbers depend on."""
    names = ("torch", "numpy", "scikit-learn", "pyautoattack", "robustbench", "mnuts")
    versions = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def now() -> str:
    """The time in UTC, to the second, in ISO format."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def first_problem(error: ValidationError) -> str:
    """The first problem of a pydantic error in one line: where, what is allowed, what came."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "the top level"
    return f"{where}: {problem['msg'].lower()}, got {shortened(problem.get('input'))}"


def shortened(value: object) -> str:
    """A value for a message: its repr, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
