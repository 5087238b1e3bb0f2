"""Which images a verified mix gets right, one bit each, as a configuration keeps them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator

from mnuts_core.bundles.manifest import Card
from mnuts_core.functional.statistics import Estimate

MAX_IMAGES = 2**20
"""For so many images at most outcomes are kept: 342 KiB of text, within the size of a configuration."""

Bits = Annotated[
    str,
    StringConstraints(
        max_length=4 * -(-MAX_IMAGES // 8 // 3),  # 3 bytes are 4 characters
        pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    ),
    Field(json_schema_extra={"contentEncoding": "base64"}),
]


class OutcomesCard(Card):
    """Which images a mix gets right without an attack, and under it, in the order of the images.

    The bits are packed into bytes, the first image in the highest bit, and written as base64; bits beyond the
    last image are 0. `settings["data_digest"]` of the verification says which images they are.

    Example:
        >>> OutcomesCard.of(np.array([True, True, False]), np.array([True, False, False]))
        OutcomesCard(n=3, clean='wA==', attacked='gA==')
    """

    n: int = Field(strict=True, ge=1, le=MAX_IMAGES)
    clean: Bits = Field(description="Right without an attack: base64 of one bit for each image.")
    attacked: Bits = Field(description="Right under the attack: likewise.")

    @classmethod
    def of(cls, clean: NDArray[np.bool_], attacked: NDArray[np.bool_]) -> OutcomesCard | None:
        """The card of what was found; None of more images than `MAX_IMAGES`.

        Args:
            clean: Whether the mix is right without an attack, bool, shape (n,).
            attacked: Whether it is under the attack, bool, shape (n,).
        """
        if len(clean) > MAX_IMAGES:
            return None
        return cls(n=len(clean), clean=_packed(clean), attacked=_packed(attacked))

    @property
    def clean_right(self) -> NDArray[np.bool_]:
        """Whether the mix is right without an attack, bool, shape (n,)."""
        return _unpacked(self.clean, self.n)

    @property
    def attacked_right(self) -> NDArray[np.bool_]:
        """Whether it is under the attack, bool, shape (n,)."""
        return _unpacked(self.attacked, self.n)

    @model_validator(mode="after")
    def _bits_fit(self) -> Self:
        for name in ("clean", "attacked"):
            _check_bits(name, getattr(self, name), self.n)
        if (self.attacked_right & ~self.clean_right).any():
            raise ValueError("an image that is right under the attack must be right without it")
        return self

    def check_figure(self, name: str, right: NDArray[np.bool_], figure: Estimate) -> None:
        """Compare an accuracy with the bits that it stands for.

        Args:
            name: What to call the accuracy.
            right: The bits.
            figure: The accuracy.

        Raises:
            ValueError: If it rests on other images, or another number of them is right.
        """
        found = int(np.count_nonzero(right))
        if (figure.n, figure.successes) != (self.n, found):
            raise ValueError(
                f"{name} must be that of the outcomes, {found} of {self.n} right, but is {figure.successes} "
                f"of {figure.n}"
            )


def _packed(right: NDArray[np.bool_]) -> str:
    return base64.b64encode(np.packbits(right).tobytes()).decode("ascii")


def _unpacked(text: str, n: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=n).astype(bool)


def _check_bits(name: str, text: str, n: int) -> None:
    """Only the one text that the bits are written as will do."""
    try:
        held = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{name} must be base64: {error}") from None
    if len(held) != -(-n // 8):
        raise ValueError(f"{name} must hold {-(-n // 8)} bytes for n = {n}, but holds {len(held)}")
    if _packed(_unpacked(text, n)) != text:
        raise ValueError(f"{name} must have no bits set beyond the last of its {n} images")
