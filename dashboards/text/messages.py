"""What was found, and where a bundle comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from mnuts_core.views.sources import settled_words, sources
from mnuts_dashboards.text.templates import Texts

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle


_TEXTS = Texts("text/templates/messages.html")


def found_html(lines: Sequence[str], warnings: Sequence[str] = ()) -> Markup:
    """What was found, a line each.

    Args:
        lines: The lines.
        warnings: What puts them in doubt.
    """
    return _TEXTS.html("found", lines=lines, warnings=warnings)


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
