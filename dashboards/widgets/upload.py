"""Files from the visitor: sent in pieces, bounded in size, kept in a folder that goes with the kernel.

What is not complete has an ending of its own, by which the server removes it when the connection is lost.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

from mnuts_core.errors import MnutsError
from mnuts_dashboards.widgets.folders import PART

MAX_FILE = 256 * 2**20
"""Bytes of one file."""
MAX_TOTAL = 2 * MAX_FILE
"""Bytes of all files that one visitor may leave here."""


class Incoming:
    """A visitor's files, one at a time, each piece by piece.

    Args:
        endings: What is taken, such as `(".json",)`.
    """

    _total: ClassVar[int] = 0  # bytes of all files that came into this kernel, which is one visitor's

    def __init__(self, endings: Sequence[str]) -> None:
        self.endings = tuple(endings)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._name, self._size, self._got = "", 0, 0
        self._file: BinaryIO | None = None

    def begin(self, name: str, size: object) -> None:
        """Begin with a file; one that is not complete is dropped.

        Args:
            name: Its name, as the visitor has it.
            size: How many bytes will come.

        Raises:
            MnutsError: If it is not taken.
        """
        self.close()
        self._name = harmless(name)
        if Path(self._name).suffix.lower() not in self.endings:
            raise MnutsError(f"{self._name} must end in {' or '.join(self.endings)}")
        if type(size) is not int or not 0 < size <= MAX_FILE:
            most, got = MAX_FILE // 2**20, str(size)[:40]
            raise MnutsError(f"{self._name} must hold 1 byte to {most} MiB, got a size of {got}")
        if Incoming._total + size > MAX_TOTAL:
            most = MAX_TOTAL // 2**20
            raise MnutsError(f"{self._name}: you may leave {most} MiB here in all; reload the page first")
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="mnuts-upload-")
            self._file = (Path(self._folder.name) / f"{self._name}{PART}").open("wb")
        except OSError as error:
            raise self._unkept(error) from None
        Incoming._total += size  # from now on, since the file may stay unfinished
        self._size, self._got = size, 0

    def piece(self, piece: bytes) -> Path | None:
        """Take the next piece; the path of the file once it is complete.

        Raises:
            MnutsError: If more comes than was announced, or it cannot be kept.
        """
        if self._file is None:
            raise MnutsError("a piece came of no file: choose it again")
        self._got += len(piece)
        if self._got > self._size:
            self.close()
            raise MnutsError(f"{self._name} is larger than announced: not imported")
        try:
            self._file.write(piece)
            return self._complete() if self._got == self._size else None
        except OSError as error:
            self.close()
            raise self._unkept(error) from None

    def close(self) -> None:
        """Drop an unfinished file; what it would have taken is free again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None
            Incoming._total -= self._size

    def _complete(self) -> Path:
        assert self._file is not None
        part = Path(self._file.name)
        self._file.close()
        path = part.replace(part.with_name(self._name))
        self._file = None
        return path

    def _unkept(self, error: OSError) -> MnutsError:
        return MnutsError(f"the file cannot be kept: {error.strerror or error}")


def harmless(name: str) -> str:
    """A file name without folders, control characters or surprises.

    Example:
        >>> harmless("../../etc/my bundle.safetensors")
        'my bundle.safetensors'
    """
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.() +-]+", "_", last).lstrip(".")[-120:] or "file"
