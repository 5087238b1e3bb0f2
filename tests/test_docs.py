"""The documents: every link of the repository's own leads somewhere, every page is in the site's contents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").rglob("*.md")], key=str)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
MADE = {"explorer.html", "reference/cli.md", "reference/core.md"}
"""Pages that only the site has."""


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and MkDocs give the headings, where they agree: letters, digits and dashes."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s+", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        if target in MADE:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{target} is not there"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{target}#{anchor}: no such heading"


def nav_files(entry: object) -> list[str]:
    """The files in a part of the site's contents."""
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [file for part in parts for file in nav_files(part)]


def test_every_page_is_in_the_sites_contents():
    text = re.sub(r"!ENV |!!python/name:", "", (ROOT / "mkdocs.yml").read_text("utf-8"))
    nav = nav_files(yaml.safe_load(text)["nav"])
    assert len(nav) == len(set(nav))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= set(nav)
    assert {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(nav)
    core = ROOT / "mnuts_core"
    rooms = {path.parent.name for path in core.glob("*/__init__.py")} - {"cli"} | {"cli", "core"}
    assert {f"reference/{room}.md" for room in rooms} <= set(nav)
