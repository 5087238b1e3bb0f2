"""Exported configurations: the chosen mix as JSON, with its estimates and where they come from.

The published JSON Schema is `mnuts_core/schemas/mnuts-config-1.schema.json`; a test keeps it in step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnuts_core.bundles.library import shipped_folder, user_folder

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle

import json
import math
import os
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from mnuts_core.bundles.manifest import (
    Card,
    Digest,
    Name,
    Setting,
    Text,
    ThreatModel,
    first_problem,
    library_versions,
    now,
)
from mnuts_core.clamps import Clamp
from mnuts_core.errors import ConfigError
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.mixing import BETA_D, R_D
from mnuts_core.functional.quantiles import QuantileMethod
from mnuts_core.functional.statistics import Accuracy, Estimate, share
from mnuts_core.io.files import write_atomically
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.remix.engine import Remix, RemixEngine
from mnuts_core.text import shortened, visible_json

CONFIG_SCHEMA: Literal["mnuts-config/1"] = "mnuts-config/1"
MAX_BYTES = 2**20
"""A configuration larger than this is refused before it is parsed."""


Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Weight = Annotated[float, Field(strict=True, ge=PARAMS["alpha"].low, le=PARAMS["alpha"].high)]


def _within(name: str) -> Any:
    """The pydantic field of a parameter, its interval taken from `PARAMS`."""
    spec = PARAMS[name]
    bounds: dict[str, Any] = {"gt" if spec.low_open else "ge": spec.low}
    if math.isfinite(spec.high):
        bounds["le"] = spec.high
    return Field(strict=True, allow_inf_nan=False, description=spec.help, **bounds)


class TransformCard(Card):
    """M(s, p, c) of Eq. 4."""

    s: float = _within("s")
    p: float = _within("p")
    c: float = _within("c")
    clamp: Clamp
    ln_k: int = Field(
        strict=True,
        ge=0,
        json_schema_extra={"not": {"const": 1}},  # one logit has no variance; MixParams says so
        description="Layer-norm statistics over the k largest logits; 0: none.",
    )


class BundleCard(Card):
    """The bundle that the figures come from."""

    name: Name
    digest: Digest


class EstimateCard(Card):
    """One figure: what kind, its value, n, and the 95 % Wilson interval."""

    kind: Accuracy
    value: Share
    n: int = Field(strict=True, ge=1)
    ci95: tuple[Share, Share]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.ci95[0] <= self.value <= self.ci95[1]:
            raise ValueError("ci95 must be a lower and an upper end with the value between them")
        return self

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateCard:
        """The card of an estimate."""
        return cls.model_validate(estimate.to_json())

    @property
    def estimate(self) -> Estimate:
        """The estimate of the card."""
        return share(round(self.value * self.n), self.n, self.kind)


class EstimatesCard(Card):
    """Figures from cached logits."""

    clean: EstimateCard
    attacked: EstimateCard | None = Field(
        default=None, description="Right at every point that the bundle holds: an upper bound."
    )
    by_margin: EstimateCard | None = Field(
        default=None, description="Right there by a margin that g cannot outvote (Eq. 7)."
    )
    optimistic: bool | None = Field(
        default=None, description="Whether no attack on a mix is among these points: MMAA points only."
    )
    margin_bound: EstimateCard | None = Field(
        default=None, description="At MMAA's points; of configurations from before there were pools."
    )
    transfer: EstimateCard | None = Field(default=None, description="Likewise.")


class AuxiliaryCard(Card):
    """Weights of the differentiable auxiliary classifier (Eq. 8), for gradients."""

    alpha_d: Weight
    r_d: Share = R_D
    beta: Share | None = Field(default=None, description="The level that gave alpha_d.")


class VerifiedCard(Card):
    """An adaptive attack on this very configuration."""

    accuracy: EstimateCard
    clean: EstimateCard | None = Field(default=None, description="Without an attack, on the same images.")
    components: dict[str, Share] = Field(
        default_factory=dict,
        max_length=100,
        description="Accuracy after each component of the attack and those before it.",
    )
    attack: Text
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=100)
    warnings: tuple[Text, ...] = Field(
        default=(), max_length=100, description="What puts the figure in doubt; see docs/warnings.md."
    )
    digest: Digest
    outcomes: OutcomesCard | None = Field(
        default=None, description="Which of the images the mix gets right, to compare mixes in pairs."
    )

    @property
    def images(self) -> Setting | None:
        """The digest of images and labels, which tells whether two mixes were verified on the same ones."""
        return self.settings.get("data_digest")

    @model_validator(mode="after")
    def _outcomes_fit(self) -> Self:
        if self.outcomes is not None:
            self.outcomes.check_figure("accuracy", self.outcomes.attacked_right, self.accuracy.estimate)
            if self.clean is not None:
                self.outcomes.check_figure("clean", self.outcomes.clean_right, self.clean.estimate)
        return self


class MixConfig(Card):
    """A chosen mix: everything needed to build it, and what is known of it.

    Example:
        >>> config = MixConfig.from_params(MixParams(s=5, p=4, c=-1.1, alpha=0.999))
        >>> MixConfig.from_json(config.to_json()) == config
        True
    """

    schema_: Literal["mnuts-config/1"] = Field(default=CONFIG_SCHEMA, alias="schema")
    transform: TransformCard
    alpha: Weight = Field(description="Weight of the robust model (Eq. 1).")
    beta: Share | None = Field(default=None, description="The level that gave α, if one did.")
    temperature: float = _within("temperature")
    auxiliary: AuxiliaryCard | None = None
    bundle: BundleCard | None = None
    threat: ThreatModel | None = None
    estimates: EstimatesCard | None = None
    warnings: tuple[Text, ...] = Field(default=(), max_length=100, description="What puts them in doubt.")
    verified: VerifiedCard | None = None
    versions: dict[Text, Text] = Field(default_factory=dict, max_length=100)
    created: Text = ""

    @property
    def level(self) -> str:
        """β, or α where it was set by hand, in few digits.

        Example:
            >>> MixConfig.from_params(MixParams(alpha=0.99443)).level
            'α = 0.9944'
        """
        return f"α = {self.alpha:.4g}" if self.beta is None else f"β = {self.beta:g}"

    @property
    def params(self) -> MixParams:
        """The parameters, α filled in."""
        params = MixParams(**self.transform.model_dump(), alpha=self.alpha, temperature=self.temperature)
        return params if self.beta is None else params.with_(beta=self.beta)

    @classmethod
    def from_params(cls, params: MixParams, *, beta: float | None = None) -> MixConfig:
        """A configuration without figures.

        Args:
            params: The parameters; α must be set.
            beta: The level that gave α, if one did.

        Raises:
            ConfigError: If α is None.
        """
        if params.alpha is None:
            raise ConfigError("alpha must be set to write a configuration, got None: remix first")
        return cls(
            transform=TransformCard(s=params.s, p=params.p, c=params.c, clamp=params.clamp, ln_k=params.ln_k),
            alpha=params.alpha,
            beta=beta,
            temperature=params.temperature,
            versions=library_versions(),
            created=now(),
        )

    @classmethod
    def from_remix(
        cls,
        engine: RemixEngine,
        params: MixParams,
        *,
        quantile: QuantileMethod = "linear",
        auxiliary_beta: float = BETA_D,
    ) -> MixConfig:
        """The configuration of a mix with its figures on a bundle, ready to be exported.

        Args:
            engine: The engine of the bundle.
            params: The parameters, with α or with the β that it follows from.
            quantile: How α follows from β, see `RemixEngine.threshold`.
            auxiliary_beta: Level that gives α_d of the auxiliary classifier (B.2.1); the paper's own runs
                take 0.95 on CIFAR-10 and ImageNet, 0.935 on CIFAR-100, whatever the mix's level.
        """
        remix = engine.remix(params, quantile=quantile)
        bundle = engine.bundle
        plain = cls.from_params(remix.params, beta=params.beta if params.alpha is None else None)
        return plain.model_copy(
            update={
                "auxiliary": _auxiliary(engine, auxiliary_beta),
                "bundle": BundleCard(name=bundle.name, digest=bundle.digest),
                "threat": bundle.manifest.threat,
                "estimates": estimates_card(remix),
                "warnings": remix.warnings,
            }
        )

    def to_json(self) -> str:
        """The configuration as JSON text."""
        return visible_json(self.model_dump_json(by_alias=True, indent=2, exclude_none=True)) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "the configuration") -> MixConfig:
        """Parse and validate JSON text.

        Args:
            text: The JSON.
            where: How to call it in messages.

        Raises:
            ConfigError: If it is no JSON, of another version, or a value is wrong.
        """
        if len(text) > MAX_BYTES:
            raise ConfigError(f"{where} is larger than {MAX_BYTES // 2**20} MiB: that is no configuration")
        raw = parse_json(text, where, ConfigError)
        version = raw.get("schema") if isinstance(raw, dict) else None
        if version != CONFIG_SCHEMA:
            raise ConfigError(f"{where} must have schema {CONFIG_SCHEMA!r}, got {shortened(version)}")
        try:
            config = cls.model_validate_json(text)
            _ = config.params  # ln_k = 1 and the like
            return config
        except ValidationError as error:
            raise ConfigError(f"{where} is wrong at {first_problem(error)}") from None
        except ValueError as error:
            raise ConfigError(f"{where} is wrong: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON; the file appears whole or not at all.

        Raises:
            ConfigError: If it cannot be written.
        """
        return write_atomically(path, self.to_json().encode(), ConfigError)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MixConfig:
        """Read and validate a configuration.

        Raises:
            ConfigError: If the file is missing, broken, or of another version.
        """
        return cls.from_json(read_bytes(path, MAX_BYTES, ConfigError), str(path))


def estimates_card(remix: Remix) -> EstimatesCard:
    """The figures of a remix as they go into a configuration."""
    return EstimatesCard(
        clean=EstimateCard.of(remix.clean),
        attacked=None if remix.attacked is None else EstimateCard.of(remix.attacked),
        by_margin=None if remix.by_margin is None else EstimateCard.of(remix.by_margin),
        optimistic=None if remix.attacked is None else remix.optimistic,
    )


def _auxiliary(engine: RemixEngine, beta: float) -> AuxiliaryCard | None:
    """α_d of Eq. 8: Algorithm 1 with no transform (B.2.1); None without an attack."""
    if not engine.bundle.n_adv or not engine.rob_right[engine.n_clean :].any():
        return None
    return AuxiliaryCard(alpha_d=engine.plain_mix(beta).alpha, beta=beta)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of configurations, made from the code."""
    schema = MixConfig.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": CONFIG_SCHEMA, **schema}


def published_schema() -> dict[str, Any]:
    """The JSON Schema file that the package carries."""
    path = resources.files("mnuts_core") / "schemas" / "mnuts-config-1.schema.json"
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


def configs_of(bundle: LogitBundle) -> list[tuple[Path, MixConfig]]:
    """The shipped and the user's own configurations made on this very bundle, by β, then α, downwards.

    Args:
        bundle: What a configuration must name, by its digest. Files that are no configurations are passed
            over.
    """
    from mnuts_core.export.config import MixConfig

    found: list[tuple[Path, MixConfig]] = []
    for folder in (shipped_folder(), user_folder()):
        for path in sorted(folder.glob("*.json")) if folder is not None else ():
            try:
                config = MixConfig.load(path)
            except ConfigError:
                continue
            if config.bundle is not None and config.bundle.digest == bundle.digest:
                found.append((path, config))
    return sorted(found, key=lambda pair: (-(pair[1].beta or 0.0), -pair[1].alpha))
