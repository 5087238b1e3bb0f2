"""Arrays from the zip files of NumPy (`.npz`) and PyTorch (`.pt`) that strangers send.

What an archive is to unpack to is known, and compared with what it is, before anything is unpacked.
"""

from __future__ import annotations

import math
import os
import pickletools
import re
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.io.untrusted import Error, allowed_size, brief, existing_file
from mnuts_core.text import one_line, shortened, visible

if TYPE_CHECKING:
    from torch import Tensor

MAX_ENTRIES = 10_000
MAX_PICKLE = 4 * 2**20
_ALLOCATING = re.compile(r"(Tensor|UntypedStorage|TypedStorage|bytearray)$")
"""Names that PyTorch's restricted unpickler allows, but that make arrays of any size out of a number."""
_NUMBERS = ("float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64")
"""The dtypes of PyTorch that become arrays."""


class ArrayHeader(NamedTuple):
    """What an array in an `.npz` file says of itself, before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def npz_headers(path: str | os.PathLike[str], error: Error) -> dict[str, ArrayHeader]:
    """Names, shapes and dtypes of the arrays in an `.npz` file; their contents are not read.

    Args:
        path: The file.
        error: The exception to raise if it is missing, broken, too large or holds Python objects.
    """
    path = existing_file(path, error)
    with _open_zip(path, ".npz", error) as archive:
        entries = archive.infolist()
        total, allowed = sum(entry.file_size for entry in entries), allowed_size(path)
        if total > allowed:
            raise error(
                f"{path} unpacks to {total:,} bytes, more than {allowed:,}, which a file of its size may "
                "take: save it uncompressed (np.savez), or split it"
            )
        headers = {entry.filename.removesuffix(".npy"): _header(archive, entry, error) for entry in entries}
        if len(headers) < len(entries):
            raise error(f"{path} holds two arrays of the same name: save it again")
        return headers


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
        with warnings.catch_warnings(), np.load(path, allow_pickle=False) as arrays:
            warnings.simplefilter("ignore")
            return {name: arrays[name] for name in names}
    except Exception as problem:  # see `_open_zip`
        raise error(f"{path} is damaged: {brief(problem)}") from None


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
        with warnings.catch_warnings():  # of sparse tensors and the like, which are refused further on
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception as problem:  # a broken pickle may fail anywhere
        raise error(
            f"{path} must hold nothing but tensors, numbers, text and plain containers of them "
            f"(weights_only): {_refusal(problem)}"
        ) from None


def _refusal(problem: Exception) -> str:
    """Why PyTorch did not load a file, without its advice to trust it."""
    if named := re.search(r"Unsupported (?:global: GLOBAL|class) ([\w.]+)", str(problem)):
        return f"it holds {named[1]}; save numbers as float(x), arrays as torch.as_tensor(x)"
    reason = re.search(r"WeightsUnpickler error: *(\S.*)", str(problem))
    return one_line(reason[1], 200) if reason else f"it cannot be unpickled ({type(problem).__name__})"


def tensor_array(name: str, value: Tensor, error: Error) -> NDArray[Any]:
    """A tensor from `read_torch` as an array; bfloat16 becomes float32.

    Args:
        name: What to call it in a message.
        value: Any tensor.
        error: The exception to raise if it is not dense, of another dtype than NumPy's own and bfloat16, or
            larger than what the file holds of it.
    """
    import torch

    dense = value.layout is torch.strided and not value.is_nested
    if not dense or value.device.type != "cpu" or value.is_quantized:
        kind = value.layout if value.layout is not torch.strided else "nested or quantized"
        raise error(f"{name} must be a dense tensor on the CPU, got {kind} on {value.device}")
    if (dtype := str(value.dtype).removeprefix("torch.")) not in (*_NUMBERS, "bool"):
        raise error(
            f"{name} must have one of the dtypes {', '.join(_NUMBERS)}, got {dtype}: save it .float()"
        )
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise error(f"{name} repeats its values (strides {value.stride()}): save it .contiguous()")
    value = value.detach().resolve_neg()
    array: NDArray[Any] = (value.float() if value.dtype is torch.bfloat16 else value).contiguous().numpy()
    return array


def class_names(values: Any, error: Error) -> tuple[str, ...]:
    """Names of classes as text, whatever they were kept as.

    Args:
        values: A list of text, numbers or bytes, which are taken as UTF-8.
        error: The exception to raise if it is something else.
    """
    listed = isinstance(values, (list, tuple)) or (isinstance(values, np.ndarray) and values.ndim == 1)
    try:
        if not listed or not all(isinstance(value, (str, bytes, int, np.generic)) for value in values):
            raise ValueError(shortened(values))
        return tuple(
            visible(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))
            for value in values
        )
    except (ValueError, SystemError) as problem:  # NumPy keeps code points that do not exist
        raise error(f"classes must be a list of names: {brief(problem)}") from None


@contextmanager
def _open_zip(path: Path, kind: str, error: Error) -> Iterator[zipfile.ZipFile]:
    """A zip file whose entries are stored or deflated, and have a name each.

    Args:
        path: An existing file.
        kind: What it should be.
        error: The exception to raise for everything that is wrong with it, while it is open, too.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise error(f"{path} holds more than {MAX_ENTRIES:,} entries")
            if len({entry.filename for entry in entries}) < len(entries):
                raise error(f"{path} holds two entries of the same name: it is damaged; save it again")
            if {entry.compress_type for entry in entries} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise error(f"{path} is compressed in an unusual way: entries may be stored or deflated")
            yield archive
    except error:
        raise
    except Exception as problem:  # of names, sizes and streams: a broken archive may fail anywhere
        raise error(f"{path} is not a readable {kind} file: {one_line(str(problem), 200)}") from None


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, error: Error) -> ArrayHeader:
    name = f"{entry.filename} in {archive.filename}"
    try:
        with archive.open(entry) as stream:
            header = _parse_header(stream)
            size = stream.tell() + math.prod(header.shape) * header.dtype.itemsize
    except (zipfile.BadZipFile, zlib.error, OSError):  # of the archive, see `_open_zip`
        raise
    except Exception as problem:  # NumPy evaluates the header as Python's literals, which may fail anywhere
        raise error(f"{name} is not an array: {brief(problem)}") from None
    if header.dtype.hasobject:
        raise error(f"{name} holds Python objects, which could run code: save numbers or text")
    if size != entry.file_size or any(length < 0 for length in header.shape):
        raise error(f"{name} is damaged: its header promises {size:,} bytes, it holds {entry.file_size:,}")
    return header


def _parse_header(stream: IO[bytes]) -> ArrayHeader:
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the .npy format")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    with warnings.catch_warnings():  # of headers that Python 2 wrote: they are read all the same
        warnings.simplefilter("ignore")
        shape, _, dtype = read(stream)
    return ArrayHeader(shape, dtype)


def _check_torch_zip(path: Path, error: Error) -> None:
    """Refuse what unpacks to more than it is, is damaged, or has a pickle that could allocate at will."""
    with _open_zip(path, "zip", error) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > path.stat().st_size:
                raise error(f"{path} is not as torch.save writes it: {entry.filename} is compressed")
            if entry.filename.endswith(".pkl"):
                if entry.file_size > MAX_PICKLE:
                    raise error(f"{path} holds a pickle of more than {MAX_PICKLE:,} bytes")
                _check_globals(path, archive.read(entry), error)
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise error(f"{path} is not as torch.save writes it: its entries overlap")
        if damaged := archive.testzip():  # PyTorch maps the file, and compares no checksum
            raise error(f"{path} is damaged: {damaged} does not match its checksum; save it again")


def _check_globals(path: Path, pickle: bytes, error: Error) -> None:
    try:
        named = [str(word) for operation, word, _ in pickletools.genops(pickle) if operation.name == "GLOBAL"]
    except ValueError as problem:
        raise error(f"{path} holds a broken pickle: {problem}") from None
    for name in named:
        if _ALLOCATING.search(name):
            raise error(
                f"{path} asks for {one_line(name.replace(' ', '.'), 100)}, which a file of tensors does not "
                "need, but for unusual dtypes: save those .float()"
            )
