"""`mnuts convert`, grids in files, and the authors' margins on the command line."""

import hashlib
import json

import pytest
import torch

from mnuts_core.export.config import MixConfig
from mnuts_core.params import PAPER_OPTIMA
from tests.cli.conftest import make_bundle

SPCA = """
cifar10:
  Peng2023Robust:
    gelu:
      default_beta: 98.5
      98.5: {s: 5.0, c: -1.1, p: 4.0, alpha: 0.9987500602493457}
    none:
      default_beta: 95.0
      95.0: {alpha: 0.9570535356459247}
"""


@pytest.fixture
def spca(tmp_path):
    path = tmp_path / "optimal_spca.yaml"
    path.write_text(SPCA)
    return path


def test_the_authors_file_and_back(mnuts, spca, tmp_path):
    out = tmp_path / "mix.json"
    code, printed, err = mnuts("convert", spca, "--out", out)
    assert (code, printed.replace("\n", "")) == (0, f"written: {out}")
    assert "no figure of it is known" in err.replace("\n", " ")
    config = MixConfig.load(out)
    assert config.transform == MixConfig.from_params(PAPER_OPTIMA["cifar10"].with_(alpha=0.9)).transform
    assert (config.alpha, config.beta) == (0.9987500602493457, 0.985)
    back = tmp_path / "back.yaml"
    assert mnuts("convert", out, "--out", back, "--entry", "cifar10/Mine").code == 0
    again = mnuts("convert", back, "--out", tmp_path / "again.json", "--json")
    assert json.loads(again.out)["entry"] == "cifar10/Mine/gelu"
    assert MixConfig.load(tmp_path / "again.json").params == config.params


def test_a_bundle_to_logits(mnuts, toy, tmp_path):
    out = tmp_path / "logits.pt"
    code, printed, _ = mnuts("convert", toy, "--out", out, "--json")
    counts = json.loads(printed)["counts"]
    assert code == 0
    assert {name: len(rows) for name, rows in torch.load(out, weights_only=True).items()} == counts
    assert mnuts("import", out, "--out", tmp_path / "back.safetensors").code == 0


def test_a_bundle_to_croissant(mnuts, toy, tmp_path):
    out = tmp_path / "toy.json"
    code, _, err = mnuts("convert", toy, "--out", out)
    assert code == 0
    assert "license" in err
    metadata = json.loads(out.read_text())
    (file,) = metadata["distribution"]
    assert file["sha256"] == hashlib.sha256(toy.read_bytes()).hexdigest()
    assert file["contentUrl"] == toy.name
    assert "clean.rob_logits float32" in metadata["description"]
    assert set(metadata) >= {"@context", "@type", "conformsTo", "name", "description", "datePublished"}


def test_a_grid_from_a_file_and_to_one(mnuts, toy, tmp_path):
    grid = tmp_path / "grid.yaml"
    grid.write_text("s: [1, 2]\np: [3]\nc: [-1, 0]")
    saved = tmp_path / "saved.json"
    code, printed, _ = mnuts("search", toy, "--grid", grid, "--save-grid", saved, "--json")
    card = json.loads(printed)["grid"]
    assert (code, card["name"], card["s"], card["c"]) == (0, "grid", [1, 2], [-1, 0])
    assert json.loads(saved.read_text()) == {"s": [1, 2], "p": [3], "c": [-1, 0]}
    theirs = tmp_path / "guess.yaml"
    assert mnuts("search", toy, "--steps", 8, "--save-grid", f"{theirs}:cifar10/Mine").code == 0
    again = mnuts("search", toy, "--grid", f"{theirs}:cifar10", "--json")
    assert json.loads(again.out)["grid"]["shape"] == [8, 8, 8]


def test_margins(mnuts, tmp_path):
    path = tmp_path / "cifar10_x_clean_ln_margins.json"
    path.write_text('{"correct": [0.5, 0.75, 0.25], "incorrect": []}')
    card = json.loads(mnuts("info", path, "--json").out)
    assert (card["n"], card["accuracy"]) == (3, 1)
    assert card["correct"] == {"n": 3, "mean": 0.5, "median": 0.5}
    assert "100.00 % of 3 right" in " ".join(mnuts("info", path).out.split())


BAD = {
    "unknown": (("{spca}", "--out", "{folder}/x.csv"), "nothing converts"),
    "no entry": (("{config}", "--out", "{folder}/x.yaml"), "--entry is missing: give DATASET/MODEL"),
    "half an entry": (
        ("{config}", "--out", "{folder}/x.yaml", "--entry", "cifar10"),
        "an entry must be DATASET/MODEL",
    ),
    "another level": (("{spca}", "--out", "{folder}/x.json", "--beta", "0.9"), "has no level 90"),
    "a needless level": (("{config}", "--out", "{folder}/x.yaml", "--beta", "0.9"), "--beta chooses a level"),
    "a needless entry": (("{toy}", "--out", "{folder}/x.pt", "--entry", "a/b"), "--entry is a place in"),
    "no bundle": (("none", "--out", "{folder}/x.pt"), "none"),
    "existing": (("{spca}", "--out", "{config}"), "exists already"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_convert_is_one_line(mnuts, spca, tmp_path, case):
    toy = make_bundle().save(tmp_path / "toy.safetensors")
    config = MixConfig.from_params(PAPER_OPTIMA["cifar10"].with_(alpha=0.9), beta=0.985).save(
        tmp_path / "c.json"
    )
    words, problem = BAD[case]
    places = {"spca": spca, "config": config, "toy": toy, "folder": tmp_path}
    code, out, err = mnuts("convert", *(word.format(**places) for word in words))
    assert (code, out) == (2, "")
    assert problem in err.replace("\n", " ")
    assert "Traceback" not in err
