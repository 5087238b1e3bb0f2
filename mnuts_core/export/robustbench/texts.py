"""The texts of a hand-in: the issues that RobustBench's forms ask for, and the module of the mix."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mnuts_core.bundles.leaderboard import IMAGENET_IMAGES
from mnuts_core.export.cards import VerifiedCard
from mnuts_core.export.config import MixConfig
from mnuts_core.export.robustbench.entry import Paper, figures_of
from mnuts_core.export.robustbench.hand_in import CARD, CONFIG, POINTS, HandIn
from mnuts_core.export.robustbench.refusals import notes

TO_FILL = "(to be filled in: the address)"
"""Stands where only the authors know what to write, once the files are where others can get them."""
_PREPROCESSING = re.compile(rf"{IMAGENET_IMAGES}, (\w+), ")
"""How the source of ImageNet's images names their preprocessing."""


def draft_lines(reasons: Iterable[str], mark: str) -> str:
    """The head of a draft's file: that it is one, and why; nothing where there are no reasons.

    Args:
        reasons: Why the leaderboard would refuse it.
        mark: What begins a line that is read by people only.

    Example:
        >>> print(draft_lines(["too few images"], "# "), end="")
        # DRAFT, not to be handed in. The leaderboard would refuse it:
        # - too few images
    """
    lines = [f"- {reason}" for reason in reasons]
    head = ["DRAFT, not to be handed in. The leaderboard would refuse it:", *lines] if lines else []
    return "".join(f"{mark}{line}\n" for line in head)


def new_model(config: MixConfig, card: HandIn, paper: Paper, standard: MixConfig | None) -> str:
    """The issue that asks for a new entry.

    Args:
        config: The configuration, verified.
        card: Where it comes from.
        paper: What the authors say.
        standard: The same mix verified by AutoAttack itself, if it was.
    """
    verified, clean = figures_of(config)
    also = "" if standard is None else f"; AutoAttack itself left {figures_of(standard)[0]}"
    return f"""{_draft(card)}<!-- title: [New Model] {paper.id} · label: new-model -->

# Paper Information

- **Paper Title**: {paper.title}
- **Paper URL**: {paper.link}

# Leaderboard Claim(s)

## Model 1

- **Architecture**: {paper.architecture}
- **Dataset**: {card.dataset}
- **Threat Model**: {card.norm}
- **eps**: {card.board.eps}
- **Clean accuracy**: {clean}
- **Robust accuracy**: {verified}{also}
- **Additional data**: {"yes" if paper.additional_data else "no"}
- **Evaluation method**: {_method(config)}
- **Checkpoint and code**: {paper.code or TO_FILL}

The model mixes the answers of two base classifiers, {card.std.spec} (accurate) and {card.rob.spec} (robust),
with {_mix(config)}.
`{card.module}.py` registers it, `{CONFIG}` holds the mix, `{CARD}` the base models with the SHA-256 of
their weights. A forward pass is one pass through each base classifier; mixing adds neither randomness nor an
optimisation loop, and gradients go through it. {_images(card)}
{_doubts(config.verified)}
# Model Zoo:

- [ ] I want to add my models to the Model Zoo (check if true)
- [ ] I use an architecture that is **not** included among RobustBench's own (check if true)
- [ ] I agree to release my model(s) under MIT license (check if true) **OR**
- [ ] I want my models to be released under a custom license, located here: (its address)
"""


def new_evaluation(config: MixConfig, card: HandIn, paper: Paper) -> str:
    """The issue that hands in an evaluation of one's own, with its adversarial points.

    Args:
        config: The configuration, verified.
        card: Where it comes from.
        paper: What the authors say.
    """
    verified, _ = figures_of(config)
    return f"""{_draft(card)}<!-- title: [New evaluation] {paper.id} -->

## Target model
+ **Model identifier(s):** {paper.id}
+ **Leaderboard(s):** {card.dataset}, {card.norm}, eps = {card.board.eps}

## New evaluation
+ **Link to adversarial images:** {TO_FILL} `{POINTS}`: float32, (N, C, H, W), in [0, 1],
  in the order of the test images; where the attack failed, the image itself
+ **Robust accuracy:** {verified}
+ **Author(s):** {paper.authors}
+ **Description of the method used:** {_method(config)}
"""


def module_text(card: HandIn) -> str:
    """The module that lets RobustBench's `load_model` and `benchmark` find the mix.

    Args:
        card: Where it comes from.
    """
    board = card.board
    where = f'dataset="{board.dataset}", threat_model="{board.norm}"'
    prepared = _PREPROCESSING.search(card.data.source)
    more = f', preprocessing="{prepared[1]}"' if prepared else ""
    draft = draft_lines(card.draft, "# ")
    return f'''{draft}"""{card.id}: two classifiers, mixed; made by `mnuts export --robustbench`.

RobustBench looks a model up in timm first. Once this module is imported, it is there:

    import {card.module}
    from robustbench.utils import load_model
    model = load_model("{card.id}", {where})

    from robustbench.eval import benchmark
    benchmark(model, n_examples={board.images}, {where}, eps={board.eps}{more})

It needs `pip install mnuts`. {CONFIG} beside this file holds the mix, {CARD} the specs of both base models,
and the SHA-256 of their weights, without which none is taken.
"""

from pathlib import Path

from timm.models import register_model

from mnuts_core.export.robustbench.hand_in import load_mix


@register_model
def {card.module}(pretrained=True, num_classes=None, **_):
    """The mix, in evaluation mode: images (N, C, H, W) in [0, 1] -> logits (N, K)."""
    return load_mix(Path(__file__).parent, num_classes)
'''


def _draft(card: HandIn) -> str:
    lines = draft_lines(card.draft, "> ")
    return f"{lines}\n" if lines else ""


def _images(card: HandIn) -> str:
    data = card.data
    return f"Images: {data.name}, {data.split}; {data.source.rstrip('.')}."


def _mix(config: MixConfig) -> str:
    """The mix in words."""
    mix = config.params
    norm = f"layer norm over the {mix.ln_k} largest logits" if mix.ln_k else "no layer norm"
    transform = f"s = {mix.s:.6g}, p = {mix.p:.6g}, c = {mix.c:.6g}, {mix.clamp}, {norm}"
    return f"α = {config.alpha:.8g}, T = {mix.temperature:g}, and as transform {transform}"


def _method(config: MixConfig) -> str:
    """The attack in words: its components, how hard they tried, what each left."""
    card = config.verified
    if card is None:
        return "none"
    left = ", ".join(f"{name.upper()} {100 * value:.2f} %" for name, value in card.components.items())
    numbers = {"n_iter": "steps", "n_targets": "targets", "n_queries": "queries of Square"}
    hard = ", ".join(
        f"{card.settings[name]:,} {words}" for name, words in numbers.items() if name in card.settings
    )
    seed = f", seed {card.settings['seed']}" if "seed" in card.settings else ""
    return f"{card.attack}, success judged on the mix itself ({hard}{seed}); left after each: {left}"


def _doubts(card: VerifiedCard | None) -> str:
    lines = [] if card is None else notes(card)
    if not lines:
        return ""
    return "\nWhat the attack warned of:\n\n" + "".join(f"- {line}\n" for line in lines)
