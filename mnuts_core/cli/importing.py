"""`mnuts import`: logits that a user already has, as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnuts_core.cli.answers import bundle_card, describe
from mnuts_core.cli.console import STDOUT, check_free, check_target, show, warn, write_json
from mnuts_core.cli.options import JsonOption


def import_(
    file: Annotated[Path, typer.Argument(help="A .npz, .pt, .csv or .parquet file of logits.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="BUNDLE.safetensors", help="Where to write.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The bundle's name; FILE's if not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    json_out: JsonOption = None,
) -> None:
    """Make a bundle of logits that you have; the names of arrays and columns stand in `bundles.importers`."""
    check_target("--out", str(out))
    check_target("--json", json_out)
    check_free("--out", out, force=force)
    from mnuts_core.bundles.importers import for_search_only, import_logits

    bundle = import_logits(file, name=name)
    bundle.save(out)
    if for_search_only(bundle):
        warn(
            "labels and standard logits are not in this file and were made up: read no accuracy off the "
            f"bundle. Algorithm 1 alone: mnuts search {out} --clean all --plain"
        )
    if json_out is not None:
        write_json(json_out, {"path": out, "bundle": bundle_card(bundle)})
    if json_out != STDOUT:
        show(f"written: {out}", f"  {describe(bundle)}", f"look at it with: mnuts info {out}")
