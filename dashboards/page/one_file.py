"""An app as one HTML file: opened from a disk or a web server, it computes by itself and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import shipped_folder
from mnuts_core.errors import BundleError, ConfigError, MnutsError
from mnuts_core.export.belonging import configs_of
from mnuts_core.export.config import MixConfig
from mnuts_core.io.files import shown
from mnuts_core.text import one_line, visible
from mnuts_dashboards.page.data import embedded, engine_record, images_record, page_meta
from mnuts_dashboards.page.modules import pack, reachable
from mnuts_dashboards.page.styles import styles
from mnuts_dashboards.plotlyjs.library import plotly_source
from mnuts_dashboards.text.scripts import json_in_script, library_in_script
from mnuts_dashboards.text.templates import ENVIRONMENT

WORKER = "engine/worker.js"
MAX_TITLE = 200
MAX_LOGITS = 2**28
"""Bytes of logits of one bundle; a browser's longest text is a little over twice of that in base64."""

Configs = Iterable[tuple[Path, MixConfig]]
Named = tuple[str, LogitBundle]


class App(NamedTuple):
    """Which app a page holds.

    Attributes:
        name: What it is called; `host/open_NAME.js` and `host/widget_NAME.js` start it.
        title: Heading of the page where no other is given.
        sentence: What the page is for.
        content: What its host hands to it, as plain JSON by name.
        language: Of its texts, as HTML names it.
    """

    name: str
    title: str
    sentence: str
    content: Mapping[str, Any]
    language: str = "en"

    @property
    def opener(self) -> str:
        """The module that starts it in a file, by its export `open`."""
        return f"host/open_{self.name}.js"

    @property
    def renderer(self) -> str:
        """The module that shows it as a widget, by its export `render`."""
        return f"host/widget_{self.name}.js"

    def record(self, bundles: list[dict[str, str]], *, title: str | None = None) -> dict[str, Any]:
        """All that the page knows besides its bundles, see `Host` in `web/host/file.js`.

        Args:
            bundles: Names and titles of the bundles at hand; the first is opened.
            title: Heading of the page.
        """
        texts = {"title": visible(title or self.title), "sentence": self.sentence}
        return {**self.content, "app": self.name, "texts": texts, "bundles": bundles}


def page_html(app: App, bundles: list[Named], configs: Configs = (), *, title: str | None = None) -> str:
    """The whole file.

    Args:
        app: Which app.
        bundles: The bundles with their names in links; the first is opened.
        configs: Configurations beside those that ship, with their files.
        title: Heading of the page.

    Raises:
        BundleError: If there is no bundle, one comes twice, or one is larger than `MAX_LOGITS`.
        ConfigError: If a configuration belongs to none of them.
        MnutsError: If the title is empty or longer than `MAX_TITLE`.
    """
    title = app.title if title is None else _checked_title(title)
    named = _named(bundles)
    given = _by_bundle(named, configs)
    metas = [page_meta(bundle, given[bundle.digest], name=name) for name, bundle in named]
    page = app.record([{"name": meta["name"], "title": meta["title"]} for meta in metas], title=title)
    return ENVIRONMENT.get_template("page/templates/page.html").render(
        language=app.language,
        title=title,
        sentence=app.sentence,
        styles=Markup(styles(reachable(app.opener))),
        page=json_in_script(page),
        bundles=[_opened(bundle, meta) for (_, bundle), meta in zip(named, metas, strict=True)],
        plotly=library_in_script(plotly_source().decode("utf-8")),
        worker=json_in_script(pack(WORKER, "")),
        script=library_in_script(pack(app.opener, "open")),
    )


def _opened(bundle: LogitBundle, meta: Mapping[str, Any]) -> Markup:
    """A bundle as the file's host opens it, see `Opened` in `web/host/file.js`."""
    size = sum(tensor.nbytes for name, tensor in bundle.tensors().items() if name.endswith("logits"))
    if size > MAX_LOGITS:
        raise BundleError(
            f"bundle {bundle.name!r} has {size / 2**20:,.0f} MiB of logits, a page takes at most "
            f"{MAX_LOGITS // 2**20}: make it of fewer images"
        )
    record, images = embedded(engine_record(bundle)), embedded(images_record(bundle))
    return json_in_script({"record": record, "meta": meta, "images": images})


def _checked_title(title: str) -> str:
    text = one_line(title, 10 * MAX_TITLE)
    if not 0 < len(text) <= MAX_TITLE:
        raise MnutsError(f"the title must have 1 to {MAX_TITLE} characters, got {len(text):,}: shorten it")
    return text


def _named(bundles: list[Named]) -> list[Named]:
    """The bundles, each under a name of its own."""
    if not bundles:
        raise BundleError("a page needs a bundle: give the name of one that `mnuts info` lists, or a file")
    named: dict[str, LogitBundle] = {}
    seen: dict[str, str] = {}
    for name, bundle in bundles:
        if bundle.digest in seen:
            raise BundleError(f"{name} and {seen[bundle.digest]} are the same bundle: give it once")
        free, number = visible(name), 2
        while free in named:
            free, number = f"{visible(name)} ({number})", number + 1
        named[free], seen[bundle.digest] = bundle, free
    return list(named.items())


def _by_bundle(bundles: list[Named], configs: Configs) -> dict[str, list[tuple[Path, MixConfig]]]:
    """The configurations of each bundle, by its digest: those that ship, then those that were given."""
    found = {bundle.digest: _shipped(bundle) for _, bundle in bundles}
    for path, config in configs:
        belongs = found.get(config.bundle.digest) if config.bundle is not None else None
        if belongs is None:
            names = ", ".join(name for name, _ in bundles)
            made = f"bundle {config.bundle.name!r}" if config.bundle is not None else "no bundle"
            raise ConfigError(f"{shown(path)} was made on {made}, the page has {names}: give its bundle, too")
        if path.resolve() not in {ready.resolve() for ready, _ in belongs}:
            belongs.append((path, config))
    return found


def _shipped(bundle: LogitBundle) -> list[tuple[Path, MixConfig]]:
    """What lies in the user's own folder is given by name, or stays out of a page that others read."""
    return [(path, config) for path, config in configs_of(bundle) if path.parent == shipped_folder()]
