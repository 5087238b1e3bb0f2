"""`mnuts convert`: configurations and bundles to and from the files of the authors' own scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnuts_core.cli.console import STDOUT, check_outputs, show, warn, write_json, write_text
from mnuts_core.cli.grids import entry_place
from mnuts_core.cli.options import ForceOption, JsonOption, check_beta, load_bundle
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.export.config import MixConfig

YAML = (".yaml", ".yml")


def convert(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="optimal_spca.yaml, a configuration (.json), or a bundle.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A configuration (.json), optimal_spca.yaml, logits.pt, or a bundle's Croissant (.json).",
        ),
    ],
    entry: Annotated[
        str | None,
        typer.Option(
            "--entry",
            metavar="DATASET/MODEL[/CLAMP]",
            help="Where in optimal_spca.yaml, such as cifar10/Peng2023Robust.",
        ),
    ] = None,
    beta: Annotated[
        float | None, typer.Option("--beta", help="From YAML: the level; the file's default if not given.")
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Convert to other formats: optimal_spca.yaml ↔ a configuration; bundle → logits.pt, Croissant."""
    check_outputs({"--out": out, "--json": json_out}, force=force)
    kinds = Path(source).suffix.lower(), out.suffix.lower()
    if kinds[0] in YAML and kinds[1] == ".json":
        card = _from_yaml(source, out, entry, beta)
    elif beta is not None:
        raise MnutsError("--beta chooses a level of optimal_spca.yaml: leave it out")
    elif kinds[0] == ".json" and kinds[1] in YAML:
        card = _to_yaml(source, out, entry)
    elif entry is not None:
        raise MnutsError("--entry is a place in optimal_spca.yaml: leave it out")
    elif kinds[1] == ".pt":
        card = _to_logits(source, out)
    elif kinds[1] == ".json":
        card = _to_croissant(source, out)
    else:
        raise MnutsError(
            f"nothing converts {source} to {out}: give .yaml and .json, .json and .yaml, or a bundle and "
            ".pt or .json"
        )
    if json_out is not None:
        write_json(json_out, {"path": out, **card})
    if json_out != STDOUT:
        show(f"written: {out}")


def _from_yaml(source: str, out: Path, entry: str | None, beta: float | None) -> dict[str, Any]:
    from mnuts_core.export.spca import read_spca

    found = read_spca(source, entry, beta=None if beta is None else check_beta(beta))
    found.config.save(out)
    warn("no bundle stands behind this mix: its α is the file's, and no figure of it is known")
    return {"entry": found.name, "config": json.loads(found.config.to_json())}


def _to_yaml(source: str, out: Path, entry: str | None) -> dict[str, Any]:
    from mnuts_core.export.config import MixConfig
    from mnuts_core.export.spca import spca_text

    config = MixConfig.load(source)
    if entry is None:
        raise MnutsError("--entry is missing: give DATASET/MODEL, such as cifar10/Peng2023Robust")
    write_text(str(out), spca_text(config, *entry_place(entry)))
    _warn_of_loss(config)
    return {"entry": entry, "config": json.loads(config.to_json())}


def _warn_of_loss(config: MixConfig) -> None:
    if config.auxiliary is None and not config.params.plain:
        warn("this mix has no α_d, and the authors' attack needs one: add a level under none")


def _to_logits(source: str, out: Path) -> dict[str, Any]:
    from mnuts_core.bundles.authors_logits import save_logits

    counts = save_logits(load_bundle(source), out)
    return {"counts": counts}


def _to_croissant(source: str, out: Path) -> dict[str, Any]:
    from mnuts_core.bundles.croissant import croissant
    from mnuts_core.bundles.library import find_bundle

    metadata = croissant(find_bundle(source))
    write_json(str(out), metadata)
    warn("url, license and creator are yours to add: a bundle does not know them")
    return {"metadata": metadata}
