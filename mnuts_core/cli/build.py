"""`mnuts build`: from two models and images to a bundle; resumes, and shares the work under torchrun."""

from __future__ import annotations

import inspect
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mnuts_core.cli.console import STDOUT, note, show, warn, write_json
from mnuts_core.cli.doctor import check_before_build
from mnuts_core.cli.loading import DataDirOption, DatasetOption, load_all
from mnuts_core.cli.options import (
    ChannelsLastOption,
    DeviceOption,
    EffortOption,
    ForceOption,
    JsonOption,
    PrecisionOption,
    check_norm,
    parse_eps,
)
from mnuts_core.cli.precision import AUTO, before_models, chosen
from mnuts_core.cli.shared_run import run_shared
from mnuts_core.errors import ParameterError
from mnuts_core.params import check_eps

if TYPE_CHECKING:
    from mnuts_core.attacks.base import MarginAttack, Transformed
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.models.specs import LoadedModel
    from mnuts_core.pipeline.distributed import World
    from mnuts_core.pipeline.doctor.case import Case

N_CHECKED = 256
"""So many images are looked at before the first batch, for about what one attacked image costs."""


class Settings(NamedTuple):
    """The options that a build's numbers depend on, as given; what they mean stands at `build`."""

    std: str
    rob: str
    data: str
    norm: str
    eps: str
    n_clean: int | None
    n_adv: int | None
    seed: int
    batch_size: int
    attack: str
    n_iter: int
    n_targets: int
    n_queries: int
    surrogate: str
    precision: str
    effort: str
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
    attack: Annotated[
        str, typer.Option("--attack", metavar="NAME", help="Such as mmaa (B.1), or square (D.5).")
    ] = "mmaa",
    n_iter: Annotated[int, typer.Option("--n-iter", help="MMAA: steps of each run of APGD.")] = 100,
    n_targets: Annotated[int, typer.Option("--n-targets", help="MMAA: classes that APGD-T drives at.")] = 9,
    n_queries: Annotated[int, typer.Option("--n-queries", help="Square: queries about each image.")] = 5000,
    surrogate: Annotated[
        str, typer.Option("--surrogate", metavar="[ln|M:s,p,c]", help="Attack LN∘h, or M(s,p,c)∘h (D.9).")
    ] = "ln",
    precision: PrecisionOption = AUTO,
    effort: EffortOption = "full",
    channels_last: ChannelsLastOption = False,
    with_images: Annotated[bool, typer.Option("--with-images", help="Keep images, as 8 bits.")] = False,
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    name: Annotated[str | None, typer.Option("--name", help="The bundle's name; by --out.")] = None,
    device: DeviceOption = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what a killed build left.")] = False,
    skip_checks: Annotated[
        bool, typer.Option("--skip-checks", help="Do not look at models and images first, see mnuts doctor.")
    ] = False,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Run both models on images, attack the robust one (B.1, D.5), and write the logits as a bundle.

    Killed, it resumes with the same command from FILE.mnuts-work. Under torchrun, processes share the work.
    """
    given = Settings(
        std, rob, data, norm, eps, n_clean, n_adv, seed, batch_size, attack, n_iter, n_targets,
        n_queries, surrogate, precision, effort, channels_last, with_images, dataset, data_dir, name,
    )  # fmt: skip
    check_eps(check_norm(norm), parse_eps(eps))
    parse_surrogate(surrogate)
    from mnuts_core.pipeline.workfolder import work_folder_of

    run_shared(
        lambda: None,
        lambda _, world, anew: _build(given, out, world, device, anew, checks=not skip_checks),
        lambda _, bundle: _finish(bundle, out, json_out),
        out=out,
        work=work_folder_of(out),
        outputs={"--out": out, "--json": json_out},
        device=device,
        fresh=fresh,
        force=force,
    )


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


def _build(
    given: Settings, out: Path, world: World, device: str, fresh: bool, *, checks: bool
) -> LogitBundle:
    from mnuts_core.attacks.mmaa import Mmaa
    from mnuts_core.pipeline.build import build_bundle, check_work, progress_bar
    from mnuts_core.pipeline.workfolder import count_batches, work_folder_of

    if given.n_clean is not None and given.n_clean < 1:
        raise ParameterError(f"--n-clean must be an integer of at least 1, got {given.n_clean}")
    attack, where, work = margin_attack(given), world.device(device), work_folder_of(out)
    std, rob, images = load_all(
        given.std,
        given.rob,
        given.data,
        n=given.n_clean,
        norm=attack.norm,
        dataset=given.dataset,
        data_dir=given.data_dir,
        device=where,
    )
    check_work(attack, images.images, len(images.classes), n_adv=given.n_adv, batch_size=given.batch_size)
    if checks and world.is_first:
        check_before_build(_case(given, attack, (std, rob), images, out, where))
    if isinstance(attack, Mmaa) and given.n_adv != 0:
        folders = [] if fresh else [work]
        taken = chosen(given, (rob.module,), images.images, where, folders, world)
        attack, given = replace(attack, precision=taken), given._replace(precision=taken)
    there = 0 if fresh or not world.is_first else count_batches(work)
    with progress_bar("build") as show_progress, redirect_stdout(sys.stderr):  # a model may print

        def progress(done: int, total: int) -> None:
            nonlocal there
            if there:
                note(f"resuming: {there} of {-(-len(images.labels) // given.batch_size)} batches done")
                there = 0
            show_progress(done, total)

        return build_bundle(
            std.module,
            rob.module,
            images.images,
            images.labels,
            attack=attack,
            n_adv=given.n_adv,
            name=given.name or out.stem,
            classes=images.classes,
            data=images.card,
            std_card=std.card,
            rob_card=rob.card,
            command=command_line(given, out),
            with_images=given.with_images,
            batch_size=given.batch_size,
            progress=progress if world.is_first else None,
            device=where,
            work_dir=work,
            fresh=fresh,
            world=world,
        )


def _case(
    given: Settings,
    attack: MarginAttack,
    loaded: tuple[LoadedModel, LoadedModel],
    data: LoadedData,
    out: Path,
    device: str,
) -> Case:
    """What is looked at before the first batch: a few of the images."""
    import torch

    from mnuts_core.pipeline.doctor.case import Case, Plan

    n = len(data.labels)
    return Case(
        std_model=loaded[0].module,
        rob_model=loaded[1].module,
        images=data.images[:N_CHECKED],
        labels=data.labels[:N_CHECKED],
        class_names=data.classes,
        plan=Plan(
            attack=attack,
            n_clean=n,
            n_adv=n if given.n_adv is None else given.n_adv,
            batch_size=given.batch_size,
            folder=out.absolute().parent,
            with_images=given.with_images,
        ),
        device=torch.device(device),
        loaded=loaded,
        preprocessing=data.preprocessing,
    )


def command_line(given: Settings, out: Path) -> str:
    """The command that makes the bundle again: what differs from the defaults, in a shell's words."""
    words, defaults = ["mnuts", "build"], _defaults()
    for option, value in given._asdict().items():
        flag = "--" + option.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is not None and value is not False and value != defaults[option]:
            words += [flag, str(value)]
    return shlex.join([*words, "--out", str(out)])


def _defaults() -> dict[str, Any]:
    """What each option is when it is not given."""
    return {name: parameter.default for name, parameter in inspect.signature(build).parameters.items()}


def _finish(bundle: LogitBundle, out: Path, json_out: str | None) -> None:
    """Save the bundle, read it again, clear the work folder, and say what came of it."""
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.logit_warnings import logit_warnings
    from mnuts_core.cli.answers import bundle_json, describe, figures_table, legend
    from mnuts_core.pipeline.workfolder import discard, work_folder_of
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.headline import base_rows
    from mnuts_core.views.sources import sources

    bundle = LogitBundle.load(bundle.save(out))
    discard(work_folder_of(out))
    base, warnings = RemixEngine(bundle).base, tuple(map(str, logit_warnings(bundle)))
    rows = base_rows(base)
    for warning in warnings:
        warn(warning)
    if json_out is not None:
        write_json(json_out, bundle_json(out, bundle, base) | {"warnings": warnings})
    if json_out != STDOUT:
        table = figures_table(rows, describe(bundle), ("clean", "attacked"))
        show(
            f"written: {out}",
            table,
            legend(rows, bundle),
            *(f"attacked points: {source}" for source in sources(bundle)),
            "",
            f"explore it: mnuts dashboard --bundle {shlex.quote(str(out))}",
        )


def margin_attack(given: Settings) -> MarginAttack:
    """The attack with its settings.

    Raises:
        ParameterError: If there is no such attack, or a setting of another one is given.
    """
    from mnuts_core.attacks.margin_attacks import MARGIN_ATTACKS

    if given.attack not in MARGIN_ATTACKS:
        raise ParameterError(f"--attack must be one of {', '.join(MARGIN_ATTACKS)}, got {given.attack!r}")
    of_all = {name: [field.name for field in fields(kind)] for name, kind in MARGIN_ATTACKS.items()}
    kind, own, defaults = MARGIN_ATTACKS[given.attack], of_all[given.attack], _defaults()
    for option, value in given._asdict().items():
        foreign = option not in own and any(option in names for names in of_all.values())
        if foreign and value != defaults[option]:
            flag = "--" + option.replace("_", "-")
            raise ParameterError(
                f"{flag} is no setting of --attack {given.attack}, got {value!r}: leave it out"
            )
    settings = given._asdict() | {
        "norm": check_norm(given.norm),
        "eps": parse_eps(given.eps),
        "surrogate": _surrogate(given.surrogate),
        "precision": before_models(given.precision),
    }
    return kind(**{name: settings[name] for name in own})


def _surrogate(text: str) -> Transformed | None:
    from mnuts_core.attacks.base import Transformed

    values = parse_surrogate(text)
    return None if values is None else Transformed(*values)
