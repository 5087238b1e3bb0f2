"""How accurate a model is by those who published it: a leaderboard, or the card of its weights."""

from __future__ import annotations

from typing import NamedTuple

from mnuts_core.bundles.leaderboard import NOT_OF_ROBUSTBENCH, radius
from mnuts_core.bundles.manifest import ThreatModel
from mnuts_core.bundles.paper import paper_rows
from mnuts_core.errors import MnutsError

PARTS_OF_MIXES = {
    ("cifar10", "rob"): "Peng2023Robust",
    ("cifar100", "rob"): "Wang2023Better_WRN-70-16",
    ("imagenet", "rob"): "Liu2023Comprehensive_Swin-L",
}
"""Which entries of their own the robust models of the paper's mixes have; the others are its base models."""
MIX = "Bai2024MixedNUTS"


class Listed(NamedTuple):
    """What a model's publishers say of it.

    Attributes:
        clean: Accuracy on the clean test images, in [0, 1].
        attacked: Accuracy under the attack that is named in `source`; None if nobody says.
        threat: What that attack was allowed; None if nobody says.
        source: Who says so, in words.
    """

    clean: float
    attacked: float | None = None
    threat: ThreatModel | None = None
    source: str = ""


def on_leaderboard(name: str, dataset: str, norm: str) -> Listed | None:
    """What RobustBench's leaderboard, as it is shipped, says of a model; None if it does not know it.

    Args:
        name: RobustBench's name of it; `Bai2024MixedNUTS/std` and `.../rob` are the parts of the paper's mix.
        dataset: `cifar10`, `cifar100` or `imagenet`.
        norm: `Linf`, `L2` or `corruptions`; the table that ships is of `Linf` alone.

    Example:
        >>> found = on_leaderboard("Peng2023Robust", "cifar10", "Linf")
        >>> found.clean, found.attacked, str(found.threat)
        (0.9327, 0.7107, 'ℓ∞, ε = 8/255')
    """
    name, _, part = name.partition("/")
    wanted = PARTS_OF_MIXES.get((dataset, part)) if (name, part) == (MIX, "rob") else name
    try:
        rows = [row for row in paper_rows("fig02") if row["dataset"] == dataset and row["norm"] == norm]
    except MnutsError:  # the package of data is not installed
        return None
    for row in rows:
        is_base = (name, part) == (MIX, "std") and row["kind"] == NOT_OF_ROBUSTBENCH
        if is_base or (part != "std" and row["model"] == wanted):
            return Listed(
                clean=round(float(row["clean_percent"]) / 100, 4),
                attacked=round(float(row["autoattack_percent"]) / 100, 4),
                threat=ThreatModel(norm=norm, eps=radius(row["epsilon"])),
                source=f"{row['source']}, under AutoAttack",
            )
    return None
