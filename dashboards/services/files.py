"""Files for a page: what it brings, piece by piece, and what it saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnuts_core.bundles.importers import READERS, import_logits
from mnuts_core.errors import MnutsError
from mnuts_dashboards.bundles.open_bundles import Opened, by_name, load_bundle
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import Call
from mnuts_dashboards.widgets.background import Progress
from mnuts_dashboards.widgets.upload import Incoming

BUNDLE = ".safetensors"
ENDINGS = (BUNDLE, *READERS)
"""What a page may bring: bundles, and tables of logits that become one."""
MAX_BUNDLE = 2**28
"""Bytes of a bundle that a page is sent at most."""


class Imports:
    """Bundles that a page brings.

    Args:
        bundles: Those at hand, which they join.
        added: Called when there is another one.
    """

    def __init__(self, bundles: Bundles, added: Callable[[], None]) -> None:
        self._bundles, self._added = bundles, added
        self._incoming = Incoming(ENDINGS)

    def serve_begin(self, call: Call) -> None:
        """A file is coming: its `name` and `size`."""
        self._incoming.begin(str(call.args.get("name", "")), call.args.get("size"))
        call.answer()

    def serve_piece(self, call: Call) -> None:
        """The next piece; after the last one the answer is the bundle's name and all names at hand."""
        path = self._incoming.piece(bytes(call.buffers[0]) if call.buffers else b"")
        if path is None:
            call.answer()
        else:
            call.work(_reading(path), lambda opened: self.add(path, opened))

    def take(self, path: Path) -> str:
        """Take in a file of this machine; the name of its bundle.

        Raises:
            MnutsError: If it is none.
        """
        name: str = self.add(path, _reading(path)(lambda share: None))["name"]
        return name

    def add(self, path: Path, opened: Opened) -> dict[str, Any]:
        """Take in a bundle that was read from a file."""
        name = self._bundles.session.add(path, opened)
        if path.suffix.lower() != BUNDLE:  # it cannot be read again as it is
            self._bundles.session.replace(name, opened)
        self._added()
        return {"name": name, "bundles": self._bundles.offered}

    def close(self) -> None:
        """An unfinished file is dropped."""
        self._incoming.close()


def _reading(path: Path) -> Callable[[Progress], Opened]:
    def read(_: Progress) -> Opened:
        try:
            if path.suffix.lower() == BUNDLE:
                return load_bundle(path)
            return Opened(import_logits(path))
        except MnutsError as error:
            raise MnutsError(by_name(error, path)) from None

    return read


def bundle_bytes(opened: Opened) -> bytes:
    """An open bundle with all its points, as its file has it.

    Raises:
        MnutsError: If it is too large for a page.
    """
    content = opened.bundle.to_bytes()
    if len(content) > MAX_BUNDLE:
        raise MnutsError(
            f"this bundle is too large to be saved from the page ({len(content) / 2**20:,.0f} MiB): verify "
            "with mnuts evaluate --into, which adds the points to its file"
        )
    return content


def saved(bundle: str, ending: str, content: bytes) -> dict[str, Any]:
    """A file for a page to save, named by its bundle."""
    return {"name": f"mnuts-{bundle}.{ending}", "content": content}
