"""`mnuts ablate`: one of the paper's figures or tables about MixedNUTS, on a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.ablations import ABLATIONS, Ablation, find_ablation
from mnuts_core.cli.console import (
    STDOUT,
    check_outputs,
    note,
    printable,
    progress,
    show,
    write_json,
    write_text,
)
from mnuts_core.cli.frames import SHOWN, brief, cell_words, frame_table
from mnuts_core.cli.grids import make_grid
from mnuts_core.cli.loading import load_base
from mnuts_core.cli.options import (
    BetaOption,
    ForceOption,
    GridOption,
    JsonOption,
    check_beta,
    component_names,
    load_bundle,
)
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    import pandas as pd

    from mnuts_core.bundles.bundle import LogitBundle

OPTION_NAMES = {
    "beta": "--beta", "grid": "--grid", "params": "--config", "others": "--also", "widen": "--widen",
    "n_optimised": "--n-optimised", "sizes": "--size", "repeats": "--repeats", "seed": "--seed",
    "models": "--std and --rob", "data": "--data", "n": "--n", "n_iter": "--n-iter",
    "batch_size": "--batch-size", "device": "--device", "mixes": "--mix", "n_targets": "--n-targets",
    "components": "--components", "channels_last": "--channels-last", "work_dir": "--work-dir",
}  # fmt: skip
"""The option that gives each argument."""


def ablate(
    name: Annotated[str | None, typer.Argument(help="Which; --list tells them.", metavar="[NAME]")] = None,
    bundle: Annotated[
        str | None,
        typer.Argument(help="Name of a bundle, or path of a .safetensors file.", metavar="[BUNDLE]"),
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the names.")] = False,
    beta: BetaOption = None,
    grid: GridOption = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.json", help="This mix instead of a search.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option("--also", metavar="BUNDLE", help="fig7: a further bundle.")
    ] = None,
    widen: Annotated[
        int | None, typer.Option("--widen", min=0, help="table7: widen the grid up to N times; 3.")
    ] = None,
    n_optimised: Annotated[
        int | None,
        typer.Option(
            "--n-optimised", min=1, help="table8: images that Algorithm 1 sees; half, 1,000 at most."
        ),
    ] = None,
    size: Annotated[
        list[int] | None, typer.Option("--size", min=1, help="table9: images that Algorithm 1 sees; again.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", min=1, help="table9: draws of each size; 3.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="table8, table9, d9, pool: seed of draw or attack; 0.")
    ] = None,
    std: Annotated[
        str | None, typer.Option("--std", metavar="SPEC", help="d9, pool: the accurate model.")
    ] = None,
    rob: Annotated[
        str | None, typer.Option("--rob", metavar="SPEC", help="d9, pool: the robust model.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="SPEC", help="d9, pool: the images.")] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="d9, pool: folder of torchvision's data sets."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset", metavar="[cifar10|cifar100|imagenet]", help="d9, pool: for robustbench: models."
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="d9, pool: images to attack; all attacked.")
    ] = None,
    n_iter: Annotated[
        int | None, typer.Option("--n-iter", min=1, help="d9, pool: steps of APGD; the bundle's, 100.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="d9, pool: images at a time; 256, 250.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="d9, pool: auto, cpu, cuda, cuda:N or mps.")
    ] = None,
    mix: Annotated[
        list[Path] | None,
        typer.Option("--mix", metavar="FILE.json", help="pool: this mix instead of a choice; again."),
    ] = None,
    n_targets: Annotated[
        int | None, typer.Option("--n-targets", min=1, help="pool: classes to drive at; 9.")
    ] = None,
    components: Annotated[
        str | None,
        typer.Option("--components", metavar="NAME,...", help="pool: of apgd-ce, apgd-t, fab-t, square."),
    ] = None,
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="pool: NHWC memory layout, often faster.")
    ] = False,
    work_dir: Annotated[
        Path | None, typer.Option("--work-dir", metavar="DIR", help="pool: finished batches, to go on from.")
    ] = None,
    csv_out: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="All rows as CSV; - for standard output.")
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """A figure or table of the paper about MixedNUTS, on a bundle: margins, curves, clamps, images, ..."""
    if list_all:
        return show(_names())
    if name is None or bundle is None:
        raise MnutsError(f"give NAME and BUNDLE: the names are {', '.join(ABLATIONS)}, see --list")
    if json_out == csv_out == STDOUT:
        raise MnutsError("--json and --csv cannot both go to standard output: give one of them a file")
    outputs = {"--json": json_out, "--csv": csv_out}
    check_outputs(outputs, force=force)
    ablation = find_ablation(name)
    given = {
        "beta": beta, "grid": grid, "params": config, "others": also, "widen": widen,
        "n_optimised": n_optimised, "sizes": size, "repeats": repeats, "seed": seed,
        "models": (std, rob) if std or rob else None, "data": data, "n": n, "n_iter": n_iter,
        "batch_size": batch_size, "device": device, "mixes": mix, "n_targets": n_targets,
        "components": components, "channels_last": channels_last or None, "work_dir": work_dir,
    }  # fmt: skip
    asked = {key: value for key, value in given.items() if value is not None and value != []}
    _check_options(ablation, asked)
    if "params" in asked and {"beta", "grid"} & set(asked):
        raise MnutsError("give --config, or --beta and --grid for a search, not both")
    logits = load_bundle(bundle)
    frame = _run(ablation, logits, asked, data_dir, dataset)
    check_outputs(outputs, force=force)  # another command may have written them meanwhile
    if csv_out is not None:
        write_text(csv_out, frame.to_csv(index=False))
    if json_out is not None:
        write_json(
            json_out, {str(key): value for key, value in frame.attrs.items()} | {"rows": _records(frame)}
        )
    if STDOUT not in (csv_out, json_out):
        show(*_words(ablation, frame))
    return None


def _check_options(ablation: Ablation, asked: dict[str, Any]) -> None:
    for key in asked:
        if key not in ablation.options:
            owners = ", ".join(other.name for other in ABLATIONS.values() if key in other.options)
            raise MnutsError(
                f"{OPTION_NAMES[key]} is not an option of {ablation.name}: it belongs to {owners}"
            )
    if "models" in ablation.options and ("data" not in asked or None in asked.get("models", (None,))):
        raise MnutsError(f"{ablation.name} attacks the models: give --std, --rob and --data")


def _run(
    ablation: Ablation,
    bundle: LogitBundle,
    asked: dict[str, Any],
    data_dir: Path | None,
    dataset: str | None,
) -> pd.DataFrame:
    """What the options mean, handed to the ablation's function."""
    if "beta" in asked:
        asked["beta"] = check_beta(asked["beta"])
    if "grid" in asked:
        asked["grid"] = make_grid(asked["grid"], None, None, None)
    if "params" in asked:
        from mnuts_core.export.config import MixConfig

        asked["params"] = MixConfig.load(asked["params"]).params
    if "others" in asked:
        asked["others"] = [load_bundle(other) for other in asked["others"]]
    if "mixes" in asked:
        from mnuts_core.export.config import MixConfig

        asked["mixes"] = [MixConfig.load(path).params for path in asked["mixes"]]
    if "components" in asked:
        asked["components"] = component_names(asked["components"])
    if "models" not in ablation.options:
        return ablation.function(bundle, **asked)
    if ablation.name == "pool" and bundle.manifest.optimistic:
        note("MMAA points only: the bundle's live figures are optimistic, add points with `mnuts attack`")
    asked["models"], asked["data"] = _models(bundle, asked, data_dir, dataset)
    with progress("attack") as bar:
        return ablation.function(bundle, **asked, progress=lambda done, total: bar(done / total))


def _models(
    bundle: LogitBundle, asked: dict[str, Any], data_dir: Path | None, dataset: str | None
) -> tuple[Any, Any]:
    """Both models, and the images of the bundle with their labels."""
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.devices import resolve_device

    threat = bundle.manifest.threat
    where = resolve_device(asked.get("device", "auto"))
    settings: dict[str, Any] = {
        "dataset": dataset,
        "norm": threat.norm if threat else "Linf",
        "device": where,
    }
    std, rob = (load_base(spec, **settings) for spec in asked["models"])
    side = rob.image_size or std.image_size
    images = load_data(asked["data"], n=bundle.n_clean, image_size=side, data_dir=data_dir)
    return (std.module, rob.module), (images.images, images.labels)


def _names() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "in the paper", "what it shows", "options"):
        table.add_column(heading)
    for ablation in ABLATIONS.values():
        options = (OPTION_NAMES[key] for key in ablation.options if key in OPTION_NAMES)
        table.add_row(ablation.name, ablation.where, ablation.title, " ".join(options))
    return table


def _words(ablation: Ablation, frame: pd.DataFrame) -> list[Any]:
    """The frame as a table, what it rests on, and the paper's own numbers."""
    from mnuts_core.bundles.paper import paper_table

    about = frame.attrs
    heading = f"{ablation.where}: {ablation.title}"
    data = ", ".join(part for part in (about["data"]["name"], about["data"]["split"]) if part)
    basis = "; ".join(filter(None, (f"bundle {about['bundle']} ({data})", _settings(about["settings"]))))
    head, which = brief(frame)
    parts = [Text(heading, style="bold"), Text(printable(basis), style="dim"), *_tables(head)]
    if which:
        parts.append(Text(f"{which} of {len(frame):,}: --csv FILE has them all", style="dim"))
    parts.append(Text(_LEGEND, style="dim"))
    if ablation.printed is not None:
        parts += [
            Text("the paper's own numbers", style="bold"),
            frame_table(paper_table(ablation.printed).head(SHOWN)),
        ]
    return parts


def _tables(frame: pd.DataFrame) -> list[Table]:
    """A frame as a table; what the first points alone say, where that is in it, as another."""
    of_first = [name for name in frame if str(name).startswith("first")]
    if not of_first:
        return [frame_table(frame)]
    return [frame_table(frame.drop(columns=of_first)), frame_table(frame[["mix", *of_first]])]


_LEGEND = (
    "Shares in percent with 95 % Wilson intervals. Clean is exact on its n images; attacked is an upper "
    "bound, right at every point that the bundle holds; by margin: right there whatever g says."
)


def _settings(settings: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} = {cell_words(value)}" for key, value in settings.items() if value not in ({}, [])
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
