"""What a logit bundle says of itself: where its numbers come from, and how to make them again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from mnuts_core.bundles.certificate import CertificateCard
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.io.untrusted import parse_json
from mnuts_core.params import MixParams
from mnuts_core.text import one_line, shortened, visible

BUNDLE_SCHEMA: Literal["mnuts-bundle/2"] = "mnuts-bundle/2"
UNSEALED: Literal["mnuts-bundle/1"] = "mnuts-bundle/1"
"""The schema of before: the same manifest without a seal."""

STD_TARGET = "g"
"""How a source is named that attacked the standard model itself."""
NOT_REAL = "none: the robust logits stand in for it"
"""How a manifest names the standard model of a bundle whose accuracies mean nothing (`algorithm1_bundle`)."""
OPTIMISTIC = "MMAA points only: optimistic, no attack on a mix is among them."
"""What is said of attacked figures where no source attacked a mix."""
MAX_CLASSES = 100_000
MAX_SOURCES = 1_000
"""Of attacked points, in one bundle."""


def _shown(value: Any) -> Any:
    """Text without invisible characters: all that reads or shows a card gets it so."""
    return visible(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_shown), StringConstraints(max_length=4000)]
Name = Annotated[str, BeforeValidator(_shown), StringConstraints(min_length=1, max_length=200)]
Setting = Annotated[float, Field(strict=True, allow_inf_nan=False)] | int | bool | Text
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
    eps: float = Field(strict=True, gt=0, allow_inf_nan=False)

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(ThreatModel(norm="Linf", eps=8 / 255)), str(ThreatModel(norm="L2", eps=0.5))
            ('ℓ∞, ε = 8/255', 'ℓ2, ε = 0.5')
        """
        levels = self.eps * 255  # pixels have 256 levels, and ℓ∞ radii are usually given in these
        whole = self.norm == "Linf" and self.eps < 1 and abs(levels - round(levels)) < 1e-6
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
    forward: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Passes through the classifier for each image."
    )
    backward: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Gradients of it for each image."
    )


class SourceCard(Card):
    """One source of attacked points: which attack, on what, how hard."""

    name: Name = Field(description="The attack, such as 'MMAA' or 'APGD-CE + APGD-T'.")
    target: Text = Field(default="", description="What was attacked, in words: 'LN∘h_rob', 'g', a mix.")
    params: dict[Text, Setting | None] | None = Field(
        default=None,
        max_length=100,
        description="Parameters of the mix that was attacked, with its α; null if it was none.",
    )
    config: Digest | None = Field(default=None, description="Digest of the configuration attacked.")
    plan: dict[Text, Setting | None] = Field(default_factory=dict, max_length=100)
    seed: int | None = None
    precision: Text = ""
    images: int = Field(default=0, ge=0, description="How many of the attacked images it was run on.")
    before: Digest | None = Field(
        default=None, description="Digest of the bundle that its points joined, as it was before."
    )
    verified: bool = Field(
        default=False, description="Whether this is a mix's verification: its points stay, come what may."
    )

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(SourceCard(name="APGD-CE + APGD-T", target="g"))
            'APGD-CE + APGD-T on g'
            >>> str(SourceCard(name="APGD-CE", target="...", params={"s": 5.0, "c": -1.1, "alpha": 0.97}))
            'APGD-CE on the mix s = 5, c = -1.1, α = 0.97'
        """
        target = self.target if self.params is None else f"the mix {_in_words(self.params)}"
        return f"{self.name} on {target}" if target else self.name

    @property
    def mix(self) -> MixParams | None:
        """The mix that was attacked, if the card names one with α: who writes a file may write anything."""
        try:
            mix = MixParams(**(self.params or {}))  # type: ignore[arg-type]  # it checks them
        except (ParameterError, TypeError):
            return None
        return mix if mix.alpha is not None else None


def _in_words(params: Mapping[str, Setting | None]) -> str:
    """The parameters of a mix that was attacked, as far as they are numbers."""
    names = {"s": "s", "p": "p", "c": "c", "alpha": "α", "temperature": "T"}
    known = {name: params.get(key) for key, name in names.items()}
    return ", ".join(
        f"{name} = {value:.5g}" for name, value in known.items() if isinstance(value, int | float)
    )


class Manifest(Card):
    """Everything a bundle says of itself; in its file, a seal shows whether any of it was changed."""

    schema_: Literal["mnuts-bundle/1", "mnuts-bundle/2"] = Field(default=BUNDLE_SCHEMA, alias="schema")
    name: Name
    data: DataCard
    classes: tuple[Name, ...] = Field(min_length=2, max_length=MAX_CLASSES)
    std_model: ModelCard
    rob_model: ModelCard
    threat: ThreatModel | None = None
    attack: AttackCard | None = Field(default=None, description="The attack that found the first points.")
    attacks: tuple[SourceCard, ...] = Field(
        default=(),
        max_length=MAX_SOURCES,
        description="The sources of a pool of points; the first one is `attack`. Empty for one source.",
    )
    certificate: CertificateCard | None = Field(default=None, description="What is certified of h.")
    command: Text = Field(default="", description="The command that makes the bundle again.")
    versions: dict[Text, Text] = Field(default_factory=dict, max_length=100)
    created: Text = ""
    digest: Digest | None = Field(default=None, description="SHA-256 over all tensors.")

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, ser_json_inf_nan="constants"
    )

    @property
    def sources(self) -> tuple[SourceCard, ...]:
        """The sources of the attacked points: `attacks`, or the one that `attack` describes."""
        return self.attacks or (first_source(self.attack),)

    @property
    def optimistic(self) -> bool:
        """Whether no source attacked a mix: mixes get more points right than they would of their own."""
        return all(source.params is None for source in self.attacks)

    @property
    def std_attacked(self) -> bool:
        """Whether a source attacked g itself."""
        return any(source.target == STD_TARGET for source in self.attacks)

    @property
    def sealed(self) -> bool:
        """Whether the file that this was read from, or will be written to, shows every change of it."""
        return self.schema_ != UNSEALED


def first_source(attack: AttackCard | None) -> SourceCard:
    """The source that is the attack of a bundle with one point an image."""
    if attack is None:
        return SourceCard(name="unknown")
    plan = attack.model_dump(
        include={"n_iter", "n_targets", "n_queries", "forward", "backward"}, exclude_none=True
    )
    return SourceCard(
        name=attack.name, target=attack.surrogate, plan=plan, seed=attack.seed, precision=attack.precision
    )


def sealed_json(manifest: Manifest) -> str:
    """A manifest as JSON with its seal, as a bundle's file holds it.

    Args:
        manifest: With the digest of the tensors.
    """
    content = json.loads(
        manifest.model_copy(update={"schema_": BUNDLE_SCHEMA}).model_dump_json(by_alias=True)
    )
    for name in ("attacks", "certificate"):  # files without them stay what they were, to the byte
        if not content[name]:
            content.pop(name)
    return json.dumps(content | {"seal": seal_of(content)}, separators=(",", ":"))


def parse_manifest(text: str, where: str) -> Manifest:
    """The manifest in a bundle's file, if its seal is whole.

    Args:
        text: JSON.
        where: How to call the file in messages.

    Raises:
        BundleError: If it is no JSON, of another version, was changed after it was written, or is wrong.
    """
    content = parse_json(text, f"{where}: the manifest", BundleError)
    version = content.get("schema") if isinstance(content, dict) else None
    ours = version in (UNSEALED, BUNDLE_SCHEMA)
    if isinstance(version, str) and version.startswith("mnuts-bundle/") and not ours:
        raise BundleError(
            f"{where} has schema {shortened(version)}, this version reads {BUNDLE_SCHEMA!r}: update mnuts"
        )
    if version == BUNDLE_SCHEMA and content.pop("seal", None) != seal_of(content):
        raise BundleError(f"{where} is damaged: its manifest does not match its seal; get the bundle again")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise BundleError(f"{where}: the manifest is wrong at {first_problem(error)}") from None


def seal_of(content: Mapping[str, Any]) -> str:
    """SHA-256 over everything that a manifest says, the tensors' digest included, as canonical JSON.

    Args:
        content: The manifest as plain JSON, without its seal.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def numbered_classes(k: int) -> tuple[str, ...]:
    """The names of K classes that have none; too many are left for the manifest to refuse."""
    return tuple(str(i) for i in range(min(max(k, 2), MAX_CLASSES + 1)))


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
    where = one_line(".".join(str(part) for part in problem["loc"]) or "the top level", 200)
    return f"{where}: {problem['msg'].lower()}, got {shortened(problem.get('input'))}"
