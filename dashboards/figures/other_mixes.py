"""Other mixes and models on the trade-off plane, as the page's `charts/prepare/plane.js`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mnuts_core.bundles.leaderboard import NOT_OF_ROBUSTBENCH, RADIUS_TOLERANCE, is_of, radius
from mnuts_dashboards.figures.template import Fields, at
from mnuts_dashboards.text.numbers import alpha_text, settings_text

if TYPE_CHECKING:
    from mnuts_core.params import MixParams
    from mnuts_core.remix.answers import Remix

LETTERS = "ABCDEFGHIJ"
LETTERS_AT = ("top right", "bottom left", "top left", "bottom right", "top center", "bottom center")
"""Where snapshots' letters stand in turn: mixes that are compared lie close together."""


def letter(place: int) -> str:
    """What a snapshot is called: A, B, ..."""
    return LETTERS[place]


def kept_points(snapshots: Sequence[Remix]) -> Fields:
    """Snapshots with their letters."""
    shown = [(letter(i), mix) for i, mix in enumerate(snapshots) if mix.attacked is not None]
    return {
        "x": [100 * mix.clean.value for _, mix in shown],
        "y": [100 * mix.attacked.value for _, mix in shown if mix.attacked],
        "text": [name for name, _ in shown],
        "places": [LETTERS_AT[i % len(LETTERS_AT)] for i in range(len(shown))],
    }


def stars(configs: Sequence[Mapping[str, Any]], here: MixParams) -> Fields:
    """Other mixes that were attacked: small stars; the hover says what they are."""
    known = [
        (config.get("number", place), config)
        for place, config in enumerate(configs)
        if config["verified"] and config["clean"] and not _same_mix(config["params"], here)
    ]
    return {
        "x": [100 * config["clean"].value for _, config in known],
        "y": [100 * config["verified"].value for _, config in known],
        "hover": [f"{_called(config['params'])}<br>verified, {config['verified']}" for _, config in known],
        "number": [number for number, _ in known],
        "params": [config["params"] for _, config in known],
        "kind": ["plain" if config["params"].plain else "mix" for _, config in known],
    }


ALPHA_DIGITS = 12
"""Of α, to which two mixes are one."""


def _same_mix(one: MixParams, other: MixParams) -> bool:
    """Whether two mixes are one, whatever the β that their α may have come from."""
    if one.alpha is None or other.alpha is None:
        return False
    rounded = [mix.with_(alpha=round(mix.alpha or 0, ALPHA_DIGITS), beta=1.0) for mix in (one, other)]
    return rounded[0] == rounded[1]


def _called(params: MixParams) -> str:
    if params.plain and params.alpha is not None:
        return f"plain mix, α = {alpha_text(params.alpha)}"
    return settings_text(params)


def leaderboard_points(fields: Fields) -> Fields:
    """The models of the paper's Fig. 2 on the bundle's data set and threat model, and the mix's places."""
    rows = at(fields, "paper.robustbench") if at(fields, "options.robustbench") else None
    data = str(at(fields, "meta.dataset") or "")
    shown = [row for row in rows or () if is_of(data, row["dataset"]) and _same_threat(row, fields["meta"])]
    return {
        "x": [row["clean_percent"] for row in shown],
        "y": [row["autoattack_percent"] for row in shown],
        "hover": [", ".join(filter(None, (row["model"], row["venue"]))) for row in shown],
        "places": _places(shown, fields),
    }


def _places(shown: Sequence[Mapping[str, Any]], fields: Fields) -> Fields | None:
    """The current mix's places among RobustBench's entries and itself; None where they are not comparable."""
    if not shown or at(fields, "meta.incomparable"):
        return None
    entries = [row for row in shown if row.get("kind") != NOT_OF_ROBUSTBENCH]
    clean, attacked = (
        1 + sum(row[name] > 100 * figure.value for row in entries)
        for name, figure in (
            ("clean_percent", fields["remix"].clean),
            ("autoattack_percent", at(fields, "headline.mix.verified") or fields["remix"].attacked),
        )
    )
    return {"clean": clean, "attacked": attacked, "of": len(entries)}


def _same_threat(row: Mapping[str, Any], meta: Mapping[str, Any]) -> bool:
    """Whether a row's ε, such as `8/255`, is the bundle's, in the same norm."""
    apart = radius(row["epsilon"]) - (meta["eps"] or 0.0)
    return bool(row["norm"] == meta["norm"] and abs(apart) < RADIUS_TOLERANCE)
