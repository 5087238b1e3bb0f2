"""What a served page is made of, besides its kernel: its notebook, template, script and styles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from mnuts_dashboards.page.modules import pack, reachable
from mnuts_dashboards.page.styles import styles
from mnuts_dashboards.plotlyjs.library import plotly_source, plotly_url

APPS = ("compare", "explorer", "lesson")
"""The apps whose notebooks' pages need nothing of Voilà's frontend; `host/served_NAME.js` starts each."""


@dataclass(frozen=True)
class ServedNotebook:
    """A notebook as the server reads it.

    Attributes:
        title: Its own title, else its file name.
        app: The app that it shows and nothing else, as its metadata say; None for a notebook of another kind,
            whose page has Voilà's frontend for whatever it shows.
    """

    title: str
    app: str | None

    @classmethod
    def read(cls, path: Path) -> ServedNotebook:
        """The notebook of a file; one that cannot be read has no metadata.

        Args:
            path: The file.
        """
        metadata: Any = {}
        with suppress(OSError, ValueError, AttributeError):
            metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
        metadata = metadata if isinstance(metadata, dict) else {}
        title, app = metadata.get("title"), metadata.get("mnuts_app")
        if not (isinstance(title, str) and title):
            title = path.stem.replace("_", " ").capitalize()
        return cls(title, app if app in APPS else None)

    @property
    def template(self) -> str:
        """Voilà's name of its template, see `share/jupyter/voila/templates`."""
        return "mnuts" if self.app else "mnuts_notebook"

    @cached_property
    def script(self) -> str:
        """The script of its page; empty where that is Voilà's."""
        return pack(f"host/served_{self.app}.js", "open") if self.app else ""

    @property
    def libraries(self) -> Mapping[str, Callable[[], bytes]]:
        """What its page loads, by addresses below the server's that a browser may keep for ever."""
        found: dict[str, Callable[[], bytes]] = {plotly_url(): plotly_source}
        if content := self.script.encode():
            found[self.script_url] = partial(bytes, content)
        return found

    @property
    def script_url(self) -> str:
        """The address of the script, with its digest."""
        return f"mnuts/{self.app}-{hashlib.sha256(self.script.encode()).hexdigest()[:16]}.js"

    def resources(self, base_url: str) -> dict[str, str]:
        """What its template fills in.

        Args:
            base_url: The server's, with a slash at its end.
        """
        common = {"title": self.title, "plotly": base_url + plotly_url()}
        if self.app is None:
            return common
        sheet = styles(reachable(f"host/served_{self.app}.js"))
        return {**common, "script": base_url + self.script_url, "styles": sheet}
