"""The cards beside the plots: one example's story, the assumptions, a verification. HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mnuts_core.functional.decimals import compared
from mnuts_core.functional.quantiles import least_kept
from mnuts_core.text import counted
from mnuts_dashboards.text import messages
from mnuts_dashboards.text.numbers import minus, settings_text
from mnuts_dashboards.text.templates import Texts

if TYPE_CHECKING:
    from mnuts_core.export.config import MixConfig
    from mnuts_core.views.assumptions import Assumptions
    from mnuts_core.views.examples import Story
    from mnuts_core.views.headline import SeenAndUnseen
    from mnuts_dashboards.widgets.table import Column


_TEXTS = Texts("text/templates/cards.html")


def verified_html(config: MixConfig) -> Markup:
    """What a verification gave, with what puts it in doubt.

    Args:
        config: The configuration with its `verified`.
    """
    card = config.verified
    if card is None:
        return Markup()
    low, high = card.accuracy.ci95
    lines = [
        f"verified: {100 * card.accuracy.value:.1f} % ({100 * low:.1f} to {100 * high:.1f}), "
        f"n = {card.accuracy.n:,}, for {settings_text(config.params)}",
    ]
    if card.clean is not None:
        lines.append(f"clean on the same images: {100 * card.clean.value:.1f} %")
    steps = " → ".join(f"{name} {100 * share:.1f}" for name, share in card.components.items())
    lines.append(f"after each part of the attack, in %: {steps}")
    return messages.found_html(lines, card.warnings)


def assumptions_html(view: Assumptions, split: SeenAndUnseen) -> Markup:
    """How far the assumptions behind the objective hold, and what that costs.

    Args:
        view: The assumptions, counted.
        split: Clean accuracy on the images that the search sees, and on the others.
    """
    n = view.std_right_too.n + view.kept.n
    changed = f"{view.changed_clean.tally} clean"
    changed += f" and {view.changed_attacked.tally} attacked" if view.changed_attacked else ""
    rows = [
        (
            "4.1",
            "where M(h) is right, g is right",
            f"{view.std_right_too.tally} clean images",
        ),
        ("4.2", "M changes no prediction", f"changed: {changed} images"),
        (
            "Theorem 4.4",
            "M(h)'s margin is independent of whether g is right",
            f"of the clean images that M(h) gets wrong, {view.kept.tally} keep a margin ≥ (1−α)/α; "
            f"of those that g gets right, {view.kept_std_right.tally}",
        ),
    ]
    gain = view.fixed - view.broken
    promised, gained = (minus(f"{100 * value / n:.2f}") for value in (view.promised, gain))
    cost = (
        f"The objective predicts a gain of {promised} points over M(h); the actual gain is {gained} "
        f"({counted(view.fixed, 'image')} gained, {view.broken:,} lost). In "
        f"{counted(view.not_second, 'further case')} g is "
        "right and the margin is low, but g's class is not M(h)'s runner-up."
    )
    return _TEXTS.html("assumptions", rows=rows, paragraphs=[cost, _split_words(split)])


def _split_words(split: SeenAndUnseen) -> str:
    if split.seen is None:
        return "Without an attacked part nothing was chosen on these images."
    text = f"The search chooses on the clean images that were attacked: there the mix has {split.seen}"
    if split.unseen is None:
        return f"{text}. These are all: no image is left unseen (Table 8)."
    return f"{text}; on the others, which it has not seen, {split.unseen} (Table 8)."


OUTCOMES = {
    "fixed": "The mix fixes it: the robust model h is wrong, the mix is right.",
    "broken": "The mix breaks it: the robust model h is right, the mix is wrong.",
    "right": "Right with the robust model h and with the mix.",
    "wrong": "Wrong with the robust model h and with the mix.",
}


def story_html(story: Story, picture: str | None) -> Markup:
    """What becomes of one example.

    Args:
        story: The example.
        picture: Its image as a data URL, if the bundle has one.
    """
    votes = (
        ("true class", story.label),
        ("standard g", story.std),
        ("robust h", story.rob),
        ("M(h)", story.mapped),
        ("this mix", story.mix),
    )
    return _TEXTS.html(
        "story",
        title=f"{story.where} image {story.number}",
        picture=picture,
        outcome=OUTCOMES[story.outcome],
        rule=_rule(story),
        point=story.point and f"Shown: {story.point}.",
        votes=votes,
        label=story.label,
    )


def snapshots_html(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A table of snapshots that stands still.

    Args:
        columns: Of the page's table.
        rows: Its rows.
    """
    cells = [
        [(_text(row.get(column.key), column.digits), row.get(f"{column.key}_more", "")) for column in columns]
        for row in rows
    ]
    return _TEXTS.html("snapshots", head=[column.label for column in columns], rows=cells)


def _text(value: object, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return "" if value is None else str(value)


def titled_html(cards: Sequence[tuple[str, str]]) -> Markup:
    """Cards below each other, those with nothing in them left out.

    Args:
        cards: The title of each, and its HTML.
    """
    return _TEXTS.html("titled", cards=[(title, html) for title, html in cards if html])


def _rule(story: Story) -> str:
    """Whether g overrules M(h) at an example's margin, and why."""
    margin, threshold = story.margin, story.threshold
    shown, limit = compared(margin, threshold)
    if abs(margin - threshold) <= abs(float(least_kept(threshold)) - threshold):
        return f"M(h)'s margin equals the threshold ({limit}): a tie, and ties go to g."
    if margin > threshold:
        return f"M(h)'s margin ({shown}) reaches the threshold ({limit}), so g cannot overrule it."
    overrules = "overrules it" if story.mix != story.mapped else "can overrule it"
    return f"M(h)'s margin ({shown}) is below the threshold ({limit}), so g {overrules}."
