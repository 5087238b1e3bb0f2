"""A document of headings, paragraphs, lists, tables and one figure, as Markdown or as one HTML file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from mnuts_core.text import escape

Cells = Sequence[str]


@dataclass(frozen=True)
class Heading:
    """A section begins."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table: the first column holds words, all others figures.

    Attributes:
        header: Names of the columns.
        rows: As many cells each.
        strong: Places of rows to set in bold.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A PNG picture.

    Attributes:
        file: Its file name, to which Markdown points; HTML carries the picture itself.
        png: Its bytes.
        alt: What it shows, in words.
    """

    file: str
    png: bytes
    alt: str


Block = Heading | Paragraph | Bullets | Grid | Figure


@dataclass(frozen=True)
class Document:
    """A title and blocks; all text is plain and is escaped where it is set."""

    title: str
    blocks: tuple[Block, ...]


def to_markdown(document: Document) -> str:
    """The document as GitHub's Markdown."""
    parts = [f"# {_md(document.title)}", *(_md_block(block) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def _md_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_md(text)}"
        case Paragraph(text):
            return _md(text)
        case Bullets(items):
            return "\n".join(f"- {_md(item)}" for item in items)
        case Figure(file, _, alt):
            return f"![{_md(alt)}]({file})"
        case Grid(header, rows, strong):
            lines = [_md_row(header), _md_row(["---", *["---:"] * (len(header) - 1)], raw=True)]
            lines += [_md_row(row, bold=place in strong) for place, row in enumerate(rows)]
            return "\n".join(lines)


def _md_row(cells: Cells, *, bold: bool = False, raw: bool = False) -> str:
    words = list(cells) if raw else [_md(cell) for cell in cells]
    return "| " + " | ".join(f"**{word}**" if bold and word else word for word in words) + " |"


def _md(text: str) -> str:
    """Text in which nothing is Markdown or HTML, on one line."""
    flat = escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{char}" if char in "\\`*_[]|#" else char for char in flat)


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
tr.strong { font-weight: 600; }
img { max-width: 100%; background: #fff; }
p, li { overflow-wrap: anywhere; }
"""


def to_html(document: Document) -> str:
    """The document as one HTML file that asks for nothing outside itself."""
    body = "\n".join(
        [f"<h1>{_html(document.title)}</h1>", *(_html_block(block) for block in document.blocks)]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_html(document.title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _html_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{_html(text)}</h2>"
        case Paragraph(text):
            return f"<p>{_html(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{_html(item)}</li>" for item in items) + "</ul>"
        case Figure(_, png, alt):
            return f'<img alt="{_html(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        case Grid(header, rows, strong):
            head = "".join(f'<th scope="col">{_html(cell)}</th>' for cell in header)
            lines = [_html_row(row, bold=place in strong) for place, row in enumerate(rows)]
            return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _html_row(cells: Cells, *, bold: bool) -> str:
    first, *rest = (_html(cell) for cell in cells)
    kind = ' class="strong"' if bold else ""
    return f'<tr{kind}><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"


def _html(text: str) -> str:
    return escape(text)
