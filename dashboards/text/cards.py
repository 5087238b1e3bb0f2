"""The cards beside the plots: one example's story, the assumptions, a verification. HTML, escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnuts_core.functional.decimals import compared
from mnuts_core.functional.quantiles import least_kept
from mnuts_core.text import escape
from mnuts_dashboards.text.numbers import minus, settings_text

if TYPE_CHECKING:
    from mnuts_core.export.config import MixConfig
    from mnuts_core.views.assumptions import Assumptions
    from mnuts_core.views.examples import Story
    from mnuts_core.views.headline import SeenAndUnseen


def verified_html(config: MixConfig, command: str = "", beside: str = "") -> str:
    """What a verification gave, with what puts it in doubt and how to repeat it.

    Args:
        config: The configuration with its `verified`.
        command: The command that does the same.
        beside: The estimates on the same images, in words.
    """
    card = config.verified
    if card is None:
        return ""
    low, high = card.accuracy.ci95
    lines = [
        f"verified: {100 * card.accuracy.value:.1f} % ({100 * low:.1f} to {100 * high:.1f}), "
        f"n = {card.accuracy.n:,}, for {settings_text(config.params)}",
    ]
    if card.clean is not None:
        lines.append(f"clean on the same images: {100 * card.clean.value:.1f} %")
    lines += [beside] if beside else []
    steps = " → ".join(f"{name} {100 * share:.1f}" for name, share in card.components.items())
    lines.append(f"after each part of the attack, in %: {steps}")
    found = "".join(f"<div>{escape(line)}</div>" for line in lines)
    found += "".join(f"<div class='mnuts-warning'>{escape(warning)}</div>" for warning in card.warnings)
    shown = (
        f"<details><summary>Reproduce on the command line</summary><code>{escape(command)}</code></details>"
    )
    again = shown if command else ""
    return f"<div class='mnuts-found' role='status'>{found}{again}</div>"


def assumptions_html(view: Assumptions, split: SeenAndUnseen) -> str:
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
    body = "".join(
        f"<tr><th scope='row'>{name}</th><td>{escape(says)}</td><td>{escape(found)}</td></tr>"
        for name, says, found in rows
    )
    gain = view.mended - view.broken
    promised, gained = (minus(f"{100 * value / n:.2f}") for value in (view.promised, gain))
    text = (
        f"The objective predicts a gain of {promised} points over M(h); the actual gain is {gained} "
        f"({view.mended:,} fixed, {view.broken:,} broken). In {view.not_second:,} further cases g is right "
        "and the margin is low, but g's class is not M(h)'s runner-up. Fixed and broken are relative to M(h) "
        "here, and relative to the robust model h in the list of images."
    )
    return (
        "<table class='mnuts-plain'><thead><tr><th scope='col'>Assumption</th><th scope='col'>says</th>"
        f"<th scope='col'>on this bundle</th></tr></thead><tbody>{body}</tbody></table>"
        f"<p class='mnuts-words'>{escape(text)}</p><p class='mnuts-words'>{escape(_split_words(split))}</p>"
    )


def _split_words(split: SeenAndUnseen) -> str:
    if split.seen is None:
        return "Without an attacked part nothing was chosen on these images."
    text = f"The search chooses on the clean images that were attacked: there the mix has {split.seen}"
    if split.unseen is None:
        return f"{text}. These are all: no image is left unseen (Table 8)."
    return f"{text}; on the others, which it has not seen, {split.unseen} (Table 8)."


OUTCOMES = {
    "mended": "The mix fixes it: the robust model h is wrong, the mix is right.",
    "broken": "The mix breaks it: the robust model h is right, the mix is wrong.",
    "right": "Right with the robust model h and with the mix.",
    "wrong": "Wrong with the robust model h and with the mix.",
}


def story_html(story: Story, picture: str | None) -> str:
    """What becomes of one example.

    Args:
        story: The example.
        picture: Its image as a data URL, if the bundle has one.
    """
    title = f"{story.where} image {story.number}"
    image = f"<img src='{picture}' alt='{escape(title, quote=True)}'>" if picture else ""
    votes = (
        ("true class", story.label),
        ("standard g", story.std),
        ("robust h", story.rob),
        ("M(h)", story.mapped),
        ("this mix", story.mix),
    )
    rows = "".join(
        f"<tr><th scope='row'>{name}</th><td class='{'ok' if vote == story.label else 'no'}'>{escape(vote)}"
        f"{' ✓' if vote == story.label else ' ✗'}</td></tr>"
        for name, vote in votes
    )
    return (
        f"<div class='mnuts-story' role='status'>{image}<div><h3>{escape(title)}</h3>"
        f"<p><b>{OUTCOMES[story.outcome]}</b> {_rule(story)}</p>"
        f"<table class='mnuts-plain'><tbody>{rows}</tbody></table></div></div>"
    )


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
