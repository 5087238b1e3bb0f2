"""The work folder of a long run, a build or an evaluation: what is finished, so that it can resume.

`settings.json` says what is being done; each `batch-000007.safetensors` holds one batch's arrays. Every
file appears whole or not at all, and carries a digest: what is damaged all the same is computed again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from mnuts_core.bundles.manifest import Setting
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.errors import WorkFolderError
from mnuts_core.io.files import FILE, FOLDER, kind_of, make_folder, shown, write_atomically
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.pipeline.locks import LOCK, held
from mnuts_core.text import shortened

Arrays = dict[str, NDArray[Any]]

SUFFIX = ".mnuts-work"
"""The work folder of a run is the path of its result with this behind it."""
SETTINGS = "settings.json"
PARTIAL = "outputs.json"
"""Which outputs hold what a run had found when it was stopped, see `partial_outputs`."""
MAX_SETTINGS = 2**20
"""Bytes of settings that are read at most."""
MAX_SHOWN = 20
"""Changed settings that an error names at most."""
_BATCHES = "batch-*.safetensors"
_OWN = (SETTINGS, PARTIAL, _BATCHES, f".{SETTINGS}.*", f".{PARTIAL}.*", f".{_BATCHES}.*")
"""Files of a work folder, those half written by a killed process among them."""


def work_folder_of(path: str | os.PathLike[str]) -> Path:
    """The work folder beside a result: `OUT.mnuts-work`.

    Example:
        >>> work_folder_of("runs/mine.safetensors").name
        'mine.safetensors.mnuts-work'
    """
    path = Path(path)
    return path.with_name(path.name + SUFFIX)


class WorkFolder:
    """The finished batches of one run, on disk.

    Args:
        path: The folder; it is made when it is opened.
        settings: Everything that the batches depend on, as plain JSON values.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Setting | None]) -> None:
        self.path, self.settings = Path(path), dict(settings)
        self._key = _key(self.settings)

    def open(self, *, fresh: bool = False) -> None:
        """Begin, or take up what an earlier process left. The caller holds the folder, see `locks.held`.

        Args:
            fresh: Throw away what is there, whatever its settings.

        Raises:
            WorkFolderError: If the folder was made with other settings, or is none of ours.
        """
        if fresh:
            discard(self.path)
        make_folder(self.path, WorkFolderError)
        if kind_of(self.path / SETTINGS) is not None:
            self.check()
            return
        if any(self.path.glob("[!.]*")):
            raise WorkFolderError(
                f"{shown(self.path)} holds files but no {SETTINGS}, so it is no work folder: "
                "give another --out, or move it away"
            )
        self._write_settings()

    def _write_settings(self) -> None:
        text = json.dumps(self.settings, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomically(self.path / SETTINGS, text.encode(), WorkFolderError)

    def check(self) -> None:
        """Check that the folder was begun with these very settings.

        Raises:
            WorkFolderError: If not; the message says which differ, from what to what, and what to do.
        """
        there = _read_settings(self.path / SETTINGS)
        names = [*self.settings, *(name for name in there if name not in self.settings)]
        changed = [
            f"{shown(name)}: {shortened(there.get(name))} → {shortened(self.settings.get(name))}"
            for name in names
            if there.get(name) != self.settings.get(name)
        ]
        if changed:
            listed = "; ".join(changed[:MAX_SHOWN])
            raise WorkFolderError(
                f"{shown(self.path)} was begun with other settings ({listed}): go back to those to resume, "
                "or give --fresh to throw its batches away, or another --out"
            )

    def begun_with(self) -> dict[str, Any] | None:
        """The settings that the folder was begun with; None if it is not there, or they cannot be read."""
        try:
            return _read_settings(self.path / SETTINGS)
        except WorkFolderError:
            return None

    def take_over(self, settings: Mapping[str, Setting | None], n_batches: int) -> None:
        """Make a folder that was begun with other settings one of these, and keep its first batches.

        For a caller who knows that these batches are the same under both. A process that is killed in here
        loses no more than batches, whichever settings it is started with again.

        Args:
            settings: Those that the folder was begun with.
            n_batches: How many batches, from 0, are the same.
        """
        before = WorkFolder(self.path, settings)
        for number in range(n_batches):
            if (arrays := before.read(number)) is not None:
                self.write(number, arrays)
        self._write_settings()

    def read(self, number: int) -> Arrays | None:
        """A finished batch; None if it is not there, or not whole.

        Args:
            number: The batch's number.
        """
        return _read_batch(self._batch(number), self._key, number)

    def write(self, number: int, arrays: Arrays) -> None:
        """Keep a batch in the place of what is there; the file appears whole or not at all.

        Args:
            number: The batch's number.
            arrays: What was computed.

        Raises:
            WorkFolderError: If the folder is gone or cannot be written.
        """
        tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        content = to_safetensors(tensors, metadata=_card(self._key, number, tensors))
        write_atomically(self._batch(number), content, WorkFolderError)

    def _batch(self, number: int) -> Path:
        return self.path / f"batch-{number:06d}.safetensors"


def count_batches(path: str | os.PathLike[str]) -> int:
    """How many whole batches of its own run a work folder holds; 0 if it is not there."""
    try:
        key = _key(_read_settings(Path(path) / SETTINGS))
    except WorkFolderError:
        return 0
    return sum(_read_batch(file, key, _number(file)) is not None for file in Path(path).glob(_BATCHES))


def discard(path: str | os.PathLike[str]) -> None:
    """Remove a work folder's own files, and the folder if nothing else is in it.

    Args:
        path: The folder; it is left alone if it is not there or has no settings in it.

    Raises:
        WorkFolderError: If another process works in it, or it cannot be emptied.
    """
    folder = Path(path)
    if kind_of(folder) != FOLDER or kind_of(folder / SETTINGS) != FILE:
        return
    with held(folder):
        try:
            for pattern in reversed(_OWN):  # settings last: without them the folder is none of ours
                for file in folder.glob(pattern):
                    file.unlink(missing_ok=True)
            if [file.name for file in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink()  # which has the lock's holder remove the folder
        except OSError as problem:
            raise WorkFolderError(f"cannot empty {shown(folder)}: {problem.strerror or problem}") from None


def _read_batch(file: Path, key: str, number: int) -> Arrays | None:
    """The arrays of a batch, if the file is whole and holds this batch of this run."""
    try:
        if kind_of(file) != FILE:
            return None
        with safe_open(file, framework="numpy") as handle:
            card = handle.metadata() or {}
            if (card.get("run"), card.get("batch")) != (key, str(number)):
                return None
            arrays = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError):  # the last two: dtypes that NumPy lacks
        return None
    return arrays if card == _card(key, number, arrays) else None


def _card(key: str, number: int, arrays: Arrays) -> dict[str, str]:
    return {"run": key, "batch": str(number), "digest": content_digest(arrays)}


def _key(settings: Mapping[str, Any]) -> str:
    """What tells the batches of one run from those of another."""
    text = json.dumps(settings, sort_keys=True)
    return content_digest({"settings": np.frombuffer(text.encode(), np.uint8)})


def _number(file: Path) -> int:
    """The number in a batch's name; -1, which no batch has, if there is none."""
    digits = file.stem.partition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else -1


def _read_settings(path: Path) -> dict[str, Any]:
    remedy = "give --fresh, or another --out"
    try:
        settings = parse_json(read_bytes(path, MAX_SETTINGS, WorkFolderError), shown(path), WorkFolderError)
    except WorkFolderError as error:
        raise WorkFolderError(f"{error}: {remedy}") from None
    if not isinstance(settings, dict):
        raise WorkFolderError(f"{shown(path)} does not hold settings: {remedy}")
    return settings
