"""The tables of the shipped pairs in the texts are those of the files."""

from __future__ import annotations

import pytest

from mnuts_core.demo import tables
from tests import ROOT


@pytest.mark.parametrize("name", ["README.md", "data/README.md"])
def test_tables_are_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert len(tables.TABLE.findall(text)) >= 2
    assert tables.refreshed(text) == text, "run `make tables`"


def test_only_what_stands_between_the_marks_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "shipped", lambda pair: pair)
    monkeypatch.setattr(tables, "MAKERS", {"mixes": lambda pair: iter([("a", pair), ("b", "1")])})
    text = "before\n<!-- table: toy mixes -->\nold\n<!-- end of table -->\nafter"
    table = "| a | toy |\n| --- | ---: |\n| b | 1 |\n"
    assert tables.refreshed(text) == text.replace("old\n", table)
