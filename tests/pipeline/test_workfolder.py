"""The work folder: whole files or none, settings that must match, and nothing removed that is not ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_only_whole_batches_of_its_own_run_count(work: WorkFolder) -> None:
    for number in range(5):
        work.write(number, ARRAYS)
    files = sorted(work.path.glob("batch-*"))
    files[0].write_bytes(files[0].read_bytes()[:-1])
    files[1].write_bytes(damage_flip(files[1].read_bytes()))
    files[2].write_bytes(files[3].read_bytes())
    WorkFolder(work.path, SETTINGS | {"seed": 1}).write(5, ARRAYS)
    (work.path / "batch-x.safetensors").write_bytes(files[3].read_bytes())
    os.mkfifo(work.path / "batch-000007.safetensors")
    assert count_batches(work.path) == 2
    assert [number for number in range(9) if work.read(number) is not None] == [3, 4]
    (work.path / "settings.json").write_text("[")
    assert count_batches(work.path) == 0


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_batch_is_whole_or_not_there(tmp_path_factory: pytest.TempPathFactory, changes: list) -> None:
    work = WorkFolder(tmp_path_factory.getbasetemp() / "whole", SETTINGS)
    work.path.mkdir(exist_ok=True)
    work.write(0, ARRAYS)
    (file,) = work.path.glob("batch-*")
    content = bytearray(file.read_bytes())
    for place, flip in changes:
        content[int(place * len(content))] ^= flip
    same = bytes(content) == file.read_bytes()
    file.write_bytes(content)
    assert (work.read(0) is not None) is same


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F64", "I32", "nonsense"])
def test_a_batch_of_another_dtype_is_not_there(work: WorkFolder, dtype: str) -> None:
    work.write(0, ARRAYS)
    (file,) = work.path.glob("batch-*")
    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    size_of = {"BF16": 2, "F64": 8, "I32": 4}.get(dtype, 1)
    header["a"] |= {"dtype": dtype, "shape": [ARRAYS["a"].nbytes // size_of]}
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
    assert work.read(0) is None


def test_a_batch_of_another_number_or_build_is_not_there(work: WorkFolder) -> None:
    work.write(0, ARRAYS)
    (file,) = work.path.glob("batch-*")
    file.rename(file.with_name("batch-000001.safetensors"))
    assert work.read(1) is None
    work.write(0, ARRAYS)
    assert WorkFolder(work.path, SETTINGS | {"seed": 1}).read(0) is None


def test_changed_settings_are_named_with_both_values(work: WorkFolder) -> None:
    with pytest.raises(WorkFolderError) as caught:
        WorkFolder(work.path, SETTINGS | {"seed": 1, "n_adv": 5}).open()
    message = str(caught.value)
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


def test_broken_settings_are_refused_and_fresh_replaces_them(work: WorkFolder) -> None:
    for content in ("{", "[1]", "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "{}" + " " * 2**20 + "x", "\0"):
        (work.path / "settings.json").write_text(content)
        with pytest.raises(WorkFolderError, match=r"settings\.json .*give --fresh, or another --out"):
            work.open()
    work.open(fresh=True)


def test_settings_are_a_regular_file(work: WorkFolder) -> None:
    (work.path / "settings.json").unlink()
    os.mkfifo(work.path / "settings.json")
    with pytest.raises(WorkFolderError, match="not a regular file"):
        work.open()
    assert work.begun_with() is None


def test_a_message_about_settings_is_one_line(work: WorkFolder) -> None:
    names = {f"line\nbreak {number}": number for number in range(100)}
    (work.path / "settings.json").write_text(json.dumps(names))
    with pytest.raises(WorkFolderError) as caught:
        work.open()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000


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
