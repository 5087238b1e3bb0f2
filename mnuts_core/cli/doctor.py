"""`mnuts doctor`: are two models and their images fit for a build? And what a build asks of it first."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.console import STDOUT, check_outputs, note, printable, progress, show, warn, write_json
from mnuts_core.cli.loading import DataDirOption, DatasetOption, common_size, dataset_of, load_base
from mnuts_core.cli.options import DeviceOption, ForceOption, JsonOption, check_norm, parse_eps
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.models.specs import LoadedModel
    from mnuts_core.pipeline.doctor.case import Case
    from mnuts_core.pipeline.doctor.findings import Finding

STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}
USUAL_EPS = {("imagenet", "Linf"): 4 / 255, ("imagenet", "L2"): 3.0}
"""Radii of RobustBench's leaderboards where they are other than `DEFAULT_EPS`."""
DEFAULT_EPS = {"Linf": 8 / 255, "L2": 0.5}
UNHEALTHY = 1
"""The exit code where there are errors among the findings."""
SKIP = "--skip-checks"
ITSELF = ("answers", "not-finite", "gradients")
"""Errors that a build refuses itself, whatever it is told to skip."""

T = TypeVar("T")


class Settings(NamedTuple):
    """The options, as given; what they mean stands at `doctor`."""

    std: str
    rob: str
    data: str
    norm: str
    eps: str | None
    images: int
    attack: str
    n_clean: int
    n_adv: int
    batch_size: int
    out: Path
    dataset: str | None
    data_dir: Path | None
    device: str


def doctor(
    std: Annotated[str, typer.Option("--std", metavar="SPEC", help="Accurate model, such as timm:NAME.")],
    rob: Annotated[str, typer.Option("--rob", metavar="SPEC", help="Robust model: robustbench:NAME.")],
    data: Annotated[str, typer.Option("--data", metavar="SPEC", help="Images: torchvision:CIFAR10.")],
    norm: Annotated[
        str, typer.Option("--norm", metavar="[Linf|L2]", help="Norm of the perturbations.")
    ] = "Linf",
    eps: Annotated[
        str | None,
        typer.Option("--eps", help="Their radius, such as 8/255; by --rob."),
    ] = None,
    images: Annotated[int, typer.Option("--images", min=1, help="How many images are looked at.")] = 256,
    attack: Annotated[
        str, typer.Option("--attack", metavar="NAME", help="Of the build: mmaa, or square (no gradients).")
    ] = "mmaa",
    n_clean: Annotated[int, typer.Option("--n-clean", min=1, help="Images of the build.")] = 10_000,
    n_adv: Annotated[int, typer.Option("--n-adv", min=0, help="How many of them it attacks.")] = 1_000,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Its images at a time.")] = 256,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Its bundle; nothing is written there.")
    ] = Path("bundle.safetensors"),
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> int:
    """Look at two models and their images before hours are spent: in about a minute, each finding a line.

    What the findings mean and what to do stands in docs/doctor.md. Exit code 1 if there are errors.
    """
    check_outputs({"--json": json_out}, force=force)
    given = Settings(
        std, rob, data, norm, eps, images, attack, n_clean, n_adv, batch_size, out, dataset, data_dir, device
    )
    radius = None if eps is None else parse_eps(eps)
    _attack(attack, check_norm(norm), radius or 1.0)  # refuses what there is not
    if not out.absolute().parent.is_dir():
        raise MnutsError(f"--out must name a file in an existing folder, got {out}: make {out.parent}")
    start, found, quiet = time.monotonic(), [], json_out == STDOUT
    with contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext():
        for finding in _examined(given):
            found.append(finding)
            if not quiet:
                show(as_line(finding))
    seconds = time.monotonic() - start
    counts = Counter[str](finding.level for finding in found)
    if json_out is not None:
        write_json(json_out, _to_json(found, counts, seconds))
    if not quiet:
        show(_summary(counts, seconds))
    return UNHEALTHY if counts["error"] else 0


def _examined(given: Settings) -> Iterator[Finding]:
    """All findings, those of loading first."""
    from mnuts_core.pipeline.doctor.examination import examine

    found: list[Finding] = []
    case = _loaded(given, found)
    yield from found
    if case is None:
        return
    with progress("doctor") as share:

        def report(title: str, done: float) -> None:
            share(done)
            note(f"looking at: {title}")

        findings = examine(case, progress=report)
        while (finding := _next(findings)) is not None:
            yield finding


def _next(findings: Iterator[Finding]) -> Finding | None:
    """The next one; what models print meanwhile goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        return next(findings, None)


def _loaded(given: Settings, found: list[Finding]) -> Case | None:
    """What is to be examined; None if something cannot be loaded, which then stands among the findings."""
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.devices import resolve_device
    from mnuts_core.pipeline.doctor.case import Case, Plan
    from mnuts_core.pipeline.doctor.findings import error, ok

    norm, where = check_norm(given.norm), resolve_device(given.device)
    dataset = given.dataset or dataset_of(given.data)

    def tried(load: Callable[[], T], code: str = "loads") -> T | None:
        try:
            return load()
        except MnutsError as problem:
            found.append(error(code, str(problem)))
            return None

    first = tried(lambda: load_data(given.data, n=1, data_dir=given.data_dir))
    k = None if first is None else len(first.classes)
    models = [
        tried(lambda: load_base(spec, dataset=dataset, norm=norm, num_classes=k, device=where))  # noqa: B023
        for spec in (given.std, given.rob)
    ]
    std, rob = models
    if first is None or std is None or rob is None:
        return None
    sized = tried(lambda: _size(given, std, rob), code="input-size")
    images = sized and tried(lambda: _images(given, sized.side))
    if images is None:
        return None
    for role, spec, model in (("--std", given.std, std), ("--rob", given.rob, rob)):
        found.append(ok("loads", f"{role} {spec}: {model.card.parameters or 0:,} parameters"))
    eps = _radius(given, rob, dataset)
    return Case(
        std_model=std.module,
        rob_model=rob.module,
        images=images.images,
        labels=images.labels,
        class_names=images.classes,
        plan=Plan(
            attack=_attack(given.attack, norm, eps),
            n_clean=given.n_clean,
            n_adv=given.n_adv,
            batch_size=given.batch_size,
            folder=given.out.absolute().parent,
        ),
        device=where,
        loaded=(std, rob),
        preprocessing=images.preprocessing,
    )


class _Sized(NamedTuple):
    """The side of the images that both models want; None if neither says."""

    side: int | None


def _size(given: Settings, std: LoadedModel, rob: LoadedModel) -> _Sized:
    """The size that both models want, if the images have it or can be brought to it.

    Raises:
        MnutsError: If the models, or the images, are of other sizes.
    """
    size = common_size((given.std, std), (given.rob, rob))
    _images(given._replace(images=1), size)
    return _Sized(size)


def _images(given: Settings, size: int | None) -> LoadedData:
    from mnuts_core.datasets.specs import load_data

    return load_data(given.data, n=given.images, image_size=size, data_dir=given.data_dir, at_most=True)


def _radius(given: Settings, rob: LoadedModel, dataset: str | None) -> float:
    """ε as given, as h is listed, or as is usual."""
    if given.eps is not None:
        return parse_eps(given.eps)
    threat, norm = rob.listed and rob.listed.threat, check_norm(given.norm)
    if threat is not None and threat.norm == norm:
        return threat.eps
    return USUAL_EPS.get((dataset or "", norm), DEFAULT_EPS[norm])


def _attack(name: str, norm: Any, eps: float) -> Any:
    from mnuts_core.attacks.margin_attacks import MARGIN_ATTACKS

    if name not in MARGIN_ATTACKS:
        raise ParameterError(f"--attack must be one of {', '.join(MARGIN_ATTACKS)}, got {name!r}")
    return MARGIN_ATTACKS[name](norm=norm, eps=eps)


def as_line(finding: Finding) -> Table:
    """A finding as level, code and words, the words in lines of their own column."""
    line = Table.grid(padding=(0, 2))
    line.add_column(width=7)
    line.add_column(width=22)
    line.add_column(overflow="fold")
    line.add_row(
        Text(finding.level, style=STYLES[finding.level]),
        Text(finding.code, style="cyan"),
        Text(printable(str(finding))),
    )
    return line


def _summary(counts: Counter[str], seconds: float) -> str:
    errors, warnings = counts["error"], counts["warning"]
    words = [
        counted(errors, "error"),
        counted(warnings, "warning"),
        f"{counts['ok']} ok",
    ]
    return f"{', '.join(words)}, in {seconds:.0f} s"


def _to_json(found: list[Finding], counts: Counter[str], seconds: float) -> dict[str, Any]:
    return {
        "healthy": not counts["error"],
        "counts": {level: counts[level] for level in STYLES},
        "seconds": round(seconds, 1),
        "findings": [finding.to_json() for finding in found],
    }


def check_before_build(case: Case) -> None:
    """The quick half, before a build: warnings are shown, errors stop it.

    Args:
        case: Models, some images, and the build.

    Raises:
        MnutsError: If there are errors; the first is named, the others are shown.
    """
    from mnuts_core.pipeline.doctor.examination import examine

    errors: list[Finding] = []
    with contextlib.redirect_stdout(sys.stderr):
        for finding in examine(case, quick=True):
            if finding.level == "warning":
                warn(str(finding))
            elif finding.level == "error":
                errors.append(finding)
    if not errors:
        return
    for finding in errors[1:]:
        note(f"error, too: {finding}")
    first = errors[0]
    way = "" if first.code in ITSELF else f"; {SKIP} builds all the same"
    raise MnutsError(f"{first}{way}")
