"""A document of headings, paragraphs, lists, tables and one figure, as Markdown or as one HTML file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnuts_core.text import escape, html_templates

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


def to_html(document: Document) -> str:
    """The document as one HTML file that asks for nothing outside itself."""
    templates = html_templates(Path(__file__).parent)
    templates.filters["base64"] = lambda content: base64.b64encode(content).decode()
    blocks = [(type(block).__name__, block) for block in document.blocks]
    return templates.get_template("report.html").render(title=document.title, blocks=blocks)
