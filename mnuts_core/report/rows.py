"""The rows of the report: each classifier with its figures, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.belonging import belongs
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.certified import certified_model, certified_within_eps, reference_threat
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.adaptive_alpha import adaptive_row
from mnuts_core.views.headline import Row, base_rows, mix_row

Role = Literal["abc", "rbc", "adaptive", "mixed", "mixednuts"]


@dataclass(frozen=True)
class ReportRow(Row):
    """One classifier's row, and where its figures come from.

    Attributes:
        certified: Certified accuracy within the bundle's ε; None where nothing is certified of it.
        attack: The attack behind `verified`, in words.
        rbc_same: RBC's accuracy under the bundle's attack on the very images of `verified`, where they are
            known (see `rbc_on_the_same`).
        beta: The level that gave α, if one did.
        source: Where the parameters come from.
        made: Whether the report itself chose them, by a search or by matching.
        config: The configuration of its verified figure.
    """

    certified: Estimate | None = None
    attack: str = ""
    rbc_same: Estimate | None = None
    beta: float | None = None
    source: str = ""
    made: bool = False
    config: MixConfig | None = None

    @classmethod
    def of(cls, row: Row, **more: Any) -> ReportRow:
        """A row with what the report knows of it besides."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(row)} | more)

    @property
    def role(self) -> Role:
        """Accurate or robust base classifier, a method with α by the image, Mixed, or MixedNUTS."""
        if self.key == "adaptive":
            return "adaptive"
        if self.params is not None:
            return "mixed" if self.params.plain else "mixednuts"
        return "rbc" if self.key == "rbc" else "abc"


def report_base_rows(engine: RemixEngine) -> tuple[ReportRow, ReportRow]:
    """The rows of the accurate (ABC) and the robust base classifier (RBC)."""
    (std, rob), manifest = base_rows(engine.base), engine.bundle.manifest
    certified = None
    if card := manifest.certificate:
        certified = certified_model(engine.bundle).accuracy(reference_threat(engine.bundle, card)[0].eps)
    return (
        ReportRow.of(std, key="abc", label="ABC: g", source=manifest.std_model.spec),
        ReportRow.of(rob, key="rbc", label="RBC: h", source=manifest.rob_model.spec, certified=certified),
    )


def other_rows(bundle: LogitBundle) -> tuple[ReportRow, ...]:
    """The row of a method that chooses α by the image, if the bundle has its weights."""
    row = adaptive_row(bundle)
    return () if row is None else (ReportRow.of(row, source="the bundle's column alpha"),)


def verified_of(config: MixConfig, bundle: LogitBundle) -> tuple[Estimate | None, str | None]:
    """A configuration's verified accuracy, if it was measured on this bundle's models; else why not.

    Args:
        config: The configuration.
        bundle: The bundle that the report is of.

    Returns:
        The accuracy or None, and a warning where the configuration is not of this bundle, or an accuracy must
        be left out.
    """
    card = config.bundle
    if config.verified is None:
        if card is None or belongs(config, bundle):
            return None, None
        return None, f"made on another bundle, {card.name!r}: it brings its α from there"
    if not belongs(config, bundle):
        named = "no bundle" if card is None else f"bundle {card.name!r}, with other clean logits"
        return None, f"verified accuracy left out: the configuration names {named}"
    if config.threat is not None and config.threat != bundle.manifest.threat:
        return None, f"verified accuracy left out: it is under {config.threat}, not {bundle.manifest.threat}"
    return config.verified.accuracy.estimate, None


def rbc_on_the_same(engine: RemixEngine, remix: Remix, clean: Estimate | None) -> Estimate | None:
    """RBC's accuracy under the bundle's attack on the images that a mix was verified on.

    `mnuts evaluate` takes the first n images. They are taken to be the bundle's first n if all of these
    are attacked there and the mix gets exactly as many of them right without an attack.

    Args:
        engine: The engine of the bundle.
        remix: The mix on the bundle.
        clean: Its clean accuracy on the images it was verified on.
    """
    attacked = engine.bundle.attacked
    if clean is None or attacked is None or clean.n > engine.n_clean:
        return None
    first, right = attacked.first.index < clean.n, engine.rob_right_on_images
    if right is None or first.sum() < clean.n or remix.on_clean.mix_right[: clean.n].sum() != clean.successes:
        return None
    return share_of(right[first], "attacked")


@dataclass(frozen=True)
class Mix:
    """A mix to report on, before its figures are known.

    Attributes:
        params: Parameters, α set.
        source: Where they come from.
        beta: The level that gave α, if one did.
        verified: Its verified accuracy, if any.
        verified_clean: Its clean accuracy on the same images, if the attack recorded it.
        attack: The attack behind it.
        warnings: What puts its figures in doubt.
        made: Whether the report itself chose it.
        config: The configuration of its verified accuracy.
    """

    params: MixParams
    source: str
    beta: float | None = None
    verified: Estimate | None = None
    verified_clean: Estimate | None = None
    attack: str = ""
    warnings: tuple[str, ...] = ()
    made: bool = True
    config: MixConfig | None = None

    @classmethod
    def of(cls, config: MixConfig, source: str, bundle: LogitBundle) -> Mix:
        """The mix of a configuration."""
        verified, warning = verified_of(config, bundle)
        card = config.verified if verified is not None else None
        warnings = [f"adaptive attack: {line}" for line in card.warnings] if card else []
        return cls(
            config.params,
            source,
            beta=config.beta,
            verified=verified,
            verified_clean=card.clean.estimate if card and card.clean else None,
            attack=card.attack if card else "",
            warnings=(*warnings, *((warning,) if warning else ())),
            made=False,
            config=config if card else None,
        )

    def row(self, engine: RemixEngine, key: str, label: str) -> tuple[ReportRow, Remix]:
        """Its row, and the remix that it comes from."""
        remix = engine.remix(self.params)
        row = ReportRow.of(
            mix_row(remix, key, label),
            verified=self.verified,
            certified=certified_within_eps(engine.bundle, remix.params),
            attack=self.attack,
            rbc_same=rbc_on_the_same(engine, remix, self.verified_clean),
            beta=self.beta,
            source=self.source,
            made=self.made,
            config=self.config,
        )
        return row, remix
