"""A verification while it runs: the bound so far, and whether two mixes are told apart already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mnuts_core.errors import MnutsError
from mnuts_core.text import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from mnuts_core.export.cards import VerifiedCard
    from mnuts_core.functional.betting import Look

Show = Callable[[str], None]
"""Takes how far the verification is, in words."""


class Rival(NamedTuple):
    """The configuration that a mix is to be told from.

    Attributes:
        path: Its file.
        card: Its verification.
        right: Whether it is right under its attack, one for each of its images, bool, shape (n,).
    """

    path: Path
    card: VerifiedCard
    right: NDArray[np.bool_]

    @classmethod
    def load(cls, path: Path) -> Rival:
        """The configuration of `--until-different`.

        Raises:
            MnutsError: If it cannot be read, or does not keep which images fell.
        """
        from mnuts_core.export.config import MixConfig

        card = MixConfig.load(path).verified
        if card is None or card.outcomes is None or card.images is None:
            raise MnutsError(
                f"--until-different must name a verified configuration that keeps which images fell, got "
                f"{path}: run `mnuts evaluate` on it first, with the same --data"
            )
        return cls(path, card, card.outcomes.attacked_right)

    def check_images(self, images: Tensor, labels: Tensor) -> None:
        """Check that it was verified on the first of these images.

        Raises:
            MnutsError: If not.
        """
        from mnuts_core.pipeline.verify import data_digest

        n = len(self.right)
        if len(labels) < n:
            raise MnutsError(
                f"{self.path} was verified on {counted(n, 'image')}, and these are {len(labels):,}: "
                f"give --n {n} or more, the attack ends by itself"
            )
        if data_digest(images[:n].float().contiguous(), labels[:n].long()) != self.card.images:
            raise MnutsError(
                f"{self.path} was not verified on the first {n:,} of these images: give the --data that it "
                "was verified on"
            )


class Running:
    """Follows a verification; the `enough` of `evaluate`.

    Args:
        n: How many images there are.
        rival: The configuration that ends it once the two are told apart; None for none.
        show: Called with the bound after each batch.

    Attributes:
        look: The last look at both, if any.
    """

    def __init__(self, n: int, rival: Rival | None, show: Show) -> None:
        self.n, self.rival, self.show = n, rival, show
        self.look: Look | None = None

    def __call__(self, right: NDArray[np.bool_]) -> bool:
        """The first images are done: whether the two mixes are told apart on them."""
        from mnuts_core.functional.betting import Look
        from mnuts_core.functional.paired import Paired
        from mnuts_core.functional.statistics import share_of

        words = f"{len(right):,} of {self.n:,} images done, right at most {share_of(right, 'verified')}"
        if self.rival is not None:
            both = min(len(right), len(self.rival.right))
            self.look = Look(Paired.of(right[:both], self.rival.right[:both]))
            words += f"; e-value {self.look.e_value:.3g}"
        self.show(words)
        return self.look is not None and self.look.different


class Ending(NamedTuple):
    """How a verification ended.

    Attributes:
        asked: How many images it was asked for.
        reason: Why it ended before all of these were done; None if they are.
        rival: The configuration that it was compared with, if any.
        look: The last look at both.
    """

    asked: int
    reason: Literal["interrupted", "different"] | None = None
    rival: Path | None = None
    look: Look | None = None

    @classmethod
    def of(cls, running: Running, done: int, *, interrupted: bool) -> Ending:
        """How a run ended that has done so many images."""
        early: Literal["interrupted", "different"] = "interrupted" if interrupted else "different"
        reason = early if done < running.n else None
        return cls(running.n, reason, running.rival and running.rival.path, running.look)

    def to_json(self) -> dict[str, Any]:
        """The ending as plain JSON."""
        compared = self.look and {"path": self.rival, **self.look.to_json()}
        return {"asked": self.asked, "stopped": self.reason, "until_different": compared}

    def lines(self) -> list[str]:
        """The ending in words: nothing of a run that met all images and was compared with nothing."""
        lines = []
        if self.look is not None:
            verdict = "told apart from" if self.look.different else "not told apart from"
            lines.append(f"{verdict} {self.rival}: {self.look}")
        if self.reason is not None:
            lines.append(
                f"stopped before all {self.asked:,} images were done: the same command"
                f"{' without --until-different' if self.reason == 'different' else ''} goes on"
            )
        return lines
