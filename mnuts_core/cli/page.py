"""`mnuts page`: an app as one HTML file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from mnuts_core.cli.answers import bundle_card, describe
from mnuts_core.cli.console import STDOUT, check_outputs, show, write_json
from mnuts_core.cli.options import ForceOption, JsonOption, load_bundle, load_configs
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import shown, write_atomically

APPS = ("explorer", "lesson", "compare")
SUFFIX = ".html"
_ADDRESS = re.compile(r"(?:https?://[^\s?#\"<>]+|[\w.-]+(?:/[\w.-]+)*/?)")
"""An address without a query: on the web, or beside the page."""


def page(
    bundle: Annotated[
        list[str],
        typer.Argument(help="Names of bundles, or paths of .safetensors files; the first one is opened."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html", help="Where to write.")],
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE.json",
            help="A mix made on one of the bundles, to choose on the page; again for more. Those that ship "
            "are there.",
        ),
    ] = None,
    app: Annotated[
        str, typer.Option("--app", metavar=f"[{'|'.join(APPS)}]", help="What the page is.")
    ] = "explorer",
    explorer: Annotated[
        str | None,
        typer.Option(
            "--explorer",
            metavar="ADDRESS",
            help="Of an explorer's page with the same bundle, to which a lesson leads at its end.",
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="CODE", help="The language in which a lesson begins, such as de."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="The page's heading, up to 200 characters.")
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Write an app and bundles as one HTML file, which computes by itself: no server, no network.

    It opens from a disk, and from any web server that it is put on. Whoever has it has the bundles' logits.
    """
    if app not in APPS:
        raise MnutsError(f"--app must be one of {', '.join(APPS)}, got {app!r}")
    if explorer is not None and (app != "lesson" or not _ADDRESS.fullmatch(explorer)):
        allowed = "an address (https://…) or a file's relative path, and belongs to --app lesson"
        raise MnutsError(f"--explorer must be {allowed}, got {shown(Path(explorer))} with --app {app}")
    if lang is not None and app != "lesson":
        raise MnutsError(f"--lang belongs to --app lesson, the {app} speaks English: leave it out")
    check_outputs({"--out": out, "--json": json_out}, force=force)
    if out.suffix.lower() != SUFFIX:
        raise MnutsError(f"--out must name an {SUFFIX} file, got {shown(out)}")
    configs = load_configs(config or [])
    named = [(_name(given), load_bundle(given)) for given in bundle]
    from mnuts_dashboards.apps.pages import APPS as MAKERS
    from mnuts_dashboards.page.one_file import page_html

    made = MAKERS[app](**({} if lang is None else {"language": lang}))
    if explorer is not None:
        made = made._replace(content={**made.content, "explorer": explorer})
    content = page_html(made, named, configs, title=title).encode()
    write_atomically(out, content, MnutsError)
    if json_out is not None:
        cards = [bundle_card(logits) for _, logits in named]
        write_json(json_out, {"path": out, "bytes": len(content), "app": app, "bundles": cards})
    if json_out != STDOUT:
        show(f"{shown(out)}: {len(content) / 1e6:.1f} MB", *(describe(logits) for _, logits in named))


def _name(given: str) -> str:
    """What the page calls a bundle in links: its file's name, as the dashboard does."""
    from mnuts_core.bundles.library import find_bundle

    return find_bundle(given).stem
