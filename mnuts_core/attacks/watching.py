"""What an attack that fills a pool keeps: of all points that it passes, the worst for watched mixes.

Every forward pass gives both base models' logits, and from these follows what any mix makes of the point: one
run of gradients watches as many mixes as one likes. Pixels are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.attacks.surrogates import halves
from mnuts_core.clamps import clamp_logits
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.mixing import fools_both, required_alpha, sound, temperature_scale
from mnuts_core.functional.transform import layer_norm, signed_power
from mnuts_core.params import MixParams

TIE_BREAK = 1e-9
"""Weight of LN∘h's margin beside a watched one: a margin that rounds to 1 at every step still has a least."""


class Watch:
    """Signed margins of several classifiers at once, by both models' logits: g, mixes, and their M(h).

    Args:
        mixes: Mixes with α set. Of each its own margin is watched, and that of M(h).
        standard: Whether to watch g alone, too.
        device: Where the logits are.
    """

    def __init__(self, mixes: Sequence[MixParams], *, standard: bool, device: torch.device) -> None:
        mixes = tuple(dict.fromkeys(mix.with_(alpha=required_alpha(mix), beta=0.0) for mix in mixes))
        transforms = list(dict.fromkeys(map(_transform, mixes)))
        transforms.sort(key=lambda each: (each.clamp, each.ln_k))
        of = [transforms.index(_transform(mix)) for mix in mixes]
        self.standard = standard
        self._groups = _groups(transforms, device)
        self._temperatures = tuple(mix.temperature for mix in mixes)
        self._alpha = _column([required_alpha(mix) for mix in mixes], device)
        self._of = torch.tensor(of, dtype=torch.long, device=device)
        self._order = torch.tensor(_order(of, standard), dtype=torch.long, device=device)

    def __len__(self) -> int:
        """How many margins are watched."""
        return len(self._order)

    def margins(self, raw: Tensor, labels: Tensor) -> Tensor:
        """The watched margins in float64, shape (len(self), N): of g, then of each mix and of its M(h).

        What two mixes share comes once. To each margin, a billionth of LN∘h's is added.

        Args:
            raw: Both models' logits side by side, shape (N, 2K); rows that are not finite give anything.
            labels: True classes, shape (N,).
        """
        std, rob = (part.double() for part in halves(raw))
        normed: dict[int, Tensor] = {}
        parts = [signed_margin(std, labels).unsqueeze(0)] if self.standard else []
        if self._groups:
            transformed = torch.cat([group.logits(rob, normed) for group in self._groups])
            parts.append(self._of_mixes(std, transformed.softmax(dim=-1), labels))
            parts.append(signed_margin(transformed, labels.expand(len(transformed), -1)))
        return torch.cat(parts)[self._order] + TIE_BREAK * signed_margin(layer_norm(rob), labels)

    def _of_mixes(self, std: Tensor, transformed: Tensor, labels: Tensor) -> Tensor:
        """Signed margins of the mixes by the probabilities that they predict by, shape (W, N)."""
        of = {t: temperature_scale(std, t).softmax(dim=-1) for t in dict.fromkeys(self._temperatures)}
        soft = torch.stack([of[t] for t in self._temperatures])
        mixed = (1.0 - self._alpha) * soft + self._alpha * transformed[self._of]
        classes = labels.expand(len(mixed), -1).unsqueeze(-1)
        own = mixed.gather(-1, classes).squeeze(-1)
        return own - mixed.scatter(-1, classes, -torch.inf).amax(dim=-1)


class _Group(NamedTuple):
    """Transforms that share clamp and layer norm; s, p and c of shape (V, 1, 1)."""

    transform: MixParams
    s: Tensor
    p: Tensor
    c: Tensor

    def logits(self, rob: Tensor, normed: dict[int, Tensor]) -> Tensor:
        """M(h) of all of them, shape (V, N, K)."""
        k = self.transform.ln_k
        if k not in normed:
            normed[k] = layer_norm(rob, k)
        return self.s * signed_power(clamp_logits(normed[k] + self.c, self.transform.clamp), self.p)


def _groups(transforms: Sequence[MixParams], device: torch.device) -> list[_Group]:
    """The transforms, which are sorted, by what they share."""
    together: dict[tuple[str, int], list[MixParams]] = {}
    for each in transforms:
        together.setdefault((each.clamp, each.ln_k), []).append(each)

    return [
        _Group(group[0], *(_column([getattr(each, name) for each in group], device) for name in "spc"))
        for group in together.values()
    ]


def _column(values: Sequence[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device=device).view(-1, 1, 1)


def _order(of: Sequence[int], standard: bool) -> list[int]:
    """Places among g's margin, all mixes' and all transforms': each mix, then its transform.

    Args:
        of: The number of each mix's transform.
        standard: Whether there is a margin of g.
    """
    first = int(standard)
    pairs = ((first + mix, first + len(of) + transform) for mix, transform in enumerate(of))
    return list(dict.fromkeys([*range(first), *(place for pair in pairs for place in pair)]))


def _transform(mix: MixParams) -> MixParams:
    """What distinguishes M: the mix without its weight and temperature."""
    return mix.with_(alpha=None, temperature=0.0)


class Found(NamedTuple):
    """The points that were kept, as NumPy arrays.

    Attributes:
        row: Which image of the batch each point belongs to, ascending, int64, shape (P,).
        std_logits: g there, float32, shape (P, K).
        rob_logits: h there, float32, shape (P, K).
        not_finite: For each image, whether a model gave NaN or infinity in its ball, bool, shape (B,). Such
            an image is broken whatever the mix, and its one point is a stand-in, see `Kept`.
    """

    row: NDArray[np.int64]
    std_logits: NDArray[np.float32]
    rob_logits: NDArray[np.float32]
    not_finite: NDArray[np.bool_]


class Kept:
    """For each image of a batch and each watched margin, both models' logits at the point where it is least.

    A point that fools both models *settles* its image: it alone is kept. So does a point at which a model
    answers NaN or infinity, since an image counts as broken there; no such logits are stored, but in their
    place one-hot logits of a wrong class for both models.

    Args:
        watch: What is watched.
        labels: True classes, shape (B,).
        classes: K.

    Attributes:
        settled: Which images are, bool, shape (B,).
    """

    def __init__(self, watch: Watch, labels: Tensor, classes: int) -> None:
        n, shape = len(watch), (len(labels), 2 * classes)
        self.watch, self.labels = watch, labels
        self.settled = torch.zeros_like(labels, dtype=torch.bool)
        self._not_finite = torch.zeros_like(self.settled)
        self._margins = torch.full((n, shape[0]), torch.inf, dtype=torch.float64, device=labels.device)
        self._logits = torch.zeros((n, *shape), device=labels.device)

    def take(self, rows: Tensor, raw: Tensor) -> None:
        """Take in one point for each of some images.

        Args:
            rows: Which images, without repeats, int64, shape (R,).
            raw: Both models' logits side by side, shape (R, 2K), computed in float32 or better.
        """
        raw, labels, open_ = raw.float(), self.labels[rows], ~self.settled[rows]
        finite = sound(raw)
        margins = self.watch.margins(raw, labels)
        better = (margins < self._margins[:, rows]) & (finite & open_)
        which, place = better.nonzero(as_tuple=True)
        self._margins[which, rows[place]] = margins[which, place]
        self._logits[which, rows[place]] = raw[place]
        self._settle(rows, raw, finite & open_ & fools_both(*halves(raw), labels))
        self._settle(rows, stand_in(raw, labels), ~finite & open_)
        self._not_finite[rows] |= ~finite & open_

    def _settle(self, rows: Tensor, raw: Tensor, which: Tensor) -> None:
        self._margins[0, rows[which]] = -torch.inf
        self._margins[1:, rows[which]] = torch.inf
        self._logits[0, rows[which]] = raw[which]
        self.settled[rows[which]] = True

    def result(self) -> Found:
        """All points kept, each once, by image and then in the order of what is watched."""
        margins, logits = self._margins.cpu().numpy(), self._logits.cpu().numpy()
        places: list[tuple[int, int]] = []
        for row in range(margins.shape[1]):
            taken = np.flatnonzero(margins[:, row] < np.inf)
            firsts = {logits[which, row].tobytes(): which for which in taken[::-1]}
            places += [(row, which) for which in sorted(firsts.values())]
        rows, which = np.array(places, np.int64).reshape(-1, 2).T
        chosen, classes = logits[which, rows], logits.shape[2] // 2
        return Found(rows, chosen[:, :classes], chosen[:, classes:], self._not_finite.cpu().numpy())


def stand_in(raw: Tensor, labels: Tensor) -> Tensor:
    """One-hot logits of the class after the true one, for both models."""
    classes = raw.shape[1] // 2
    hot = torch.nn.functional.one_hot((labels + 1) % classes, classes).to(raw)
    return torch.cat([hot, hot], dim=1)
