"""RobustBench's leaderboards: which there are, their entries, and which figures may stand beside them.

The entries are those of `data/paper/fig02.csv`, whose README says what is missing there.
"""

from __future__ import annotations

from typing import NamedTuple

from mnuts_core.bundles.manifest import DataCard, ThreatModel
from mnuts_core.bundles.paper import paper_rows

NOT_OF_ROBUSTBENCH = "standard_base"
"""The kind of the rows of `fig02` that are the paper's own base classifiers."""
ORIGINAL_PIXELS, IMAGENET_IMAGES = "the original pixels", "ILSVRC 2012 validation images"
"""How the source of a data card says that pixels are those of RobustBench's own loaders."""
RADIUS_TOLERANCE = 1e-9


class Leaderboard(NamedTuple):
    """One leaderboard against norm-bounded perturbations.

    Attributes:
        dataset: RobustBench's name of the data set.
        norm: `"Linf"` or `"L2"`.
        eps: The radius, as its entries write it.
        images: How many test images every entry is evaluated on.
    """

    dataset: str
    norm: str
    eps: str
    images: int

    @property
    def threat(self) -> ThreatModel:
        """What the attack may change."""
        return ThreatModel.model_validate({"norm": self.norm, "eps": radius(self.eps)})

    def __str__(self) -> str:
        """In words.

        Example:
            >>> print(LEADERBOARDS[0])
            cifar10, ℓ∞, ε = 8/255
        """
        return f"{self.dataset}, {self.threat}"


LEADERBOARDS = (
    Leaderboard("cifar10", "Linf", "8/255", 10_000),
    Leaderboard("cifar10", "L2", "0.5", 10_000),
    Leaderboard("cifar100", "Linf", "8/255", 10_000),
    Leaderboard("imagenet", "Linf", "4/255", 5_000),
)


class Entry(NamedTuple):
    """One entry of a leaderboard; accuracies in percent, the robust one under AutoAttack."""

    model: str
    venue: str
    clean: float
    robust: float


def radius(text: str) -> float:
    """ε of an entry, such as `8/255`.

    Example:
        >>> radius("0.5"), round(radius("8/255"), 4)
        (0.5, 0.0314)
    """
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)


def is_of(data: str, dataset: str) -> bool:
    """Whether data are of one of RobustBench's data sets, by their name.

    Args:
        data: The name of the data, however it is written.
        dataset: RobustBench's name.

    Example:
        >>> is_of("CIFAR-10, JPEG quality 75", "cifar10"), is_of("CIFAR-100", "cifar10")
        (True, False)
    """
    plain = "".join(letter for letter in data.lower() if letter.isalnum())
    return plain.startswith(dataset) and not plain.removeprefix(dataset)[:1].isdigit()


def leaderboard_of(data: DataCard, threat: ThreatModel | None) -> Leaderboard | None:
    """The leaderboard of a data set in the norm of a threat model, whatever ε; None where there is none."""
    norm = None if threat is None else threat.norm
    return next((each for each in LEADERBOARDS if is_of(data.name, each.dataset) and each.norm == norm), None)


def leaderboard_at(dataset: str, norm: str) -> Leaderboard | None:
    """The leaderboard of these names of RobustBench's; None where there is none."""
    return next((each for each in LEADERBOARDS if each[:2] == (dataset, norm)), None)


def entries_of(board: Leaderboard) -> list[Entry]:
    """The entries of a leaderboard that are at hand, in the order of the file; none for ℓ2.

    Raises:
        MnutsError: If the data files are not installed.
    """
    return [
        Entry(row["model"], row["venue"], float(row["clean_percent"]), float(row["autoattack_percent"]))
        for row in paper_rows("fig02")
        if (row["dataset"], row["norm"], row["epsilon"]) == board[:3] and row["kind"] != NOT_OF_ROBUSTBENCH
    ]


def not_comparable(data: DataCard, threat: ThreatModel | None) -> tuple[str, ...]:
    """Why figures may not stand beside RobustBench's; nothing where they may.

    Args:
        data: The images that the figures are on.
        threat: What the attack was allowed to change.
    """
    board = leaderboard_of(data, threat)
    if not any(is_of(data.name, each.dataset) for each in LEADERBOARDS):
        known = ", ".join(dict.fromkeys(each.dataset for each in LEADERBOARDS))
        return (f"RobustBench has no leaderboard of {data.name}: it has {known}",)
    reasons = []
    if threat is None:
        reasons.append("no threat model is known, and RobustBench's figures are for one norm and ε each")
    elif board is None:
        reasons.append(f"RobustBench has no leaderboard of {data.name} for {threat}")
    elif abs(threat.eps - board.threat.eps) > RADIUS_TOLERANCE:
        reasons.append(f"the threat model is {threat}, RobustBench's is {board.threat}")
    if data.split.startswith("train"):
        reasons.append(f"the images are not the test images: {data.split}")
    return (*reasons, *_pixels(data))


def _pixels(data: DataCard) -> tuple[str, ...]:
    if "jpeg" in data.name.lower() or f"not {ORIGINAL_PIXELS}" in data.source:
        return (f"the pixels are not the original ones, but {data.name}",)
    if any(words in data.source for words in (ORIGINAL_PIXELS, IMAGENET_IMAGES)):
        return ()
    return (f"nothing says that the pixels are the original ones: {data.source or 'no source is named'}",)
