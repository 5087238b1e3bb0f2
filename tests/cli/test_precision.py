"""`--precision auto`: what is faster is measured, said, kept, and taken again on resuming."""

from __future__ import annotations

import json
import re
import time

import pytest
import torch
from torch import nn

from mnuts_core import ParameterError
from mnuts_core.cli.precision import before_models, chosen
from mnuts_core.models.precision import Measured, measure_precision
from mnuts_core.pipeline.distributed import World
from mnuts_core.pipeline.workfolder import WorkFolder

IMAGES = torch.rand(4, 1, 2, 2)


class Paced(nn.Module):
    """Takes so many milliseconds in float32, and so many in bfloat16."""

    def __init__(self, full: float, reduced: float) -> None:
        super().__init__()
        self.linear, self.full, self.reduced = nn.Linear(4, 3), full, reduced

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.linear(images.flatten(1))
        time.sleep((self.reduced if logits.dtype == torch.bfloat16 else self.full) / 1000)
        return logits


class Refuses(Paced):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = super().forward(images)
        if logits.dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return logits


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr("mnuts_core.models.precision.SECONDS", 0.05)


class TestMeasurement:
    @pytest.mark.parametrize(
        ("model", "precision"),
        [(Paced(60, 10), "bfloat16"), (Paced(10, 60), "full"), (Paced(30, 29), "full")],
    )
    def test_takes_what_is_clearly_faster(self, model, precision):
        found = measure_precision([("rob_model", model)], IMAGES)
        assert found.precision == precision
        assert found.speedup > 0

    def test_a_model_without_bfloat16_is_attacked_in_float32(self):
        assert measure_precision([("rob_model", Refuses(0, 0))], IMAGES) == Measured("full", 0.0)

    def test_all_models_count(self):
        """What one gains by bfloat16, the other loses twice."""
        pair = [("std_model", Paced(30, 5)), ("rob_model", Paced(5, 60))]
        assert measure_precision(pair, IMAGES).precision == "full"

    def test_no_gradients_are_left_behind(self):
        model = Paced(0, 0)
        measure_precision([("rob_model", model)], IMAGES)
        assert all(parameter.grad is None for parameter in model.parameters())


class TestChoice:
    def test_a_word_is_taken_at_its_word(self):
        assert before_models("bfloat16") == chosen("bfloat16", (), IMAGES, "cpu", ()) == "bfloat16"
        assert before_models("auto") == "full"
        with pytest.raises(ParameterError, match="--precision must be one of"):
            before_models("half")

    def test_is_said(self, capsys):
        assert chosen("auto", (Paced(40, 5), Paced(40, 5)), IMAGES, "cpu", ()) == "bfloat16"
        assert re.search(r"bfloat16: \d+\.\d\d times as fast", capsys.readouterr().err)

    def test_a_run_that_is_resumed_keeps_its_own(self, tmp_path):
        WorkFolder(tmp_path / "a", {"precision": "bfloat16"}).open()
        folders = [tmp_path / "none", tmp_path / "a"]
        assert chosen("auto", (Paced(5, 40),), IMAGES, "cpu", folders) == "bfloat16"

    def test_several_processes_have_to_be_told(self):
        with pytest.raises(ParameterError, match="for 2 processes"):
            chosen("auto", (Paced(0, 0),), IMAGES, "cpu", (), World(0, 2))


def test_the_card_says_what_was_chosen(mnuts, tmp_path, monkeypatch):
    monkeypatch.setattr("mnuts_core.models.precision.measure_precision", lambda *_: Measured("bfloat16", 3.0))
    pair = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")
    small = ("--n-clean", 6, "--n-iter", 1, "--n-targets", 1, "--norm", "Linf", "--eps", "3/16")
    out = tmp_path / "b.safetensors"
    result = mnuts("build", *pair, *small, "--precision", "auto", "--out", out, "--json")
    assert result.code == 0, result.err
    manifest = json.loads(result.out)["manifest"]
    assert manifest["attack"]["precision"].startswith("bfloat16 gradients")
    assert "--precision bfloat16" in manifest["command"]
