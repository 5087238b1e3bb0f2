"""What the site holds beside docs/: notebooks, the page file, commands, the API, files of the root."""

from __future__ import annotations

import os
import posixpath
import re
from html import unescape
from pathlib import Path

import griffe
import typer
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.cli import get_docs_for_click

from mnuts_core.cli.app import OK, app, run
from mnuts_dashboards.apps.playground import STILL_VARIABLE
from mnuts_dashboards.figures.themes import theme
from mnuts_dashboards.plotlyjs.library import FILE as PLOTLY
from mnuts_dashboards.text.scripts import json_in_script
from mnuts_dashboards.theme import PAGE as THEMES

os.environ[STILL_VARIABLE] = "1"  # no kernel stands behind the site
ROOT = Path(__file__).resolve().parent.parent
PAGE = "explorer.html"
BROUGHT = {
    "data/README.md": "data.md",
    "data/paper/README.md": "paper.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Files of the repository that are pages of the site, and the pages' names."""
LINK = re.compile(r"\[([^\]]*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
CODE = r"<(?P<code>pre|code|script|style)\b.*?</(?P=code)>"
TEX = re.compile(rf"{CODE}|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$<]+?)\$", re.DOTALL)
WIDGETS = re.compile(
    r"<script type=.application/vnd.jupyter.widget-state\+json.>.*?</script>"
    r"|<script>(?:(?!</script>).)*?unpkg\.com/@jupyter(?:(?!</script>).)*</script>",
    re.DOTALL,
)
"""What would show widgets, with a kernel and from another server: megabytes, and nothing comes of it."""
LIVE = """<p>Plots stand still here. They move with their sliders where the notebook runs:
<code>.venv/bin/jupyter lab notebooks</code>.</p>"""
DRAWN = f"""<script id="mnuts-themes" type="application/json">
{json_in_script({name: theme(name) for name in THEMES})}</script>
<script src="../{PLOTLY.name}"></script><script src="../still.js"></script>"""
"""What draws a notebook's plots, `docs/still.js`."""
CORE = ROOT / "mnuts_core"


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what docs/ does not hold, before mkdocs-jupyter looks for notebooks."""
    for source, name in BROUGHT.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text("utf-8")))
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        files.append(File(f"notebooks/{notebook.name}", str(ROOT), config.site_dir, False))
    files.append(File.generated(config, "reference/cli.md", content=command_line()))
    for room, modules in python_rooms().items():
        content = f"# {room}\n\n" + "\n\n".join(f"::: {module}" for module in modules)
        files.append(File.generated(config, f"reference/{room}.md", content=content))
    files.append(File.generated(config, PAGE, abs_src_path=str(page_file())))
    files.append(File.generated(config, PLOTLY.name, abs_src_path=str(PLOTLY)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the repository's files to their pages; of those not on the site the name stays."""
    source = {name: source for source, name in BROUGHT.items()}.get(page.file.src_uri)
    here = posixpath.dirname(source if source else f"docs/{page.file.src_uri}")

    def on_site(found: re.Match[str]) -> str:
        text, link, anchor = found.groups(default="")
        path = posixpath.normpath(posixpath.join(here, link))
        name = BROUGHT.get(path, path.removeprefix("docs/"))
        if not files.get_file_from_path(name):
            return text
        return f"[{text}]({posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or '.')}{anchor})"

    return LINK.sub(on_site, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the notebooks' LaTeX into MathML, which browsers show without a library; draw their plots."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    return LIVE + TEX.sub(_mathml, WIDGETS.sub("", html)) + DRAWN


def _mathml(found: re.Match[str]) -> str:
    block, inline = found["block"], found["inline"]
    if not (block or inline):
        return found[0]
    return convert(unescape(block or inline), display="block" if block else "inline")


def command_line() -> str:
    """Every command's help as Markdown, made of its options."""
    command = typer.main.get_command(app)
    for each in getattr(command, "commands", {}).values():
        each.short_help = (each.help or "").partition("\n\n")[0]  # else it ends at "Fig."
    return get_docs_for_click(obj=command, ctx=typer.Context(command), name="mnuts", title="Command line")


def python_rooms() -> dict[str, list[str]]:
    """The core's public modules by room, those outside any under `core`; commands have their own page."""
    rooms: dict[str, list[str]] = {}
    for file in sorted(CORE.rglob("*.py")):
        parts = file.relative_to(CORE).with_suffix("").parts
        if parts[0] != "cli" and not parts[-1].startswith("_"):
            room = parts[0] if len(parts) > 1 else "core"
            rooms.setdefault(room, []).append(".".join((CORE.name, *parts)))
    return rooms


def page_file() -> Path:
    """The explorer on the digits pair in one file, made anew."""
    path = ROOT / "build" / PAGE
    path.parent.mkdir(exist_ok=True)
    if run(["page", "digits", "--out", str(path), "--force"]) != OK:
        raise PluginError("the page file could not be made")
    return path


class Examples(griffe.Extension):
    """Our docstrings head doctests with `Example:`, griffe knows `Examples:` alone."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Change the heading of one object's docstring."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"(?m)^( *)Example:$", r"\1Examples:", obj.docstring.value)
