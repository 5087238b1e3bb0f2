"""Options that several commands share, and how they become the core's own objects."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from mnuts_core.clamps import CLAMPS, check_clamp
from mnuts_core.cli.console import STDOUT
from mnuts_core.errors import ConfigError, MnutsError, ParameterError
from mnuts_core.params import LN_K_DEFAULT, PARAMS, MixParams

if TYPE_CHECKING:
    from mnuts_core.attacks.norms import Norm
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.export.config import MixConfig
    from mnuts_core.models.inputs import Precision

JSON = "--json"
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
_FRACTION = re.compile(rf"\s*({_NUMBER})\s*(?:/\s*({_NUMBER})\s*)?")


class Command(TyperCommand):
    """A command whose `--json` may stand alone, for standard output, or be followed by a `.json` file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after filling in what a lone `--json` means."""
        return super().parse_args(ctx, complete_json(args))


def complete_json(args: list[str]) -> list[str]:
    """The arguments with `-` after each `--json` that no target follows.

    Example:
        >>> complete_json(["--json", "digits"]), complete_json(["digits", "--json", "out.json"])
        (['--json', '-', 'digits'], ['digits', '--json', 'out.json'])
    """
    completed: list[str] = []
    for place, word in enumerate(args):
        if word == "--":  # what follows are no options
            return completed + args[place:]
        completed.append(word)
        following = args[place + 1] if place + 1 < len(args) else ""
        if word == JSON and following != STDOUT and not following.lower().endswith(".json"):
            completed.append(STDOUT)
    return completed


BundleArgument = Annotated[str, typer.Argument(help="Name of a bundle, or path of a .safetensors file.")]
JsonOption = Annotated[
    str | None,
    typer.Option(
        JSON,
        metavar="[OUT.json]",
        help="One JSON object instead of tables on standard output; or beside them in a file.",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="[auto|full|bfloat16]",
        help="Of gradients; auto: what a second's measurement finds faster, full: float32.",
    ),
]
EffortOption = Annotated[
    str,
    typer.Option(
        "--effort",
        metavar="[full|frugal]",
        help="frugal: the likeliest winners alone, see docs/warnings.md#frugal.",
    ),
]
ChannelsLastOption = Annotated[
    bool, typer.Option("--channels-last", help="NHWC memory layout, often faster.")
]
BetaOption = Annotated[
    float | None,
    typer.Option("--beta", help="Level β in [0, 1], from which α follows; 0.985 (98.5 %) if not given."),
]
AlphaOption = Annotated[
    float | None, typer.Option("--alpha", help="Weight α in [0.5, 1] by hand, instead of β.")
]
ClampOption = Annotated[str, typer.Option("--clamp", metavar=f"[{'|'.join(CLAMPS)}]", help="Clamp of Eq. 4.")]
LnKOption = Annotated[
    int, typer.Option("--ln-k", help="Layer norm over the k largest logits; 0 leaves it out.")
]
TemperatureOption = Annotated[
    float, typer.Option("--temperature", "-T", help="T ≥ 0 of the standard model; 0 is its arg max.")
]
StdOption = Annotated[str, typer.Option("--std", metavar="SPEC", help="The accurate model.")]
RobOption = Annotated[str, typer.Option("--rob", metavar="SPEC", help="The robust model.")]
ImagesOption = Annotated[str, typer.Option("--data", metavar="SPEC", help="The images of the bundle.")]
NewBundleOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="The new bundle: a .safetensors.")
]
NumberAttackedOption = Annotated[
    int | None, typer.Option("--n-adv", min=1, help="How many of the attacked images; all if not given.")
]
StepsOption = Annotated[int, typer.Option("--n-iter", "--steps", min=1, help="Steps of APGD and FAB.")]
TargetsOption = Annotated[int, typer.Option("--n-targets", min=1, help="Classes to drive at.")]
ComponentsOption = Annotated[
    str, typer.Option("--components", metavar="NAME,...", help="Of apgd-ce, apgd-t, fab-t, square.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
BatchSizeOption = Annotated[int, typer.Option("--batch-size", min=1, help="Images at a time.")]
WorkFolderOption = Annotated[
    Path | None, typer.Option("--work-dir", metavar="DIR", help="Finished batches; by --out.")
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Throw away what a killed run left.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
GridOption = Annotated[
    str | None,
    typer.Option(
        "--grid",
        metavar="[cifar10|cifar100|imagenet|FILE]",
        help="Ranges of the paper's Table 3; or a .yaml or .json FILE, FILE:ENTRY for one of several.",
    ),
]
Range = tuple[float, float] | None
ScaleRangeOption = Annotated[
    Range, typer.Option("--s", metavar="LO HI", help="Range of the scale, log-spaced.")
]
PowerRangeOption = Annotated[Range, typer.Option("--p", metavar="LO HI", help="Range of the power.")]
BiasRangeOption = Annotated[Range, typer.Option("--c", metavar="LO HI", help="Range of the bias.")]
ConditionalOption = Annotated[
    bool,
    typer.Option(
        "--conditional", help="Count only wrong examples that the standard model gets right (D.8.3)."
    ),
]
WidenOption = Annotated[
    int,
    typer.Option(
        "--widen", metavar="N", min=0, max=10, help="Search wider up to N times while the best is on an edge."
    ),
]

DEFAULT_BETA = PARAMS["beta"].default
DEFAULT_CLAMP = "gelu"
DEFAULT_LN_K = LN_K_DEFAULT


def load_bundle(name_or_path: str) -> LogitBundle:
    """The bundle that a name or a path means, validated.

    Raises:
        BundleError: If there is none, or it is broken.
    """
    from mnuts_core.bundles import named

    return named.load_bundle(name_or_path)


def load_configs(paths: Sequence[Path]) -> list[tuple[Path, MixConfig]]:
    """The configurations that `--config` names, each with its file.

    Raises:
        ConfigError: If one is broken, or given twice.
    """
    from mnuts_core.export.config import MixConfig

    resolved = [path.resolve() for path in paths]
    for path in paths:
        if resolved.count(path.resolve()) > 1:
            raise ConfigError(f"--config {path} is given twice: give each configuration once")
    return [(path, MixConfig.load(path)) for path in paths]


def check_beta(beta: float | None, option: str = "--beta") -> float:
    """β, or its default.

    Args:
        beta: A level, or None.
        option: What gave it, for the message.

    Raises:
        ParameterError: If it is outside [0, 1]; a percentage is met with how to write it.
    """
    if beta is None:
        return DEFAULT_BETA
    if beta > 1:
        raise ParameterError(f"{option} must lie in [0, 1], got {beta:g}: give 0.985 for 98.5 %")
    return replace(PARAMS["beta"], name=option).check(beta)


def parse_eps(text: str, option: str = "--eps") -> float:
    """ε, or another radius, from a number or a fraction.

    Args:
        text: As it was given.
        option: Where, for the message.

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
    raise ParameterError(f"{option} must be a number or a fraction in (0, inf), such as 8/255, got {text!r}")


def check_precision_name(precision: str) -> Precision:
    """The precision, if there is one of that name.

    Raises:
        ParameterError: If not.
    """
    from mnuts_core.models.inputs import PRECISIONS

    for known in PRECISIONS:
        if precision == known:
            return known
    raise ParameterError(f"--precision must be one of auto, {', '.join(PRECISIONS)}, got {precision!r}")


def check_norm(norm: str) -> Norm:
    """The norm, in whatever case it is written.

    Raises:
        ParameterError: If there is no such norm.
    """
    from mnuts_core.attacks.norms import NORMS

    for known in NORMS:
        if norm.lower() == known.lower():
            return known
    raise ParameterError(f"--norm must be one of {', '.join(NORMS)}, got {norm!r}")


def mix_params(
    s: float,
    p: float,
    c: float,
    beta: float | None,
    alpha: float | None,
    clamp: str,
    ln_k: int,
    temperature: float,
) -> MixParams:
    """The parameters of a mix from the command line.

    Raises:
        MnutsError: If a value lies outside its interval, or both β and α are given.
    """
    if beta is not None and alpha is not None:
        raise MnutsError("give --beta or --alpha, not both: α follows from β")
    return MixParams(
        s=s,
        p=p,
        c=c,
        beta=check_beta(beta),
        alpha=alpha,
        clamp=check_clamp(clamp),
        ln_k=ln_k,
        temperature=temperature,
    )


def component_names(given: str) -> tuple[str, ...]:
    """The names in an option such as `apgd-ce,apgd-t`.

    Args:
        given: As given; a plan checks the names.
    """
    return tuple(part.strip() for part in given.split(",") if part.strip())
