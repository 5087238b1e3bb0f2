"""What `pip install mnuts` leaves out, and which extra brings it."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

from mnuts_core.errors import MnutsError

EXTRAS = {
    "huggingface_hub": "hub",
    "pyautoattack": "attack",
    "robustbench": "attack",
    "sklearn": "attack",
    "timm": "attack",
    "torchvision": "attack",
    "pyarrow": "tables",
}
"""By package, as it is imported: the extra that installs it."""
TORCH_JIT_WARNING = r"`torch\.jit\.interface` is deprecated"
"""How torch's FutureWarning begins that importing timm raises; a user can do nothing about it."""


class MissingExtraError(MnutsError):
    """Something needs a package that is not installed; the message names the extra that brings it."""


def import_extra(name: str) -> ModuleType:
    """Import a module of an optional package when it is first needed.

    Args:
        name: The module, such as `torchvision.models`; its package is one of `EXTRAS`.

    Raises:
        MissingExtraError: If the package is not installed.
        ImportError: If it is, and lacks something itself.

    Example:
        >>> import_extra("torchvision.models").__name__
        'torchvision.models'
    """
    package = name.partition(".")[0]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=TORCH_JIT_WARNING, category=FutureWarning)
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
    extra = EXTRAS[package]
    raise MissingExtraError(
        f"this needs {package}, which is not installed: pip install 'mnuts[{extra}]' brings it"
    )
