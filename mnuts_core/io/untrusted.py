"""Reading files from strangers: nothing in them runs, and nothing is allocated that they do not hold."""

from __future__ import annotations

import math
import os
import pickletools
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 8 * 2**30
"""Files, and what they unpack to, may be this large at most."""
MAX_ENTRIES = 100_000
MAX_PICKLE = 64 * 2**20
_ALLOCATING = re.compile(r"(Tensor|UntypedStorage|TypedStorage|bytearray)$")
"""Names that PyTorch's restricted unpickler allows, but that make arrays of any size out of a number."""

Error = type[Exception]


class ArrayHeader(NamedTuple):
    """What an array in an `.npz` file says of itself, before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def existing_file(path: str | os.PathLike[str], error: Error) -> Path:
    """The path, if it is a file of at most `MAX_BYTES`.

    Args:
        path: What the user gave.
        error: The exception to raise.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise error(f"no file at {path}: give the path of an existing file")
    if path.stat().st_size > MAX_BYTES:
        raise error(f"{path} is larger than {MAX_BYTES // 2**30} GiB: split it")
    return path


def npz_headers(path: str | os.PathLike[str], error: Error) -> dict[str, ArrayHeader]:
    """Names, shapes and dtypes of the arrays in an `.npz` file; their contents are not read.

    Args:
        path: The file.
        error: The exception to raise if it is missing, broken, too large or holds Python objects.
    """
    path = existing_file(path, error)
    with _open_zip(path, error) as archive:
        entries = archive.infolist()
        if (total := sum(entry.file_size for entry in entries)) > MAX_BYTES:
            raise error(f"{path} unpacks to {total:,} bytes, more than {MAX_BYTES:,}: split it")
        return {entry.filename.removesuffix(".npy"): _header(archive, entry, error) for entry in entries}


def read_npz(path: str | os.PathLike[str], wanted: Collection[str], error: Error) -> dict[str, NDArray[Any]]:
    """Arrays from an `.npz` file, after `npz_headers` found it sound.

    Args:
        path: The file.
        wanted: Names to read; those that are not there are left out.
        error: The exception to raise.
    """
    path = existing_file(path, error)
    names = [name for name in npz_headers(path, error) if name in wanted]
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise error(f"{path} is damaged: {problem}") from None


def read_torch(path: str | os.PathLike[str], error: Error, *, legacy: bool = False) -> Any:
    """What `torch.save` wrote, if that is tensors and plain containers only.

    Args:
        path: The file.
        error: The exception to raise.
        legacy: Read the format of before PyTorch 1.6 too, whose sizes cannot be checked beforehand.
    """
    import torch

    path = existing_file(path, error)
    with path.open("rb") as stream:
        zipped = stream.read(4) == b"PK\x03\x04"
    if zipped:
        _check_torch_zip(path, error)
    elif not legacy:
        raise error(f"{path} is not a file of torch.save (PyTorch 1.6 or newer): save it again")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception as problem:  # a broken pickle may fail anywhere
        raise error(
            f"{path} must hold nothing but tensors, numbers, text and plain containers of them "
            f"(weights_only): {brief(problem)}"
        ) from None


def tensor_array(name: str, value: Tensor, error: Error) -> NDArray[Any]:
    """A tensor from `read_torch` as an array; bfloat16 becomes float32.

    Args:
        name: What to call it in a message.
        value: Any tensor.
        error: The exception to raise if it is not dense, or larger than what the file holds of it.
    """
    import torch

    if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
        raise error(f"{name} must be a dense tensor on the CPU, got {value.layout} on {value.device}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise error(f"{name} repeats its values (strides {value.stride()}): save it .contiguous()")
    value = value.detach()
    array: NDArray[Any] = (value.float() if value.dtype is torch.bfloat16 else value).contiguous().numpy()
    return array


def brief(problem: BaseException, limit: int = 300) -> str:
    """An exception of a library in one line of at most `limit` characters."""
    text = " ".join(f"{type(problem).__name__}: {problem}".split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


@contextmanager
def _open_zip(path: Path, error: Error) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise error(f"{path} holds more than {MAX_ENTRIES:,} entries")
            yield archive
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as problem:
        raise error(f"{path} is not a readable {path.suffix or 'zip'} file: {problem}") from None


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, error: Error) -> ArrayHeader:
    name = f"{entry.filename} in {archive.filename}"
    try:
        with archive.open(entry) as stream:
            header = _parse_header(stream)
            size = stream.tell() + math.prod(header.shape) * header.dtype.itemsize
    except (ValueError, TypeError, SyntaxError) as problem:
        raise error(f"{name} is not an array: {brief(problem)}") from None
    if header.dtype.hasobject:
        raise error(f"{name} holds Python objects, which could run code: save numbers or text")
    if size != entry.file_size:
        raise error(f"{name} is damaged: its header promises {size:,} bytes, it holds {entry.file_size:,}")
    return header


def _parse_header(stream: IO[bytes]) -> ArrayHeader:
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the .npy format")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, _, dtype = read(stream)
    return ArrayHeader(shape, dtype)


def _check_torch_zip(path: Path, error: Error) -> None:
    """Refuse archives that unpack to more than they are, or whose pickle could allocate at will."""
    with _open_zip(path, error) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > path.stat().st_size:
                raise error(f"{path} is not as torch.save writes it: {entry.filename} is compressed")
            if entry.filename.endswith(".pkl"):
                if entry.file_size > MAX_PICKLE:
                    raise error(f"{path} holds a pickle of more than {MAX_PICKLE:,} bytes")
                _check_globals(path, archive.read(entry), error)


def _check_globals(path: Path, pickle: bytes, error: Error) -> None:
    try:
        named = [str(word) for operation, word, _ in pickletools.genops(pickle) if operation.name == "GLOBAL"]
    except ValueError as problem:
        raise error(f"{path} holds a broken pickle: {problem}") from None
    for name in named:
        if _ALLOCATING.search(name):
            raise error(f"{path} asks for {name.replace(' ', '.')}, which a file of tensors does not need")
