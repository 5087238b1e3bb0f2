"""The comparison as a page: what Python hands to it."""

from __future__ import annotations

import json
from typing import Any

from mnuts_core.bundles.paper import paper_rows
from mnuts_core.text import visible
from mnuts_dashboards.compare.state import CompareState
from mnuts_dashboards.figures.themes import theme
from mnuts_dashboards.page.data import settings
from mnuts_dashboards.page.modules import WEB
from mnuts_dashboards.page.one_file import App
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import CLASSIFIER, MUTED, PAGE, RIGHT, WRONG

NORMS = {"Linf": "ℓ∞", "L2": "ℓ2"}
SETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet"}


def compare_app() -> App:
    """The comparison, for a page."""
    texts: dict[str, str] = json.loads((WEB / "compare" / "texts" / "en.json").read_text("utf-8"))
    content: dict[str, Any] = {
        "controls": settings(CompareState),
        "sentences": texts,
        "colours": {**CLASSIFIER, "right": RIGHT, "wrong": WRONG, "muted": MUTED},
        "themes": {name: theme(name) for name in PAGE},
        "fig7": {"gaps": paper_gaps(), "best": paper_best()},
    }
    return App("compare", texts["page.title"], texts["page.sentence"], content)


def paper_gaps() -> list[dict[str, Any]]:
    """The margin gaps of the paper's models, as printed in its Fig. 7."""
    return [{"name": _model(row), "gap": float(row["margin_gap"])} for row in paper_rows("fig07")]


def _model(row: dict[str, str]) -> str:
    """A model in short: `Peng et al. (2023)` as `Peng 2023`, with its data set and norm."""
    author = row["robust_model"].replace(" et al.", "").replace("(", "").replace(")", "")
    return visible(f"{author}, {SETS.get(row['dataset'], row['dataset'])} {NORMS[row['norm']]}")


def paper_best() -> str:
    """The best parameters of the paper's own Table 11 in a phrase."""
    rows = paper_rows("table11")
    return "; ".join(
        f"{row['robust_model']} s = {float(row['s']):g}, c = {minus(row['c'])}, p = {float(row['p']):g}"
        for row in rows
    )
