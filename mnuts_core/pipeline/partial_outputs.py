"""Outputs of a run that was stopped: what it had found so far, which the run that goes on writes anew.

The work folder remembers them by their digests, so that no file is overwritten that somebody else wrote, or
changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from mnuts_core.errors import WorkFolderError
from mnuts_core.io.files import FILE, kind_of, write_atomically
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.pipeline.workfolder import PARTIAL

MAX_BYTES = 2**16
"""Of the list of outputs."""


def remember(work: str | os.PathLike[str], outputs: Iterable[str | os.PathLike[str]]) -> None:
    """Note in a work folder that these files are its run's own.

    Args:
        work: The folder, which is there.
        outputs: Files that have just been written.

    Raises:
        WorkFolderError: If the folder cannot be written.
    """
    digests = {os.path.realpath(output): _digest(output) for output in outputs}
    text = json.dumps(digests, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(Path(work) / PARTIAL, text.encode(), WorkFolderError)


def is_own(work: str | os.PathLike[str], output: str | os.PathLike[str]) -> bool:
    """Whether the run of a work folder has written this file, and nobody has changed it since.

    Args:
        work: The folder, which need not be there.
        output: A file, which need not be there either.
    """
    if kind_of(Path(work) / PARTIAL) != FILE or kind_of(output) != FILE:
        return False
    try:
        text = read_bytes(Path(work) / PARTIAL, MAX_BYTES, WorkFolderError)
        digests = parse_json(text, PARTIAL, WorkFolderError)
    except WorkFolderError:
        return False
    known = digests.get(os.path.realpath(output)) if isinstance(digests, dict) else None
    return known is not None and known == _digest(output)


def _digest(file: str | os.PathLike[str]) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
