"""The comparison's words, and what its style sheet adds to the explorer's. HTML, escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnuts_core.text import escape

from .compare_tables import paper_best

if TYPE_CHECKING:
    from .compare_session import Comparison

STYLE = """
.mnuts-remarked td:last-child { white-space: normal; min-width: 150px; font-size: 12px;
  color: var(--jp-ui-font-color2); }
.mnuts-pairs td:nth-child(2) small { white-space: normal; max-width: 240px; }
.mnuts-compare .mnuts-table td { padding: 3px 6px; }
.mnuts-compare .mnuts-table td:first-child small { max-width: max(160px, 12.5vw); overflow: hidden;
  text-overflow: ellipsis; }
.mnuts-compare .mnuts-box { padding: 10px 12px; border-radius: 8px; background: var(--jp-layout-color1);
  border: 1px solid color-mix(in srgb, var(--jp-border-color2) 60%, transparent); }
.mnuts-compare .mnuts-box-head { justify-content: space-between; align-items: center; }
.mnuts-compare .mnuts-box h3 { margin: 0; font-size: 14px; line-height: 1.35; font-weight: 600; }
.mnuts-compare .mnuts-box-head .widget-html { flex: 1 1 auto; }
.mnuts-compare h2 { margin: 0; font-size: 16px; line-height: 1.4; font-weight: 600; }
.mnuts-compare .mnuts-words { margin: 2px 0 0; }
.mnuts-bundles { max-height: 220px; overflow-y: auto; }
.mnuts-bundles .widget-checkbox, .mnuts-bundles .widget-checkbox label { width: auto; margin: 0; }
.mnuts-compare summary { cursor: pointer; }
"""
INTERVALS = "Below each accuracy its 95 % interval (Wilson)."
ALPHA_WORDS = {
    "target": "α from the bundle used on: 1/(1+q), q the (1−β)-quantile of M(h)'s margins at its own "
    "attacked points; the margin bound then keeps the share β there by construction.",
    "source": "α carried over with s, p, c: nothing is measured on the bundle used on, so β need not be kept "
    "there.",
}


def words(made: Comparison) -> list[str]:
    """What a reader must know before comparing."""
    if not made.settings.bundles:
        return ["Choose bundles on the left, or add one."]
    told = list(made.notes)
    if len(made.settings.bundles) == 1:
        told.append("Only one bundle is chosen: choose or add another to compare it with.")
    return told


def notes_html(lines: Sequence[str]) -> str:
    """Two lines as they are; of more the heads, and the rest on demand."""
    body = "".join(f"<p class='mnuts-words'>{escape(line)}</p>" for line in lines)
    if len(lines) <= 2:
        return body
    heads = " · ".join(line.partition(":")[0].rstrip(".") for line in lines)
    return f"<details class='mnuts-words'><summary>Read with care: {escape(heads)}</summary>{body}</details>"


NOTES = {
    "medians": "As in the paper's Fig. 7, with 95 % intervals. On top: the margin gap, attacked right minus "
    "clean wrong. g was not attacked: its striped bars are at h's attack points. Right and wrong are each "
    "classifier's own. Hover for n, click to bring a bundle out",
    "gaps": "Attacked right minus clean wrong; grey: the paper's models, as printed in Fig. 7",
}


def remarks(made: Comparison) -> dict[str, str]:
    """The line above each table."""
    chosen = f"At β = {made.settings.beta:g}, each chosen on its bundle's own images."
    return {
        "facts": INTERVALS,
        "best": f"{chosen} {paper_best()}",
        "transfers": f"{ALPHA_WORDS[made.settings.alpha]} {INTERVALS} Losses in points, negative for a gain.",
    }


def matrix_note(made: Comparison) -> str:
    """The small line under the matrix's title."""
    return (
        f"{ALPHA_WORDS[made.settings.alpha]} Margin bound and transfer are estimates. A bundle's own "
        "best was chosen on these very images, which flatters it a little (Table 11, D.5)"
    )
