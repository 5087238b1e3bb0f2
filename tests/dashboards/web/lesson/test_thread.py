"""One image followed all the way: its numbers are Python's, and what stands on the page is these numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mnuts_core import LogitBundle, MixParams
from mnuts_core.clamps import CLAMPS, clamp_logits
from mnuts_core.functional.margins import confidence_margin
from mnuts_core.functional.mixing import mix_probabilities, predictions, temperature_scale, transform_with
from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import IDENTITY
from mnuts_dashboards.page.thread_choice import thread_record
from tests.dashboards.web.engine import WEB, assert_same
from tests.dashboards.web.node import check

SETTINGS = [
    MixParams(s=2.59, p=3.57, c=-0.157, clamp="gelu", alpha=0.93),
    MixParams(s=0.4, p=2.5, c=0.3, clamp="elu", alpha=0.6, temperature=0.7),
    MixParams(s=40.0, p=0.5, c=-4.0, clamp="relu", alpha=1.0),
    MixParams(s=1.0, p=4.0, c=-1.0, clamp="softplus", ln_k=4, alpha=0.5),
    IDENTITY.with_(alpha=0.93, temperature=1.0),
]


@pytest.fixture(scope="module")
def points(digits: LogitBundle) -> list[dict[str, Any]]:
    """Both points of the two images that are followed."""
    examples = thread_record(digits, SETTINGS[0])["examples"]
    return [example["points"][name] for example in examples for name in ("clean", "attacked")]


def reference(point: dict[str, Any], params: MixParams) -> dict[str, Any]:
    """The numbers of every stage by `mnuts_core`."""
    g, h = (torch.tensor(point[name], dtype=torch.float64) for name in ("std", "rob"))
    ln, powered = layer_norm(h, params.ln_k), transform_with(h, params)
    vote = temperature_scale(g, params.temperature).softmax(-1)
    mix = mix_probabilities(vote, powered.softmax(-1), params.alpha)
    arrays = {
        "h": h,
        "ln": ln,
        "clamp": clamp_logits(ln + params.c, params.clamp),
        "power": powered,
        "softmax": powered.softmax(-1),
        "g": g,
        "vote": vote,
        "mix": mix,
        "fromH": params.alpha * powered.softmax(-1),
        "fromG": (1 - params.alpha) * vote,
        "before": h.softmax(-1),
    }
    std, weights = g.argmax(), (1 - params.alpha, params.alpha)

    def answer(logits: torch.Tensor) -> int:
        return int(predictions(vote[None], logits.softmax(-1)[None], weights, std[None]))

    return {name: array.numpy() for name, array in arrays.items()} | {
        "std": int(std),
        "rob": int(h.argmax()),
        "answer": answer(powered),
        "plain": answer(h),
        "confidence": float(g.softmax(-1).max()),
        "plainMargin": float(confidence_margin(h)),
        "margin": float(confidence_margin(powered)),
        "gap": float(powered.softmax(-1).max() - powered.softmax(-1)[std]),
        "threshold": (1 - params.alpha) / params.alpha,
    }


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_the_numbers_are_those_of_python(engine, points, params):
    for point, ours in zip(
        points, engine.ask(*(["numbersOf", point, params] for point in points)), strict=True
    ):
        assert_same(ours, reference(point, params))


def test_every_clamp_has_its_words():
    texts = json.loads((WEB / "lesson/texts/en.json").read_text("utf-8"))
    assert all(f"thread.clamp.{clamp}" in texts for clamp in CLAMPS)


def test_the_page():
    check(Path(__file__).with_name("thread_check.mjs"))
