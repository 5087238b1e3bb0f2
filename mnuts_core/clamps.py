"""The clamping functions of Eq. 4, a record each: everything that the rest of the project knows of one.

To add a clamp, write its function, its record and its name in `Clamp` here, and its row in
`tests/test_clamps.py`; then `make schema`. Command line, sliders, search and engine take it from here.
(torch is imported where it is used: `mnuts --help` needs the names alone.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from mnuts_core.errors import ParameterError
from mnuts_core.text import shortened

if TYPE_CHECKING:
    from torch import Tensor

Clamp = Literal["gelu", "relu", "elu", "softplus", "linear"]


@dataclass(frozen=True)
class ClampRecord:
    """One clamping function φ, applied to `LN(h) + c` element by element.

    φ must be monotone, or fall first and rise later, as GELU does: the engine looks for the two largest
    clamped logits at the two ends of a sorted row.

    Attributes:
        apply: φ, differentiable; keeps shape and dtype.
        monotone: Whether φ never falls. If it does, the transform can change the predicted class (D.8.2).
        nonnegative: Whether φ ≥ 0 everywhere, so that powers need no sign.
        below_relu: Whether φ(x) ≤ max(x, 0): then a small logit cannot become a large one, and the engine may
            leave classes out of the softmax's sum.
        least_at: Where a φ that is not monotone is least.
        in_place: φ on a tensor's own memory, faster, absolute errors of 1e-15 below zero; None if there is
            none.
    """

    apply: Callable[[Tensor], Tensor]
    monotone: bool = True
    nonnegative: bool = False
    below_relu: bool = True
    least_at: float | None = None
    in_place: Callable[[Tensor], object] | None = None


def gelu(x: Tensor) -> Tensor:
    """`x · Φ(x)`, written with erfc so that it keeps its relative precision far below zero.

    The usual form with `1 + erf` cancels there: in float32 at x = -8 it returns 0, which ties classes
    that the exact function keeps apart.
    """
    return 0.5 * x * (x * -math.sqrt(0.5)).erfc()


def _gelu_in_place(x: Tensor) -> object:
    """Torch's own GELU: half the time, and no relative precision far below zero."""
    import torch

    return torch.ops.aten.gelu.out(x, out=x)


def _elu(x: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.elu(x)


def _softplus(x: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.softplus(x)


CLAMP_RECORDS: dict[Clamp, ClampRecord] = {
    "gelu": ClampRecord(  # the paper's choice (D.2)
        gelu, monotone=False, least_at=-0.7517915246935645, in_place=_gelu_in_place
    ),
    "relu": ClampRecord(lambda x: x.relu(), nonnegative=True),
    "elu": ClampRecord(_elu),
    "softplus": ClampRecord(_softplus, nonnegative=True, below_relu=False),
    "linear": ClampRecord(lambda x: x),  # none at all
}
CLAMPS: tuple[Clamp, ...] = get_args(Clamp)
DEFAULT_CLAMP: Clamp = "gelu"


def check_clamp(value: object) -> Clamp:
    """The clamp's name, if it is one of `CLAMPS`.

    Raises:
        ParameterError: If it is not.
    """
    for name in CLAMPS:
        if value == name:
            return name
    raise ParameterError(f"clamp must be one of {', '.join(CLAMPS)}, got {shortened(value)}")


def clamp_logits(logits: Tensor, clamp: Clamp = DEFAULT_CLAMP) -> Tensor:
    """The clamping function of Eq. 4, element by element.

    Args:
        logits: Tensor of any shape: `LN(h) + c`.
        clamp: One of `CLAMPS`.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        ParameterError: If the clamp is unknown.
    """
    return CLAMP_RECORDS[check_clamp(clamp)].apply(logits)


def clamp_in_place(logits: Tensor, clamp: Clamp, *, exact: bool) -> None:
    """The same, into the logits' own memory.

    Args:
        logits: Tensor of any shape; it is overwritten.
        clamp: One of `CLAMPS`.
        exact: Whether to keep full relative precision; else absolute errors of 1e-15 are accepted for speed.
    """
    record = CLAMP_RECORDS[check_clamp(clamp)]
    if record.in_place is None or exact:
        logits.copy_(record.apply(logits))
    else:
        record.in_place(logits)
