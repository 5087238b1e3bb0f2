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

from mnuts_core.bundles.bundle import content_digest
from mnuts_core.bundles.manifest import Setting, shortened
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically

Arrays = dict[str, NDArray[Any]]

SUFFIX = ".mnuts-work"
"""The work folder of a run is the path of its result with this behind it."""
SETTINGS = "settings.json"
_OWN = (SETTINGS, "batch-*.safetensors", f".{SETTINGS}.*", ".batch-*.safetensors.*")
"""Files of a work folder, those half written by a killed process among them."""


class WorkFolderError(MnutsError):
    """A work folder belongs to another run, is no work folder, or cannot be written."""


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
        text = json.dumps(self.settings, sort_keys=True)
        self._key = content_digest({"settings": np.frombuffer(text.encode(), np.uint8)})

    def open(self, *, fresh: bool = False) -> None:
        """Begin, or take up what an earlier process left.

        Args:
            fresh: Throw away what is there, whatever its settings.

        Raises:
            WorkFolderError: If the folder was made with other settings, or is none of ours.
        """
        if fresh:
            discard(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise WorkFolderError(f"cannot make {self.path}: {problem.strerror or problem}") from None
        if (self.path / SETTINGS).exists():
            self.check()
            return
        if any(self.path.glob("[!.]*")):
            raise WorkFolderError(
                f"{self.path} holds files but no {SETTINGS}, so it is no work folder: "
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
            f"{name}: {shortened(there.get(name))} → {shortened(self.settings.get(name))}"
            for name in names
            if there.get(name) != self.settings.get(name)
        ]
        if changed:
            raise WorkFolderError(
                f"{self.path} was begun with other settings ({'; '.join(changed)}): go back to those to "
                "resume, or give --fresh to throw its batches away, or another --out"
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
        try:
            with safe_open(self._batch(number), framework="numpy") as handle:
                card = handle.metadata() or {}
                arrays = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        except (SafetensorError, OSError):
            return None
        return arrays if card == self._card(number, arrays) else None

    def write(self, number: int, arrays: Arrays) -> None:
        """Keep a batch in the place of what is there; the file appears whole or not at all.

        Args:
            number: The batch's number.
            arrays: What was computed.

        Raises:
            WorkFolderError: If the folder is gone or cannot be written.
        """
        tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        content = to_safetensors(tensors, metadata=self._card(number, tensors))
        write_atomically(self._batch(number), content, WorkFolderError)

    def _batch(self, number: int) -> Path:
        return self.path / f"batch-{number:06d}.safetensors"

    def _card(self, number: int, arrays: Arrays) -> dict[str, str]:
        return {"run": self._key, "batch": str(number), "digest": content_digest(arrays)}


def count_batches(path: str | os.PathLike[str]) -> int:
    """How many batches a work folder holds; 0 if it is not there."""
    return sum(1 for _ in Path(path).glob("batch-*.safetensors"))


def discard(path: str | os.PathLike[str]) -> None:
    """Remove a work folder's own files, and the folder if nothing else is in it.

    Args:
        path: The folder; it is left alone if it is not there or has no settings in it.
    """
    folder = Path(path)
    if not (folder / SETTINGS).is_file():
        return
    for pattern in reversed(_OWN):  # settings last: without them the folder is none of ours
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WorkFolderError(f"{path} cannot be read ({error}): give --fresh, or another --out") from None
    if not isinstance(settings, dict):
        raise WorkFolderError(f"{path} does not hold settings: give --fresh, or another --out")
    return settings
