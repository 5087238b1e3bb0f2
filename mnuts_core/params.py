"""The parameters of MixedNUTS: their names, intervals, defaults, steps and scales, in one place.

Validation, grids and sliders all read `PARAMS`, so that they never disagree.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from mnuts_core.clamps import Clamp, check_clamp
from mnuts_core.errors import ParameterError
from mnuts_core.text import shortened

LN_K_DEFAULT = 250
"""Layer norm takes its statistics over the 250 largest logits (D.7): all of them on CIFAR."""
MAX_LN_K = 10**9
VARIANCE_FLOOR = 1e-8
"""Added to the variance under layer norm's root, as the authors' code does: constant logits stay finite."""
LARGEST_LOGIT = 1e15
"""Logits are clipped here before the layer norm, as in the authors' code: their variance stays finite."""
R_D = 0.9
"""Share of the raw robust probabilities in the auxiliary classifier's robust half (B.2.1)."""
BETA_D = 0.95
"""Level β at which Algorithm 1 without a transform gives the auxiliary classifier's α_d."""
STANDARD_STEPS = 100
"""Steps of APGD and FAB in AutoAttack's standard version."""
EPS_LIMITS = {"Linf": 1, "L2": 10}
"""From these radii on, levels of 255 were probably given in the place of shares of 1."""


@dataclass(frozen=True)
class ParamSpec:
    """One parameter: where it is valid, the range of a slider, and what it is called in front of people.

    Attributes:
        name: The argument's name in code.
        symbol: The paper's symbol.
        label: A short name for a slider.
        low: Lower end of the valid interval.
        high: Upper end of the valid interval (may be infinite).
        low_open: Whether `low` itself is refused.
        slider_low: Lower end of the slider and of a default grid.
        slider_high: Upper end of the slider and of a default grid.
        default: The value a new session starts from.
        step: Slider step; on a log scale, in decades.
        scale: `"log"` spaces sliders and grids in powers of ten.
        help: What the parameter does, in one sentence.
    """

    name: str
    symbol: str
    label: str
    low: float
    high: float
    low_open: bool
    slider_low: float
    slider_high: float
    default: float
    step: float
    scale: Literal["linear", "log"]
    help: str

    @property
    def interval(self) -> str:
        """The valid interval as a person writes it, such as `(0, inf)` or `[0.5, 1]`."""
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def check(self, value: object) -> float:
        """The value as a float, if it is a finite number inside the valid interval.

        Raises:
            ParameterError: If it is not; the message names parameter, interval and value.
        """
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            try:
                value = float(value.item())  # type: ignore[attr-defined]  # NumPy and torch scalars
            except (AttributeError, TypeError, ValueError, RuntimeError):
                raise ParameterError(
                    f"{self.name} must be a number in {self.interval}, got {value!r}"
                ) from None
        number = float(value)
        below = number < self.low or (self.low_open and number == self.low)
        if not math.isfinite(number) or below or number > self.high:
            raise ParameterError(f"{self.name} must lie in {self.interval}, got {number:g}: {self.help}")
        return number


def _spec(name: str, symbol: str, label: str, **fields: Any) -> ParamSpec:
    return ParamSpec(name=name, symbol=symbol, label=label, **fields)


_SPECS = (
    _spec(
        "s",
        "s",
        "scale s",
        low=0.0,
        high=1e6,
        low_open=True,
        slider_low=0.005,
        slider_high=10.0,
        default=1.0,
        step=0.01,
        scale="log",
        help="s scales the transformed logits: larger is more confident (Eq. 4).",
    ),
    _spec(
        "p",
        "p",
        "power p",
        low=0.0,
        high=100.0,
        low_open=True,
        slider_low=0.5,
        slider_high=8.0,
        default=3.0,
        step=0.01,
        scale="linear",
        help="p > 1 shrinks small clamped logits and amplifies large ones (Eq. 4).",
    ),
    _spec(
        "c",
        "c",
        "bias c",
        low=-100.0,
        high=100.0,
        low_open=False,
        slider_low=-4.0,
        slider_high=2.0,
        default=-1.0,
        step=0.01,
        scale="linear",
        help="c moves the clamp's cutoff: more negative silences more classes (Eq. 4).",
    ),
    _spec(
        "beta",
        "β",
        "robustness kept, β",
        low=0.0,
        high=1.0,
        low_open=False,
        slider_low=0.5,
        slider_high=1.0,
        default=0.985,
        step=0.001,
        scale="linear",
        help="β is the share of the robust model's robustness to keep (Eq. 3).",
    ),
    _spec(
        "alpha",
        "α",
        "weight α",
        low=0.5,
        high=1.0,
        low_open=False,
        slider_low=0.5,
        slider_high=1.0,
        default=0.75,
        step=0.0005,
        scale="linear",
        help="α is the robust model's weight in the mix; below 1/2 nothing is robust (Eq. 1).",
    ),
    _spec(
        "temperature",
        "T",
        "temperature T",
        low=0.0,
        high=math.inf,
        low_open=False,
        slider_low=0.0,
        slider_high=2.0,
        default=0.0,
        step=0.01,
        scale="linear",
        help="T divides the standard model's logits; T = 0 is the one-hot of its arg max (section 3.1).",
    ),
)

PARAMS: Mapping[str, ParamSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every numeric parameter by name."""

BETAS = (PARAMS["beta"].default, 0.95)
"""Levels that mixes are made for where none is asked for: the paper's for CIFAR-10, and a bolder one."""


def check_ln_k(value: object) -> int:
    """The number of top logits whose statistics the layer norm uses; 0 leaves the layer norm out.

    Raises:
        ParameterError: If it is not 0 or an integer of at least 2 (one logit has no variance).
    """
    try:
        k = -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        k = -1
    if k > MAX_LN_K:
        raise ParameterError(
            f"ln_k must be at most {MAX_LN_K:,}, got {shortened(value)}: there are fewer classes"
        )
    if k < 0 or k == 1:
        raise ParameterError(
            f"ln_k must be 0 (no layer norm) or an integer of at least 2, got {shortened(value)}: "
            "the variance of fewer than two logits is undefined"
        )
    return k


def check_eps(norm: str, eps: float) -> float:
    """The radius ε that a person gave on the command line, if it was meant in units of pixels in [0, 1].

    Args:
        norm: `"Linf"` or `"L2"`.
        eps: Below 1 for Linf: from 1 on every image would be allowed. Below 10 for L2, where the largest
            radii in use are below 5.

    Raises:
        ParameterError: If it is larger; a number of levels of 255 is met with how to write it.
    """
    if eps >= (limit := EPS_LIMITS.get(norm, math.inf)):
        raise ParameterError(
            f"--eps must be below {limit} for {norm}, as pixels lie in [0, 1], got {eps:g}: "
            f"was {eps:g}/255 meant?"
        )
    return eps


@dataclass(frozen=True)
class MixParams:
    """One point of the parameter space: the transform (s, p, c, clamp, ln_k) and the mix (β or α, T).

    Attributes:
        s: Scale, in (0, 1e6].
        p: Exponent, in (0, 100]; beyond these bounds float64 overflows on many classes.
        c: Bias inside the clamp, in [-100, 100].
        clamp: Which clamping function.
        ln_k: Layer-norm statistics over the k largest logits; 0 skips the layer norm, which with
            `clamp="linear"`, s = p = 1, c = 0 is the identity, that is the plain mix of Eq. 1.
        beta: Robustness level in [0, 1] from which α follows, unless `alpha` is given.
        alpha: Mixing weight in [1/2, 1] set by hand, or None to take it from β.
        temperature: T ≥ 0 of the standard model.

    Raises:
        ParameterError: If a value lies outside its interval.

    Example:
        >>> MixParams(s=5, p=4, c=-1.1).beta
        0.985
        >>> MixParams(s=0, p=4, c=-1.1)
        Traceback (most recent call last):
        ...
        mnuts_core.errors.ParameterError: s must lie in (0, 1e+06], got 0: s scales the transformed ...
    """

    s: float = PARAMS["s"].default
    p: float = PARAMS["p"].default
    c: float = PARAMS["c"].default
    clamp: Clamp = "gelu"
    ln_k: int = LN_K_DEFAULT
    beta: float = PARAMS["beta"].default
    alpha: float | None = None
    temperature: float = PARAMS["temperature"].default

    def __post_init__(self) -> None:
        for name in ("s", "p", "c", "beta", "temperature"):
            object.__setattr__(self, name, PARAMS[name].check(getattr(self, name)))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", PARAMS["alpha"].check(self.alpha))
        check_clamp(self.clamp)
        object.__setattr__(self, "ln_k", check_ln_k(self.ln_k))

    def with_(self, **changes: Any) -> MixParams:
        """A copy with some fields changed (and validated again)."""
        return replace(self, **changes)

    @property
    def plain(self) -> bool:
        """Whether nothing is transformed: "Mixed" and not MixedNUTS."""
        return self == IDENTITY.with_(beta=self.beta, alpha=self.alpha, temperature=self.temperature)


IDENTITY = MixParams(s=1.0, p=1.0, c=0.0, clamp="linear", ln_k=0)
"""No transform at all: the plain mix of Bai et al. (2024b), "Mixed" in Fig. 5."""

LN_ONLY = MixParams(s=1.0, p=1.0, c=0.0, clamp="linear")
"""Layer norm alone: the classifier LN∘h that MMAA attacks."""

PAPER_OPTIMA: Mapping[str, MixParams] = MappingProxyType(
    {
        "cifar10": MixParams(s=5.0, p=4.0, c=-1.1, beta=0.985),
        "cifar100": MixParams(s=0.612, p=3.57, c=-2.14, beta=0.985),
        "imagenet": MixParams(s=0.0235, p=2.71, c=-0.286, beta=0.99),
    }
)
"""The paper's own best parameters: Table 3, with the β of section 5.1."""

FIG3_MIX = MixParams(s=42.0, p=4.5, c=-0.4)
"""A transform under which the two cases of Fig. 3 have the margins printed there, 0.93 and 0.0013.

The paper does not say which one it used: none of its Table 3 gives them, and none without layer norm.
"""
