"""`mnuts demo`: make the demonstration pairs and their bundles from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnuts_core.cli.console import STDOUT, check_target, show, write_json
from mnuts_core.cli.options import Command, JsonOption
from mnuts_core.errors import MnutsError

DEMOS = ("digits",)

app = typer.Typer(help="Make the demonstration pairs from scratch.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `build` a word of its own while it is the only one."""


@app.command("build", cls=Command)
def build(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(DEMOS)}.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write into; it is made.")
    ] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    json_out: JsonOption = None,
) -> None:
    """Train both networks, attack the robust one, and write bundle and weights (digits: two minutes)."""
    if name not in DEMOS:
        raise MnutsError(f"demo must be one of {', '.join(DEMOS)}, got {name!r}")
    check_target("--json", json_out)
    if out.exists() and not out.is_dir():
        raise MnutsError(f"--out must name a folder, got the file {out}")
    if (out / f"{name}.safetensors").exists() and not force:
        raise MnutsError(f"{out / name}.safetensors exists already: give another --out, or --force")
    from mnuts_core.demo.digits import build_digits

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MnutsError(f"--out {out} cannot be made: {error.strerror}") from None
    paths = build_digits(out, progress=True)
    if json_out is not None:
        write_json(json_out, {"name": name, **paths._asdict()})
    if json_out != STDOUT:
        show(*(f"written: {path}" for path in paths), f"look at it with: mnuts info {paths.bundle}")
