"""Numbers that are compared in a sentence: with as many digits as it takes to see the difference."""

from __future__ import annotations

MOST = 17
"""Significant digits that tell any two floats apart."""


def digits_apart(value: float, limit: float, least: int = 2) -> int:
    """How many significant digits it takes for two numbers to read differently; `least` if they are equal.

    Neither reads as 1 without being 1.

    Args:
        value: A finite number.
        limit: What it is compared with.
        least: So many at least.

    Example:
        >>> digits_apart(9.6e-5, 1.0e-4), digits_apart(0.89781, 0.89779), digits_apart(0.5, 0.5)
        (2, 5, 2)
    """
    pairs = [pair for pair in ((value, limit), (value, 1.0), (limit, 1.0)) if pair[0] != pair[1]]
    apart = (
        digits
        for digits in range(least, MOST)
        if all(f"{one:.{digits}g}" != f"{other:.{digits}g}" for one, other in pairs)
    )
    return next(apart, MOST)


def compared(value: float, limit: float) -> tuple[str, str]:
    """Two numbers as text, with as many digits as it takes for them to read differently.

    Example:
        >>> compared(9.6e-5, 1.0e-4)
        ('9.6e-5', '1.0e-4')
        >>> compared(0.0, 0.25)
        ('0', '0.25')
    """
    digits = digits_apart(value, limit)
    return _text(value, digits), _text(limit, digits)


def _text(value: float, digits: int) -> str:
    """A number to so many significant digits; a small one in powers of ten."""
    if value == 0:
        return "0"
    if abs(value) >= 1e-3:
        return f"{value:#.{digits}g}".removesuffix(".")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"
