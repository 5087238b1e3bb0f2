"""Formulas: LaTeX in, MathML out, which needs no script in the page and which screen readers read.

Numbers and names come into LaTeX through the functions here, so that signs and names are set right.
"""

from __future__ import annotations

from functools import lru_cache
from html import unescape
from typing import Literal
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markupsafe import Markup

from mnuts_dashboards.text.templates import Texts

_TEXTS = Texts("text/templates/formula.html")


def formula(*lines: str, caption: str = "") -> Markup:
    """Formulas in lines of their own, with what they are about.

    Args:
        *lines: LaTeX, one formula each.
        caption: Plain text.
    """
    return _TEXTS.html("figure", formulas=[mathml(line) for line in lines], caption=caption)


@lru_cache(maxsize=256)
def mathml(latex: str, display: Literal["block", "inline"] = "block") -> Markup:
    r"""A formula as MathML; its LaTeX is the text alternative where MathML is not known.

    Args:
        latex: LaTeX without dollar signs; names in it come from `text`.
        display: In a line of its own, or within a sentence.

    Example:
        >>> mathml(r"\alpha", "inline")
        Markup('<math xmlns="..." display="inline" alttext="\\alpha"><mrow><mi>α</mi></mrow></math>')
    """
    tree = convert_to_element(latex, display=display)
    for node in tree.iter():  # the library writes character references where text belongs, and so does `text`
        node.text = node.text and unescape(node.text)
    tree.set("alttext", unescape(latex))
    return Markup(ElementTree.tostring(tree, encoding="unicode"))


def text(name: str) -> str:
    """Any text in upright letters, as LaTeX: a class may be named with a brace or a backslash.

    Args:
        name: Plain text.
    """
    safe = "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in name)
    return rf"\text{{{safe}}}"


def number(value: float, digits: int = 3) -> str:
    """A number as LaTeX; a negative one holds together with its minus, what rounds to zero has none.

    Args:
        value: The number.
        digits: Decimals.
    """
    plain = f"{round(value, digits) + 0.0:.{digits}f}"
    return f"{{{plain}}}" if plain.startswith("-") else plain


def bracketed(value: float, digits: int = 3) -> str:
    """A number that follows an operator, as LaTeX: in brackets if it is negative.

    Args:
        value: The number.
        digits: Decimals.
    """
    latex = number(value, digits)
    return f"({latex})" if latex.startswith("{") else latex


def significant(value: float, digits: int = 3) -> str:
    """A number from 0 upwards to a count of significant digits, as LaTeX; a small one in powers of ten.

    Args:
        value: The number.
        digits: Significant digits.
    """
    if not value or value >= 1e-4:
        return f"{value:#.{digits}g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
