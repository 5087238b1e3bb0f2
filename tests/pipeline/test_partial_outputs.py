"""Whose an output is: the run's that wrote it, until somebody changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnuts_core.cli.shared_run import check
from mnuts_core.errors import MnutsError
from mnuts_core.pipeline.partial_outputs import is_own, remember
from mnuts_core.pipeline.workfolder import PARTIAL, WorkFolder, discard


def test_own_until_changed(tmp_path: Path) -> None:
    work, out, other = tmp_path / "work", tmp_path / "out.json", tmp_path / "other.json"
    assert not is_own(work, out)
    WorkFolder(work, {}).open()
    out.write_text("mine")
    other.write_text("another's")
    remember(work, [out])
    assert is_own(work, out)
    assert not is_own(work, other)
    check({"--out": out, "--json": "-", "--points": None}, work, force=False)
    with pytest.raises(MnutsError, match=r"other\.json exists already: give another --points"):
        check({"--out": out, "--points": other}, work, force=False)
    with pytest.raises(MnutsError, match="--out and --points must name different files"):
        check({"--out": out, "--points": out}, work, force=False)
    out.write_text("mine, by hand")
    with pytest.raises(MnutsError, match="exists already"):
        check({"--out": out}, work, force=False)
    check({"--out": out}, work, force=True)
    discard(work)
    assert not work.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1', '{"OUT": 5}'])
def test_a_list_that_makes_no_sense_owns_nothing(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out.json"
    out.write_text("mine")
    WorkFolder(tmp_path / "work", {}).open()
    (tmp_path / "work" / PARTIAL).write_text(text.replace("OUT", str(out)))
    assert not is_own(tmp_path / "work", out)
