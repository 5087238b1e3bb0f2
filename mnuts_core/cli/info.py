"""`mnuts info`: what is installed, or what a bundle says of itself."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import (
    NONE,
    bundle_json,
    column_cards,
    describe,
    figures_table,
    legend,
    other_rows,
)
from mnuts_core.cli.console import STDOUT, check_outputs, printable, show, warn, write_json
from mnuts_core.cli.margins import MARGINS, report_margins
from mnuts_core.cli.options import ForceOption, JsonOption, load_bundle

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.manifest import ModelCard

MANY_CLASSES = 20
STATED = "\n(so its maker says; nobody has checked it)"
OPTIONAL = ("columns", "certificate")
"""Rows that are left out where there is nothing to say."""
UNSEALED = "written by an older version: its manifest is not sealed, only its tensors are"


def info(
    bundle: Annotated[
        str | None,
        typer.Argument(
            help="Name of a bundle, or path of a .safetensors, _margins.json or _summary.csv file."
        ),
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Show what is installed, or with a BUNDLE what it holds and where it comes from."""
    check_outputs({"--json": json_out}, force=force)
    if bundle is None:
        _installation(json_out)
    elif bundle.lower().endswith(MARGINS):
        report_margins(Path(bundle), json_out)
    else:
        _bundle(bundle, json_out)


def _installation(json_out: str | None) -> None:
    from mnuts_core.bundles.library import shipped_bundles, user_bundles, user_folder

    card: dict[str, Any] = {
        "mnuts": version("mnuts"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "device": device_name(),
        "data_folder": user_folder(),
        "data_folder_exists": user_folder().is_dir(),
        "bundles": {"shipped": shipped_bundles(), "user": user_bundles()},
    }
    if json_out is not None:
        write_json(json_out, card)
    if json_out != STDOUT:
        show(installation_table(card))


def device_name() -> str:
    """What `--device auto` computes on: the GPU's or the CPU's name."""
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return f"cpu: {_cpu_name()}, {torch.get_num_threads()} threads"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def installation_table(card: dict[str, Any]) -> Table:
    """What is installed, as a table."""
    table = _two_columns(f"mnuts {card['mnuts']}")
    table.add_row("python", card["python"])
    table.add_row("torch", card["torch"])
    table.add_row("device", card["device"])
    for origin, bundles in card["bundles"].items():
        listed = "\n".join(f"{name}  ({path})" for name, path in bundles.items())
        table.add_row(f"{origin} bundles", listed or "none")
    missing = "" if card["data_folder_exists"] else "  (does not exist; $MNUTS_DATA names another)"
    table.add_row("data folder", f"{card['data_folder']}{missing}")
    return table


def _bundle(name: str, json_out: str | None) -> None:
    from mnuts_core.bundles.library import find_bundle
    from mnuts_core.bundles.logit_warnings import logit_warnings
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.headline import base_rows

    path, logits = find_bundle(name), load_bundle(name)
    base, warnings = RemixEngine(logits).base, tuple(map(str, logit_warnings(logits)))
    rows = [*base_rows(base), *other_rows(logits)]
    if json_out is not None:
        write_json(json_out, bundle_json(path, logits, base) | {"warnings": warnings})
    if json_out != STDOUT:
        show(
            manifest_table(path, logits),
            figures_table(rows, "the base models", ("clean", "attacked")),
            "",
            legend(rows, logits),
        )
    for warning in warnings:
        warn(warning)


def manifest_table(path: Path, bundle: LogitBundle) -> Table:
    """What a bundle says of itself, as a table."""
    card = bundle.manifest
    table = _two_columns(describe(bundle))
    rows = {
        "file": f"{path} ({path.stat().st_size / 2**20:.1f} MiB)",
        "data": printable(" · ".join(filter(None, (card.data.name, card.data.split)))),
        "source": printable(card.data.source),
        "classes": _class_names(card.classes),
        "images": _image_words(bundle),
        "standard model": _model_words(card.std_model),
        "robust model": _model_words(card.rob_model),
        "threat model": str(card.threat or "none recorded"),
        "attacked points": _attack_words(bundle),
        "columns": _column_words(bundle),
        "certificate": "" if card.certificate is None else str(card.certificate),
        "made with": printable(card.command) + (STATED if card.command else ""),
        "made": printable(card.created),
        "versions": printable(", ".join(f"{name} {number}" for name, number in card.versions.items())),
        "digest": bundle.digest,
        "seal": "whole: manifest and tensors are as they were written" if card.sealed else UNSEALED,
    }
    for heading, words in rows.items():
        if words or heading not in OPTIONAL:
            table.add_row(heading, words or NONE)
    return table


def _two_columns(title: str) -> Table:
    table = Table(
        title=Text(title, style="bold"),
        box=box.SIMPLE,
        show_header=False,
        title_justify="left",
        pad_edge=False,
    )
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _class_names(classes: tuple[str, ...]) -> str:
    more = f", … ({len(classes):,} in all)" if len(classes) > MANY_CLASSES else ""
    return printable(", ".join(classes[:MANY_CLASSES])) + more


def _image_words(bundle: LogitBundle) -> str:
    if bundle.clean_images is None:
        return "not in the bundle"
    height, width, channels = bundle.clean_images.shape[1:]
    attacked = (
        "clean and attacked" if bundle.attacked and bundle.attacked.images is not None else "clean only"
    )
    return f"{height} × {width} × {channels}, {attacked}"


def _column_words(bundle: LogitBundle) -> str:
    cards = column_cards(bundle).items()
    return "\n".join(f"{name}: {of['n']:,} values, {of['low']:.4g} to {of['high']:.4g}" for name, of in cards)


def _model_words(card: ModelCard) -> str:
    size = "" if card.parameters is None else f", {card.parameters:,} parameters"
    digest = "" if card.digest is None else f"\n{card.digest}"
    return f"{printable(card.spec)}{size}{digest}"


def _attack_words(bundle: LogitBundle) -> str:
    """Where the attacked points come from, a line for each source, and how many images are settled."""
    from mnuts_core.views.sources import settled_words, sources

    lines = [printable(str(source)) for source in sources(bundle)]
    return "\n".join([*lines, settled_words(bundle)]) if lines else "none: no attacked part"
