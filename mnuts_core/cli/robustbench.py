"""`mnuts export --robustbench` and `mnuts submit-check`: a hand-in to RobustBench, and its check."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnuts_core.cli.console import (
    STDOUT,
    check_outputs,
    fail,
    note,
    printable,
    show,
    warn,
    write_json,
    write_text,
)
from mnuts_core.cli.loading import DataDirOption, load_all
from mnuts_core.cli.options import BatchSizeOption, DeviceOption, ForceOption, JsonOption, load_bundle
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import check_folder
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.export.robustbench.check_points import Finding, Ground
    from mnuts_core.export.robustbench.entry import Paper

PANEL = "RobustBench"


def _option(flag: str, metavar: str | None, words: str) -> Any:
    return typer.Option(flag, metavar=metavar, help=words, rich_help_panel=PANEL)


Words = str | None
RobustBenchOption = Annotated[
    Path | None,
    _option("--robustbench", "DIR", "Write a hand-in to RobustBench there, of a verified --config."),
]
ConfigOption = Annotated[
    Path | None, _option("--config", "FILE.json", "The mix, verified on all test images by `mnuts evaluate`.")
]
StandardOption = Annotated[
    Path | None,
    _option("--autoattack", "FILE.json", "The same mix, verified by `mnuts evaluate --attack autoattack`."),
]
PointsOption = Annotated[
    Path | None,
    _option("--points", "FILE.npz", "Its points, as `mnuts evaluate --points` wrote them."),
]
IdOption = Annotated[Words, _option("--id", "NameYearWord", "How the model will be called.")]
TitleOption = Annotated[Words, _option("--title", "TEXT", "Of the paper.")]
AuthorsOption = Annotated[Words, _option("--authors", "A, B, C", "Of the paper.")]
LinkOption = Annotated[Words, _option("--link", "URL", "To the paper.")]
VenueOption = Annotated[Words, _option("--venue", "ICLR 2025", "Where it appeared; N/A if nowhere.")]
ArchitectureOption = Annotated[Words, _option("--architecture", "G + H", "Of both base models.")]
AdditionalOption = Annotated[
    bool | None,
    _option("--additional-data/--no-additional-data", None, "Whether training took more than the data set."),
]
FootnoteOption = Annotated[str, _option("--footnote", "TEXT", "What else a reader must know.")]
CodeOption = Annotated[str, _option("--code", "URL", "Of checkpoints and code.")]
DraftOption = Annotated[
    bool, _option("--draft", None, "Write what the leaderboard would refuse all the same, marked as a draft.")
]


@dataclass(frozen=True)
class Wanted:
    """What the options of `mnuts export --robustbench` say; None where one was not given."""

    config: Path | None
    standard: Path | None
    points: Path | None
    paper: dict[str, Any]
    draft: bool

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        named = {"config": self.config, "autoattack": self.standard, "points": self.points}
        words = [name for name, value in (named | self.paper).items() if value not in (None, "")]
        return [f"--{name.replace('_', '-')}" for name in [*words, *(["draft"] if self.draft else [])]]


def hand_in(bundle: str, folder: Path, wanted: Wanted, *, force: bool, json_out: str | None) -> None:
    """Write a hand-in, or say all that stands in its way.

    Args:
        bundle: The bundle that the mix was made on.
        folder: Where to write.
        wanted: What the options say.
        force: Whether existing files may be overwritten.
        json_out: Where an answer in JSON goes, if anywhere.

    Raises:
        MnutsError: If something is missing or wrong, or the leaderboard would refuse what is no draft.
    """
    check_outputs({"--json": json_out}, force=force)
    check_folder(folder, MnutsError, "--robustbench")
    paper = _paper(wanted)
    if wanted.config is None:
        raise MnutsError("--robustbench needs --config: the mix that `mnuts evaluate` has verified")
    logits = load_bundle(bundle)
    from mnuts_core.export.config import MixConfig
    from mnuts_core.export.robustbench.folder import prepare, write

    standard = None if wanted.standard is None else MixConfig.load(wanted.standard)
    made = prepare(logits, MixConfig.load(wanted.config), paper, standard=standard, points=wanted.points)
    if made.reasons and not (wanted.draft and made.contents):
        for reason in made.reasons:
            fail(reason)
        way_out = "--draft writes it all the same" if made.contents else "it cannot even be drafted"
        count = counted(len(made.reasons), "reason")
        raise MnutsError(f"the leaderboard would refuse this, see above ({count}): {way_out}")
    files = write(made, folder, force=force)
    for reason in made.reasons:
        warn(f"a draft: {reason}")
    for text in made.notes:
        note(text)
    if json_out is not None:
        write_json(json_out, {"files": files, "reasons": made.reasons, "notes": made.notes})
    if json_out != STDOUT:
        show(*(f"written: {path}" for path in files))


def _paper(wanted: Wanted) -> Paper:
    """What the authors say; all of it must be given."""
    missing = [name for name, value in wanted.paper.items() if value is None]
    if missing:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise MnutsError(f"--robustbench needs {options}: what a paper says is not made up")
    from mnuts_core.export.robustbench.entry import Paper

    return Paper(**wanted.paper)


def submit_check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `mnuts export --robustbench` wrote.")],
    std: Annotated[
        str | None, typer.Option("--std", metavar="SPEC", help="The accurate model, for the accuracies.")
    ] = None,
    rob: Annotated[
        str | None, typer.Option("--rob", metavar="SPEC", help="The robust model, likewise.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="SPEC", help="The test images, to check the points.")
    ] = None,
    data_dir: DataDirOption = None,
    batch_size: BatchSizeOption = 250,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Check a hand-in to RobustBench: fields, numbers, points. Nothing that is in it is run."""
    check_outputs({"--json": json_out}, force=force)
    if (std is None) != (rob is None) or (std is not None and data is None):
        raise MnutsError("--std, --rob and --data belong together: accuracies are recomputed from all three")
    from mnuts_core.export.robustbench.check import check_hand_in

    ground = None if data is None else _ground(folder, std, rob, data, data_dir, device, batch_size)
    with redirect_stdout(sys.stderr):  # a model may print
        findings = check_hand_in(folder, ground)
    if json_out is not None:
        write_json(json_out, {"path": folder, "findings": [each._asdict() for each in findings]})
    if json_out != STDOUT:
        write_text(STDOUT, "".join(f"{printable(str(each))}\n" for each in findings))
    _judge(findings, json_out)


def _judge(findings: list[Finding], json_out: str | None) -> None:
    wrong = sum(each.kind == "wrong" for each in findings)
    if wrong:
        raise MnutsError(f"in the way of handing it in: {wrong} of these {counted(len(findings), 'finding')}")
    if json_out != STDOUT:
        show("nothing is in the way of handing it in")


def _ground(
    folder: Path,
    std: str | None,
    rob: str | None,
    data: str,
    data_dir: Path | None,
    device: str,
    batch_size: int,
) -> Ground:
    """Images, and both models where they are given."""
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.export.config import MixConfig
    from mnuts_core.export.robustbench.check_points import Ground
    from mnuts_core.export.robustbench.entry import figures_of
    from mnuts_core.export.robustbench.hand_in import CONFIG, HandIn

    card = HandIn.load(folder)
    n = figures_of(MixConfig.load(folder / CONFIG))[0].n
    if std is None or rob is None:
        loaded = load_data(data, n=n, data_dir=data_dir)
        return Ground(loaded.images, loaded.labels, None, device, batch_size)
    norm: Any = card.norm
    g, h, loaded = load_all(
        std, rob, data, n=n, norm=norm, dataset=card.dataset, data_dir=data_dir, device=device
    )
    return Ground(loaded.images, loaded.labels, (g.module, h.module), device, batch_size)
