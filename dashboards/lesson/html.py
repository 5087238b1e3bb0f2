"""HTML of the lesson: numbers as they are printed, verdicts, formulas in MathML. All text is escaped.

MathML needs no library and no network, grows with the letters around it, and screen readers read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from mnuts_core.functional.statistics import Estimate, Verdict
from mnuts_dashboards.text.numbers import minus

VERDICTS: dict[Verdict, tuple[str, str]] = {
    "shown": ("✓", "These data show it"),
    "contrary": ("✗", "These data show the opposite"),
    "open": ("?", "These data cannot tell"),
}


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
def percent(number: Estimate, *, signed: bool = False) -> str:
    """A share in per cent (a difference of shares in points), with interval and n."""
    sign = "+" if signed else ""
    unit = "points" if signed else "%"
    value = minus(f"<b>{100 * number.value:{sign}.1f}</b>&nbsp;{unit}")
    return f"{value} {_interval(number, 100, 1, sign)}"


def brief(number: Estimate) -> str:
    """A share in per cent with its interval, where n is told elsewhere."""
    value, low, high = (f"{100 * part:.1f}" for part in (number.value, *number.interval))
    return f"<b>{value}</b>&nbsp;% <small>{low} to {high}</small>"


def margin(number: Estimate, digits: int = 3) -> str:
    """A margin, or a ratio of two, with interval and n."""
    return f"<b>{plain(number.value, digits)}</b> {_interval(number, 1, digits)}"


def _interval(number: Estimate, factor: float, digits: int, sign: str = "") -> str:
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
