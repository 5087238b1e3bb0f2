"""The comparison's tables as data frames, one row an observation: for CSV, notebooks and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mnuts_core.comparison import Best, Medians, Summary, Transfer
from mnuts_core.estimates import columns

if TYPE_CHECKING:
    import pandas as pd


def summaries_frame(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """One row a bundle: data, models, threat, attack, and the base models' accuracies with n and interval."""
    rows = []
    for name, made in summaries.items():
        row: dict[str, Any] = {"bundle": name} | made._asdict()
        base = row.pop("base")
        for field in ("std_clean", "rob_clean", "rob_attacked"):
            row |= columns(field, getattr(base, field))
        rows.append(row)
    return _frame(rows)


def medians_frame(medians: Mapping[str, Mapping[str, Medians]]) -> pd.DataFrame:
    """One row a bundle, classifier and group: median margin, 95 % interval, n, and the classifier's gap.

    Args:
        medians: `margin_medians` by the bundle's name.
    """
    rows = []
    for name, classifiers in medians.items():
        for classifier, groups in classifiers.items():
            for group, median in groups._asdict().items():
                if median is not None:
                    images, predicted = group.split("_")
                    row = {"bundle": name, "classifier": classifier, "images": images, "predicted": predicted}
                    row |= {"median": median.value, "low": median.low, "high": median.high, "n": median.n}
                    rows.append(row | {"gap": groups.gap})
    return _frame(rows)


def best_frame(best: Mapping[str, Best]) -> pd.DataFrame:
    """One row a bundle: its best s, p, c, clamp, ln_k, β and α, with the objective and what it rests on."""
    keys = ("s", "p", "c", "clamp", "ln_k", "beta", "alpha")
    return _frame(
        [
            {"bundle": name}
            | {key: getattr(found.params, key) for key in keys}
            | {"quantile": found.quantile, "objective": found.objective, "n_wrong": found.n_wrong}
            | {"n_right": found.n_right, "ties": found.ties, "warnings": "; ".join(found.warnings)}
            for name, found in best.items()
        ]
    )


def transfers_frame(cells: Sequence[Transfer]) -> pd.DataFrame:
    """One row a pair: α in force, each figure with n and interval, and its loss, in shares."""
    rows = []
    for cell in cells:
        row: dict[str, Any] = {"parameters_of": cell.source, "used_on": cell.target}
        row["alpha"] = None if cell.params is None else cell.params.alpha
        for field in ("clean", "margin_bound", "transfer"):
            row |= columns(field, getattr(cell, field))
            row[f"{field}_loss"] = getattr(cell, f"{field}_loss")
        rows.append(row | {"warnings": "; ".join(cell.warnings), "refused": cell.refused or ""})
    return _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
