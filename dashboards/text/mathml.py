"""Formulas as MathML."""

from __future__ import annotations

from mnuts_core.text import escape

# --- formulas
_BRACKETS = ("(", ")", "|")


def ident(text: str) -> str:
    """A variable."""
    return f"<mi>{escape(text)}</mi>"


def num(value: float | str, digits: int = 3) -> str:
    """A number; a negative one with its minus as an operator of its own, what rounds to zero without one."""
    text = value if isinstance(value, str) else f"{round(value, digits) + 0.0:.{digits}f}"
    if text.startswith("-"):
        return f"<mrow><mo form='prefix'>−</mo><mn>{escape(text[1:])}</mn></mrow>"
    return f"<mn>{escape(text)}</mn>"


def bracketed(value: float, digits: int = 3) -> str:
    """A number that follows an operator: in brackets if it is negative."""
    number = num(value, digits)
    return row(op("("), number, op(")")) if round(value, digits) < 0 else number


def significant(value: float, digits: int = 3) -> str:
    """A positive number to so many digits that count; a small one in powers of ten."""
    if not value or value >= 1e-4:
        return num(f"{value:#.{digits}g}")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return row(num(mantissa), op("·"), power(num("10"), num(str(int(exponent)))))


def op(text: str) -> str:
    """An operator, a bracket or a comma; brackets keep to the size of letters."""
    fixed = " stretchy='false'" if text in _BRACKETS else ""
    return f"<mo{fixed}>{escape(text)}</mo>"


def words(text: str) -> str:
    """Upright text in a formula."""
    return f"<mtext>{escape(text)}</mtext>"


def row(*parts: str) -> str:
    """Pieces side by side."""
    return f"<mrow>{''.join(parts)}</mrow>"


def sub(base: str, index: str) -> str:
    """A base with an index."""
    return f"<msub>{base}{index}</msub>"


def power(base: str, exponent: str) -> str:
    """A base with an exponent."""
    return f"<msup>{base}{exponent}</msup>"


def frac(above: str, below: str) -> str:
    """A fraction."""
    return f"<mfrac>{above}{below}</mfrac>"


def under(base: str, below: str) -> str:
    """An operator with what it runs over, such as max over i ≠ y."""
    return f"<munder>{base}{below}</munder>"


def call(name: str, *inside: str) -> str:
    """A function of something."""
    return row(ident(name), op("("), *inside, op(")"))


def formula(*lines: str, caption: str = "") -> str:
    """Formulas set below each other, with what they are about.

    Args:
        *lines: MathML, one formula each.
        caption: Plain text.
    """
    body = "".join(
        f"<math xmlns='http://www.w3.org/1998/Math/MathML' display='block'><mrow>{line}</mrow></math>"
        for line in lines
    )
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure class='mnuts-formula'>{body}{told}</figure>"
