"""RobustBench on what PyPI offers: `autoattack` is not there, its fork `pyautoattack` is."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import Tensor

from mnuts_core.extras import TORCH_JIT_WARNING, MissingExtraError, import_extra

LOGGER = "auto-attack"
"""The attack library's logger."""


def attack_library() -> ModuleType:
    """The attack library, `pyautoattack`, imported when it is first needed.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return import_extra("pyautoattack")


def alias_autoattack() -> ModuleType:
    """Make `import autoattack` give `pyautoattack`, the same code under the name that PyPI has it by.

    Puts the package and its modules into `sys.modules`, so that classes exist once whichever name they
    are imported by. An `autoattack` that is really installed or already imported is left as it is.

    Returns:
        The attack library.

    Raises:
        MissingExtraError: If neither package is installed.
    """
    if "autoattack" in sys.modules or importlib.util.find_spec("autoattack") is not None:
        return importlib.import_module("autoattack")
    library = attack_library()
    importlib.import_module("pyautoattack.state")  # RobustBench asks for it by name
    for name, module in list(sys.modules.items()):
        if name == "pyautoattack" or name.startswith("pyautoattack."):
            sys.modules[name.removeprefix("py")] = module
    return library


def import_robustbench() -> ModuleType:
    """Import RobustBench when it is first needed, with the attack library under the name it asks for.

    RobustBench 1.1.1 also imports `pkg_resources`, which setuptools 81 dropped. Its `benchmark` calls the
    attack as `autoattack` is called, not as `pyautoattack` is: it gets `RobustBenchAutoAttack`.

    Returns:
        The package `robustbench`.

    Raises:
        MissingExtraError: If it, the attack library or something that it needs is not installed.
    """
    library = alias_autoattack()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            warnings.filterwarnings("ignore", message=TORCH_JIT_WARNING, category=FutureWarning)
            robustbench = import_extra("robustbench")
            evaluation: Any = importlib.import_module("robustbench.eval")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"RobustBench cannot be imported ({error}): pip install 'mnuts[attack]' brings what it needs"
        ) from error
    if library.__name__ == "pyautoattack":
        evaluation.AutoAttack = RobustBenchAutoAttack
    return robustbench


class RobustBenchAutoAttack:
    """`pyautoattack.AutoAttack` with the call of `autoattack.AutoAttack`, which RobustBench 1.1.1 makes.

    The fork has no `log_path`, says `batch_size` for `bs`, and returns predictions beside the points.

    Args:
        model: Images → logits.
        log_path: A file to which the library's log is appended, or None.
        settings: Everything else goes to the library as it is.
    """

    def __init__(
        self, model: Any, *, log_path: str | os.PathLike[str] | None = None, **settings: Any
    ) -> None:
        self.attack: Any = attack_library().AutoAttack(model, **settings)
        self.log_path = log_path

    def run_standard_evaluation(
        self,
        images: Tensor,
        labels: Tensor,
        bs: int = 250,
        state_path: os.PathLike[str] | None = None,
    ) -> Tensor:
        """The adversarial points, shape (N, C, H, W); the clean image where the attack failed.

        Args:
            images: Images in [0, 1], shape (N, C, H, W).
            labels: True classes, int64, shape (N,).
            bs: Images at a time.
            state_path: Passed on to the library.
        """
        images = images.contiguous()  # the library takes views of their gradients
        with _log_to(self.log_path):
            points: Tensor = self.attack.run_standard_evaluation(
                images, labels, batch_size=bs, state_path=state_path
            )[0]
        return points


@contextmanager
def library_warnings() -> Iterator[list[str]]:
    """Collect what the attack library warns of in its log, instead of letting it print.

    Yields:
        The messages, each once, filled while the block runs.
    """
    logger, messages = logging.getLogger(LOGGER), _Messages()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(messages)
    try:
        yield messages.seen
    finally:
        logger.removeHandler(messages)
        logger.propagate = before


class _Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (message := record.getMessage()) not in self.seen:
            self.seen.append(message)


@contextmanager
def _log_to(path: str | os.PathLike[str] | None) -> Iterator[None]:
    if path is None:
        yield
        return
    logger, handler = logging.getLogger(LOGGER), logging.FileHandler(path)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
