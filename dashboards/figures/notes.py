"""What plots say beside themselves: parts of notes that several share, and warnings."""

from __future__ import annotations

from mnuts_core.params import FIG3_MIX
from mnuts_dashboards.figures.template import Template
from mnuts_dashboards.text.numbers import minus

N: Template = {
    "$text": [
        "n = {meta.n_clean:,} clean",
        {"$if": "meta.n_adv", "then": {"$text": ", {meta.n_adv:,} attacked"}},
    ]
}
HOW_TIGHT: Template = {
    "$if": "meta.optimistic",
    "then": "optimistic (MMAA points only)",
    "else": "an upper bound",
}
CASE: Template = {
    "$if": "state.example",
    "then": "The chosen example's top three classes",
    "else": "The paper's two cases",
}
PRINTED: Template = {
    "$if": "state.example",
    "else": f"; grey: s {FIG3_MIX.s:g}, p {FIG3_MIX.p:g}, c {minus(f'{FIG3_MIX.c:g}')}, "
    "which give the printed margins (the paper names no settings)",
}
NOT_ALIKE: Template = [
    {
        "$if": "drawn.leaderboard.x",
        "$text": [
            "RobustBench's figures are not like for like: AutoAttack's, on all original test images; here "
            "n = {meta.n_adv:,}",
            {
                "$if": "meta.optimistic",
                "then": ", at MMAA's points only",
                "else": ", at the points of the pool",
            },
            {"$if": "meta.incomparable", "then": {"$text": "; {meta.incomparable}"}},
            ".",
        ],
    },
    {
        "$if": "drawn.leaderboard.places",
        "$text": [
            "Among {drawn.leaderboard.places.of} entries and itself this mix has place "
            "{drawn.leaderboard.places.clean} by clean accuracy, and by accuracy under attack ",
            {"$if": "headline.mix.verified", "else": "at best "},
            "place {drawn.leaderboard.places.attacked}.",
        ],
    },
]
CHANGED: Template = [
    {
        "$if": "drawn.changes",
        "$text": [
            "M changes the class of {drawn.changes.0}",
            {"$if": "drawn.changes.1", "then": {"$text": ", and of {drawn.changes.1}"}},
            ": the clamp is not monotone everywhere (GELU dips below zero), or classes tie after it.",
        ],
    }
]
OUTSIDE: Template = [
    {"$if": "drawn.outside", "$text": "The current mix lies outside this grid: it has no mark."}
]
OF_G: Template = {
    "$if": "meta.n_adv",
    "then": {"$if": "meta.std_attacked", "else": "; g: at h's points, not attacked itself"},
}
LEAST: Template = {
    "$if": {"$": "meta.n_points", "minus": "meta.n_adv"},
    "then": "; each attacked image at its point of least margin",
}
MIX: Template = {
    "$text": [
        "This mix: {remix.clean.value:.2%} clean",
        {"$if": "remix.attacked", "then": {"$text": ", {remix.attacked.value:.2%} under attack"}},
    ]
}
BRUSH: Template = ". Drag over bars to select their images"
LOG = (("log_margins", "log axis"),)
