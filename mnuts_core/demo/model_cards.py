"""Model cards of the shipped networks, as Hugging Face reads them, and the bundles' Croissant.

Both follow from the files; `make tables` writes them anew.

Source: M. Mitchell et al., Model Cards for Model Reporting, 2019; the fields are the Hub's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mnuts_core.bundles.croissant import croissant
from mnuts_core.bundles.library import bundles_in, require_shipped_folder
from mnuts_core.demo.weights import NetworkCard, read_card
from mnuts_core.errors import MnutsError
from mnuts_core.export.cards import EstimateCard
from mnuts_core.io.files import write_atomically

ROLES = {"std": "accurate", "rob": "robust"}
LICENCE = "mit"
TEXT = """---
{heading}---

# {name}

The {role} network of the MixedNUTS explorer's {pair} pair: {card.model.parameters:,} parameters,
{architecture}. It takes images in [0, 1] and answers raw logits.

## Use

```python
from mnuts_core import load_model

model = load_model("{card.model.spec}").module
```

It exists to be mixed with its partner, shown and attacked in the explorer and the lesson. It is small,
trained briefly, and not meant for any decision about anything.

## Figures

| images | accuracy, 95 % interval |
|---|---|
| clean | {clean} |{attacked}

## Training

Images: {card.training.name}; {card.training.split}. {card.training.source}

Recipe, seed {card.seed}: `{card.recipe}`

SHA-256 of the weights: `{card.model.digest}`
"""


def model_card(path: Path) -> str:
    """The model card of one network, Markdown under a YAML heading.

    Args:
        path: Its weights, `PAIR-ROLE.safetensors`.

    Raises:
        BundleError: If the file is no network of this project.
    """
    card = read_card(path)
    pair, role = path.stem.rsplit("-", 1)
    heading = yaml.safe_dump(_metadata(path.stem, card), sort_keys=False, allow_unicode=True)
    return TEXT.format(
        heading=heading,
        name=path.stem,
        role=ROLES[role],
        pair=pair,
        architecture=", ".join(f"{name} {value}" for name, value in card.architecture.items()),
        clean=card.clean.estimate,
        attacked=f"\n| {_words(card)} | {card.attacked.estimate} |" if card.attacked else "",
        card=card,
    )


def _metadata(name: str, card: NetworkCard) -> dict[str, Any]:
    """What the Hub reads: licence, task, and the figures as a model index."""
    metrics = [_metric("clean accuracy", card.clean)]
    metrics += [_metric(_words(card), card.attacked)] if card.attacked else []
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"name": card.training.name, "type": card.training.name.partition(",")[0].lower()},
        "metrics": metrics,
    }
    return {
        "license": LICENCE,
        "pipeline_tag": "image-classification",
        "tags": ["adversarial-robustness", "mixednuts"],
        "model-index": [{"name": name, "results": [result]}],
    }


def _metric(words: str, figure: EstimateCard) -> dict[str, Any]:
    return {"type": "accuracy", "value": figure.value, "name": f"{words}, n = {figure.n:,}"}


def _words(card: NetworkCard) -> str:
    """Of what its attacked accuracy is."""
    assert card.attack is not None  # there is no such figure without
    assert card.threat is not None
    return f"at the points of {card.attack.name} ({card.threat})"


def cards(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of all cards.

    Args:
        folder: With bundles and weights as this project ships them.
    """
    for name, bundle in bundles_in(folder).items():
        yield f"{name}.croissant.json", json.dumps(croissant(bundle), indent=1, ensure_ascii=False) + "\n"
    for role in ROLES:
        for weights in sorted(folder.glob(f"*-{role}.safetensors")):
            yield f"{weights.stem}.md", model_card(weights)


if __name__ == "__main__":
    shipped = require_shipped_folder()
    for file, text in cards(shipped):
        write_atomically(shipped / "cards" / file, text.encode(), MnutsError)
