"""Exported configurations: the chosen mix as JSON, with its estimates and where they come from.

The published JSON Schema is `mnuts_core/schemas/mnuts-config-1.schema.json`; a test keeps it in step.
"""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from mnuts_core.bundles.manifest import Card, Text, ThreatModel, first_problem, library_versions, now
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.errors import ConfigError
from mnuts_core.export.cards import (
    AuxiliaryCard,
    BundleCard,
    EstimatesCard,
    Share,
    TransformCard,
    VerifiedCard,
    Weight,
    estimates_card,
    within,
)
from mnuts_core.functional.quantiles import QuantileMethod
from mnuts_core.io.files import write_atomically
from mnuts_core.io.hub import local_path
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.params import BETA_D, IDENTITY, MixParams
from mnuts_core.remix.certified import certificate_warnings
from mnuts_core.text import shortened, visible_json

if TYPE_CHECKING:
    from mnuts_core.remix.answers import Remix
    from mnuts_core.remix.engine import RemixEngine

CONFIG_SCHEMA: Literal["mnuts-config/1"] = "mnuts-config/1"
MAX_BYTES = 2**20
"""A configuration larger than this is refused before it is parsed."""


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
    temperature: float = within("temperature")
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

    @property
    def digest(self) -> str:
        """SHA-256 over what the mix is: transform, weights, temperature; figures and results are no part."""
        mix = self.model_dump_json(include={"transform", "alpha", "temperature", "auxiliary"})
        return content_digest({"mix": np.frombuffer(mix.encode(), np.uint8)})

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
        plain = cls.from_params(remix.params, beta=params.beta if params.alpha is None else None)
        own = {"auxiliary": _auxiliary(engine, auxiliary_beta), "threat": engine.bundle.manifest.threat}
        return plain.model_copy(update=own).with_figures(engine, remix)

    def with_figures(self, engine: RemixEngine, remix: Remix) -> MixConfig:
        """This mix with its figures on a bundle, and what puts them in doubt.

        Args:
            engine: The engine of the bundle.
            remix: What it makes of the mix.
        """
        estimates = estimates_card(engine, remix)
        doubts = certificate_warnings(engine) if estimates.certified else ()
        return self.model_copy(
            update={
                "bundle": BundleCard.of(engine.bundle),
                "estimates": estimates,
                "warnings": (*remix.warnings, *doubts),
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

        Args:
            path: A file, or a place on the Hub, see `io.hub.local_path`.

        Raises:
            ConfigError: If the file is missing, broken, or of another version.
        """
        return cls.from_json(read_bytes(local_path(path, ConfigError), MAX_BYTES, ConfigError), str(path))


def _auxiliary(engine: RemixEngine, beta: float) -> AuxiliaryCard | None:
    """α_d of Eq. 8: Algorithm 1 with no transform (B.2.1); None where it has nothing to work on.

    On the first points, which are MMAA's, as in the paper: so that attacks on a mix climb the same classifier
    however many points have joined the pool since.
    """
    if not engine.bundle.n_adv or not engine.rob_right[engine.n_clean :].any():
        return None
    odds = engine.threshold(IDENTITY.with_(beta=beta), points="mmaa")
    return AuxiliaryCard(alpha_d=1.0 / (1.0 + odds), beta=beta)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of configurations, made from the code."""
    schema = MixConfig.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": CONFIG_SCHEMA, **schema}


def published_schema() -> dict[str, Any]:
    """The JSON Schema file that the package carries."""
    path = resources.files("mnuts_core") / "schemas" / "mnuts-config-1.schema.json"
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]
