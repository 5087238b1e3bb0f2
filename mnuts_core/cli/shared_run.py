"""What commands with a long computation have in common: it resumes, and processes under torchrun share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mnuts_core.cli.console import STDOUT, check_outputs, note
from mnuts_core.cli.stopping import resumable
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.pipeline.distributed import World

Given = TypeVar("Given")
Result = TypeVar("Result")


def run_shared(
    load: Callable[[], Given],
    compute: Callable[[Given, World, bool], Result],
    finish: Callable[[Given, Result], None],
    *,
    out: Path | None,
    work: Path,
    outputs: Mapping[str, str | Path | None],
    device: str,
    fresh: bool,
    force: bool,
) -> None:
    """Compute something in a work folder, alone or with other processes, and let the first one write it.

    Args:
        load: Reads what is needed, before the work folder is taken.
        compute: From that, the processes, and whether to throw away what is in the work folder.
        finish: Writes the outputs; on the first process alone.
        out: The output that shows that all is done; None where there is none that is not there before.
        work: The work folder.
        outputs: All outputs, by their options.
        device: As the option has it.
        fresh: Whether to start anew.
        force: Whether outputs may be overwritten.

    Raises:
        MnutsError: If an output may not be written, or the work folder is in use.
    """
    from mnuts_core.pipeline.distributed import joined
    from mnuts_core.pipeline.partial_outputs import is_own

    with joined(device) as world:
        if world.restarts and out is not None and out.exists() and not force and not is_own(work, out):
            note(f"{out} is written")  # another process fell after this one had written it
            return
        check(outputs, work, force=force)
        given = load()
        with resumable(work, world.patience, fresh=fresh) if world.is_first else nullcontext():
            if world.is_first:
                check(outputs, work, force=force)  # who had the folder until now may have written them
            result = compute(given, world, fresh and not world.restarts)
            if world.is_first:
                check(outputs, work, force=force)  # and so may any program meanwhile
                finish(given, result)
        world.wait()


def check(outputs: Mapping[str, str | Path | None], work: Path, *, force: bool) -> None:
    """As `check_outputs`, but what the run of this work folder has written may be overwritten unasked.

    Args:
        outputs: All outputs, by their options.
        work: The work folder, which need not be there.
        force: Whether outputs may be overwritten.

    Raises:
        MnutsError: If an output may not be written.
    """
    from mnuts_core.pipeline.partial_outputs import is_own

    check_outputs(outputs, force=True)
    others = {
        option: output
        for option, output in outputs.items()
        if output is not None and output != STDOUT and not is_own(work, output)
    }
    check_outputs(others, force=force)


def note_resuming(folders: Sequence[Path], world: World, *, fresh: bool) -> None:
    """Say how many batches an earlier run has left, if any; the first process alone.

    Args:
        folders: The work folders.
        world: The processes that share the work.
        fresh: Whether what is in the folders is thrown away.
    """
    from mnuts_core.pipeline.workfolder import count_batches

    if there := 0 if fresh or not world.is_first else sum(map(count_batches, folders)):
        note(f"resuming: {counted(there, 'batch', 'batches')} done")
