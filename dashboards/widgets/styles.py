"""The style sheets of a whole page, which no single widget could bring."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as w

APPS = Path(__file__).with_name("apps.css")


def style_sheet(*files: Path) -> w.HTML:
    """CSS files as a part of the page.

    Args:
        *files: The files, in their order.
    """
    return w.HTML(f"<style>{''.join(file.read_text('utf-8') for file in files)}</style>")
