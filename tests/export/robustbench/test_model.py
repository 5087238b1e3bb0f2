"""A hand-in of the digits pair, as if on CIFAR-10, in the hands of the installed RobustBench."""

from __future__ import annotations

import importlib
import json
import sys
from types import SimpleNamespace

import pytest
import torch

from mnuts_core import MixConfig, MixedClassifier
from mnuts_core.bundles.leaderboard import ORIGINAL_PIXELS
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import load_digits_models
from mnuts_core.export.robustbench.folder import prepare, write
from mnuts_core.models.checkpoints import ModelError
from mnuts_core.models.compat import import_robustbench
from tests import ROOT
from tests.hand_ins import PAPER, on

N = 12
LARGE = 1.0
"""A radius at which AutoAttack is soon done."""
WHERE = {"dataset": "cifar10", "threat_model": "Linf"}
DATA = DataCard(name="CIFAR-10", split="test", source=f"pretended: {ORIGINAL_PIXELS}")
pytestmark = pytest.mark.filterwarnings("ignore:Overwriting")  # timm keeps the names of earlier tests
CONFIG = MixConfig.load(ROOT / "data" / "digits-beta985.json")


@pytest.fixture
def folder(digits, tmp_path, monkeypatch):
    found = prepare(on(digits, DATA), CONFIG, PAPER)
    assert len(found.reasons) == 2, found.reasons  # ε and n: the weights, images and attack are as they were
    write(found, tmp_path / "hand-in", force=False)
    monkeypatch.syspath_prepend(str(tmp_path / "hand-in"))
    monkeypatch.chdir(tmp_path / "hand-in")
    return tmp_path / "hand-in"


@pytest.fixture
def robustbench() -> SimpleNamespace:
    return SimpleNamespace(
        package=import_robustbench(),
        utils=importlib.import_module("robustbench.utils"),
        kinds=importlib.import_module("robustbench.model_zoo.enums"),
        zoo=importlib.import_module("robustbench.model_zoo").model_dicts,
    )


@pytest.fixture
def model(folder, robustbench):
    """As the module's own words say."""
    name = f"{PAPER.id.lower()}_cifar10_linf"
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    assert f'load_model("{PAPER.id}", dataset="cifar10", threat_model="Linf")' in module.__doc__
    return robustbench.utils.load_model(PAPER.id, **WHERE)


def test_load_model_and_benchmark(model, folder, robustbench, monkeypatch, capsys):
    images, labels = load_digits_split()[1]
    images, labels = images[:N].float(), labels[:N]
    assert isinstance(model, MixedClassifier)
    assert not model.training
    own = MixedClassifier.from_config(CONFIG, *load_digits_models())
    with torch.no_grad():
        torch.testing.assert_close(model(images), own(images))
        right = float((own(images).argmax(1) == labels).float().mean())
    entry = folder / "model_info" / "cifar10" / "Linf" / f"{PAPER.id}.json"
    before = json.loads(entry.read_text())
    monkeypatch.setattr("robustbench.eval.load_clean_dataset", lambda *_: (images, labels))
    clean, robust = robustbench.package.benchmark(
        model, n_examples=N, eps=LARGE, batch_size=N, model_name=PAPER.id, to_disk=True, **WHERE
    )
    assert clean == pytest.approx(right)
    assert robust < 0.2
    after = json.loads(entry.read_text())
    assert set(after) == set(before)  # RobustBench wrote into the fields that are there
    assert float(after["clean_acc"]) == round(100 * right, 2)
    assert after["name"] == PAPER.title


def test_robustbench_reads_the_entry(folder, robustbench, monkeypatch, capsys):
    board = robustbench.zoo[robustbench.kinds.BenchmarkDataset.cifar_10][robustbench.kinds.ThreatModel.Linf]
    monkeypatch.setitem(board, PAPER.id, {})
    robustbench.utils.list_available_models(**WHERE)
    [line] = [line for line in capsys.readouterr().out.splitlines() if PAPER.id in line]
    for words in (PAPER.title, "94.70%", "66.00%", PAPER.architecture, PAPER.venue):
        assert words in line
    [reference], _ = robustbench.utils.get_leaderboard_bibtex(**WHERE)
    assert "Jane Doe and John Roe" in reference
    assert "year\t= {2026}" in reference
    keys = ["clean_acc", "autoattack_acc", "additional_data", "architecture", "venue", "modelzoo_id"]
    row = robustbench.utils.get_leaderboard_latex(**WHERE, l_keys=keys, sort_by="autoattack_acc")
    assert "94.70 & 66.00 & N & Linear + Linear & arXiv, Nov 2026 & Doe2026Mixing" in row


def test_other_weights_are_refused(folder, robustbench, model):
    card = folder / "hand-in.json"
    content = json.loads(card.read_text())
    content["rob"]["digest"] = "sha256:" + "0" * 64
    card.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="demo:digits/rob has other weights than those that were verified"):
        robustbench.utils.load_model(PAPER.id, **WHERE)
    mix = json.loads((folder / "mix.json").read_text())
    content["rob"].pop("digest")
    card.write_text(json.dumps(content))
    assert robustbench.utils.load_model(PAPER.id, **WHERE) is not None
    mix["verified"]["settings"]["rob_digest"] = "sha256:" + "0" * 64
    (folder / "mix.json").write_text(json.dumps(mix))
    with pytest.raises(ModelError, match="demo:digits/rob has other weights"):
        robustbench.utils.load_model(PAPER.id, **WHERE)
