"""The lesson's computations on one bundle: margins, groups of examples, searches. No widget, no figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.belonging import configs_of
from mnuts_core.functional.mixing import transform_with
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import LN_ONLY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.search.grids import PAPER_RANGES, GridSpec
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import transform
from mnuts_core.views.paired import verified_pair
from mnuts_core.views.tradeoff import Curve, frontier_curve
from mnuts_dashboards.bundles.verified import Known, VerifiedMixes
from mnuts_dashboards.text.images import data_url

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
GRIDS: Mapping[int, str] = {10: "cifar10", 100: "cifar100", 1000: "imagenet"}
"""The paper's grid for a number of classes; the first for any other."""
LEVEL = 0.95
"""The β at which the lesson has Algorithm 1 choose s, p and c."""
SAME_CLEAN = 0.005
"""Mixes whose clean accuracies differ by no more are compared under attack."""
EXAMPLES = 12
"""How many right and how many wrong examples are shown for guessing."""


class Flips(NamedTuple):
    """What the mix does to the robust model's answers on the clean images: rows of the bundle.

    Attributes:
        fixes: h is wrong, the mix is right.
        breaks: h is right, the mix is wrong.
        wrong: Every row that h gets wrong.
    """

    fixes: Rows
    breaks: Rows
    wrong: Rows


class Rivals(NamedTuple):
    """A verified mix and a verified plain mix of about the same clean accuracy, and the former's lead."""

    mix: Known
    plain: Known
    lead: Paired


class Lab:
    """One bundle, and everything that the steps of the lesson ask of it.

    Rows are counted as the engine does: clean ones first, then the attacked ones.

    Args:
        bundle: Any bundle; without an attacked part the steps that need one say so.
    """

    def __init__(self, bundle: LogitBundle) -> None:
        self.bundle, self.engine = bundle, RemixEngine(bundle, device="cpu")
        self.n = bundle.n_clean
        self.names = bundle.manifest.classes
        self.labels: Rows = self.engine.labels.numpy()
        self.std_class: Rows = self.engine.std_class.numpy()
        self.rob_right = self.engine.rob_right
        self.std_right = self.std_class == self.labels
        self._searched: GridSearchResult | None = None

    @property
    def attacked(self) -> bool:
        """Whether there is an attacked part that h survives somewhere."""
        return bool(self.rob_right[self.n :].any())

    # --- margins
    @cached_property
    def margins(self) -> dict[str, Array]:
        """Confidence margins of g, h and LN∘h on all rows."""
        return {
            "g": self.engine.std_margins(),
            "h": self.engine.raw_margins(),
            "LN": self.margins_of(LN_ONLY),
        }

    def margins_of(self, params: MixParams) -> Array:
        """Confidence margins of M(h) on all rows."""
        return self.engine.margins(params).margin.double().numpy()

    def right(self, name: str) -> NDArray[np.bool_]:
        """Which rows g, or h (and with it LN∘h), gets right."""
        return self.std_right if name == "g" else self.rob_right

    @cached_property
    def unsure(self) -> Rows:
        """The clean rows that h gets wrong."""
        return np.flatnonzero(~self.rob_right[: self.n])

    @cached_property
    def sure(self) -> Rows:
        """The attacked rows that h still gets right."""
        return self.n + np.flatnonzero(self.rob_right[self.n :])

    def typical(self, rows: Rows) -> int:
        """The row whose LN margin is the group's median, or the next smaller one."""
        margins = self.margins["LN"][rows]
        return int(rows[np.argsort(margins, kind="stable")[(len(rows) - 1) // 2]])

    @cached_property
    def examples(self) -> Rows:
        """Clean rows for guessing: right and wrong ones of h in equal parts, mixed, by a fixed seed."""
        rng = np.random.default_rng(0)
        right = np.flatnonzero(self.rob_right[: self.n])
        count = min(EXAMPLES, len(right), max(len(self.unsure), 1))
        drawn = [rng.choice(rows, min(count, len(rows)), replace=False) for rows in (right, self.unsure)]
        return rng.permutation(np.concatenate(drawn))

    # --- one example
    def probabilities(self, row: int, params: MixParams | None = None, *, of: str = "h") -> Array:
        """σ(g), σ(h), or with parameters σ(M(h)), of one row, shape (K,)."""
        logits = self.engine.std_logits[row] if of == "g" else self.engine.rob_logits[row]
        mapped = logits if params is None else transform_with(logits, params)
        return mapped.double().softmax(dim=0).numpy()

    def normed(self, row: int) -> tuple[Array, float, float, Array]:
        """Raw logits of h on one row, the mean and deviation that LN uses, and LN(h)."""
        h = self.engine.rob_logits[row].double()
        ln = layer_norm(h, LN_ONLY.ln_k)
        top = h.topk(min(LN_ONLY.ln_k, len(h))).values
        return h.numpy(), float(top.mean()), float(top.std(correction=1)), ln.numpy()

    def name(self, index: SupportsIndex) -> str:
        """Name of a class."""
        return self.names[int(index)]

    def picture(self, row: int) -> str | None:
        """The image of a row as a data URL, if the bundle has images."""
        images = self.bundle.clean_images if row < self.n else self.bundle.require_attacked().images
        return None if images is None else data_url(images[row if row < self.n else row - self.n])

    def clean_row(self, row: int) -> int:
        """The clean row that an attacked row belongs to; a clean one is its own."""
        if row < self.n:
            return row
        return int(self.bundle.require_attacked().index[row - self.n])

    @cached_property
    def first_fooled(self) -> int:
        """Place, from 1, of the first attacked image that h got right before; 1 if there is none."""
        before = np.array([self.rob_right[self.clean_row(row)] for row in range(self.n, len(self.labels))])
        return 1 + int(np.argmax(before & ~self.rob_right[self.n :]))

    # --- transforms and mixes
    def searched(self, beta: float = LEVEL) -> GridSearchResult:
        """Algorithm 1 on the paper's grid for this number of classes; its table is made once."""
        if self._searched is None:
            grid = GridSpec.paper(GRIDS.get(self.bundle.num_classes, next(iter(PAPER_RANGES))))
            self._searched = grid_search(self.bundle, grid, beta)
        return self._searched.at_beta(beta)

    def best(self, beta: float = LEVEL) -> MixParams:
        """The transform that Algorithm 1 chooses at β; α follows from β."""
        return self.searched(beta).best.params.with_(alpha=None, beta=beta)

    @cached_property
    def alpha_digits(self) -> int:
        """Decimals that distinguish the weight of `best` from 1; three at least."""
        rest = 1.0 - self.remix(self.best()).alpha
        return min(max(3, 1 - math.floor(math.log10(rest))), 9) if rest > 0 else 9

    @cached_property
    def start_alpha(self) -> float:
        """The weight that `best` gives, as the page prints it."""
        return round(self.remix(self.best()).alpha, self.alpha_digits)

    def remix(self, params: MixParams) -> Remix:
        """The mix with these parameters."""
        return self.engine.remix(params)

    def flips(self, mix: Remix) -> Flips:
        """Which clean rows the mix fixes and breaks against h."""
        right = self.rob_right[: self.n]
        mixed = mix.on_clean.mix_right
        return Flips(np.flatnonzero(~right & mixed), np.flatnonzero(right & ~mixed), self.unsure)

    @cached_property
    def frontier(self) -> Curve:
        """The trade-off that the whole grid offers, over β."""
        return frontier_curve(self.engine, beta_frontier(self.searched()))

    @cached_property
    def density(self) -> transform.LogitDensity:
        """Where the clean images' layer-normed logits lie."""
        return transform.logit_density(self.engine, LN_ONLY.ln_k)

    def above_cutoff(self, c: float) -> Array:
        """For every clean row, how many classes stay above the clamp's cutoff: LN(h) + c > 0."""
        return (self.engine.stages.normed(LN_ONLY.ln_k)[: self.n] + c > 0).sum(dim=1).double().numpy()

    def changed(self, params: MixParams) -> int:
        """How many clean rows M(h) answers otherwise than h, or not at all (Assumption 4.2 says none)."""
        return int(self.engine.changed(params)[: self.n].sum())

    @cached_property
    def rivals(self) -> tuple[Rivals, ...]:
        """Verified mixes, each with the verified plain mix of nearest clean accuracy; of two the better."""
        found = []
        for mix in self.verified:
            others = [
                (round(abs(plain.clean.value - mix.clean.value), 9), -plain.clean.value, plain.number, plain)
                for plain in self.verified
                if plain.params.plain and plain.clean and mix.clean
            ]
            if mix.params.plain or not others:
                continue
            apart, *_, plain = min(others)
            pair = verified_pair(mix.config, plain.config).paired
            if pair and apart <= SAME_CLEAN:
                found.append(Rivals(mix, plain, pair["verified"]))
        return tuple(found)

    @cached_property
    def verified(self) -> tuple[Known, ...]:
        """Shipped or own configurations of this bundle that were verified by an adaptive attack."""
        return VerifiedMixes(self.bundle, (config for _, config in configs_of(self.bundle))).all()
