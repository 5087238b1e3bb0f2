"""`mnuts build`: from two models and images to a bundle; resumes, and shares the work under torchrun."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from mnuts_core.cli.console import STDOUT, check_target, note, show, write_json
from mnuts_core.cli.options import JsonOption
from mnuts_core.errors import MnutsError, ParameterError

if TYPE_CHECKING:
    from mnuts_core.build import Transformed
    from mnuts_core.bundle import LogitBundle
    from mnuts_core.datasets import LoadedData
    from mnuts_core.distributed import World
    from mnuts_core.models import LoadedModel

DATASETS = ("cifar10", "cifar100", "imagenet")
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
_FRACTION = re.compile(rf"\s*({_NUMBER})\s*(?:/\s*({_NUMBER})\s*)?")


class Settings(NamedTuple):
    """The options that a build's numbers depend on, as given; what they mean is said at `build`."""

    std: str
    rob: str
    data: str
    norm: str
    eps: str
    n_clean: int | None
    n_adv: int | None
    seed: int
    batch_size: int
    n_iter: int
    n_targets: int
    surrogate: str
    precision: str
    channels_last: bool
    with_images: bool
    dataset: str | None
    data_dir: Path | None
    name: str | None


def build(
    std: Annotated[str, typer.Option("--std", metavar="SPEC", help="Accurate model, such as timm:NAME.")],
    rob: Annotated[str, typer.Option("--rob", metavar="SPEC", help="Robust model: robustbench:NAME.")],
    data: Annotated[str, typer.Option("--data", metavar="SPEC", help="Images: torchvision:CIFAR10.")],
    norm: Annotated[str, typer.Option("--norm", metavar="[Linf|L2]", help="Norm of the perturbations.")],
    eps: Annotated[str, typer.Option("--eps", help="Their radius for pixels in [0, 1]: 8/255 or 0.03.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The bundle: a .safetensors.")],
    n_clean: Annotated[
        int | None, typer.Option("--n-clean", help="How many images; all if not given.")
    ] = None,
    n_adv: Annotated[int | None, typer.Option("--n-adv", help="How many of them are attacked; all.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the attack's random starts.")] = 0,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Images at a time.")] = 256,
    n_iter: Annotated[int, typer.Option("--n-iter", help="Steps of each run of APGD.")] = 100,
    n_targets: Annotated[int, typer.Option("--n-targets", help="Classes that APGD-T drives at.")] = 9,
    surrogate: Annotated[
        str, typer.Option("--surrogate", metavar="[ln|M:s,p,c]", help="Attack LN∘h, or M(s,p,c)∘h (D.9).")
    ] = "ln",
    precision: Annotated[
        str,
        typer.Option("--precision", metavar="[full|bfloat16]", help="Of gradients; margins stay float32."),
    ] = "full",
    channels_last: Annotated[bool, typer.Option("--channels-last", help="NHWC memory layout.")] = False,
    with_images: Annotated[bool, typer.Option("--with-images", help="Keep images, as 8 bits.")] = False,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset", metavar=f"[{'|'.join(DATASETS)}]", help="Of RobustBench models; by --data."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where data sets are.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The bundle's name; by --out.")] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what a killed build left.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing bundle.")] = False,
    json_out: JsonOption = None,
) -> None:
    """Run both models on images, attack the robust one (MMAA, B.1), and write the logits as a bundle.

    Killed, it resumes with the same command from FILE.mnuts-work. Under torchrun, processes share the work.
    """
    given = Settings(
        std, rob, data, norm, eps, n_clean, n_adv, seed, batch_size, n_iter, n_targets, surrogate,
        precision, channels_last, with_images, dataset, data_dir, name,
    )  # fmt: skip
    parse_eps(eps)
    parse_surrogate(surrogate)
    check_target("--out", str(out))
    check_target("--json", json_out)
    from mnuts_core.distributed import joined

    with joined() as world:
        if out.exists() and not force:
            if world.restarts:  # another process fell after this one had written the bundle
                return note(f"{out} is written")
            raise MnutsError(f"{out} exists already: give another --out, or --force to overwrite it")
        bundle = _build(given, out, world, device, fresh and not world.restarts)
        if world.is_first:
            _finish(bundle, out, json_out)
        world.wait()
    return None


def parse_eps(text: str) -> float:
    """ε from a number or a fraction.

    Raises:
        ParameterError: If it is neither, or not in (0, inf).

    Example:
        >>> parse_eps("8/255"), parse_eps(".5")
        (0.03137254901960784, 0.5)
    """
    found = _FRACTION.fullmatch(text)
    if found is not None:
        above, below = float(found[1]), float(found[2] or 1)
        value = above / below if below else math.inf
        if 0 < value < math.inf:
            return value
    raise ParameterError(f"--eps must be a number or fraction in (0, inf), such as 8/255, got {text!r}")


def parse_surrogate(text: str) -> tuple[float, float, float] | None:
    """s, p, c of `M:s,p,c`; None for `ln`.

    Raises:
        ParameterError: If it is neither.

    Example:
        >>> parse_surrogate("M:5,4,-0.63"), parse_surrogate("ln")
        ((5.0, 4.0, -0.63), None)
    """
    kind, _, rest = text.partition(":")
    if text.lower() == "ln":
        return None
    try:
        s, p, c = (float(word) for word in rest.split(","))
    except ValueError:
        kind = ""
    if kind.upper() != "M":
        raise ParameterError(f"--surrogate must be ln, or M:s,p,c such as M:5,4,-0.63, got {text!r}")
    return s, p, c


def _build(given: Settings, out: Path, world: World, device: str, fresh: bool) -> LogitBundle:
    from mnuts_core.build import build_bundle, progress_bar
    from mnuts_core.workfolder import count_batches, work_folder_of

    where, work = world.device(device), work_folder_of(out)
    std, rob, images = load_all(given, where)
    there = 0 if fresh else count_batches(work)
    with progress_bar("build") as show_progress:

        def progress(done: int, total: int) -> None:
            nonlocal there
            if there:
                note(f"resuming: {there} of {-(-len(images.labels) // given.batch_size)} batches are done")
                there = 0
            show_progress(done, total)

        return build_bundle(
            std.module,
            rob.module,
            images.images,
            images.labels,
            norm=_norm(given.norm),
            eps=parse_eps(given.eps),
            n_adv=given.n_adv,
            seed=given.seed,
            name=given.name or out.stem,
            classes=images.classes,
            data=images.card,
            std_card=std.card,
            rob_card=rob.card,
            command=command_line(given, out),
            with_images=given.with_images,
            batch_size=given.batch_size,
            n_iter=given.n_iter,
            n_targets=given.n_targets,
            surrogate=_surrogate(given.surrogate),
            precision=_precision(given.precision),
            channels_last=given.channels_last,
            progress=progress if world.is_first else None,
            device=where,
            work_dir=work,
            fresh=fresh,
            world=world,
        )


def load_all(given: Settings, device: str) -> tuple[LoadedModel, LoadedModel, LoadedData]:
    """Both models, and the images in the size that the models want.

    Raises:
        MnutsError: If one of them cannot be loaded, or the models want images of different sizes.
    """
    from mnuts_core.datasets import load_data
    from mnuts_core.devices import resolve_device
    from mnuts_core.models import load_model

    if given.n_clean is not None and given.n_clean < 1:
        raise ParameterError(f"--n-clean must be an integer of at least 1, got {given.n_clean}")
    where = resolve_device(device)
    classes = load_data(given.data, n=1, data_dir=given.data_dir).classes
    dataset = given.dataset or dataset_of(given.data)
    std, rob = (
        load_model(spec, dataset=dataset, norm=_norm(given.norm), num_classes=len(classes), device=where)
        for spec in (given.std, given.rob)
    )
    sizes = {size for size in (std.image_size, rob.image_size) if size is not None}
    if len(sizes) > 1:
        raise MnutsError(
            f"--std and --rob must take the same images, but {given.std} wants {std.image_size} pixels a "
            f"side and {given.rob} {rob.image_size}: give a pair of one size"
        )
    size = sizes.pop() if sizes else None
    return std, rob, load_data(given.data, n=given.n_clean, image_size=size, data_dir=given.data_dir)


def dataset_of(data: str) -> str | None:
    """Which of RobustBench's data sets a data spec stands for, if its name says so.

    Example:
        >>> dataset_of("torchvision:CIFAR100"), dataset_of("imagenet:/data/val"), dataset_of("npz:mine.npz")
        ('cifar100', 'imagenet', None)
    """
    family, _, rest = data.lower().partition(":")
    return next((known for known in DATASETS if known in (family, rest)), None)


def command_line(given: Settings, out: Path) -> str:
    """The command that makes the bundle again: what differs from the defaults, in a shell's words."""
    words: list[str] = ["mnuts", "build"]
    for option, value in given._asdict().items():
        flag = "--" + option.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is not None and value is not False and value != _DEFAULTS.get(option):
            words += [flag, str(value)]
    return shlex.join([*words, "--out", str(out)])


_DEFAULTS = {
    "seed": 0, "batch_size": 256, "n_iter": 100, "n_targets": 9, "surrogate": "ln", "precision": "full",
}  # fmt: skip


def _finish(bundle: LogitBundle, out: Path, json_out: str | None) -> None:
    """Save the bundle, read it again, clear the work folder, and say what came of it."""
    from mnuts_core.bundle import LogitBundle
    from mnuts_core.cli.info import bundle_json
    from mnuts_core.cli.tables import base_rows, describe, figures_table, legend
    from mnuts_core.remix import RemixEngine
    from mnuts_core.workfolder import discard, work_folder_of

    bundle = LogitBundle.load(bundle.save(out))
    discard(work_folder_of(out))
    base = RemixEngine(bundle).base
    rows = base_rows(base)
    if json_out is not None:
        write_json(json_out, bundle_json(out, bundle, base))
    if json_out != STDOUT:
        table = figures_table(rows, describe(bundle), ("clean", "transfer"))
        show(
            f"written: {out}", table, legend(rows, bundle), "", f"explore it: mnuts dashboard --bundle {out}"
        )


def _norm(norm: str) -> Literal["Linf", "L2"]:
    from mnuts_core.attacks.norms import NORMS

    for known in NORMS:
        if norm.lower() == known.lower():
            return known
    raise ParameterError(f"--norm must be one of {', '.join(NORMS)}, got {norm!r}")


def _precision(precision: str) -> Any:
    from mnuts_core.attacks.inputs import PRECISIONS

    if precision not in PRECISIONS:
        raise ParameterError(f"--precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    return precision


def _surrogate(text: str) -> Transformed | None:
    from mnuts_core.build import Transformed

    values = parse_surrogate(text)
    return None if values is None else Transformed(*values)
