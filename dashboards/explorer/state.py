"""The explorer's state: every setting a visitor can make, with no widget and no figure in it.

Controls are linked to it, views observe it, and `links` writes the URL of a shared link from it.
"""

from __future__ import annotations

from typing import Any

import traitlets as tr

from mnuts_core.clamps import CLAMPS
from mnuts_core.params import IDENTITY, LN_ONLY, PAPER_OPTIMA, PARAMS, MixParams
from mnuts_core.search.grids import DEFAULT_GRID

TRANSFORM = ("s", "p", "c", "clamp", "ln_k")
"""The traits that make up M."""

PRESETS: dict[str, MixParams] = {
    "Paper: CIFAR-10 (Table 3)": PAPER_OPTIMA["cifar10"],
    "Paper: CIFAR-100 (Table 3)": PAPER_OPTIMA["cifar100"],
    "Paper: ImageNet (Table 3)": PAPER_OPTIMA["imagenet"],
    "Layer norm only": LN_ONLY,
    "Plain mix (no transform)": IDENTITY,
}
"""Named settings; each leaves β and T to the visitor, except the paper's, which bring their β."""

MAX_SNAPSHOTS = 6
"""So many mixes can be compared beside the current one."""


class ExplorerState(tr.HasTraits):
    """What the visitor chose.

    Attributes:
        bundle: Name of the bundle, a key of the session's library.
        s, p, c, clamp, ln_k: The transform (Eq. 4).
        beta: Level from which α follows.
        by_hand: Whether α is set by hand instead.
        alpha: That α.
        temperature: T of the standard model.
        grid: Which grid *Find best* searches.
        case: `paper` for the paper's two cases, or `clean`/`attacked` for an example of the bundle.
        row: Which example: a clean row, or a place among the attacked ones.
        snapshots: Mixes kept for comparison, at most `MAX_SNAPSHOTS`; α is None where it follows from β.
        hidden: Names of controls that a link hides, see `controls.HIDEABLE`.
    """

    bundle = tr.Unicode()
    s = tr.Float(PARAMS["s"].default)
    p = tr.Float(PARAMS["p"].default)
    c = tr.Float(PARAMS["c"].default)
    clamp = tr.Enum(CLAMPS, default_value="gelu")
    ln_k = tr.Int(250)
    beta = tr.Float(PARAMS["beta"].default)
    by_hand = tr.Bool(False)
    alpha = tr.Float(PARAMS["alpha"].default)
    temperature = tr.Float(PARAMS["temperature"].default)
    grid = tr.Unicode(DEFAULT_GRID)
    case = tr.Enum(("paper", "clean", "attacked"), default_value="paper")
    row = tr.Int(0, min=0)
    snapshots: tuple[MixParams, ...] = tr.Tuple()  # type: ignore[assignment] # a trait reads as its value
    hidden: tuple[str, ...] = tr.Tuple()  # type: ignore[assignment] # a trait reads as its value

    MIX_TRAITS = (*TRANSFORM, "beta", "by_hand", "alpha", "temperature")
    SETTINGS = (*MIX_TRAITS, "grid", "case", "row", "snapshots", "hidden")
    """Everything but the bundle."""

    @property
    def params(self) -> MixParams:
        """The parameters as the core takes them.

        Raises:
            ParameterError: If a value lies outside its interval.
        """
        return MixParams(
            s=self.s,
            p=self.p,
            c=self.c,
            clamp=self.clamp,
            ln_k=self.ln_k,
            beta=self.beta,
            alpha=self.alpha if self.by_hand else None,
            temperature=self.temperature,
        )

    def take(self, params: MixParams, *, level: bool = False) -> None:
        """Take over a transform, and with `level` also its β or α and its T, as one change.

        Args:
            params: The parameters.
            level: Whether to take β, α and T too. α counts as set by hand only if it is not None.
        """
        values = traits_of(params)
        self.set(**(values if level else {name: values[name] for name in TRANSFORM}))

    def keep_snapshot(self) -> None:
        """Keep the current mix for comparison; the oldest makes room where there is none."""
        kept = tuple(kept for kept in self.snapshots if kept != self.params)
        self.snapshots = (*kept, self.params)[-MAX_SNAPSHOTS:]

    def drop_snapshot(self, place: int) -> None:
        """Forget one of the mixes kept."""
        self.snapshots = tuple(kept for i, kept in enumerate(self.snapshots) if i != place)

    def set(self, **values: Any) -> None:
        """Set several traits as one change: observers see the last state only."""
        with self.hold_trait_notifications():
            for name, value in values.items():
                self.set_trait(name, value)


def traits_of(params: MixParams) -> dict[str, Any]:
    """The traits that stand for parameters; `alpha` is left as it is where it follows from β."""
    names = (*TRANSFORM, "beta", "temperature", *(() if params.alpha is None else ("alpha",)))
    return {name: getattr(params, name) for name in names} | {"by_hand": params.alpha is not None}
