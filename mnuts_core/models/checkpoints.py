"""Checkpoints: named weights from a file, and into a network; nothing in the file is run."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from mnuts_core.errors import MnutsError
from mnuts_core.io.hub import local_path
from mnuts_core.io.untrusted import existing_file
from mnuts_core.io.zipped_arrays import read_torch
from mnuts_core.models.weight_names import Renamed, is_averaged, renamed

WRAPPINGS = ("state_dict", "model", "model_state_dict", "net")
"""Keys under which training scripts keep the weights. Averaged ones stand before them, as timm has it."""
MAX_DEPTH = 5
"""So deep the weights may lie in a checkpoint's dictionaries."""
OPTIONAL = "num_batches_tracked"
"""Old checkpoints lack this count, which evaluation does not use."""


class ModelError(MnutsError):
    """A base classifier cannot be loaded; the message says which, why, and what to do."""


class WeightSet(NamedTuple):
    """One set of named weights in a checkpoint, which may hold several.

    Attributes:
        where: The keys that lead to it.
        weights: The tensors, by the names in the file.
        others: Names of what is no tensor beside them.
    """

    where: tuple[str, ...]
    weights: dict[str, Tensor]
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join(self.where) or "the top level"


class Fitted(NamedTuple):
    """Weights under a network's own names, as far as the file's names could be brought to them.

    Attributes:
        weights: The tensors.
        note: What was taken off the names or left out, in words; empty if nothing was.
        fits: Whether they are those of all the network's weights.
    """

    weights: dict[str, Tensor]
    note: str
    fits: bool


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The named weights that a checkpoint holds first of all, by the names in the file.

    Args:
        path: As for `read_weight_sets`.

    Raises:
        ModelError: If it is missing, broken, or holds no named weights.
    """
    return read_weight_sets(path)[0].weights


def read_weight_sets(path: str | os.PathLike[str]) -> list[WeightSet]:
    """All sets of named weights in a checkpoint, out of what training scripts wrap around them.

    Args:
        path: A `.safetensors` file, or one of `torch.save`, whatever its ending; nothing in it is run. Or a
            place on the Hub, see `io.hub.local_path`.

    Returns:
        Averaged weights first, then those under a usual key, then those at the top, then all others.

    Raises:
        ModelError: If it is missing, broken, or holds no named weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = existing_file(local_path(path, ModelError), ModelError)
    if path.suffix.lower() == ".safetensors":
        try:
            return [WeightSet((), load_file(path))]
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path} is not a readable safetensors file: {error}") from None
    try:
        content = read_torch(path, ModelError, legacy=True)
    except ModelError as error:
        if _is_torchscript(path):
            raise ModelError(
                f"{path} is a TorchScript archive, whose code would run: save its weights alone, "
                "torch.save(torch.jit.load(FILE).state_dict(), NEW)"
            ) from None
        remedy = "of a network, save the weights alone: torch.save(model.state_dict(), FILE)"
        raise ModelError(f"{error}; {remedy}") from None
    if found := sorted(_weight_sets(content), key=_rank):
        return found
    if isinstance(content, Mapping) and content:
        raise ModelError(
            f"{path} holds {next(iter(content))!r}, which is no tensor: save the network's state_dict()"
        )
    raise ModelError(f"{path} holds no named weights: save the network's state_dict()")


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/__torch__" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _weight_sets(content: object, where: tuple[str, ...] = ()) -> list[WeightSet]:
    if not isinstance(content, Mapping) or len(where) > MAX_DEPTH:
        return []
    weights = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    nested = [found for key, value in content.items() for found in _weight_sets(value, (*where, str(key)))]
    others = [str(key) for key, value in content.items() if not isinstance(value, (Tensor, Mapping))]
    return [*([WeightSet(where, weights, tuple(others))] if weights else []), *nested]


def _rank(found: WeightSet) -> int:
    if any(is_averaged(key) for key in found.where):
        return 0
    if not found.where:
        return 2 + len(WRAPPINGS)
    usual = [WRAPPINGS.index(key) for key in found.where if key in WRAPPINGS]
    return 1 + usual[-1] if usual else 3 + len(WRAPPINGS)


def fit_weights(sets: Sequence[WeightSet], network: nn.Module, spec: str) -> Fitted:
    """The weights of a checkpoint under a network's names, if they are those of all its weights.

    Args:
        sets: As from `read_weight_sets`.
        network: Shapes do not matter here.
        spec: What the user asked for, for the message.

    Returns:
        Those of the first set whose names fit. If none does, those of the set that comes closest, for
        `load_weights` to sum up what is wrong.

    Raises:
        ModelError: If several sets fit, and nothing says which of them is meant.
    """
    own = [key for key, value in network.state_dict().items() if isinstance(value, Tensor)]
    required = {key for key in own if not key.endswith(OPTIONAL)}
    fitting = [(found, new) for found in sets if (new := renamed(found.weights, own, required)).fits]
    if not fitting:
        tried = [(found, renamed(found.weights, own, required)) for found in sets]
        return _under(*max(tried, key=lambda pair: len(required & pair[1].names.keys())), note="")
    found, new = fitting[0]
    if len(fitting) > 1 and _rank(found) == _rank(fitting[1][0]):
        raise ModelError(
            f"model {spec!r}: the checkpoint holds several sets of weights of this network, "
            f"{_first([str(each) for each, _ in fitting], 3)}: save the one that is meant"
        )
    return _under(found, new, _note(found, new, several=len(fitting) > 1))


def _under(found: WeightSet, new: Renamed, note: str) -> Fitted:
    return Fitted({name: found.weights[old] for name, old in new.names.items()}, note, new.fits)


def _note(found: WeightSet, new: Renamed, *, several: bool) -> str:
    left_out = [*new.left_out, *found.others]
    parts = (
        f"took the weights under {found}" if several or any(map(is_averaged, found.where)) else "",
        f"took {', '.join(new.stripped)} off their names" if new.stripped else "",
        f"left out {_first(left_out, 3)}" if left_out else "",
    )
    return ", ".join(filter(None, parts))


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], spec: str) -> None:
    """Put weights into a network, all of them, and no others.

    Args:
        network: Changed in place.
        weights: Under the network's names, as from `fit_weights`.
        spec: What the user asked for, for the message.

    Raises:
        ModelError: If names or shapes differ; one line sums up how.
    """
    state = network.state_dict()
    own = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    missing = [key for key in own if key not in weights and not key.endswith(OPTIONAL)]
    unknown = [key for key in weights if key not in own]
    shapes = [
        f"{key}: {tuple(weights[key].shape)} in the file, {tuple(own[key].shape)} in the network"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    kinds = (("missing", missing), ("unknown to the network", unknown), ("of another shape", shapes))
    if any(names for _, names in kinds):
        summary = "; ".join(f"{len(names)} {kind} ({_first(names)})" for kind, names in kinds if names)
        raise ModelError(
            f"model {spec!r}: the checkpoint is of another network: weights {summary}. Check the name and "
            "the number of classes"
        )
    network.load_state_dict(_Versioned(weights, state), strict=False)


class _Versioned(dict[str, Tensor]):
    """Weights with the versions of the network's own modules, which some refuse to load without (MNASNet)."""

    def __init__(self, weights: Mapping[str, Tensor], state: Mapping[str, object]) -> None:
        super().__init__(weights)
        self._metadata = getattr(state, "_metadata", None)


def count_classes(network: nn.Module, classes: int, weights: Mapping[str, Tensor]) -> int:
    """For how many classes a checkpoint is: its last layer tells, which alone depends on that.

    Args:
        network: Built for `classes`.
        classes: How many classes that is.
        weights: Under the network's names, as from `fit_weights`.

    Returns:
        The number, or `classes` where the checkpoint differs in more than that.
    """
    found = {
        weights[key].shape[0]
        for key, own in network.state_dict().items()
        if own.ndim and own.shape[0] == classes and key in weights and weights[key].shape != own.shape
        if weights[key].ndim == own.ndim and weights[key].shape[1:] == own.shape[1:]
    }
    return found.pop() if len(found) == 1 else classes


def _first(names: Sequence[str], most: int = 1) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
