"""`--precision auto`, the default: what is faster is measured, said, kept, and taken again on resuming."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
import torch
from torch import nn

from mnuts_core import ParameterError
from mnuts_core.cli.precision import before_models, chosen
from mnuts_core.models.precision import Measured
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.workfolder import WorkFolder

IMAGES = torch.rand(4, 1, 2, 2)
MODELS = [nn.Sequential(nn.Flatten(), nn.Linear(4, 3)) for _ in range(2)]


class Given(NamedTuple):
    precision: str = "auto"
    batch_size: int = 3
    channels_last: bool = False


AUTO = Given()


def take(given=AUTO, models=MODELS, folders=(), device="auto"):
    return chosen(given, models, IMAGES, device, folders, ALONE)


@pytest.fixture
def pays(monkeypatch):
    """bfloat16 is measured to be faster; what was to be measured."""
    asked = []

    def measure(models, images, device, *, channels_last):
        asked.append(([name for name, _ in models], len(images), device.type, channels_last))
        return Measured("bfloat16", 3.0)

    monkeypatch.setattr("mnuts_core.models.precision.measure_precision", measure)
    return asked


def test_a_word_is_taken_at_its_word(pays):
    assert before_models("bfloat16") == take(Given("bfloat16")) == "bfloat16"
    assert take(Given("full")) == before_models("auto") == "full"
    assert not pays
    for asked in (before_models, lambda word: take(Given(word))):
        with pytest.raises(
            ParameterError, match="--precision must be one of auto, full, bfloat16, got 'half'"
        ):
            asked("half")


def test_it_is_measured_as_it_will_be_asked_and_said(pays, capsys):
    assert take(Given(channels_last=True)) == "bfloat16"
    assert take(models=MODELS[1:], device="cpu") == "bfloat16"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert pays == [(["std_model", "rob_model"], 3, device, True), (["rob_model"], 3, "cpu", False)]
    assert "bfloat16: 3.00 times as fast as in float32, as measured" in capsys.readouterr().err


def test_a_run_that_is_resumed_keeps_its_own(tmp_path, pays):
    WorkFolder(tmp_path / "a", {"precision": "full"}).open()
    assert take(folders=[tmp_path / "none", tmp_path / "a"]) == "full"
    assert not pays


def test_the_first_process_chooses_for_all(tmp_path, pays, monkeypatch):
    """Whatever another one finds in the folder: the first may have begun it a moment ago."""
    WorkFolder(tmp_path / "a", {"precision": "full"}).open()
    heard = []
    monkeypatch.setattr(World, "heard", lambda _, word: heard.append(word) or "bfloat16")
    for rank in (0, 1):
        world = World(rank, 2, rank)
        assert chosen(AUTO, MODELS, IMAGES, "cpu", [tmp_path / "a"], world) == "bfloat16"
    assert heard == ["full", ""]
    assert not pays


PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits")
SMALL = ("--n-clean", 6, "--n-iter", 1, "--n-targets", 1, "--norm", "Linf", "--eps", "3/16")


@pytest.mark.parametrize(
    ("options", "precision"), [((), "bfloat16"), (("--precision", "full"), "full")], ids=["measured", "asked"]
)
def test_the_bundle_says_what_was_taken(mnuts, tmp_path, pays, options, precision):
    out = tmp_path / "b.safetensors"
    result = mnuts("build", *PAIR, *SMALL, *options, "--out", out, "--json")
    assert result.code == 0, result.err
    manifest = json.loads(result.out)["manifest"]
    assert manifest["attack"]["precision"].startswith("bfloat16" if precision == "bfloat16" else "float32")
    assert f"--precision {precision}" in manifest["command"]


@pytest.mark.parametrize("attack", ["transfer", "autoattack"])
def test_the_configuration_says_what_was_taken(mnuts, tmp_path, pays, attack):
    config = shipped("digits-beta985")
    out = tmp_path / "v.json"
    steps = () if attack == "autoattack" else ("--n-iter", 1)
    result = mnuts(
        "evaluate", config, *PAIR, "--attack", attack, "--n", 4, *steps, "--eps", "0.9", "--out", out
    )
    assert result.code == 0, result.err
    settings = json.loads(out.read_text())["verified"]["settings"]
    assert settings["precision"] == ("full" if attack == "autoattack" else "bfloat16")


def test_the_published_attack_is_run_as_published(mnuts, tmp_path):
    options = ("--attack", "autoattack", "--precision", "bfloat16", "--out", tmp_path / "v.json")
    result = mnuts("evaluate", shipped("digits-beta985"), *PAIR, *options)
    assert result.code != 0
    assert "precision must be 'full' for attack 'autoattack', which is run as it was published" in result.err


def shipped(name):
    from mnuts_core.bundles.library import shipped_folder

    return shipped_folder() / f"{name}.json"
