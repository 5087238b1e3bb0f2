"""The explorer's state: every setting a visitor can make, declared once, with no widget and no figure in it.

Of what is declared the page makes the control and the word in links, see `page_file.explorer_settings`.
"""

from __future__ import annotations

from typing import Any

import traitlets as tr

from mnuts_core.params import (
    IDENTITY,
    LN_K_DEFAULT,
    LN_ONLY,
    PAPER_OPTIMA,
    PARAMS,
    MixParams,
    ParamSpec,
)
from mnuts_core.search.grids import DEFAULT_GRID
from mnuts_dashboards.explorer.images import check_images, in_link
from mnuts_dashboards.widgets.entries import read_ln_k
from mnuts_dashboards.widgets.query import FROM_LINK
from mnuts_dashboards.widgets.settings import (
    Setting,
    choice,
    clamp_choice,
    declared,
    line,
    number,
    settings_of,
    whole,
)

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

MIX, TRANSFORMED = "Mix", "Transform M(s, p, c)"
"""Headings of the control column under which settings stand."""
CASES = (("the paper's two cases", "paper"), ("a clean image", "clean"), ("an attacked image", "attacked"))

FIND_BY = (
    ("level β (Algorithm 1)", "beta"),
    ("clean accuracy of at least", "clean"),
    ("attacked accuracy of at least", "attacked"),
)
"""What *Find best* keeps."""
LEAST = ParamSpec(
    name="least",
    symbol="",
    label="at least",
    low=0.0,
    high=1.0,
    low_open=False,
    slider_low=0.0,
    slider_high=1.0,
    default=0.95,
    step=0.001,
    scale="linear",
    help="The accuracy that Find best keeps, where it does not go by β; 0.95 is 95 %.",
)

SWITCH = (("off", "off"), ("on", "on"))
"""What a switch on a plot can be."""

LIST_COLUMNS = ("image", "what", "label", "std", "rob", "mix", "margin")
"""The columns of the list of fixed and broken images."""
LISTED = (
    ("the shown image's", "example"),
    ("clean images", "clean"),
    ("attacked images", "attacked"),
)
KINDS = (("fixed and broken", "both"), ("fixed", "fixed"), ("broken", "broken"))
SORTS = tuple((f"{sign}{column}",) * 2 for column in LIST_COLUMNS for sign in ("", "-"))
"""Orders of the list of images: by a column of it, downwards with a minus."""

MAX_PAGE = 10**6
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
        find_by: What it keeps: `beta`, or `clean` or `attacked` accuracy of at least `least`.
        least: That accuracy, a share.
        case: `paper` for the paper's two cases, or `clean`/`attacked` for an example of the bundle.
        row: Which example: a clean row, or a place among the attacked ones.
        log_margins, confusion_attacked, robustbench: Switches on plots, `off` or `on`.
        list_part: Which images the list of fixed and broken ones has: `clean`, `attacked` or `example`, those
            of the part that `case` names, clean ones where it is `paper`.
        list_kind: Which of them: `fixed`, `broken` or `both`.
        list_sort: The column that they are sorted by, downwards with a minus before it; `none`: as they come.
        list_filter: Text that those that are listed have in one of their columns.
        list_page: Which page of the list, from 1; 0: that with the shown image, or else the first.
        selected: The images that are marked on all plots, as `images.write_images` has them.
        snapshots: Mixes kept for comparison, at most `MAX_SNAPSHOTS`; α is None where it follows from β.
        hidden: Names of controls that a link hides, see `HIDEABLE`.
    """

    bundle = tr.Unicode()
    s = number(PARAMS["s"], group=TRANSFORMED)
    p = number(PARAMS["p"], group=TRANSFORMED)
    c = number(PARAMS["c"], group=TRANSFORMED)
    clamp = clamp_choice(group=TRANSFORMED)
    ln_k = declared(
        tr.Int(LN_K_DEFAULT),
        Setting(
            "k",
            lambda text: read_ln_k(text, FROM_LINK),
            label="layer norm over top-k logits",
            help="Layer norm over the k largest logits; 0 leaves it out",
            group=TRANSFORMED,
        ),
    )
    beta = number(PARAMS["beta"], group=MIX)
    by_hand = tr.Bool(False)
    alpha = number(PARAMS["alpha"], group=MIX)
    temperature = number(PARAMS["temperature"], group=MIX, word="T")
    grid = declared(
        tr.Unicode(DEFAULT_GRID),
        Setting(
            "grid",
            str,
            lambda grid: grid.rstrip("+"),  # a widened one is known on this page alone
            label="grid",
            help="Where Find best searches: s, p, c of Table 3",
        ),
    )
    find_by = choice(
        FIND_BY,
        "beta",
        word="find",
        label="keep",
        help="What Find best keeps: β, or an accuracy while it maximises the other one at T = 0",
    )
    least = number(LEAST)
    case = choice(
        CASES, "paper", word="shows", label="Source", help="Whose probabilities the last plots show"
    )
    row = whole(
        default=0,
        low=0,
        word="image",
        label="Image no.",
        help="Which image, counted from 0; or choose one from the table below the plots",
    )
    log_margins = choice(
        SWITCH, "off", word="log_margins", label="log axis", help="Margins on an axis even in their logarithm"
    )
    confusion_attacked = choice(
        SWITCH, "off", word="confusion_attacked", label="attacked images", help="Mistakes on attacked images"
    )
    robustbench = choice(
        SWITCH, "off", word="robustbench", label="RobustBench", help="The leaderboard's models on the plane"
    )
    list_part = choice(
        LISTED, "example", word="list", label="Images of", help="Whose fixed and broken images are listed"
    )
    list_kind = choice(KINDS, "both", word="list_kind", label="Show", help="Which images are listed")
    list_sort = choice(
        (("as they come", "none"), *SORTS),
        "none",
        word="list_sort",
        label="Sorted by",
        help="The order of the list of images",
    )
    list_filter = line(
        100, word="list_filter", label="Filter", help="Text that the listed images have, such as a class"
    )
    list_page = whole(
        default=0,
        low=0,
        high=MAX_PAGE,
        word="list_page",
        label="Page",
        help="Which page of the list, counted from 1; 0: that with the shown image",
    )
    selected = declared(
        tr.Unicode(),
        Setting(
            "selected", check_images, in_link, label="Selected", help="Images that are marked on all plots"
        ),
    )
    snapshots: tuple[MixParams, ...] = tr.Tuple()  # type: ignore[assignment] # a trait reads as its value
    hidden: tuple[str, ...] = tr.Tuple()  # type: ignore[assignment] # a trait reads as its value

    @tr.validate("list_filter", "selected")
    def _validated(self, proposal: tr.Bunch) -> str:
        text: str = DECLARED[proposal.trait.name].read(proposal.value)
        return text

    MIX_TRAITS = (*TRANSFORM, "beta", "by_hand", "alpha", "temperature")
    SETTINGS = tuple(n for n, trait in vars().items() if isinstance(trait, tr.TraitType) and n != "bundle")
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

    def take(self, params: MixParams) -> None:
        """Take over a mix as one change; α counts as set by hand if it is not None."""
        self.set(**traits_of(params))

    def set(self, **values: Any) -> None:
        """Set several traits as one change: observers see the last state only."""
        with self.hold_trait_notifications():
            for name, value in values.items():
                self.set_trait(name, value)


DECLARED = settings_of(ExplorerState)
"""What is declared of the settings that have a control and a word of their own, by name."""
HIDEABLE = (
    *("history", "bundle", "preset", "level"),
    *(setting.word for setting in DECLARED.values() if setting.group),
    *("search", "example", "snapshots", "verify", "export", "import"),
)
"""What `hide=` in a link may name."""


def traits_of(params: MixParams) -> dict[str, Any]:
    """The traits that stand for parameters; `alpha` is left as it is where it follows from β."""
    names = (*TRANSFORM, "beta", "temperature", *(() if params.alpha is None else ("alpha",)))
    return {name: getattr(params, name) for name in names} | {"by_hand": params.alpha is not None}
