"""The figures and tables of docs/cached-estimates.md, from what `mnuts ablate pool` found (`make truth`).

`docs/scripts/truth/` holds that command's answer (`--json`) on each pair; accuracies come from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mnuts_core.demo.tables import filled, markdown
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_together
from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure
from mnuts_dashboards.theme import FONT, MIX, PAGE, RIGHT, WRONG

HERE = Path(__file__).parent
ARTICLE = HERE.parent / "cached-estimates.md"
PLOTLY = HERE.parents[1] / "dashboards" / "plotlyjs" / "share" / "plotly-cartesian-4.1.1.min.js"
CHROMIUM = "/usr/bin/chromium"
SVG = "async (plot) => decodeURIComponent((await Plotly.toImage(plot, {format: 'svg'})).split(',')[1])"
SIZE = {"width": 900, "height": 430}
Row = Mapping[str, Any]


class Estimate(NamedTuple):
    """One way to estimate from a cache: the rows' column, its words, colour and symbol."""

    column: str
    words: str
    colour: str
    symbol: str


ESTIMATES = (
    Estimate("first", "MMAA's points alone", WRONG, "circle-open"),
    Estimate("first_margin", "MMAA's points, by margin", RIGHT, "diamond"),
    Estimate("live", "pool", MIX, "circle"),
)
OWN = Estimate("own", "the mix's own attack", PAGE["light"]["text"], "line-ns-open")


def names(answer: Mapping[str, Any]) -> list[str]:
    """What the rows' mixes are called."""
    kinds = ("plain mix" if mix["clamp"] == "linear" else "MixedNUTS" for mix in answer["mixes"])
    return [f"{kind}, β = {row['beta']:g}" for kind, row in zip(kinds, answer["rows"], strict=True)]


def figure(answer: Mapping[str, Any]) -> Figure:
    """Left all estimates, right how far each lies above the attack on the mix itself; plain Plotly JSON.

    Args:
        answer: What the command found.
    """
    rows, labels = answer["rows"], names(answer)
    traces = [_marks(one, [100 * row[one.column] for row in rows], labels) for one in (*ESTIMATES, OWN)]
    traces += [_differences(rows, labels, one) for one in ESTIMATES]
    page, shown = PAGE["light"], [x for trace in traces[: len(ESTIMATES)] for x in trace["x"]]
    lines = {"gridcolor": page["grid"], "zeroline": False, "ticksuffix": " "}
    return {
        "data": traces,
        "layout": {
            **SIZE,
            "font": {"family": FONT, "size": 12, "color": page["text"]},
            "paper_bgcolor": page["ground"],
            "plot_bgcolor": page["ground"],
            "margin": {"l": 140, "r": 16, "t": 16, "b": 92},
            "xaxis": lines
            | {"domain": [0, 0.53], "range": [min(shown) - 1, max(shown) + 1]}
            | {"title": {"text": "right under attack, %"}},
            "xaxis2": lines
            | {"domain": [0.57, 1], "anchor": "y2", "zeroline": True, "zerolinecolor": page["text"]}
            | {"title": {"text": "less the mix's own attack, points"}},
            "yaxis": lines | {"autorange": "reversed"},
            "yaxis2": lines | {"autorange": "reversed", "matches": "y", "showticklabels": False},
            "legend": LEGEND_BELOW,
        },
    }


def _differences(rows: Sequence[Row], labels: Sequence[str], one: Estimate) -> Figure:
    """With paired 95 % intervals."""
    name = f"{one.column}_minus_own"
    value, low, high = ([100 * row[name + end] for row in rows] for end in ("", "_low", "_high"))
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [b - a for a, b in zip(value, high, strict=True)],
        "arrayminus": [a - b for a, b in zip(value, low, strict=True)],
        "thickness": 1,
        "width": 3,
    }
    return _marks(one, value, labels) | {"xaxis": "x2", "yaxis": "y2", "error_x": bars, "showlegend": False}


def _marks(one: Estimate, x: Sequence[float], y: Sequence[str]) -> Figure:
    line = {"width": 2, "color": one.colour}
    marker = {"color": one.colour, "symbol": one.symbol, "size": 10, "line": line}
    return {"type": "scatter", "mode": "markers", "name": one.words, "x": x, "y": y, "marker": marker}


def table(answer: Mapping[str, Any]) -> str:
    """The same as Markdown: shares in %, differences in points with paired 95 % intervals."""
    return markdown(_cells(answer))


def _cells(answer: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    yield "mix", "own attack, %", "all points, %", *(f"{one.words}, less own" for one in ESTIMATES)
    for name, row in zip(names(answer), answer["rows"], strict=True):
        own = f"{100 * row['own']:.1f} [{100 * row['own_low']:.1f}, {100 * row['own_high']:.1f}]"
        both = f"{100 * row['both']:.1f}"
        yield name, own, both, *(_difference(row, f"{one.column}_minus_own") for one in ESTIMATES)


def _difference(row: Row, name: str) -> str:
    value, low, high = (100 * row[name + end] for end in ("", "_low", "_high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def answers() -> dict[str, Any]:
    """What the command found, by the pair's name."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "truth").glob("*.json"))
    }


def refreshed(text: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The article with its tables as they ought to be.

    Args:
        text: The article.
        found: What the command found, by the pair's name.
    """
    return filled(text, lambda pair, _: _cells(found[pair]))


def drawn(plot: Figure) -> str:
    """A figure as SVG, by the Plotly that the page has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=PLOTLY)
        svg = page.evaluate(SVG, plot)
        browser.close()
    return str(svg)


def main() -> None:
    """Write all anew."""
    found = answers()
    pictures = {
        HERE.parent / f"cached-estimates-{pair}.svg": drawn(figure(answer)).encode()
        for pair, answer in found.items()
    }
    article = refreshed(ARTICLE.read_text("utf-8"), found).encode()
    write_together({ARTICLE: article, **pictures}, MnutsError)


if __name__ == "__main__":
    main()
