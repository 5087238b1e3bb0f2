"""`mnuts profile`: what a mix costs beside its base models (Table 5)."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from mnuts_core.cli.console import STDOUT, check_outputs, show, write_json
from mnuts_core.cli.loading import load_base
from mnuts_core.cli.options import DeviceOption, ForceOption, JsonOption
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.export.profiling import Profile
    from mnuts_core.params import MixParams


def profile(
    std: Annotated[str, typer.Option("--std", metavar="SPEC", help="The accurate model.")],
    rob: Annotated[str, typer.Option("--rob", metavar="SPEC", help="The robust model.")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.json", help="A mix; the paper's if not given.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", min=1, help="Side in pixels; the models' own if they say.")
    ] = None,
    channels: Annotated[int | None, typer.Option("--channels", min=1, help="3, or 1 for digits.")] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Images in a pass.")] = 32,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Rounds of timing.")] = 20,
    dataset: Annotated[
        str,
        typer.Option("--dataset", metavar="[cifar10|cifar100|imagenet]", help="For robustbench: models."),
    ] = "cifar10",
    norm: Annotated[str, typer.Option("--norm", metavar="[Linf|L2]", help="Likewise.")] = "Linf",
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Parameters, floating-point operations and time of two models and their mix (Table 5)."""
    check_outputs({"--json": json_out}, force=force)
    import torch

    from mnuts_core.devices import resolve_device
    from mnuts_core.export.classifier import MixedClassifier
    from mnuts_core.export.profiling import profile as measure

    where = resolve_device(device)
    g, h = (load_base(spec, dataset=dataset, norm=norm, device=where) for spec in (std, rob))
    digits = std.startswith("demo:digits")
    size = image_size or h.image_size or g.image_size or (8 if digits else None)
    if size is None:
        raise MnutsError("the models do not say what images they take: give --image-size")
    images = torch.rand(batch_size, channels or (1 if digits else 3), size, size)
    mix = MixedClassifier(g.module, h.module, _params(config)).to(where)
    with redirect_stdout(sys.stderr):  # a model may print
        found = measure(mix, images, repeats=repeats)
    if json_out is not None:
        write_json(json_out, to_json(found, tuple(images.shape[1:])))
    if json_out != STDOUT:
        show(*report(found, {"std": std, "rob": rob}))


def _params(config: Path | None) -> MixParams:
    """The configuration's parameters, else the paper's for CIFAR-10: they cost the same."""
    from mnuts_core.export.config import MixConfig
    from mnuts_core.params import MixParams

    return MixConfig.load(config).params if config else MixParams(s=5.0, p=4.0, c=-1.1, alpha=0.999)


def to_json(found: Profile, shape: tuple[int, ...]) -> dict[str, Any]:
    """The profile as plain JSON."""
    models = {name: getattr(found, name)._asdict() for name in ("std", "rob", "mix")}
    return {**found._asdict(), **models, "image_shape": shape}


def report(found: Profile, specs: dict[str, str]) -> list[str | Table]:
    """The profile as a table."""
    table = Table(box=box.SIMPLE)
    table.add_column("model")
    for heading in ("parameters, million", "GFLOP per image", f"ms per {found.batch_size} images"):
        table.add_column(heading, justify="right")
    rows = {"standard": found.std, "robust": found.rob, "mix": found.mix}
    for label, cost in rows.items():
        spec = specs.get("std" if label == "standard" else "rob" if label == "robust" else "", "")
        name = f"{label} {spec}".strip()
        cells = f"{cost.parameters / 1e6:.3f}", f"{cost.flops / 1e9:.4g}", f"{cost.milliseconds:.2f}"
        table.add_row(name, *cells)
    mixing = (
        f"mixing the logits: {found.mixing_milliseconds:.3f} ms, {100 * found.overhead:.2g} % of both "
        f"models' own time ({found.device}, median of {found.repeats} rounds)"
    )
    return [table, mixing, "a multiplication and an addition count as two operations"]
