"""The points of a verification join the pool of a bundle: no figure of the mix exceeds what was verified."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.attacks.watching import stand_in
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import Setting, SourceCard
from mnuts_core.errors import ParameterError
from mnuts_core.export.cards import VerifiedCard
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.mixing import sound
from mnuts_core.pipeline.verified import Verified
from mnuts_core.remix.engine import RemixEngine

PLAN = ("attack", "norm", "eps", "n_iter", "n_targets", "n_queries")
"""Settings of a verification that a bundle keeps of it."""
RADIUS_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class VerifiedPoints:
    """Where a verified mix is wrong, by both models' logits.

    Attributes:
        rows: The clean rows that were verified, int64, shape (N,).
        index: The clean row of each point, int64, shape (Q,): one for each of these that the mix gets wrong.
        std_logits: g there, shape (Q, K).
        rob_logits: h there, shape (Q, K).
    """

    rows: NDArray[np.int64]
    index: NDArray[np.int64]
    std_logits: NDArray[np.floating[Any]]
    rob_logits: NDArray[np.floating[Any]]


def points_of(verified: Verified, rows: NDArray[np.int64]) -> VerifiedPoints:
    """The points at which a mix was found wrong; where an image is wrong without an attack, the image itself.

    Logits that are not finite are replaced by one-hot ones of a wrong class: such an image counts as broken.

    Args:
        verified: What the attack found.
        rows: The clean row of each image that was attacked, int64, shape (N,).

    Raises:
        ParameterError: If there is not one row for each image.
    """
    rows = np.asarray(rows, np.int64)
    if rows.shape != (len(verified.labels),):
        raise ParameterError(
            f"rows must name one clean row for each of the {len(verified.labels):,} images verified, got "
            f"shape {rows.shape}"
        )
    wrong = verified.predictions != verified.labels
    raw = torch.cat([verified.std_logits[wrong], verified.rob_logits[wrong]], dim=1)
    raw = raw.where(sound(raw).unsqueeze(1), stand_in(raw, verified.labels[wrong]))
    std, rob = raw.chunk(2, dim=1)
    return VerifiedPoints(rows, rows[wrong.numpy()], std.numpy(), rob.numpy())


def check_threat(bundle: LogitBundle, norm: object, eps: object) -> None:
    """Check that perturbations of this size are allowed by a bundle's threat model.

    Raises:
        ParameterError: If they are not, or the bundle has none.
    """
    threat = bundle.manifest.threat
    if threat is None:
        raise ParameterError(f"bundle {bundle.name!r} has no threat model: no attack's points can join it")
    if norm != threat.norm or not isinstance(eps, float | int) or eps > threat.eps * (1 + RADIUS_TOLERANCE):
        raise ParameterError(
            f"a verification whose points join bundle {bundle.name!r} must keep to its threat model, "
            f"{threat}, got norm {norm}, ε = {eps}: verify under that one"
        )


def add_verified(bundle: LogitBundle, config: MixConfig, points: VerifiedPoints) -> LogitBundle:
    """The bundle with the points of a verification as one source more.

    Points of images that are not among the attacked ones are left out, and so are those of a settled image
    at whose points the mix is wrong already. A verification that has joined before, as one whose command was
    killed after that, changes nothing.

    Args:
        bundle: The bundle whose clean rows were verified.
        config: The configuration, `verified`.
        points: Where the mix is wrong.

    Raises:
        ParameterError: If the configuration is not verified, or not under the bundle's threat model.
        BundleError: If the points do not fit.
    """
    card = config.verified
    if card is None:
        raise ParameterError("config must carry its verification, got one that is not verified")
    check_threat(bundle, card.settings.get("norm"), card.settings.get("eps"))
    attacked = bundle.require_attacked()
    rows = attacked.index[: attacked.n_images]
    source = _source_card(config, card, int(np.isin(rows, points.rows).sum()))
    there = [each.model_copy(update={"before": None}) for each in bundle.manifest.sources]
    if source in there and not _right_at(bundle, config, points).any():
        return bundle
    none = slice(0, 0)
    pruned = bundle.with_points(source, points.index[none], points.std_logits[none], points.rob_logits[none])
    results = RemixEngine(pruned, device="cpu").remix(config.params).on_images
    assert results is not None  # there are attacked images
    known = attacked.settled & ~results.mix_right
    wanted = np.isin(points.index, rows[~known])
    return bundle.with_points(
        source, points.index[wanted], points.std_logits[wanted], points.rob_logits[wanted]
    )


def _right_at(bundle: LogitBundle, config: MixConfig, points: VerifiedPoints) -> NDArray[np.bool_]:
    """Whether the mix counts as right on the attacked images that the points belong to."""
    results = RemixEngine(bundle, device="cpu").remix(config.params).on_images
    assert results is not None  # there are attacked images
    rows = bundle.require_attacked().index[: bundle.n_adv]
    return results.mix_right[np.isin(rows, points.index)]


def _source_card(config: MixConfig, card: VerifiedCard, images: int) -> SourceCard:
    seed, precision = card.settings.get("seed"), card.settings.get("precision", "full")
    plan: dict[str, Setting | None] = {name: card.settings[name] for name in PLAN if name in card.settings}
    return SourceCard(
        name=" + ".join(card.components).upper() or "verification",
        target=str(config.params),
        params=asdict(config.params),
        config=config.digest,
        plan=plan,
        seed=seed if isinstance(seed, int) else None,
        precision="float32" if precision == "full" else f"{precision} gradients, float32 logits",
        images=images,
        verified=True,
    )


def points_from_last(bundle: LogitBundle) -> int:
    """How many points of a bundle's pool are the last source's."""
    source = bundle.require_attacked().source
    return 0 if source is None else int((source == len(bundle.manifest.sources) - 1).sum())


def on_bundle(config: MixConfig, engine: RemixEngine) -> MixConfig:
    """A configuration with its figures on another bundle, such as its own with more points.

    Args:
        config: The configuration; its mix and `verified` stay.
        engine: The engine of that bundle.
    """
    return config.with_figures(engine, engine.remix(config.params))
