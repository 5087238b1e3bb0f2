"""RobustBench on what PyPI offers: `autoattack` is not there, its fork `pyautoattack` is."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from types import ModuleType


def alias_autoattack() -> ModuleType:
    """Make `import autoattack` give `pyautoattack`, the same code under the name that PyPI has it by.

    Puts the package and its modules into `sys.modules`, so that classes exist once whichever name they
    are imported by. An `autoattack` that is really installed or already imported is left as it is.

    Returns:
        The attack library.

    Raises:
        ImportError: If neither package is installed.
    """
    if "autoattack" in sys.modules or importlib.util.find_spec("autoattack") is not None:
        return importlib.import_module("autoattack")
    try:
        library = importlib.import_module("pyautoattack")
        importlib.import_module("pyautoattack.state")  # RobustBench asks for it by name
    except ModuleNotFoundError as error:
        raise ImportError(f"the attack library is missing ({error}): pip install pyautoattack") from error
    for name, module in list(sys.modules.items()):
        if name == "pyautoattack" or name.startswith("pyautoattack."):
            sys.modules[name.removeprefix("py")] = module
    return library


def import_robustbench() -> ModuleType:
    """Import RobustBench when it is first needed, with the attack library under the name it asks for.

    RobustBench 1.1.1 also imports `pkg_resources`, which setuptools 81 dropped.

    Returns:
        The package `robustbench`.

    Raises:
        ImportError: If RobustBench or something it needs is missing; the message says what to install.
    """
    alias_autoattack()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            return importlib.import_module("robustbench")
    except ModuleNotFoundError as error:
        remedy = "'setuptools<81'" if error.name == "pkg_resources" else "robustbench"
        raise ImportError(f"RobustBench cannot be imported ({error}): pip install {remedy}") from error
