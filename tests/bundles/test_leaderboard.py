"""RobustBench's leaderboards: their entries, and which bundles may stand beside them."""

import importlib
import re
from importlib import metadata

import pytest

from mnuts_core import LogitBundle
from mnuts_core.bundles.leaderboard import (
    IMAGENET_IMAGES,
    LEADERBOARDS,
    ORIGINAL_PIXELS,
    entries_of,
    leaderboard_at,
    leaderboard_of,
    not_comparable,
)
from mnuts_core.bundles.library import find_bundle
from mnuts_core.bundles.manifest import DataCard, ThreatModel
from mnuts_core.bundles.paper import paper_table
from mnuts_core.models.compat import import_robustbench

LINF = ThreatModel(norm="Linf", eps=8 / 255)
CIFAR10 = DataCard(name="CIFAR-10", split="test: all 10,000 images", source=f"K., {ORIGINAL_PIXELS}, / 255")


def test_they_are_those_of_the_package():
    import_robustbench()
    package = importlib.import_module("robustbench.model_zoo")
    kinds = importlib.import_module("robustbench.model_zoo.enums")
    zoo = {
        (data.value, threat.value)
        for data, models in package.model_dicts.items()
        for threat in models
        if threat in (kinds.ThreatModel.Linf, kinds.ThreatModel.L2)
    }
    assert {board[:2] for board in LEADERBOARDS} == zoo


def test_entries_are_robustbenchs_own():
    text = metadata.metadata("robustbench").get_payload()
    for board in LEADERBOARDS:
        found = entries_of(board)
        assert bool(found) == (board.norm == "Linf")
        assert all(entry.model in text for entry in found)
    best = entries_of(LEADERBOARDS[0])[0]
    assert (best.model, best.clean, best.robust) == ("Bartoldson2024Adversarial_WRN-94-16", 93.68, 73.71)
    table = paper_table("fig02")
    assert len(entries_of(LEADERBOARDS[0])) == (table.dataset == "cifar10").sum() - 1  # less the base model


@pytest.mark.parametrize(
    ("data", "threat", "reasons"),
    [
        (CIFAR10, LINF, []),
        (CIFAR10, ThreatModel(norm="L2", eps=0.5), []),
        (CIFAR10, ThreatModel(norm="Linf", eps=4 / 255), ["ε = 4/255, RobustBench's is ℓ∞, ε = 8/255"]),
        (CIFAR10, None, ["no threat model"]),
        (CIFAR10.model_copy(update={"name": "digits"}), LINF, ["no leaderboard of digits: it has cifar10"]),
        (CIFAR10.model_copy(update={"name": "CIFAR-1000"}), LINF, ["no leaderboard of CIFAR-1000"]),
        (
            CIFAR10.model_copy(update={"name": "ImageNet"}),
            ThreatModel(norm="L2", eps=0.5),
            ["no leaderboard of ImageNet for ℓ2"],
        ),
        (CIFAR10.model_copy(update={"split": "train: all 50,000 images"}), LINF, ["not the test images"]),
        (CIFAR10.model_copy(update={"source": "npz:mine.npz"}), LINF, ["nothing says that the pixels are"]),
        (CIFAR10.model_copy(update={"source": ""}), None, ["no threat model", "no source is named"]),
        (
            DataCard(
                name="ImageNet", split="validation", source=f"{IMAGENET_IMAGES}, Res256Crop224, in [0, 1]"
            ),
            ThreatModel(norm="Linf", eps=4 / 255),
            [],
        ),
    ],
)
def test_what_is_comparable(data, threat, reasons):
    found = not_comparable(data, threat)
    assert len(found) == len(reasons)
    assert all(re.search(re.escape(words), text) for words, text in zip(reasons, found, strict=True))


@pytest.mark.parametrize(
    ("name", "words"), [("cifar10", "but CIFAR-10, JPEG quality 75"), ("digits", "no leaderboard of digits")]
)
def test_the_shipped_bundles_are_not(name, words):
    manifest = LogitBundle.load(find_bundle(name)).manifest
    [reason] = not_comparable(manifest.data, manifest.threat)
    assert words in reason


def test_a_leaderboard_by_its_names():
    assert leaderboard_at("cifar10", "L2") == leaderboard_of(CIFAR10, ThreatModel(norm="L2", eps=1.0))
    assert leaderboard_at("cifar10", "corruptions") is leaderboard_of(CIFAR10, None) is None
