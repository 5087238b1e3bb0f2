"""HTML of the lesson: numbers as they are printed, verdicts, formulas in MathML. All text is escaped.

MathML needs no library and no network, grows with the letters around it, and screen readers read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from mnuts_core.text import escape

from .lesson_numbers import Number, Verdict

VERDICTS: dict[Verdict, tuple[str, str]] = {
    "shown": ("✓", "These data show it"),
    "contrary": ("✗", "These data show the opposite"),
    "open": ("?", "These data cannot tell"),
}


def minus(text: str) -> str:
    """A number's text with the minus as it is printed."""
    return text.replace("-", "−")


def paragraph(*parts: str, kind: str = "") -> str:
    """A paragraph of HTML pieces."""
    return f"<p{f' class={kind!r}' if kind else ''}>{' '.join(parts)}</p>"


def strong(text: str) -> str:
    """Emphasised text."""
    return f"<b>{escape(text)}</b>"


def folded(title: str, *paragraphs: str) -> str:
    """An explanation that opens on demand.

    Args:
        title: The line that is always seen.
        *paragraphs: HTML.
    """
    return f"<details><summary>{escape(title)}</summary>{''.join(paragraphs)}</details>"


# --- numbers
def percent(number: Number, *, signed: bool = False) -> str:
    """A share in per cent (a difference of shares in points), with interval and n."""
    sign = "+" if signed else ""
    unit = "points" if signed else "%"
    value = minus(f"<b>{100 * number.value:{sign}.1f}</b>&nbsp;{unit}")
    return f"{value} {_interval(number, 100, 1, sign)}"


def brief(number: Number) -> str:
    """A share in per cent with its interval, where n is told elsewhere."""
    value, low, high = (f"{100 * part:.1f}" for part in number[:3])
    return f"<b>{value}</b>&nbsp;% <small>{low} to {high}</small>"


def margin(number: Number, digits: int = 3) -> str:
    """A margin, or a ratio of two, with interval and n."""
    return f"<b>{plain(number.value, digits)}</b> {_interval(number, 1, digits)}"


def _interval(number: Number, factor: float, digits: int, sign: str = "") -> str:
    if math.isnan(number.low) or math.isnan(number.high):
        ends = "too few for an interval"
    else:
        low, high = (_end(factor * end, digits, sign) for end in (number.low, number.high))
        ends = f"95&nbsp;%: {low} to {high}"
    return f"<small>({ends}; n&nbsp;=&nbsp;{number.n:,})</small>"


def _end(value: float, digits: int, sign: str) -> str:
    return "∞" if math.isinf(value) else minus(f"{value:{sign}.{digits}f}")


def plain(value: float, digits: int = 3) -> str:
    """A number with its minus as it is printed; small ones in powers of ten."""
    if value and abs(value) < 10**-digits:
        mantissa, exponent = f"{value:.1e}".split("e")
        return minus(f"{mantissa}·10<sup>{int(exponent)}</sup>")
    return minus(f"{value:.{digits}f}")


# --- what came of a prediction
def unbroken(text: str) -> str:
    """The text with no line break before a per cent sign."""
    return text.replace(" %", "\u00a0%")


def verdict(claim: str, found: Verdict, ground: str = "") -> str:
    """A claim and what the data say of it.

    Args:
        claim: Plain text.
        found: The verdict.
        ground: HTML: the figures it rests on.
    """
    sign, words = VERDICTS[found]
    return (
        f"<p class='mnuts-verdict' data-verdict='{found}'><span aria-hidden='true'>{sign}</span>"
        f"<span><b>{words}:</b> {unbroken(escape(claim))} {ground}</span></p>"
    )


def answer(said: str | None, close: bool | None, truth: str) -> str:
    """What the reader said against what the data say.

    Args:
        said: Plain text; None if the reader asked to be shown.
        close: Whether it was right, or near enough; None if the data cannot tell.
        truth: HTML.
    """
    if said is None:
        head = "<b>The data say:</b>"
    else:
        word = {True: "Well guessed.", False: "Not quite.", None: "Nobody can tell from these data."}[close]
        head = f"<b>{word}</b> You said {escape(said)}."
    mark = "skipped" if said is None else {True: "close", False: "off", None: "open"}[close]
    return f"<div class='mnuts-answer' data-answer='{mark}' role='status'><p>{head} {truth}</p></div>"


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


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A small table.

    Args:
        head: Column names, plain text.
        rows: Cells, HTML; the first of a row is its heading. A column with nothing in it is left out.
    """
    filled = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
    head, *rows = zip(*filled, strict=True)
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f"<div class='mnuts-wide' tabindex='0' role='region' aria-label='Table'><table class='mnuts-cases'>"
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def picture(url: str | None, alt: str) -> str:
    """An image of the bundle, enlarged without smoothing; empty where there is none."""
    return "" if url is None else f"<img class='mnuts-image' src='{url}' alt='{escape(alt)}'>"


def mark(inside: str, *, right: bool) -> str:
    """HTML in the colour of right or wrong; the words must say it too."""
    return f"<span class='mnuts-mark' data-mark='{'right' if right else 'wrong'}'>{inside}</span>"
