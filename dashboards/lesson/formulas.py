r"""The lesson's formulas: LaTeX, turned into MathML once; the page puts the reader's own numbers in.

A number is written `\text{@name}`; the page knows it by that name, see `web/lesson/math.js`.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

LATEX: dict[str, tuple[str, ...]] = {
    "margin": (
        r"m_h = {\sigma(h)}_{ŷ} - \max\limits_{i \ne ŷ} {\sigma(h)}_i",
        r"= \text{@first} - \text{@second} \approx \text{@margin}",
    ),
    "line": (r"q = Q_{1 - \beta}\left(m_h(x + \delta)\right) = \text{@q} \text{ } (\beta = \text{@beta})",),
    "norm": (
        r"{\text{LN}(h)}_{ŷ} = \frac{h_{ŷ} - \text{mean}(h)}{\text{std}(h)}",
        r"= \frac{\text{@logit} - (\text{@mean})}{\text{@spread}} \approx \text{@normed}",
    ),
    "clamp": (
        r"v_i = \text{GELU}({\text{LN}(h)}_i + c)",
        r"v_{ŷ} = \text{GELU}(\text{@normed} + (\text{@c})) \approx \text{@clamped}",
    ),
    "power": (
        r"{M(h)}_i = s \cdot {|v_i|}^p \cdot \text{sgn}(v_i)",
        r"{M(h)}_{ŷ} = \text{@s} \cdot {\text{@size}}^{\text{@p}} \cdot (\text{@sign})"
        r" \approx \text{@mapped}",
    ),
    "mix": (
        r"p_1 - p_{ŷ_g} \le \frac{1 - \alpha}{\alpha} = \frac{1 - \text{@alpha}}{\text{@alpha}}"
        r" \approx \text{@threshold}",
    ),
    "price": (r"\alpha = \frac{1}{1 + q} = \frac{1}{1 + \text{@q}} \approx \text{@alpha}",),
}
"""By step its formula in general, then with the reader's numbers."""
_FIELD = re.compile(r"\\text\{@(\w+)\}")


@cache
def formulas() -> dict[str, list[dict[str, Any]]]:
    """By step its lines: `text`, its LaTeX, and `tree`, `[tag, attributes, …children]`."""
    return {step: [_line(latex) for latex in lines] for step, lines in LATEX.items()}


def _line(latex: str) -> dict[str, Any]:
    tree = convert_to_element(latex, display="block")
    return {"text": _FIELD.sub(r"@\1", latex), "tree": _node(tree)}


def _node(node: Element) -> list[Any]:
    """One element; a place for a number is an `mn` whose text begins with @."""
    text = unescape(node.text or "").strip(" \n")  # not the spaces that a formula has
    tag = "mn" if text.startswith("@") else node.tag
    attributes = {name: value for name, value in node.attrib.items() if name != "xmlns"}
    return [tag, attributes, *([text] if text else []), *(_node(child) for child in node)]
