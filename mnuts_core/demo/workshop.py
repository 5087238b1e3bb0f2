"""Where a demo pair is made: a work folder that outlives a kill, files that appear together at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mnuts_core.demo.best_mixes import config_names
from mnuts_core.demo.weights import weights_path
from mnuts_core.errors import BundleError
from mnuts_core.io.files import make_folder, shown, write_together
from mnuts_core.pipeline.locks import held


class Workshop(NamedTuple):
    """The folders of a pair that is being made.

    Attributes:
        out: Where the files go in the end.
        work: For what an interrupted build goes on from.
        files: For the finished files, until all of them are.
    """

    out: Path
    work: Path
    files: Path

    def placed(self, file: Path) -> Path:
        """Where one of the finished files goes."""
        return self.out / file.name


def work_folder(folder: Path, pair: str) -> Path:
    """The work folder of a pair that is made in a folder."""
    return folder / f"{pair}.demo-work"


def output_names(pair: str) -> tuple[str, ...]:
    """The files of a demo pair, as far as there are such mixes. The bundle comes last: where it is, they are.

    Args:
        pair: `digits` or `cifar10`.
    """
    weights = (weights_path(pair, "std", ""), weights_path(pair, "rob", ""))
    return (*(path.name for path in weights), *config_names(pair), f"{pair}.safetensors")


@contextlib.contextmanager
def workshop(out_dir: str | os.PathLike[str], pair: str) -> Iterator[Workshop]:
    """Make a pair: its files come to the folder together, once the block has ended well.

    Args:
        out_dir: Existing folder where the files go.
        pair: `digits` or `cifar10`.

    Raises:
        BundleError: If the folder does not exist, or the files cannot be written.
        WorkFolderError: If another process makes the pair there.
    """
    out = Path(out_dir)
    if not out.is_dir():
        raise BundleError(f"out_dir must be an existing folder, got {shown(out)}: create it first")
    shop = Workshop(out, work_folder(out, pair), work_folder(out, pair) / "files")
    with held(shop.work):
        make_folder(shop.files, BundleError)
        yield shop
        made = [file for name in output_names(pair) if (file := shop.files / name).exists()]
        write_together({shop.placed(file): file.read_bytes() for file in made}, BundleError)
        shutil.rmtree(shop.work, ignore_errors=True)
