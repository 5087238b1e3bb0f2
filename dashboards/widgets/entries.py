"""Numbers that a person entered: validated, and answered in words that stand on the page."""

from __future__ import annotations

import math
import re

from mnuts_core.errors import ParameterError
from mnuts_core.params import MAX_LN_K, ParamSpec, check_ln_k

ENTERED = "you entered"
"""Whose number it is, for the message; a link's is another."""


def read_number(spec: ParamSpec, text: str, source: str = ENTERED) -> float:
    """A parameter's value as it was entered.

    Args:
        spec: The parameter.
        text: What was entered.
        source: Whose number it is.

    Raises:
        ParameterError: If it is no number, or outside the valid interval; the message is for a page.
    """
    try:
        return spec.check(_entered(spec, text))
    except ValueError:  # ParameterError is one
        raise ParameterError(_refusal(spec, text, source)) from None


def _entered(spec: ParamSpec, text: str) -> float:
    """The number; a share may also be in percent: 95 % is 0.95.

    Raises:
        ValueError: If it is none.
    """
    number, percent, rest = text.strip().partition("%")
    if spec.high == 1.0 and percent and not rest:
        return float(f"{_plain(number) / 100.0:.15g}")
    return _plain(text)


def _plain(text: str) -> float:
    """The number that a text is; its minus may be the one that is printed, and −0 is 0."""
    return float(text.replace("−", "-")) + 0.0


def read_ln_k(text: str, source: str = ENTERED) -> int:
    """The layer norm's number of logits as it was entered.

    Args:
        text: What was entered.
        source: Whose number it is.

    Raises:
        ParameterError: If it is neither 0 nor a whole number of 2 or more; the message is for a page.
    """
    try:
        return check_ln_k(read_whole(text))
    except ValueError:
        large = f", at most {MAX_LN_K:,}" if (_number(text) or 0.0) > MAX_LN_K else ""
        rule = f"LN top-k must be 0 (no layer norm) or a whole number of 2 or more{large}"
        raise ParameterError(f"{rule} ({source} {shown(text)})") from None


def read_whole(text: str) -> int:
    """The whole number that a text is.

    Raises:
        ValueError: If it is none.

    Example:
        >>> read_whole("250"), read_whole("1e3")
        (250, 1000)
    """
    value = _number(text)
    if value is None or not value.is_integer() or abs(value) >= 2**53:
        raise ValueError(text)
    return int(value)


def sentence(text: str) -> str:
    """A message as a sentence of its own.

    Example:
        >>> sentence("s must be 1"), sentence("Did you mean 1?")
        ('s must be 1.', 'Did you mean 1?')
    """
    return text if text.endswith((".", "?")) else f"{text}."


def shown(text: str) -> str:
    """What was entered, for a message: a number with the minus as it is printed, anything else in quotes."""
    text = text.strip()[:40]
    return text.replace("-", "−") if _number(text) is not None else f"“{text}”" if text else "nothing"


def _refusal(spec: ParamSpec, text: str, source: str) -> str:
    number = "" if _number(text) is not None else "a number "
    rule = f"{spec.symbol or spec.name} must be {number}{_allowed(spec)}"
    meant = _meant(spec, text)
    return f"{rule} ({source} {shown(text)})" if meant is None else f"{rule}. Did you mean {meant}?"


def _allowed(spec: ParamSpec) -> str:
    low, high = (f"{end:,.10g}".replace("-", "−") for end in (spec.low, spec.high))
    if spec.low_open:
        return f"greater than {low} and at most {high}"
    return f"between {low} and {high}" if math.isfinite(spec.high) else f"{low} or greater"


def _meant(spec: ParamSpec, text: str) -> str | None:
    """The valid value that was probably meant: percent as a share, no commas, a point instead of a comma."""
    whole = _number(text.replace(",", "")) if _GROUPED.fullmatch(text.strip()) else None
    number = _number(text.replace(",", "."))
    if number is not None and spec.high == 1.0 and 1.0 < number <= 100.0:
        number /= 100.0
    elif "," not in text:
        return None
    for meant in (whole, number):
        if meant is None:
            continue
        try:
            return f"{spec.check(meant):.10g}".replace("-", "−")
        except ParameterError:
            continue
    return None


_GROUPED = re.compile(r"[+\-−]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
"""Commas between thousands, as the page writes them."""


def _number(text: str) -> float | None:
    try:
        value = _plain(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
