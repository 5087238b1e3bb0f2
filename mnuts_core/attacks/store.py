"""What an interrupted evaluation has finished, kept in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor

from mnuts_core.errors import MnutsError
from mnuts_core.files import write_atomically
from mnuts_core.manifest import Setting

SETTINGS_FILE = "settings.json"
_DONE = "done"


class RunStore:
    """A folder with the settings of a run and one file for each batch, replaced after each component.

    Args:
        folder: Where, made if it does not exist; None keeps nothing.
        settings: What the run depends on.

    Raises:
        MnutsError: If the folder holds a run of other settings, or cannot be used.
    """

    def __init__(self, folder: str | Path | None, settings: dict[str, Setting]) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is None:
            return
        path = self.folder / SETTINGS_FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            before = json.loads(path.read_text("utf-8")) if path.exists() else None
        except (OSError, ValueError) as error:
            raise MnutsError(f"work_dir {self.folder} cannot be used: {error}; name another folder") from None
        if before is None:
            write_atomically(path, (json.dumps(settings, indent=2) + "\n").encode(), MnutsError)
        else:
            self._refuse_changes(before, settings)

    def load(self, number: int) -> tuple[int, dict[str, Tensor]] | None:
        """How many components a batch has behind it, and its tensors; None if it has none.

        Raises:
            MnutsError: If its file is damaged.
        """
        path = self._path(number)
        if path is None or not path.exists():
            return None
        try:
            tensors = from_safetensors(path.read_bytes())
            return int(tensors.pop(_DONE)), tensors
        except (SafetensorError, KeyError, OSError) as error:
            raise MnutsError(f"{path} is damaged ({error}): delete it, and the run does it again") from None

    def save(self, number: int, done: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep a batch as it is after `done` components."""
        if path := self._path(number):
            content = to_safetensors({**tensors, _DONE: torch.tensor(done)})
            write_atomically(path, content, MnutsError)

    def _path(self, number: int) -> Path | None:
        return self.folder and self.folder / f"batch-{number:05}.safetensors"

    def _refuse_changes(self, before: Any, settings: dict[str, Setting]) -> None:
        old = before if isinstance(before, dict) else {}
        for name in sorted({*old, *settings}):
            if old.get(name) != settings.get(name):
                raise MnutsError(
                    f"work_dir {self.folder} holds a run with {name} = {old.get(name)}, now it is "
                    f"{settings.get(name)}: give the same settings, start afresh (--fresh), or name "
                    "another folder"
                )
