"""What `mnuts build` and `mnuts evaluate` load by name: two models, and images in the size that they want."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnuts_core.cli.console import note
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.attacks.norms import Norm
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.models.specs import LoadedModel

DATASETS = {
    "torchvision:cifar10": "cifar10",
    "torchvision:cifar100": "cifar100",
    "cifar10-jpeg": "cifar10",
    "imagenet": "imagenet",
}
"""Which of RobustBench's data sets a data spec, or its family, stands for."""

DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar=f"[{'|'.join(dict.fromkeys(DATASETS.values()))}]",
        help="Of RobustBench models; by --data.",
    ),
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder of torchvision's data sets.")
]


def dataset_of(data: str) -> str | None:
    """Which of RobustBench's data sets a data spec stands for; None if it does not say.

    Args:
        data: A data spec.

    Example:
        >>> dataset_of("torchvision:CIFAR100"), dataset_of("cifar10-jpeg:/data"), dataset_of("npz:mine.npz")
        ('cifar100', 'cifar10', None)
    """
    spec = data.lower()
    return DATASETS.get(spec) or DATASETS.get(spec.partition(":")[0])


def load_base(spec: str, **options: Any) -> LoadedModel:
    """A base model, with a note of what was done to its checkpoint.

    Args:
        spec: As for `mnuts_core.models.specs.load_model`.
        options: Likewise.

    Raises:
        MnutsError: If it cannot be loaded.
    """
    from mnuts_core.models.specs import load_model

    loaded = load_model(spec, **options)
    if loaded.note:
        note(f"{spec}: {loaded.note}")
    return loaded


def load_all(
    std: str,
    rob: str,
    data: str,
    *,
    n: int | None,
    norm: Norm,
    dataset: str | None,
    data_dir: Path | None,
    device: str,
) -> tuple[LoadedModel, LoadedModel, LoadedData]:
    """Both models, and the images in the size that the models want.

    Args:
        std: Spec of the accurate model.
        rob: Spec of the robust model.
        data: Spec of the images.
        n: How many images; all if None.
        norm: Which of RobustBench's models.
        dataset: Likewise; by `data` if None.
        data_dir: Folder of torchvision's data sets.
        device: Where the models go.

    Raises:
        MnutsError: If one of them cannot be loaded, or the models want images of different sizes.
    """
    from mnuts_core.datasets.specs import load_data
    from mnuts_core.devices import resolve_device

    where = resolve_device(device)
    k = len(load_data(data, n=1, data_dir=data_dir).classes)
    which = dataset or dataset_of(data)
    g, h = (load_base(spec, dataset=which, norm=norm, num_classes=k, device=where) for spec in (std, rob))
    return g, h, load_data(data, n=n, image_size=common_size((std, g), (rob, h)), data_dir=data_dir)


def common_size(std: tuple[str, LoadedModel], rob: tuple[str, LoadedModel]) -> int | None:
    """The side of the images that both models want; None if neither says.

    Args:
        std: The accurate model, and its spec before it.
        rob: The robust one, likewise.

    Raises:
        MnutsError: If they want images of different sizes.
    """
    (g_spec, g), (h_spec, h) = std, rob
    sizes = {size for size in (g.image_size, h.image_size) if size is not None}
    if len(sizes) > 1:
        raise MnutsError(
            f"--std and --rob must take the same images, but {g_spec} wants {g.image_size} pixels a side and "
            f"{h_spec} {h.image_size}: give a pair of one size"
        )
    return sizes.pop() if sizes else None
