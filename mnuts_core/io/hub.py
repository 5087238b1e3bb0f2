"""Files by their place on the Hugging Face Hub; fetched once, then read from its cache."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mnuts_core.extras import import_extra
from mnuts_core.io.untrusted import Error, brief

FORM = "hf:[datasets/]OWNER/NAME[@REVISION]/PATH"
"""How such a file is named."""
_NAME = re.compile(r"hf:/{0,2}(datasets/)?([\w.-]+/[\w.-]+)(?:@([^/]+))?/(.+)")


def local_path(path: str | os.PathLike[str], error: Error) -> Path:
    """Where a file lies: the path itself, or the cache's copy of what a name on the Hub means.

    Args:
        path: A path, or `FORM`; the revision is a branch, tag or commit, the main branch if not given.
        error: The exception to raise.

    Raises:
        MissingExtraError: If a name on the Hub is given and huggingface_hub is not installed.
    """
    text = os.fspath(path)
    if not text.startswith("hf:"):
        return Path(path)
    found = _NAME.fullmatch(text)
    if found is None:
        raise error(f"{text!r} is no place on the Hub: give {FORM}")
    datasets, repository, revision, file = found.groups()
    hub = import_extra("huggingface_hub")
    try:
        return Path(
            hub.hf_hub_download(
                repository, file, repo_type="dataset" if datasets else "model", revision=revision
            )
        )
    except Exception as problem:  # of the library, of its connection, of the disk
        raise error(f"{text} is not in the Hub's cache and cannot be fetched: {brief(problem)}") from None
