"""The work folder: whole files or none, settings that must match, and nothing removed that is not ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnuts_core.pipeline.workfolder import WorkFolder, WorkFolderError, count_batches, discard, work_folder_of

SETTINGS = {"eps": 8 / 255, "seed": 0, "surrogate": "LN∘h_rob", "with_images": False, "n_adv": None}
ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2], np.uint8)}


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    folder = WorkFolder(work_folder_of(tmp_path / "out.safetensors"), SETTINGS)
    folder.open()
    return folder


def test_a_batch_comes_back_as_it_was(work: WorkFolder) -> None:
    work.write(3, ARRAYS)
    again = WorkFolder(work.path, SETTINGS)
    again.open()
    found = again.read(3)
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert again.read(2) is None
    assert count_batches(work.path) == 1


def damage_truncate(content: bytes) -> bytes:
    return content[:-1]


def damage_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damage_empty(content: bytes) -> bytes:
    return b""


def damage_flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", [damage_truncate, damage_half, damage_empty, damage_flip])
def test_a_damaged_batch_is_not_there(work: WorkFolder, damage) -> None:
    work.write(0, ARRAYS)
    (file,) = work.path.glob("batch-*")
    file.write_bytes(damage(file.read_bytes()))
    assert work.read(0) is None
    work.write(0, ARRAYS)
    assert work.read(0) is not None


def test_a_batch_of_another_number_or_build_is_not_there(work: WorkFolder) -> None:
    work.write(0, ARRAYS)
    (file,) = work.path.glob("batch-*")
    file.rename(file.with_name("batch-000001.safetensors"))
    assert work.read(1) is None
    work.write(0, ARRAYS)
    assert WorkFolder(work.path, SETTINGS | {"seed": 1}).read(0) is None


def test_changed_settings_are_named_with_both_values(work: WorkFolder) -> None:
    with pytest.raises(WorkFolderError) as told:
        WorkFolder(work.path, SETTINGS | {"seed": 1, "n_adv": 5}).open()
    message = str(told.value)
    assert "(seed: 0 → 1; n_adv: None → 5)" in message
    assert "--fresh" in message
    assert "another --out" in message
    assert "eps" not in message


def test_fresh_throws_away_what_is_there(work: WorkFolder) -> None:
    work.write(0, ARRAYS)
    other = WorkFolder(work.path, SETTINGS | {"seed": 1})
    other.open(fresh=True)
    assert count_batches(work.path) == 0
    other.check()


def test_broken_settings_are_refused_and_fresh_mends_them(work: WorkFolder) -> None:
    for content in ("{", "[1]"):
        (work.path / "settings.json").write_text(content)
        with pytest.raises(WorkFolderError, match=r"settings\.json .*give --fresh, or another --out"):
            work.open()
    work.open(fresh=True)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    for fresh in (False, True):
        with pytest.raises(WorkFolderError, match=r"holds files but no settings\.json"):
            WorkFolder(tmp_path, SETTINGS).open(fresh=fresh)
    discard(tmp_path)
    assert (tmp_path / "holiday.jpg").exists()


def test_discard_removes_its_own_files_only(work: WorkFolder) -> None:
    work.write(0, ARRAYS)
    (work.path / ".batch-000001.safetensors.abc").write_bytes(b"half")
    discard(work.path)
    assert not work.path.exists()
    discard(work.path)
    work.open()
    (work.path / "mine.txt").write_text("x")
    discard(work.path)
    assert [file.name for file in work.path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_or_is_gone(tmp_path: Path, work: WorkFolder) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(WorkFolderError, match="cannot make"):
        WorkFolder(file / "such", SETTINGS).open()
    discard(work.path)
    with pytest.raises(WorkFolderError, match="cannot write"):
        work.write(0, ARRAYS)
