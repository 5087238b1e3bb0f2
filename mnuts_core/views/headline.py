"""The headline: what a mix does on a bundle, beside what it is made of and the mix without a transform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mnuts_core.functional.quantiles import QuantileMethod
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.engine import Remix, RemixEngine


class HeadlineRow(NamedTuple):
    """One classifier's figures. Error changes are relative to the robust model, as in Table 1.

    Attributes:
        key: `std`, `rob`, `mapped`, `plain` or `mix`.
        name: What to call it.
        clean: Clean accuracy.
        attacked: Measured accuracy under an attack on this very classifier: the bundle's own on the robust
            model, an adaptive one on this mix (kind `verified`), where there is one.
        margin_bound: Estimate (see `Remix`), for mixes.
        transfer: Estimate, for mixes; for the standard model its accuracy at h's MMAA points.
        alpha: Mixing weight, for mixes.
        clean_error_change: Relative change of the clean error rate, such as -0.29.
        robust_error_change: The same for the margin bound's error rate against the robust model's.
    """

    key: str
    name: str
    clean: Estimate
    attacked: Estimate | None = None
    margin_bound: Estimate | None = None
    transfer: Estimate | None = None
    alpha: float | None = None
    clean_error_change: float | None = None
    robust_error_change: float | None = None


class Headline(NamedTuple):
    """The headline table: base models, M(h) by itself, the plain mix at the same level, and this mix."""

    std: HeadlineRow
    rob: HeadlineRow
    mapped: HeadlineRow
    plain: HeadlineRow | None
    mix: HeadlineRow


def headline(
    engine: RemixEngine, remix: Remix, plain: Remix | None, verified: Estimate | None = None
) -> Headline:
    """The headline figures.

    Args:
        engine: The engine of the bundle.
        remix: The mix to show.
        plain: The mix without a transform to compare with, or None.
        verified: What an adaptive attack has left of this very mix, if one was run.
    """
    base = engine.base
    return Headline(
        std=HeadlineRow("std", "Standard model", base.std_clean, transfer=base.std_attacked),
        rob=HeadlineRow("rob", "Robust model", base.rob_clean, attacked=base.rob_attacked),
        mapped=HeadlineRow("mapped", "Transformed M(h)", remix.rob_clean, transfer=remix.rob_attacked),
        plain=None if plain is None else _mix_row(engine, plain, "plain", "Plain mix"),
        mix=_mix_row(engine, remix, "mix", "This mix")._replace(attacked=verified),
    )


def plain_remix(engine: RemixEngine, params: MixParams, quantile: QuantileMethod = "linear") -> Remix:
    """The mix without a transform at the same level: the same β, or the same α where α is set by hand."""
    plain = IDENTITY.with_(beta=params.beta, alpha=params.alpha, temperature=params.temperature)
    return engine.remix(plain, quantile=quantile)


def _mix_row(engine: RemixEngine, remix: Remix, key: str, name: str) -> HeadlineRow:
    base = engine.base
    return HeadlineRow(
        key,
        name,
        remix.clean,
        margin_bound=remix.margin_bound,
        transfer=remix.transfer,
        alpha=remix.alpha,
        clean_error_change=error_change(remix.clean, base.rob_clean),
        robust_error_change=error_change(remix.margin_bound, base.rob_attacked),
    )


def error_change(ours: Estimate | None, theirs: Estimate | None) -> float | None:
    """The relative change of the error rate from theirs to ours (Table 1), such as -0.29.

    Args:
        ours: An accuracy, or None.
        theirs: What to compare with, or None; where it makes no errors there is no change to state.
    """
    if ours is None or theirs is None or theirs.value == 1.0:
        return None
    return (1.0 - ours.value) / (1.0 - theirs.value) - 1.0


class SeenAndUnseen(NamedTuple):
    """Clean accuracy of a mix on the images that a search sees by default, and on the others (Table 8).

    Attributes:
        seen: On the clean images of the attacked rows, on which `clean="attacked"` chooses; None without.
        unseen: On the other clean images; None if there are none.
    """

    seen: Estimate | None
    unseen: Estimate | None


def seen_and_unseen(engine: RemixEngine, remix: Remix) -> SeenAndUnseen:
    """Clean accuracy on seen and unseen images."""
    index, right = engine.bundle.adv_index, remix.on_clean.mix_right
    seen = np.zeros(len(right), bool)
    if index is not None:
        seen[index] = True
    parts = (right[seen], right[~seen])
    return SeenAndUnseen(*(share_of(p, "clean") if p.size else None for p in parts))
