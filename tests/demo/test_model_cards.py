"""The shipped cards are those that the files give, and read as their formats ask."""

from __future__ import annotations

import yaml

from mnuts_core.bundles.library import require_shipped_folder
from mnuts_core.demo.model_cards import cards
from mnuts_core.demo.weights import read_card

SHIPPED = require_shipped_folder()


def test_shipped_cards_are_those_of_the_files():
    there = {path.name: path.read_text("utf-8") for path in (SHIPPED / "cards").iterdir()}
    assert there == dict(cards(SHIPPED)), "make tables"
    assert {"digits.croissant.json", "cifar10-rob.md"} <= set(there)


def test_a_model_card_holds_the_figures_of_its_network():
    _, heading, body = (SHIPPED / "cards" / "digits-rob.md").read_text("utf-8").split("---\n", 2)
    card, metadata = read_card(SHIPPED / "digits-rob.safetensors"), yaml.safe_load(heading)
    (index,) = metadata["model-index"]
    (result,) = index["results"]
    assert [metric["value"] for metric in result["metrics"]] == [card.clean.value, card.attacked.value]
    assert f"{100 * card.clean.value:.2f} %" in body
    assert card.model.digest in body
