"""The heart: a `RemixEngine` answers, for one bundle and any parameters, what the mix does.

Dashboards, notebooks, search and command line all ask it, so they all show the same numbers.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import AttackedPart
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.logit_warnings import logit_warnings
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import confidence_margin
from mnuts_core.functional.quantiles import SATURATED, UNRESOLVED, QuantileMethod, margin_quantile
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import BaseFigures, PointRule, Remix, check_points
from mnuts_core.remix.pooled import Pool
from mnuts_core.remix.rows import Part, Rows
from mnuts_core.remix.stages import KEPT

MAX_ACCURACY_LOSS = 0.001
"""A transform that costs the robust model more than this share of examples is warned of, and not searched."""


class RemixEngine(Rows):
    """Re-mixes a bundle's cached logits; keeps each stage, so that one slider costs one stage.

    Its own rows are the clean images, then the first point of each attacked one; `further` has the rows of
    all other points. What an attacked image counts as is decided over all of its points.

    Args:
        bundle: The bundle.
        device: `auto`, `cpu`, `cuda`, ...
        dtype: float64 (the default, exact) or float32.
        points: What α follows from: `pool` takes each image's least margin over all of its attacked points,
            `mmaa` the first points alone, as the paper does.

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
        points: PointRule = "pool",
    ) -> None:
        if dtype not in (torch.float32, torch.float64):
            raise ParameterError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
        self.bundle = bundle
        self.device = home_of(resolve_device(device))
        std, rob, labels = [bundle.clean_std_logits], [bundle.clean_rob_logits], [bundle.clean_labels]
        further: AttackedPart | None = None
        if bundle.attacked is not None:
            first, further = bundle.attacked.first, bundle.attacked.further
            std.append(first.std_logits)
            rob.append(first.rob_logits)
            labels.append(first.labels)
        stacked = (np.concatenate(parts) for parts in (std, rob, labels))
        super().__init__(*stacked, device=self.device, dtype=dtype)
        self.further: Rows | None = None
        if further is not None:
            arrays = further.std_logits, further.rob_logits, further.labels
            self.further = Rows(*arrays, device=self.device, dtype=dtype)
        self.pool = None if bundle.attacked is None else Pool(bundle.attacked, bundle.n_clean)
        self.points = check_points(points)
        self._levels: dict[object, NDArray[np.float64]] = {}

    @property
    def n_clean(self) -> int:
        """How many rows are clean; the attacked ones follow."""
        return self.bundle.n_clean

    @cached_property
    def base(self) -> BaseFigures:
        """The two base models by themselves."""
        n, std_attacked = self.n_clean, None
        if self.bundle.manifest.std_attacked:
            std_attacked = self._share_at_all_points(self.on_all_rows("std_right"))
        return BaseFigures(
            std_clean=share_of(self.std_right[:n], "clean"),
            rob_clean=share_of(self.rob_right[:n], "clean"),
            std_attacked=std_attacked,
            rob_attacked=self._share_at_all_points(self.on_all_rows("plain_right")),
            std_at_first=share_of(self.std_right[n:], "share") if self.pool is not None else None,
        )

    def _share_at_all_points(self, right: NDArray[np.bool_]) -> Estimate | None:
        """Of the attacked images the share that is right at all points, the clean one too."""
        return None if self.pool is None else share_of(self.pool.all_right(right), "attacked")

    @property
    def rob_right_on_images(self) -> NDArray[np.bool_] | None:
        """Whether h is right at all points of each attacked image, the clean one too; None without any."""
        return None if self.pool is None else self.pool.all_right(self.on_all_rows("plain_right"))

    def on_all_rows(self, name: str) -> NDArray[Any]:
        """A property of `Rows` on the engine's own rows and then on the further ones.

        Args:
            name: `labels`, `std_class`, `std_right`, `plain_class` or `plain_right`.
        """
        parts = [getattr(rows, name) for rows in (self, self.further) if rows is not None]
        return np.concatenate(
            [part.cpu().numpy() if isinstance(part, torch.Tensor) else part for part in parts]
        )

    def at(self, row: int) -> tuple[Rows, int]:
        """Where one of all rows stands: among the engine's own or the further ones, and its place there."""
        return (self, row) if self.further is None or row < len(self) else (self.further, row - len(self))

    @cached_property
    def _bundle_warnings(self) -> tuple[str, ...]:
        """Reasons not to rely on any figure of this bundle."""
        return tuple(map(str, logit_warnings(self.bundle)))

    @cached_property
    def rob_right(self) -> NDArray[np.bool_]:
        """Whether h (and so LN∘h) predicts the label, clean rows first, then the first attacked points."""
        return self.plain_right

    def level_margins(self, params: MixParams, points: PointRule | None = None) -> NDArray[np.float64]:
        """Sorted margins of M(h) on the attacked images that LN∘h still gets right (for the quantile).

        Over several points of an image the least counts, and LN∘h must be right at all of them.

        Args:
            params: The transform.
            points: Which points count, if not those that the engine goes by.

        Raises:
            BundleError: If the bundle has no attacked part.
            ParameterError: If LN∘h gets no attacked example right.
        """
        self.bundle.require_attacked()
        rule = self.points if points is None else check_points(points)
        key = (rule, params.ln_k, params.c, params.clamp, params.p, params.s)
        if key not in self._levels:
            while len(self._levels) >= KEPT:
                self._levels.pop(next(iter(self._levels)))
            self._levels[key] = np.sort(self._least_margins(params, rule))
        levels = self._levels[key] = self._levels.pop(key)  # the newest last
        if not len(levels):
            raise ParameterError(
                f"beta needs attacked examples that the robust model gets right, and bundle "
                f"{self.bundle.name!r} has none of {self.bundle.n_adv}: set alpha by hand"
            )
        return levels

    def _least_margins(self, params: MixParams, points: PointRule) -> NDArray[np.float64]:
        if self.pool is None or self.further is None or points == "mmaa":
            margin = self.margins(params).margin.double().cpu().numpy()
            return margin[self.n_clean :][self.rob_right[self.n_clean :]]
        return self.pool.least_margins(self.all_margins(params), self.on_all_rows("plain_right"))

    def all_margins(self, params: MixParams) -> NDArray[np.float64]:
        """Margins of M(h) on all rows: the engine's own, then the further points."""
        parts = (self,) if self.further is None else (self, self.further)
        return np.concatenate([rows.margins(params).margin.double().cpu().numpy() for rows in parts])

    def all_signed(self, params: MixParams) -> NDArray[np.float64]:
        """Signed margins of M(h), likewise."""
        parts = (self,) if self.further is None else (self, self.further)
        return np.concatenate([rows.signed(params).cpu().numpy() for rows in parts])

    def all_right(self, params: MixParams) -> NDArray[np.bool_]:
        """Where M(h) predicts the label, likewise."""
        parts = (self,) if self.further is None else (self, self.further)
        return np.concatenate([rows.right(params).cpu().numpy() for rows in parts])

    def threshold(
        self, params: MixParams, quantile: QuantileMethod = "linear", points: PointRule | None = None
    ) -> float:
        """`(1-α)/α`: from α if it is set, else the (1-β)-quantile q of Algorithm 1, line 9.

        Args:
            params: The parameters.
            quantile: `linear` interpolates, as the paper's code does; `lower` never undercuts β.
            points: See `level_margins`.
        """
        if params.alpha is not None:
            return (1.0 - params.alpha) / params.alpha
        return float(margin_quantile(self.level_margins(params, points), params.beta, quantile))

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
        everywhere = self.everywhere(params, threshold)
        clean = everywhere.rows(slice(self.n_clean))
        first = slice(self.n_clean, self.n_clean + self.bundle.n_adv)
        attacked = None if self.pool is None else self.pool.results(everywhere)
        return Remix(
            params=params if params.alpha is not None else params.with_(alpha=1.0 / (1.0 + threshold)),
            threshold=threshold,
            clean=share_of(clean.mix_right, "clean"),
            attacked=None if attacked is None else share_of(attacked.mix_right, "attacked"),
            by_margin=None if attacked is None else share_of(attacked.held(threshold), "right by margin"),
            rob_clean=share_of(clean.right, "clean"),
            rob_attacked=self._share_at_all_points(everywhere.right),
            optimistic=self.bundle.manifest.optimistic,
            warnings=self._warnings(params, threshold, clean, attacked),
            on_clean=clean,
            on_attacked=None if attacked is None else everywhere.rows(first),
            on_images=attacked,
        )

    def everywhere(self, params: MixParams, threshold: float) -> Part:
        """What the mix does on all rows: the engine's own, then the further points."""
        own = self.part(params, threshold)
        return own if self.further is None else own.and_further(self.further.part(params, threshold))

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
        warnings = []
        for name, part, before in (
            ("clean", clean, self.base.rob_clean),
            ("attacked", attacked, self.base.rob_attacked),
        ):
            lost = 0.0 if part is None or before is None else float(before.value - part.right.mean())
            if lost > MAX_ACCURACY_LOSS + 1e-12:
                warnings.append(
                    f"the transform itself costs the robust model {100 * lost:.2f} points of {name} accuracy "
                    "(violates Assumption 4.2); β refers to what remains"
                )
        return warnings

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
