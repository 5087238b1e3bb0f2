"""Banner, remarks, and where a bundle comes from, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnuts_core.text import escape

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle


def banner_html(message: str | None) -> str:
    """A banner for something that went wrong; empty for None."""
    return "" if message is None else f"<div class='mnuts-banner' role='alert'>{escape(message)}</div>"


def provenance_html(title: str, facts: Sequence[str], details: Sequence[str]) -> str:
    """What the figures rest on: a line of facts, and folded details.

    Args:
        title: The bundle's name.
        facts: Shown at once.
        details: Shown on demand.
    """
    shown = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    folded = "".join(f"<div>{escape(line)}</div>" for line in details)
    return (
        f"<div class='mnuts-provenance'><b>{escape(title)}</b>{shown}"
        f"<details><summary>About this data</summary>{folded}</details></div>"
    )


def remark_html(text: str) -> str:
    """A small line in the control column."""
    return f"<div class='mnuts-found' role='status'>{escape(text)}</div>"


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
    if card.attack:
        details.insert(
            2, f"Attack: {card.attack.name}, {card.attack.n_iter} steps, on {card.attack.surrogate}."
        )
    if card.command:
        details.append(f"Its maker gives this command, which nobody has checked: {card.command}")
    return facts, details
