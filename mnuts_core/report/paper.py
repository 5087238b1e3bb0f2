"""What the paper prints of a data set, beside which a report stands."""

from __future__ import annotations

from typing import NamedTuple

from mnuts_core.bundles.paper import paper_table


class PaperResult(NamedTuple):
    """What Fig. 5 and Table 1 print for one data set; accuracies and changes as shares.

    Attributes:
        clean, robust: By model: ABC, RBC, Mixed, MixedNUTS.
        clean_change, robust_change: MixedNUTS's error-rate changes relative to RBC.
    """

    clean: dict[str, float]
    robust: dict[str, float]
    clean_change: float
    robust_change: float

    @property
    def mixed_changes(self) -> tuple[float, float]:
        """MixedNUTS's changes of clean and robust error relative to Mixed, from Fig. 5."""
        clean, robust = (
            (1 - both["MixedNUTS"]) / (1 - both["Mixed"]) - 1 for both in (self.clean, self.robust)
        )
        return clean, robust


def paper_result(dataset: str) -> PaperResult:
    """What the paper prints for a data set (Fig. 5, Table 1)."""
    printed = paper_table("fig05").query("dataset == @dataset").set_index("model")
    changes = paper_table("table01").query("dataset == @dataset").iloc[0]
    return PaperResult(
        {str(model): float(value) / 100 for model, value in printed["clean_percent"].items()},
        {str(model): float(value) / 100 for model, value in printed["autoattack_percent"].items()},
        float(changes["clean_error_change_percent"]) / 100,
        float(changes["robust_error_change_percent"]) / 100,
    )
