"""How far a mix is certified, from what is certified of the robust model h alone; g may be anything.

Two probability vectors differ by at most 1 in any two classes, so (1-α)(g_y - g_i) ≥ -(1-α), whatever g says
and at whatever temperature. Hence, for α in [1/2, 1]: where h's probability of y exceeds that of every other
class by more than (1-α)/α, so does α(h_y - h_i) exceed (1-α), and the mix (1-α)g + αh predicts y. If that
holds at all points within r, the mix is certified within r: the argument of Bai et al. (2024b, Lemma 1), with
a strict inequality, since this project gives ties to g. Below α = 1/2 the threshold exceeds 1, and nothing
can be certified so. Three certificates of h give such a margin:

- **Margin.** Somebody has certified it: within r, σ(h)_y - σ(h)_i ≥ μ. It serves all mixes with (1-α)/α < μ.
- **Smoothing.** h is smoothed by Gaussian noise of σ, and certified in ℓ2 within R = σΦ⁻¹(p) (Cohen et al.,
  2019), where p bounds h_y(x) from below. Φ⁻¹(h_y) changes by at most ‖δ‖/σ (Salman et al., 2019, Lemma 2),
  so h_y(x + δ) ≥ Φ((R - ‖δ‖)/σ), and h_i ≤ 1 - h_y: the margin is at least 2h_y - 1, more than (1-α)/α as
  soon as h_y > 1/(2α). So the mix is certified within R - σΦ⁻¹(1/(2α)). h stands for the smoothed
  probabilities themselves, which are what must be mixed; R holds with the confidence that it was found with.
- **Lipschitz.** With each probability L-Lipschitz, a margin m at x is at least m - 2Lr within r. With each
  logit L-Lipschitz, or each difference of two logits D-Lipschitz (D = 2L then), no class gains more than Dr
  on y. The margin is (1 - e^(z_i)) / (1 + Σ e^(z_k)) with z_k = h_k - h_y, and as long as it is positive it
  falls in each z_k: it is least where all of them have grown by Dr.

All of this is about σ(h); the argument itself holds for σ(M(h)), too, once its margin is what is certified.
A margin of σ(h), or a probability of one class, says nothing of M(h), which the other logits decide, too;
only bounds of all logits can be carried through M: see `transformed_radii`.

Radii are computed in float64 and shortened by 1e-9, more than rounding adds up to; a certificate holds for
h in exact arithmetic, as all of its kind do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mnuts_core.clamps import CLAMP_RECORDS, clamp_logits
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import required_alpha
from mnuts_core.functional.transform import signed_power
from mnuts_core.params import PARAMS, VARIANCE_FLOOR, MixParams

SLACK = 1e-12
"""The margin must exceed (1-α)/α by so much: ties go to g, and are met to 1e-15."""
SHORTENED = 1.0 - 1e-9
HALVINGS = 50
WITHOUT_LAYER_NORM = (
    "ln_k must be at least 2 to certify a mix with a transform: without layer norm M depends on what all "
    "logits have in common, of which a Lipschitz constant of differences says nothing"
)


def threshold(alpha: float) -> float:
    """The margin of h from which on no g can outvote it.

    Args:
        alpha: In [1/2, 1].

    Raises:
        ParameterError: If α lies outside.

    Example:
        >>> round(threshold(0.8), 6)
        0.25
    """
    alpha = PARAMS["alpha"].check(alpha)
    return (1.0 - alpha) / alpha + SLACK


def margin_radii(radii: Tensor, margin: float, alpha: float) -> Tensor:
    """The mix's certified radii where h's are those of a margin: h's own, or none.

    Args:
        radii: Within which σ(h) keeps the margin, shape (N,).
        margin: In [0, 1].
        alpha: In [1/2, 1].
    """
    return radii if margin >= threshold(alpha) else torch.zeros_like(radii)


def smoothing_radii(radii: Tensor, sigma: float, alpha: float) -> Tensor:
    """The mix's certified ℓ2 radii where h is smoothed: R - σΦ⁻¹(1/(2α)), and 0 where that is negative.

    Args:
        radii: R = σΦ⁻¹(p), shape (N,); 0 where nothing is certified.
        sigma: Standard deviation of the noise.
        alpha: In [1/2, 1].

    Example:
        >>> smoothing_radii(torch.tensor([1.0], dtype=torch.float64), 0.5, 1.0)
        tensor([1.0000], dtype=torch.float64)
    """
    needed = (1.0 + threshold(alpha)) / 2.0  # 1/(2α), which h_y must exceed
    if needed >= 1.0:
        return torch.zeros_like(radii)
    lost: float = sigma * torch.special.ndtri(torch.tensor(needed, dtype=torch.float64)).item()
    return ((radii - lost) * SHORTENED).clamp_min(0.0).where(radii > 0, 0.0)


def probability_radii(logits: Tensor, labels: Tensor, constant: float, alpha: float) -> Tensor:
    """The mix's certified radii where each probability of h is Lipschitz: (margin - (1-α)/α) / 2L.

    Args:
        logits: h at the images, float64, shape (N, K).
        labels: The classes y that are to be kept, shape (N,).
        constant: L.
        alpha: In [1/2, 1].
    """
    own, others = _parted(logits.softmax(dim=1), labels)
    margin = own - others.amax(dim=1)
    return ((margin - threshold(alpha)) / (2.0 * constant) * SHORTENED).clamp_min(0.0)


def logit_radii(logits: Tensor, labels: Tensor, growth: float, alpha: float) -> Tensor:
    """The mix's certified radii where differences of h's logits are Lipschitz, in closed form.

    With τ = (1-α)/α, b the largest other logit and S = Σ_{k≠y} e^{h_k}, the least margin is τ where all
    others have grown by t = h_y + log(1-τ) - log(e^b + τS); the radius is t/D.

    Args:
        logits: h at the images, float64, shape (N, K).
        labels: The classes y that are to be kept, shape (N,).
        growth: D: no class gains more than D‖δ‖ on another.
        alpha: In [1/2, 1].
    """
    tau = threshold(alpha)
    if tau >= 1.0:
        return torch.zeros(len(logits), dtype=logits.dtype)
    own, others = _parted(logits, labels)
    rest = torch.logaddexp(others.amax(dim=1), others.logsumexp(dim=1) + math.log(tau))
    return ((own + math.log1p(-tau) - rest) / growth * SHORTENED).clamp_min(0.0)


def transformed_radii(logits: Tensor, labels: Tensor, growth: float, params: MixParams) -> Tensor:
    """The mix's certified radii where differences of h's logits are Lipschitz, through M(s, p, c).

    Within r the logits, up to what they have in common, move by at most ρ = Dr/2 each. So the mean of the k
    largest moves by at most ρ, their standard deviation by at most ρ·√(k/(k-1)) (order statistics move by
    at most ρ, and the deviation is a norm of what is centred), and LN(h) stays in an interval. Clamp and
    power carry intervals on: they are monotone, but for GELU, whose least value counts where the interval
    holds it. The margin of M(h) is at least that of y at its lower end against the others at their upper
    ends. Intervals grow with r, so the largest r at which this margin exceeds (1-α)/α is found by halving;
    what is returned was itself found to do so.

    Args:
        logits: h at the images, float64, shape (N, K).
        labels: The classes y that are to be kept, shape (N,).
        growth: D: no class gains more than D‖δ‖ on another.
        params: The mix, with α set.

    Raises:
        ParameterError: If α is not set, or M has no layer norm: it then sees what logits have in common.
    """
    low = torch.zeros(len(logits), dtype=torch.float64)
    high = 4.0 * (logits.amax(dim=1) - logits.amin(dim=1)) / growth
    sure = _kept(logits, labels, low, params)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        kept = _kept(logits, labels, growth * middle / 2.0, params)
        low, high = torch.where(kept, middle, low), torch.where(kept, high, middle)
    return (low * SHORTENED).where(sure, 0.0)


def transformed_kept(
    logits: Tensor, labels: Tensor, growth: float, params: MixParams, radius: float
) -> Tensor:
    """Where the mix's certified radii of `transformed_radii` reach one radius, in one pass: bool, shape (N,).

    Args:
        logits: h at the images, float64, shape (N, K).
        labels: The classes y that are to be kept, shape (N,).
        growth: D: no class gains more than D‖δ‖ on another.
        params: The mix, with α set.
        radius: In (0, ∞).

    Raises:
        ParameterError: If α is not set, or M has no layer norm: it then sees what logits have in common.
    """
    moved = torch.full((len(logits),), growth * radius / SHORTENED / 2.0, dtype=torch.float64)
    return _kept(logits, labels, moved, params)


def _kept(logits: Tensor, labels: Tensor, moved: Tensor, params: MixParams) -> Tensor:
    """Where no g can outvote M(h)'s label though each logit may move by `moved`, shape (N,)."""
    tau = threshold(required_alpha(params))
    if params.ln_k < 2:
        raise ParameterError(WITHOUT_LAYER_NORM)
    return _least_margins(logits, labels, moved, params) > tau


def _least_margins(logits: Tensor, labels: Tensor, moved: Tensor, params: MixParams) -> Tensor:
    """A lower bound of the margin of M(h) where each logit may move by `moved`, shape (N,)."""
    k = min(params.ln_k, logits.shape[1])
    top, moved = logits.topk(k, dim=1).values, moved.unsqueeze(1)
    centred = logits - top.mean(dim=1, keepdim=True)
    spread, more = top.std(dim=1, keepdim=True), moved * math.sqrt(k / (k - 1))
    least, most = (
        (deviation.square() + VARIANCE_FLOOR).sqrt()
        for deviation in ((spread - more).clamp_min(0.0), spread + more)
    )
    below, above = centred - 2.0 * moved, centred + 2.0 * moved
    low = below / torch.where(below >= 0, most, least) + params.c
    high = above / torch.where(above >= 0, least, most) + params.c
    low, high = _clamped(low, high, params)
    low, high = (params.s * signed_power(end, params.p) for end in (low, high))
    own, _ = _parted(low, labels)
    _, others = _parted(high, labels)
    ahead = others - own.unsqueeze(1)  # by so much the others may lead
    margin = -torch.expm1(ahead.amax(dim=1)) / (1.0 + ahead.exp().sum(dim=1))
    return margin.nan_to_num(nan=-1.0)  # where exp has overflowed, the others lead


def _clamped(low: Tensor, high: Tensor, params: MixParams) -> tuple[Tensor, Tensor]:
    """The range of the clamp over intervals."""
    least_at = CLAMP_RECORDS[params.clamp].least_at
    one, other = clamp_logits(low, params.clamp), clamp_logits(high, params.clamp)
    if least_at is None:
        return one, other
    lowest = clamp_logits(low.clamp_min(least_at).minimum(high.clamp_min(least_at)), params.clamp)
    inside = (low <= least_at) & (high >= least_at)
    return torch.where(inside, lowest, torch.minimum(one, other)), torch.maximum(one, other)


def _parted(values: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Those of the labels, shape (N,), and the values with -∞ in their places, shape (N, K)."""
    column = labels.unsqueeze(1)
    return values.gather(1, column).squeeze(1), values.scatter(1, column, -torch.inf)
