"""Banner, remarks, and where a bundle comes from, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from mnuts_core.views.sources import settled_words, sources
from mnuts_dashboards.text.templates import Texts

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle


_TEXTS = Texts("text/templates/messages.html")


def banner_html(message: str | None) -> Markup:
    """A banner for something that went wrong; empty for None."""
    return Markup() if message is None else _TEXTS.html("banner", message=message)


def remark_html(text: str) -> Markup:
    """A small line in the control column."""
    return _TEXTS.html("remark", text=text)


def copied_text(text: str | None) -> str:
    """What to say after *Copy link*.

    Args:
        text: What was copied; None if the browser did not let us.
    """
    failed = "The browser did not allow copying: copy the link from its address bar."
    return "Link copied." if text else failed


def found_html(lines: Sequence[str], warnings: Sequence[str] = ()) -> Markup:
    """What was found, a line each.

    Args:
        lines: The lines.
        warnings: What puts them in doubt.
    """
    return _TEXTS.html("found", lines=lines, warnings=warnings)


def lines_html(lines: Sequence[str]) -> Markup:
    """Lines below each other."""
    return _TEXTS.html("lines", lines=lines)


def notes_html(lines: Sequence[str]) -> Markup:
    """Two lines as they are; of more the heads, and the rest on demand."""
    if len(lines) <= 2:
        return _TEXTS.html("paragraphs", lines=lines)
    heads = [line.partition(":")[0].rstrip(".") for line in lines]
    return _TEXTS.html("folded", heads=heads, lines=lines)


def bundle_facts(bundle: LogitBundle) -> tuple[list[str], list[str]]:
    """What a bundle's figures rest on: in short, and in detail."""
    card = bundle.manifest
    sizes = f"{bundle.n_clean:,} clean and {bundle.n_adv:,} attacked images"
    facts = [f"{sizes}, {bundle.num_classes} classes", *([str(card.threat)] if card.threat else [])]
    details = [
        f"Data: {card.data.name}, {card.data.split or 'part not stated'}. {card.data.source}",
        f"Standard model: {card.std_model.spec}. Robust model: {card.rob_model.spec}.",
        f"Made {card.created or 'at an unknown time'}. Tensors {bundle.digest}.",
    ]
    if bundle.n_adv:
        details[2:2] = [
            *(f"Attacked points: {source}." for source in sources(bundle)),
            f"{settled_words(bundle)}.",
        ]
    if card.command:
        details.append(f"Its maker gives this command, which nobody has checked: {card.command}")
    return facts, details
