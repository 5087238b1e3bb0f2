"""Files from the visitor: sent in pieces, bounded in size, kept in a folder that goes with the kernel.

What is not complete has an ending of its own, by which the server removes it when the connection is lost.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import traitlets

from mnuts_dashboards.widgets.folders import PART
from mnuts_dashboards.widgets.widget import PageWidget

MAX_FILE = 256 * 2**20
"""Bytes of one file."""
MAX_TOTAL = 2 * MAX_FILE
"""Bytes of all files that one visitor may leave here."""


class Upload(PageWidget):
    """A button that takes a file, also dropped onto it.

    A message of a whole file would have to stay below the server's limit for messages, and a larger one would
    cost the connection: hence pieces, each answered before the next is sent.

    Args:
        endings: What is taken, such as `(".json",)`.
        label: What the button says.
        take: Called with the path of a complete file; its name is the visitor's, made harmless.
        refuse: Called with one sentence on a file that was not taken.
    """

    _esm = Path(__file__).with_name("upload.js")
    _total: ClassVar[int] = 0  # bytes of all files that came into this kernel, which is one visitor's
    _css = Path(__file__).with_name("upload.css")
    label = traitlets.Unicode().tag(sync=True)
    endings = traitlets.List(traitlets.Unicode()).tag(sync=True)
    limit = traitlets.Int(MAX_FILE).tag(sync=True)

    def __init__(
        self,
        endings: Sequence[str],
        label: str,
        *,
        take: Callable[[Path], None],
        refuse: Callable[[str], None],
    ) -> None:
        super().__init__(endings=list(endings), label=label)
        self._endings, self._take, self._refuse = tuple(endings), take, refuse
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._name, self._size, self._got = "", 0, 0
        self._file: BinaryIO | None = None
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        try:
            match content.get("type"):
                case "begin":
                    self._begin(str(content.get("name", "")), content.get("size"))
                case "piece" if buffers:
                    self._piece(bytes(buffers[0]))
                case "refused":
                    self._stop(str(content.get("message", ""))[:400])
        except OSError as error:
            self._stop(f"the file cannot be kept: {error.strerror or error}")

    def _begin(self, name: str, size: object) -> None:
        self._close()
        self._name = harmless(name)
        if Path(self._name).suffix.lower() not in self._endings:
            self._stop(f"{self._name} must end in {' or '.join(self._endings)}")
        elif type(size) is not int or not 0 < size <= MAX_FILE:
            self._stop(
                f"{self._name} must hold 1 byte to {MAX_FILE // 2**20} MiB, got {str(size)[:40]} bytes"
            )
        elif Upload._total + size > MAX_TOTAL:
            self._stop(
                f"{self._name}: you may leave {MAX_TOTAL // 2**20} MiB here in all; reload the page first"
            )
        else:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="mnuts-upload-")
            Upload._total += size  # from now on, since the file may stay unfinished
            self._size, self._got = size, 0
            self._file = (Path(self._folder.name) / f"{self._name}{PART}").open("wb")
            self.send({"type": "next"})

    def _piece(self, piece: bytes) -> None:
        if self._file is None:
            return
        self._got += len(piece)
        if self._got > self._size:
            self._stop(f"{self._name} is larger than announced: not imported")
            return
        self._file.write(piece)
        if self._got < self._size:
            self.send({"type": "next"})
            return
        part = Path(self._file.name)
        self._file.close()
        path = part.replace(part.with_name(self._name))
        self._file = None
        self.send({"type": "end"})
        self._take(path)

    def _stop(self, message: str) -> None:
        self._close()
        self.send({"type": "end"})
        self._refuse(message)

    def _close(self) -> None:
        """Drop an unfinished file; what it would have taken is free again."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None
            Upload._total -= self._size

    def close(self) -> None:
        """An unfinished file goes with the widget."""
        self._close()
        super().close()


def harmless(name: str) -> str:
    """A file name without folders, control characters or surprises.

    Example:
        >>> harmless("../../etc/my bundle.safetensors")
        'my bundle.safetensors'
    """
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.() +-]+", "_", last).lstrip(".")[-120:] or "file"
