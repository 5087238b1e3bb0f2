"""The heart: a `RemixEngine` answers, for one bundle and any parameters, what the mix does.

Dashboards, notebooks, search and command line all ask it, so they all show the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.logit_warnings import logit_warnings
from mnuts_core.devices import resolve_device
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.functional.margins import confidence_margin
from mnuts_core.functional.mixing import predictions, required_alpha, temperature_scale, transform_with
from mnuts_core.functional.quantiles import (
    SATURATED,
    TIE,
    UNRESOLVED,
    QuantileMethod,
    least_kept,
    margin_quantile,
)
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.stages import KEPT, Margins
from mnuts_core.remix.threads import make_stages

MAX_ACCURACY_LOSS = 0.001
"""A transform that costs the robust model more than this share of examples is warned of, and not searched."""
LABEL, STD = 0, 1
"""The two watched classes of each row: the true one, and the one that g predicts."""


@dataclass(frozen=True)
class Part:
    """What the mix does on one part of the bundle, clean or attacked; arrays of shape (n,).

    Attributes:
        margin: Confidence margin of M(h) (Definition 2.1), float64 in [0, 1].
        rob_class: Class that M(h) predicts, int64; where it ties (see `mixing`) one of the largest.
        tied: Whether the transform has made a tie, so that M(h) predicts nothing, bool.
        mix_class: Class that the mix predicts, int64.
        right: Whether M(h) predicts the label, bool; not where it ties.
        mix_right: Whether the mix does, bool.
    """

    margin: NDArray[np.float64]
    rob_class: NDArray[np.int64]
    tied: NDArray[np.bool_]
    mix_class: NDArray[np.int64]
    right: NDArray[np.bool_]
    mix_right: NDArray[np.bool_]

    def held(self, threshold: float) -> NDArray[np.bool_]:
        """Which examples count in the margin bound: right, with a margin that reaches `(1-α)/α`."""
        return self.right & (self.margin >= least_kept(threshold))


@dataclass(frozen=True)
class Remix:
    """One answer of the engine.

    Attributes:
        params: The parameters asked for, with α filled in.
        threshold: `(1-α)/α`, the margin from which the robust model cannot be outvoted; equals the
            quantile q of Algorithm 1 when α comes from β.
        clean: Accuracy of the mix on the clean images: exact on these n.
        margin_bound: Share of attacked examples that M(h) gets right with margin ≥ threshold at their
            MMAA point: an estimate that takes g to be always wrong under attack (Eq. 7). None without
            an attacked part.
        transfer: Share of attacked examples that the mix gets right at these points, g's logits
            included: an estimate, since the points were found against LN∘h. None likewise. It is at least
            the margin bound, but for margins that equal the threshold, which the bound counts as kept.
        rob_clean: Accuracy of M(h) alone on the clean images.
        rob_attacked: Accuracy of M(h) alone at the MMAA points.
        warnings: Reasons not to rely on these figures, one line each.
        on_clean: Per-example results on the clean images.
        on_attacked: The same on the attacked ones, or None.
    """

    params: MixParams
    threshold: float
    clean: Estimate
    margin_bound: Estimate | None
    transfer: Estimate | None
    rob_clean: Estimate
    rob_attacked: Estimate | None
    warnings: tuple[str, ...]
    on_clean: Part
    on_attacked: Part | None

    @property
    def alpha(self) -> float:
        """The mixing weight in force."""
        return required_alpha(self.params)

    def require_attacked(self) -> Part:
        """The results on the attacked examples.

        Raises:
            BundleError: If there are none.
        """
        if self.on_attacked is None:
            raise BundleError("the mix has no figures at attacked examples: its bundle holds none")
        return self.on_attacked


@dataclass(frozen=True)
class BaseFigures:
    """The two base models by themselves on the bundle.

    Attributes:
        std_clean, rob_clean: Clean accuracies.
        std_attacked: Accuracy of g at the points that MMAA found against h (not g's robust accuracy,
            which is lower); None without an attacked part.
        rob_attacked: Accuracy of h at these points, that is under MMAA; None likewise.
    """

    std_clean: Estimate
    rob_clean: Estimate
    std_attacked: Estimate | None
    rob_attacked: Estimate | None


class RemixEngine:
    """Re-mixes a bundle's cached logits; keeps each stage, so that one slider costs one stage.

    Args:
        bundle: The bundle.
        device: `auto`, `cpu`, `cuda`, ...
        dtype: float64 (the default, exact) or float32.

    Raises:
        ParameterError: If the device does not exist or the dtype is another.

    Example:
        >>> bundle = LogitBundle.from_arrays(
        ...     clean_labels=[0, 1], clean_std_logits=[[2, 0, 0], [0, 2, 0]],
        ...     clean_rob_logits=[[1, 0, 0], [1, 0.9, 0]])
        >>> remix = RemixEngine(bundle).remix(MixParams(s=1, p=1, c=0, clamp="linear", alpha=0.75))
        >>> print(remix.clean)
        100.00 % [34.24, 100.00], n = 2
    """

    def __init__(
        self,
        bundle: LogitBundle,
        *,
        device: str | torch.device = "auto",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        if dtype not in (torch.float32, torch.float64):
            raise ParameterError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
        self.bundle = bundle
        self.device = resolve_device(device)
        std, rob, labels = [bundle.clean_std_logits], [bundle.clean_rob_logits], [bundle.clean_labels]
        if bundle.attacked is not None:
            std.append(bundle.attacked.std_logits)
            rob.append(bundle.attacked.rob_logits)
            labels.append(bundle.attacked.labels)
        self.std_logits, self.rob_logits = self._stack(std), self._stack(rob)
        self.labels = torch.from_numpy(np.concatenate(labels)).to(self.device)
        self.std_class = self.std_logits.argmax(dim=1)
        watched = torch.stack([self.labels, self.std_class], dim=1)
        self.stages = make_stages(self.rob_logits, watched, device=self.device, dtype=dtype)
        self._plain_tie = self.stages.plain_tie
        self._std_probabilities: tuple[float, Tensor] | None = None
        self._levels: dict[object, NDArray[np.float64]] = {}

    def _stack(self, parts: list[NDArray[np.floating[Any]]]) -> Tensor:
        return torch.from_numpy(np.concatenate(parts).astype(np.float64, copy=False)).to(self.device)

    @property
    def n_clean(self) -> int:
        """How many rows are clean; the attacked ones follow."""
        return self.bundle.n_clean

    @cached_property
    def base(self) -> BaseFigures:
        """The two base models by themselves."""
        std_right, rob_right = (self.std_class == self.labels).cpu().numpy(), self.rob_right
        n, attacked = self.n_clean, self.bundle.n_adv > 0
        return BaseFigures(
            std_clean=share_of(std_right[:n], "clean"),
            rob_clean=share_of(rob_right[:n], "clean"),
            std_attacked=share_of(std_right[n:], "transfer") if attacked else None,
            rob_attacked=share_of(rob_right[n:], "attacked") if attacked else None,
        )

    @cached_property
    def _bundle_warnings(self) -> tuple[str, ...]:
        """Reasons not to rely on any figure of this bundle."""
        return tuple(map(str, logit_warnings(self.bundle)))

    @cached_property
    def rob_right(self) -> NDArray[np.bool_]:
        """Whether h (and so LN∘h) predicts the label, clean rows first, then attacked ones."""
        return (self.stages.plain_class == self.labels).cpu().numpy()

    def margins(self, params: MixParams) -> Margins:
        """Margins and deficits of all rows under the transform in `params` (see `stages.Margins`)."""
        return self.stages.margins(params.ln_k, params.c, params.clamp, params.p, params.s)

    def top_class(self, params: MixParams) -> Tensor:
        """Class that M(h) predicts on each row, int64; where it ties (`tied`) one of the largest."""
        return self.stages.top_class(params.ln_k, params.c, params.clamp)

    def tied(self, params: MixParams) -> Tensor:
        """Where the transform has made a tie, so that M(h) predicts nothing (see `mixing`), bool."""
        own = self._plain_tie & (self.top_class(params) == self.stages.plain_class)
        return (self.margins(params).margin == 0) & ~own

    def right(self, params: MixParams) -> Tensor:
        """Where M(h) predicts the label, bool, shape (R,); a tie is not right."""
        return (self.top_class(params) == self.labels) & ~self.tied(params)

    def changed(self, params: MixParams) -> Tensor:
        """Where M changes h's prediction (Assumption 4.2), bool, shape (R,); a tie is a change."""
        return (self.top_class(params) != self.stages.plain_class) | self.tied(params)

    def vote(self, params: MixParams) -> Tensor:
        """Class that the mix with T = 0 predicts where g does not outvote M(h), int64, shape (R,).

        It is `top_class`, but for the few rows with a tie that leaves g's class out: there arg max decides.
        """
        margins, vote = self.margins(params), self.top_class(params)
        rows = ((margins.margin <= TIE) & (margins.deficit[:, STD] > TIE)).nonzero().squeeze(1)
        if not rows.numel():
            return vote
        return vote.index_copy(0, rows, transform_with(self.rob_logits[rows], params).softmax(1).argmax(1))

    def level_margins(self, params: MixParams) -> NDArray[np.float64]:
        """Sorted margins of M(h) at the attacked points that LN∘h still gets right (for the quantile).

        Raises:
            BundleError: If the bundle has no attacked part.
            ParameterError: If LN∘h gets no attacked example right.
        """
        self.bundle.require_attacked()
        key = (params.ln_k, params.c, params.clamp, params.p, params.s)
        if key not in self._levels:
            margin = self.margins(params).margin[self.n_clean :].double().cpu().numpy()
            while len(self._levels) >= KEPT:
                self._levels.pop(next(iter(self._levels)))
            self._levels[key] = np.sort(margin[self.rob_right[self.n_clean :]])
        levels = self._levels[key] = self._levels.pop(key)  # the newest last
        if not len(levels):
            raise ParameterError(
                f"beta needs attacked examples that the robust model gets right, and bundle "
                f"{self.bundle.name!r} has none of {self.bundle.n_adv}: set alpha by hand"
            )
        return levels

    def threshold(self, params: MixParams, quantile: QuantileMethod = "linear") -> float:
        """`(1-α)/α`: from α if it is set, else the (1-β)-quantile q of Algorithm 1, line 9.

        Args:
            params: The parameters.
            quantile: `linear` interpolates, as the paper's code does; `lower` never undercuts β.
        """
        if params.alpha is not None:
            return (1.0 - params.alpha) / params.alpha
        return float(margin_quantile(self.level_margins(params), params.beta, quantile))

    def remix(self, params: MixParams, *, quantile: QuantileMethod = "linear") -> Remix:
        """Everything about the mix with these parameters on this bundle.

        Args:
            params: Transform, temperature, and β or α.
            quantile: How α follows from β, see `threshold`.

        Raises:
            BundleError: If α is to come from β and the bundle has no attacked part.
            ParameterError: If it has one, but the robust model gets nothing right there.
        """
        threshold = self.threshold(params, quantile)
        mix_class = self._mix_class(params, threshold)
        columns = self._columns(params, mix_class)
        clean = Part(**{name: column[: self.n_clean] for name, column in columns.items()})
        attacked = None
        if self.bundle.n_adv:
            attacked = Part(**{name: column[self.n_clean :] for name, column in columns.items()})
        return Remix(
            params=params if params.alpha is not None else params.with_(alpha=1.0 / (1.0 + threshold)),
            threshold=threshold,
            clean=share_of(clean.mix_right, "clean"),
            margin_bound=None if attacked is None else share_of(attacked.held(threshold), "margin bound"),
            transfer=None if attacked is None else share_of(attacked.mix_right, "transfer"),
            rob_clean=share_of(clean.right, "clean"),
            rob_attacked=None if attacked is None else share_of(attacked.right, "transfer"),
            warnings=self._warnings(params, threshold, clean, attacked),
            on_clean=clean,
            on_attacked=attacked,
        )

    def _warnings(
        self, params: MixParams, threshold: float, clean: Part, attacked: Part | None
    ) -> tuple[str, ...]:
        warnings = list(self._bundle_warnings)
        if threshold > SATURATED or threshold < UNRESOLVED:
            end = 1 if threshold > SATURATED else 0
            warnings.append(
                f"Numerically saturated: margins this close to {end} cannot be distinguished. "
                "Results at this setting are unreliable."
            )
        warnings += self._transform_losses(clean, attacked)
        if params.ln_k >= 2 and min(params.ln_k, self.bundle.num_classes) == 2:
            warnings.append("layer norm over two logits leaves nothing but which is larger: set ln_k to 0")
        return tuple(warnings)

    def _transform_losses(self, clean: Part, attacked: Part | None) -> list[str]:
        """Where M costs the robust model more accuracy than the search would let it (Assumption 4.2)."""
        n, warnings = self.n_clean, []
        for name, part, before in (
            ("clean", clean, self.rob_right[:n]),
            ("attacked", attacked, self.rob_right[n:]),
        ):
            lost = 0.0 if part is None else float(before.mean() - part.right.mean())
            if lost > MAX_ACCURACY_LOSS + 1e-12:
                warnings.append(
                    f"the transform itself costs the robust model {100 * lost:.2f} points of {name} accuracy "
                    "(violates Assumption 4.2); β refers to what remains"
                )
        return warnings

    def _mix_class(self, params: MixParams, threshold: float) -> Tensor:
        if params.temperature == 0.0:
            outvoted = self.margins(params).deficit[:, STD] <= threshold + TIE
            return torch.where(outvoted, self.std_class, self.vote(params))
        odds = threshold * self.std_probabilities(params.temperature)
        return predictions(odds.add_(self.rob_probabilities(params)), self.std_class)

    def std_probabilities(self, temperature: float) -> Tensor:
        """`σ(g/T)` of all rows, shape (R, K), float64; the last temperature is kept."""
        if self._std_probabilities is None or self._std_probabilities[0] != temperature:
            scaled = temperature_scale(self.std_logits, temperature).softmax(dim=1)
            self._std_probabilities = (temperature, scaled)
        return self._std_probabilities[1]

    def rob_probabilities(self, params: MixParams) -> Tensor:
        """`σ(M(h))` of all rows, shape (R, K), float64: the plain, unstaged computation."""
        return transform_with(self.rob_logits, params).softmax(dim=1)

    def std_margins(self) -> NDArray[np.float64]:
        """Confidence margins of g on all rows, clean first, shape (R,)."""
        return confidence_margin(self.std_logits).cpu().numpy()

    def raw_margins(self) -> NDArray[np.float64]:
        """Confidence margins of h (no layer norm) on all rows, clean first, shape (R,)."""
        return confidence_margin(self.rob_logits).cpu().numpy()

    def plain_mix(self, beta: float, temperature: float = 0.0) -> Remix:
        """The mix without any transform at a level β (Bai et al., 2024b).

        With T = 1 it is "Mixed" of Fig. 5; at the mix's own T it shows what the transform alone is worth.
        """
        return self.remix(IDENTITY.with_(beta=beta, temperature=temperature))

    def _columns(self, params: MixParams, mix_class: Tensor) -> dict[str, NDArray[Any]]:
        """What a `Part` holds, of all rows."""
        top, tied = self.top_class(params), self.tied(params)
        columns = {
            "margin": self.margins(params).margin.double(),
            "rob_class": top,
            "tied": tied,
            "mix_class": mix_class,
            "right": (top == self.labels) & ~tied,
            "mix_right": mix_class == self.labels,
        }
        return {name: column.cpu().numpy() for name, column in columns.items()}
