"""The application `mnuts`: its commands, its exit codes, and how it tells of errors.

Exit codes: 0 done; 1 a fault of the program, the reader of its output is gone, or the doctor has found
errors; 2 a fault of the input, or a disk or an output that is full; 130, 143, 129 stopped by Ctrl-C, SIGTERM,
SIGHUP.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from mnuts_core.cli import (
    ablate,
    attack,
    build,
    certify,
    compare,
    convert,
    dashboard,
    demo,
    doctor,
    evaluate,
    export,
    gain,
    importing,
    info,
    page,
    profile,
    refine,
    remix,
    report,
    robustbench,
    search,
    streams,
)
from mnuts_core.cli.console import fail, to_stdout
from mnuts_core.cli.options import Command
from mnuts_core.cli.stopping import stoppable
from mnuts_core.errors import MnutsError, Stopped
from mnuts_core.io.files import NO_ROOM, shown

OK, FAULT, USAGE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="mnuts",
    help="MixedNUTS: mix an accurate and a robust classifier, see the trade-off, export the best mix.",
    epilog="BUNDLE is the name of a bundle that `mnuts info` lists, or the path of a .safetensors file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("info", cls=Command)(info.info)
app.command("search", cls=Command)(search.search)
app.command("remix", cls=Command)(remix.remix)
app.command("export", cls=Command)(export.export)
app.command("submit-check", cls=Command)(robustbench.submit_check)
app.command("doctor", cls=Command)(doctor.doctor)
app.command("build", cls=Command)(build.build)
app.command("attack", cls=Command)(attack.attack)
app.command("refine", cls=Command)(refine.refine)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("compare", cls=Command)(compare.compare)
app.command("gain", cls=Command)(gain.gain)
app.command("certify", cls=Command)(certify.certify)
app.command("profile", cls=Command)(profile.profile)
app.command("report", cls=Command)(report.report)
app.command("page", cls=Command)(page.page)
app.command("ablate", cls=Command)(ablate.ablate)
app.command("import", cls=Command)(importing.import_)
app.command("convert", cls=Command)(convert.convert)
app.command("dashboard")(dashboard.dashboard)
app.add_typer(demo.app, name="demo")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mnuts {version('mnuts')}")
        raise typer.Exit()


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="On an error, show where it arose.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options before the command; `run` reads --debug itself, since parsing may fail too."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `mnuts` and leave with its exit code.

    Args:
        argv: The arguments after the program's name; those of the process if None.
    """
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run `mnuts` and return the exit code; errors are printed in one line on standard error.

    Args:
        argv: The arguments after the program's name.
    """
    streams.prepare()
    try:
        return _run(argv, debug="--debug" in _before_command(argv))
    finally:
        streams.settle()


def _run(argv: Sequence[str], debug: bool) -> int:
    try:
        with stoppable():
            code: int | None = app(list(argv), prog_name="mnuts", standalone_mode=False)
        with to_stdout():
            sys.stdout.flush()
        return code or OK
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Stopped as stop:
        return stop.code
    except BrokenPipeError:
        return FAULT
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _report(error, debug)


def _before_command(argv: Sequence[str]) -> Sequence[str]:
    commands = (place for place, word in enumerate(argv) if not word.startswith("-"))
    return argv[: next(commands, len(argv))]


def _report(error: Exception, debug: bool) -> int:
    """One line about an error, and the exit code that it stands for."""
    if isinstance(error, MnutsError):
        fail(str(error))
        return USAGE
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = f" {shown(error.filename)}" if error.filename else ""
        fail(f"cannot write{where}: {error.strerror}")
        return USAGE
    # typer carries a click of its own in newer versions: its errors are known by what they can do
    if hasattr(error, "format_message"):
        if message := error.format_message():
            fail(message)
        return USAGE
    hint = "" if debug else " (a fault of mnuts; `mnuts --debug ...` shows where)"
    fail(f"{type(error).__name__}: {error}{hint}")
    return FAULT
