"""The documents: every link of the repository's own leads somewhere, every page is in the site's contents."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import yaml

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import find_bundle
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


class TestArticle:
    """*How wrong are cached estimates of robustness?*: tables and figures in sentences are the data's."""

    SCRIPT = runpy.run_path(str(ROOT / "docs" / "scripts" / "truth.py"))
    ANSWERS = SCRIPT["answers"]()
    ARTICLE = (ROOT / "docs" / "cached-estimates.md").read_text("utf-8")

    def test_it_is_about_both_shipped_pairs(self):
        assert sorted(self.ANSWERS) == ["cifar10", "digits"]
        assert self.SCRIPT["refreshed"](self.ARTICLE, self.ANSWERS) == self.ARTICLE

    @pytest.mark.parametrize("pair", ANSWERS)
    def test_the_table_is_as_make_truth_writes_it(self, pair):
        answer = self.ANSWERS[pair]
        assert self.SCRIPT["table"](answer) in self.ARTICLE
        plot = self.SCRIPT["figure"](answer)
        assert [len(trace["x"]) for trace in plot["data"]] == [6] * 7
        assert plot["data"][4]["x"] == pytest.approx([100 * row["first_minus_own"] for row in answer["rows"]])

    @pytest.mark.parametrize("pair", ANSWERS)
    def test_it_is_about_the_bundle_that_ships(self, pair):
        assert self.ANSWERS[pair]["digest"] == LogitBundle.load(find_bundle(pair)).digest

    @pytest.mark.parametrize("pair", ANSWERS)
    @pytest.mark.parametrize(
        ("column", "other", "words", "pages"),
        [
            ("first", "own", "{:.1f} to {:.1f} points too high", ("README.md", "docs/cached-estimates.md")),
            ("live", "own", "pool: {:+.1f} to {:+.1f}", ("docs/cached-estimates.md",)),
            ("first_margin", "own", "by margin: {:+.1f} to {:+.1f}", ("docs/cached-estimates.md",)),
        ],
    )
    def test_the_sentences_give_its_ranges(self, pair, column, other, words, pages):
        differences = [100 * (row[column] - row[other]) for row in self.ANSWERS[pair]["rows"]]
        wanted = words.format(min(differences), max(differences))
        for page in pages:
            text = (ROOT / page).read_text("utf-8").replace("**", "")
            assert wanted in " ".join(text.split())

    @pytest.mark.parametrize(("pair", "name"), [("digits", "digits"), ("cifar10", "CIFAR-10")])
    def test_the_pool_is_near_all_points_together(self, pair, name):
        most = max(100 * (row["live"] - row["both"]) for row in self.ANSWERS[pair]["rows"])
        assert f"{most:.1f} points on {name}" in " ".join(self.ARTICLE.split())
