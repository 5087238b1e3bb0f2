"""`mnuts demo`: make the demonstration pairs and their bundles from scratch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnuts_core.cli.console import STDOUT, check_outputs, show, write_json
from mnuts_core.cli.options import (
    Command,
    DeviceOption,
    ForceOption,
    JsonOption,
    PrecisionOption,
    check_precision_name,
)
from mnuts_core.cli.precision import AUTO
from mnuts_core.cli.stopping import resumable
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import check_file, check_folder, make_folder

if TYPE_CHECKING:
    from mnuts_core.models.inputs import Precision

DEMOS = ("digits", "cifar10")

app = typer.Typer(help="Make the demonstration pairs from scratch.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `build` a word of its own while it is the only one."""


@app.command("build", cls=Command)
def build(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(DEMOS)}.")],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="SPEC", help="cifar10: cifar10-jpeg:FOLDER or torchvision:CIFAR10."),
    ] = None,
    n_adv: Annotated[
        int | None, typer.Option("--n-adv", help="cifar10: images that MMAA attacks; by the device.")
    ] = None,
    n_verified: Annotated[
        int | None, typer.Option("--n-verified", help="cifar10: images attacked adaptively; by the device.")
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = AUTO,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write into; it is made.")
    ] = Path("."),
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Train both networks, refine their pool, and write bundle, weights and verified mixes.

    digits: about 20 minutes of one core. cifar10: hours on two cores. Killed, it resumes.
    """
    if name not in DEMOS:
        raise MnutsError(f"demo must be one of {', '.join(DEMOS)}, got {name!r}")
    fixed = None if precision == AUTO else check_precision_name(precision)
    options = {"--data": data, "--n-adv": n_adv, "--n-verified": n_verified, "--precision": fixed}
    given = [option for option, value in options.items() if value is not None]
    if name == "digits" and given:
        raise MnutsError(f"{given[0]} belongs to cifar10: digits come with scikit-learn, all are used")
    if name == "cifar10" and data is None:
        raise MnutsError("--data missing: give cifar10-jpeg:FOLDER or torchvision:CIFAR10")
    check_outputs({"--json": json_out}, force=force)
    _prepare(out, name, force)
    from mnuts_core.demo.workshop import work_folder
    from mnuts_core.pipeline.distributed import ALONE

    with resumable(work_folder(out, name), ALONE.patience):
        _prepare(out, name, force)  # once more: who had the folder until now may have written the files
        paths = _build(name, out, data, n_adv, n_verified, device, fixed)
    if json_out is not None:
        write_json(json_out, {"name": name, **paths})
    if json_out != STDOUT:
        again = shlex.join(["mnuts", "info", str(paths["bundle"])])
        written = [paths["bundle"], paths["std"], paths["rob"], *paths["configs"]]
        show(*(f"written: {path}" for path in written), f"look at it with: {again}")


def _prepare(out: Path, name: str, force: bool) -> None:
    """Make the folder, unless it cannot take all the files."""
    from mnuts_core.demo.workshop import output_names

    check_folder(out, MnutsError, "--out")
    make_folder(out, MnutsError)
    for file in output_names(name):
        check_file(out / file, MnutsError, "--out", force=force)


def _build(
    name: str,
    out: Path,
    data: str | None,
    n_adv: int | None,
    n_verified: int | None,
    device: str,
    precision: Precision | None,
) -> dict[str, Any]:
    if data is None:
        from mnuts_core.demo.digits import build_digits

        return build_digits(out, progress=True)._asdict()
    from mnuts_core.demo.cifar10 import build_cifar10

    return build_cifar10(
        data, out, device=device, n_adv=n_adv, n_verified=n_verified, precision=precision, progress=True
    )._asdict()
