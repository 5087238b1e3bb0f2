"""RobustBench's 5,000 validation images of ImageNet, prepared as it does."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mnuts_core.bundles.leaderboard import IMAGENET_IMAGES
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import MAX_FLOATS, DataError, LoadedData, Request, split_words
from mnuts_core.extras import import_extra
from mnuts_core.io.untrusted import brief
from mnuts_core.models.compat import import_robustbench

MAX_PIXELS = 2**25
"""An image of more is refused: eight at a time are decoded."""


def load_imagenet(request: Request) -> LoadedData:
    """The images that `imagenet:FOLDER[@PREPROCESSING]` names, in the order of RobustBench's list.

    Args:
        request: What `load_data` was asked for.

    Raises:
        DataError: If there is no such folder, it lacks images of the list, or one cannot be read.
    """
    import_robustbench()
    folder, prepare, how = _settings(request)
    helper = importlib.resources.files("robustbench") / "helper_files"
    files = (helper / "imagenet_test_image_ids.txt").read_text().split()
    numbers: dict[str, int] = json.loads((helper / "imagenet_class_to_id_map.json").read_text())
    chosen = files[: request.count(len(files))]
    if not folder.is_dir():
        raise DataError(
            f"no folder at {folder}: data {request.spec!r} must name the folder of the validation images, "
            "one folder a class, or the one that holds it as val"
        )
    root = folder / "val" if (folder / "val").is_dir() else folder
    if missing := [name for name in chosen if not (root / name).is_file()]:
        raise DataError(
            f"data {request.spec!r} lacks {len(missing):,} of {len(chosen):,} images, such as "
            f"{root / missing[0]}: FOLDER, or val in it, must hold the images in one folder a class"
        )
    images = _read_images([root / name for name in chosen], prepare)
    labels = torch.tensor([numbers[name.partition("/")[0]] for name in chosen])
    weights = import_extra("torchvision.models").ResNet50_Weights.DEFAULT
    card = DataCard(
        name="ImageNet",
        split=split_words("validation: RobustBench's list", len(chosen), len(files)),
        source=f"{IMAGENET_IMAGES}, {how}, in [0, 1]",
    )
    return LoadedData(images, labels, tuple(weights.meta["categories"]), card, how)


def _settings(request: Request) -> tuple[Path, Callable[[Any], Tensor], str]:
    """The folder, the preprocessing, and its name."""
    known = importlib.import_module("robustbench.data").PREPROCESSINGS
    names = [name for name in known if name is not None]
    folder, found, name = request.rest.rpartition("@")
    if name in names and found:
        return Path(folder).expanduser(), known[name], name
    if found and not Path(request.rest).expanduser().is_dir():  # a folder's own name may hold an @
        raise DataError(
            f"data {request.spec!r}: PREPROCESSING must be one of {', '.join(names)}, got {name!r}"
        )
    size = request.image_size or 224
    transforms = import_extra("torchvision.transforms")
    resized = round(size * 256 / 224)
    steps = [transforms.Resize(resized), transforms.CenterCrop(size), transforms.ToTensor()]
    return Path(request.rest).expanduser(), transforms.Compose(steps), f"Res{resized}Crop{size}"


def _read_images(files: Sequence[Path], prepare: Callable[[Any], Tensor]) -> Tensor:
    """The prepared images, stacked; decoding is shared out among threads."""
    from PIL import Image

    def read(path: Path) -> Tensor:
        try:
            with Image.open(path) as image:
                if image.width * image.height > MAX_PIXELS:  # known before anything is decoded
                    raise DataError(f"{path} has {image.size} pixels: at most {MAX_PIXELS:,} are read")
                return prepare(image.convert("RGB"))
        except DataError:
            raise
        except Exception as error:  # of Pillow, which a damaged file may upset anywhere
            raise DataError(f"{path} is not a readable image: {brief(error)}") from None

    with warnings.catch_warnings():  # of images that are refused
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return _stacked(files, read)


def _stacked(files: Sequence[Path], read: Callable[[Path], Tensor]) -> Tensor:
    """All that `read` gives, in one tensor whose size is known from the first."""
    first = read(files[0])
    if (needed := 4 * first.numel() * len(files)) > MAX_FLOATS:
        raise DataError(f"{len(files):,} images of this size take {needed:,} bytes: lower n")
    images = torch.empty(len(files), *first.shape)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for row, image in enumerate(pool.map(read, files)):
            images[row] = image
    return images
