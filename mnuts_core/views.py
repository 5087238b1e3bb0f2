"""What a page shows, as plain arrays: every view is computed here and only drawn elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.estimates import Estimate
from mnuts_core.frontier import BetaFrontier
from mnuts_core.params import IDENTITY, LN_ONLY, MixParams
from mnuts_core.quantiles import QuantileMethod
from mnuts_core.remix import Remix, RemixEngine
from mnuts_core.selection import GridSearchResult
from mnuts_core.simplex import PAPER_CASES, Trajectory, top_three, trajectory
from mnuts_core.tradeoff import Curve, alpha_curve, frontier_curve
from mnuts_core.transform import transform_logits

Array = NDArray[np.float64]
BINS = 25
"""Bins of a margin histogram, as in the paper's Table 6."""


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
    return SeenAndUnseen(*(Estimate("clean", int(p.sum()), p.size) if p.size else None for p in parts))


class Plane(NamedTuple):
    """The trade-off plane, for one transform.

    Attributes:
        current: The α-curve of the current transform.
        point: The current mix.
    """

    current: Curve
    point: Remix


def plane(engine: RemixEngine, remix: Remix) -> Plane:
    """The α-curve of the current transform and the current point on it."""
    return Plane(alpha_curve(engine, remix.params), remix)


class Frontier(NamedTuple):
    """The β-frontier of a whole grid in the trade-off plane.

    Attributes:
        curve: Its points, those that move.
        params: The mix at each point, its α filled in.
    """

    curve: Curve
    params: tuple[MixParams, ...]


def frontier(
    engine: RemixEngine, found: BetaFrontier, progress: Callable[[float], None] | None = None
) -> Frontier:
    """The β-frontier of a whole grid; only points that move are kept.

    Args:
        engine: The engine of the bundle that was searched.
        found: The best cell for every β.
        progress: Called with the share done; what it raises ends the work.
    """
    curve = frontier_curve(engine, found, progress=progress)
    table = np.stack([curve.clean, curve.margin_bound, curve.transfer])
    moved = np.ones(table.shape[1], bool)
    moved[1:] = (np.diff(table, axis=1) != 0).any(axis=0)
    params = tuple(params for params, kept in zip(found.params, moved, strict=True) if kept)
    return Frontier(Curve(curve.alpha[moved], *table[:, moved]), params)


class Histogram(NamedTuple):
    """Margins of one classifier on one part of the bundle, split by correctness.

    Attributes:
        edges: Bin edges in [0, 1], shape (BINS + 1,).
        right: Count of right predictions in each bin, shape (BINS,).
        wrong: Count of wrong ones.
        median_right: Median margin of the right ones; NaN if there are none.
        median_wrong: The same of the wrong ones.
    """

    edges: Array
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    median_right: float
    median_wrong: float

    @property
    def n(self) -> int:
        """How many examples."""
        return int(self.right.sum() + self.wrong.sum())


def histogram(margins: Array, right: NDArray[np.bool_]) -> Histogram:
    """The histogram of margins in [0, 1], split by correctness.

    Args:
        margins: Confidence margins, shape (n,).
        right: Whether each prediction is right, shape (n,).
    """
    place = np.minimum((margins * BINS).astype(np.int64), BINS - 1)
    counts = [np.bincount(place[mask], minlength=BINS) for mask in (right, ~right)]
    medians = [float(np.median(margins[mask])) if mask.any() else float("nan") for mask in (right, ~right)]
    return Histogram(np.linspace(0.0, 1.0, BINS + 1), counts[0], counts[1], *medians)


class MarginHistograms(NamedTuple):
    """Table 6: one classifier's margins, clean and attacked."""

    clean: Histogram
    attacked: Histogram | None

    @property
    def gap(self) -> float:
        """The margin gap of Fig. 6: median of the attacked right minus that of the clean wrong."""
        return float("nan") if self.attacked is None else self.attacked.median_right - self.clean.median_wrong


def base_histograms(engine: RemixEngine) -> dict[str, MarginHistograms]:
    """Margins of g, h and LN∘h (k = 250): they move with no slider."""
    std_right = (engine.std_class == engine.labels).cpu().numpy()
    rob_right = engine.rob_right
    ln_margins = engine.margins(LN_ONLY).margin.double().cpu().numpy()
    return {
        "g": split_histograms(engine, engine.std_margins(), std_right),
        "h": split_histograms(engine, engine.raw_margins(), rob_right),
        "LN h": split_histograms(engine, ln_margins, rob_right),
    }


def mix_histograms(remix: Remix) -> MarginHistograms:
    """Margins of M(h) under the current transform."""
    clean, attacked = remix.on_clean, remix.on_attacked
    return MarginHistograms(
        histogram(clean.margin, clean.right),
        None if attacked is None else histogram(attacked.margin, attacked.right),
    )


def split_histograms(engine: RemixEngine, margins: Array, right: NDArray[np.bool_]) -> MarginHistograms:
    """Margins of any classifier on all rows, clean first, as two histograms.

    Args:
        engine: The engine of the bundle.
        margins: Confidence margins, shape (R,).
        right: Whether each prediction is right, shape (R,).
    """
    n = engine.n_clean
    attacked = histogram(margins[n:], right[n:]) if engine.bundle.n_adv else None
    return MarginHistograms(histogram(margins[:n], right[:n]), attacked)


class TransformCurve(NamedTuple):
    """M as a function of one layer-normed logit; arrays of shape (n,).

    Attributes:
        z: Layer-normed logits.
        m: Transformed logits `s·|clamp(z + c)|^p·sgn`.
        top: Density of the largest layer-normed logit on the clean images.
        rest: Density of all other layer-normed logits.
    """

    z: Array
    m: Array
    top: Array
    rest: Array


class LogitDensity(NamedTuple):
    """Where the bundle's layer-normed logits lie: densities on a grid; arrays of shape (n,)."""

    z: Array
    top: Array
    rest: Array


def logit_density(engine: RemixEngine, ln_k: int, n: int = 121) -> LogitDensity:
    """Densities of the clean images' layer-normed logits: the largest, and all others.

    Args:
        engine: The engine of the bundle.
        ln_k: Layer norm over the ln_k largest logits; 0: raw logits.
        n: Points of the grid.
    """
    normed = engine.stages.normed(ln_k)[: engine.n_clean].double().cpu().numpy()
    low, high = np.quantile(normed[:, -1], 0.01), normed[:, 0].max()
    z = np.linspace(np.floor(2 * low) / 2, np.ceil(2 * high) / 2, n)
    width = z[1] - z[0]
    edges = np.concatenate([z - width / 2, [z[-1] + width / 2]])
    top, rest = (np.histogram(part, edges)[0] / part.size / width for part in (normed[:, 0], normed[:, 1:]))
    return LogitDensity(z, top, rest)


def transform_curve(density: LogitDensity, params: MixParams) -> TransformCurve:
    """M over the range of logits that the bundle has.

    Args:
        density: Where the logits lie.
        params: The transform. The logits are normed already, so its layer norm is left out.
    """
    # pairs, because a transform needs two classes at least; without layer norm each is mapped alone
    pairs = torch.from_numpy(np.stack([density.z, density.z], axis=1))
    m = transform_logits(pairs, s=params.s, p=params.p, c=params.c, clamp=params.clamp, ln_k=0)
    return TransformCurve(density.z, m[:, 0].numpy(), density.top, density.rest)


class Sensitivity(NamedTuple):
    """The objective of Algorithm 1 over the grid (Fig. 9), at one β.

    Attributes:
        objective: Shape (len(s), len(p), len(c)), in [0, 1]; lower is better. NaN in cells that are left
            out: saturated, or costing the robust model too much accuracy.
        s, p, c: The candidates.
        at: The current (s, p, c).
        best: The (s, p, c) that the search chooses.
    """

    objective: Array
    s: Array
    p: Array
    c: Array
    at: tuple[float, float, float]
    best: tuple[float, float, float]


def sensitivity(result: GridSearchResult, params: MixParams) -> Sensitivity:
    """The objective over a finished search's grid, at the parameters' β.

    Args:
        result: The search, at any β.
        params: β, and the place to mark.
    """
    here, grid = result.at_beta(params.beta), result.grid
    best = here.best.params
    return Sensitivity(
        np.where(here.admissible, here.objective, np.nan),
        *(grid.s, grid.p, grid.c),
        at=(params.s, params.p, params.c),
        best=(best.s, best.p, best.c),
    )


class SimplexCase(NamedTuple):
    """One example's two paths on the simplex.

    Attributes:
        name: What the example is.
        corners: Names of the three classes.
        raw: Path of σ(h/τ).
        transformed: Path of σ(M(h)/τ).
        at: Transformed point at τ = 1, shape (2,); the mix uses this one.
        raw_at: Raw point at τ = 1, shape (2,).
    """

    name: str
    corners: tuple[str, ...]
    raw: Trajectory
    transformed: Trajectory
    at: Array
    raw_at: Array


def paper_cases(params: MixParams) -> tuple[SimplexCase, ...]:
    """The paper's two logit vectors (Fig. 3 and 4) under the current transform."""
    return tuple(_case(name, ("A", "B", "C"), np.array(h), params) for name, h in PAPER_CASES.items())


def example_case(engine: RemixEngine, row: int, params: MixParams) -> SimplexCase:
    """One row of the bundle with its top three classes.

    Args:
        engine: The engine of the bundle (of three classes at least).
        row: Clean rows first, then the attacked ones.
        params: The transform.
    """
    h = engine.rob_logits[row].double().cpu()
    names = engine.bundle.manifest.classes
    corners = tuple(names[i] for i in top_three(h).tolist())
    kind = "clean" if row < engine.n_clean else "attacked"
    number = row if row < engine.n_clean else int(_attacked_index(engine)[row - engine.n_clean])
    label = names[int(engine.labels[row])]
    return _case(f"{kind} image {number}, labelled {label}", corners, h.numpy(), params)


def _attacked_index(engine: RemixEngine) -> NDArray[np.int64]:
    index = engine.bundle.require_attacked().adv_index
    assert index is not None  # for the type checker
    return index


def _case(name: str, corners: Iterable[str], h: Array, params: MixParams) -> SimplexCase:
    return SimplexCase(
        name,
        tuple(corners),
        trajectory(h),
        trajectory(h, params),
        at=trajectory(h, params, [1.0]).xy[0],
        raw_at=trajectory(h, None, [1.0]).xy[0],
    )
