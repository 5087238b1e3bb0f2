"""Numbers as they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnuts_core.params import MixParams


def minus(text: str) -> str:
    """A number's text with the minus as it is printed."""
    return text.replace("-", "−")


def signed(value: float, digits: int) -> str:
    """A number with its sign, the minus as it is printed."""
    return minus(f"{value:+.{digits}f}")


def errors_text(change: float) -> str:
    """A relative change of the error rate in words, such as `12.9 % fewer errors`."""
    share = f"{100 * abs(change):.1f}"
    return (
        "no more and no fewer errors"
        if float(share) == 0
        else f"{share} % {'fewer' if change < 0 else 'more'} errors"
    )


def alpha_text(alpha: float) -> str:
    """α with as many digits as it takes to tell it from 1.

    Example:
        >>> alpha_text(0.75), alpha_text(1 - 2e-13), alpha_text(1.0)
        ('0.75000', '1 − 2e-13', '1')
    """
    if alpha == 1.0:
        return "1"
    return f"{alpha:.5f}" if 1.0 - alpha >= 5e-5 else f"1 − {1.0 - alpha:.2g}"


def settings_text(params: MixParams) -> str:
    """A mix in one line."""
    clamp = "" if params.clamp == "gelu" else f", {params.clamp}"
    level = f"α = {alpha_text(params.alpha)}" if params.alpha is not None else f"β = {params.beta:.4g}"
    transform = f"s = {params.s:.4g}, p = {params.p:.4g}, c = {params.c:.4g}{clamp}"
    return f"{transform}, {level}, T = {params.temperature:g}"
