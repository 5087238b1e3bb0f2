"""Numbers as the lesson prints them: with interval and n, a minus, powers of ten; for its templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from markupsafe import Markup

from mnuts_core.functional.decimals import compared
from mnuts_core.functional.statistics import Estimate

MOST_DECIMALS = 12
"""More are never printed."""

_SMALL = Markup("<small>{}</small>")
_BOLD = Markup("<b>{}</b>")


def minus(text: str) -> str:
    """A number's text with the minus as it is printed."""
    return text.replace("-", "−")


def unbroken(text: str) -> str:
    """The text with no line break before a per cent sign."""
    return text.replace(" %", "\u00a0%")


def count(value: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{value:,}"


def fixed(value: float, digits: int) -> str:
    """A number with a fixed count of decimals."""
    return minus(f"{value:.{digits}f}")


def short(value: float, digits: int = 6) -> str:
    """A number without trailing zeros, to a count of significant digits."""
    return minus(f"{value:.{digits}g}")


def small(value: float, digits: int = 3) -> Markup:
    """A number with a fixed count of decimals; in powers of ten where those would be zeros."""
    if value and abs(value) < 10**-digits:
        mantissa, exponent = f"{value:.1e}".split("e")
        return Markup("{}·10<sup>{}</sup>").format(minus(mantissa), minus(str(int(exponent))))
    return Markup(fixed(value, digits))


def decimals(
    compute: Callable[..., float],
    *values: float,
    result: int,
    start: int = 3,
    rounded: Callable[[float, int], float] = round,
) -> int:
    """How many decimals a formula's numbers need, so that who computes with them gets the result as printed.

    Args:
        compute: The formula.
        *values: The numbers in it.
        result: Decimals of the printed result.
        start: The fewest decimals.
        rounded: Rounds a number to a count of decimals (or, if it counts those, of significant digits).

    Example:
        >>> decimals(lambda a, b: a - b, 0.278559, 0.229071, result=3)  # 0.279 − 0.229 is not 0.049
        5
    """
    printed = round(compute(*values), result)
    for digits in range(start, MOST_DECIMALS):
        if round(compute(*(rounded(value, digits) for value in values)), result) == printed:
            return digits
    return MOST_DECIMALS


def percent(number: Estimate, *, signed: bool = False) -> Markup:
    """A share in per cent (a difference of shares in points), with interval and n."""
    sign, unit = ("+", "points") if signed else ("", "%")
    value = _BOLD.format(minus(f"{100 * number.value:{sign}.1f}"))
    return Markup("{}&nbsp;{} {}").format(value, unit, _interval(number, 100, 1, sign))


def brief(number: Estimate) -> Markup:
    """A share in per cent with its interval, where n stands elsewhere."""
    value, low, high = (f"{100 * part:.1f}" for part in (number.value, *number.interval))
    return Markup("{}&nbsp;% {}").format(_BOLD.format(value), _SMALL.format(f"{low} to {high}"))


def margin(number: Estimate, digits: int = 3) -> Markup:
    """A margin, or a ratio of two, with interval and n."""
    return Markup("{} {}").format(_BOLD.format(small(number.value, digits)), _interval(number, 1, digits))


def _interval(number: Estimate, factor: float, digits: int, sign: str = "") -> Markup:
    if math.isnan(number.low) or math.isnan(number.high):
        ends = Markup("too few for an interval")
    else:
        low, high = (_end(factor * end, digits, sign) for end in (number.low, number.high))
        ends = Markup("95&nbsp;%: {} to {}").format(low, high)
    return _SMALL.format(Markup("({}; n&nbsp;=&nbsp;{})").format(ends, count(number.n)))


def _end(value: float, digits: int, sign: str) -> str:
    return "∞" if math.isinf(value) else minus(f"{value:{sign}.{digits}f}")


HELPERS: Mapping[str, Callable[..., object]] = {
    "brief": brief,
    "count": count,
    "fixed": fixed,
    "margin": margin,
    "percent": percent,
    "short": short,
    "small": small,
    "compared": compared,
}
"""What the lesson's templates may call."""
