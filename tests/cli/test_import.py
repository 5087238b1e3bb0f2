"""`mnuts import`: a file of logits becomes a bundle that the other commands read."""

import json

import numpy as np
import pytest
import torch

from mnuts_core.bundles.bundle import LogitBundle
from tests.cli.conftest import make_bundle


@pytest.fixture
def logits(tmp_path):
    """The toy bundle's arrays in an `.npz` file."""
    arrays = {name.replace(".", "_"): array for name, array in make_bundle().tensors().items()}
    np.savez(tmp_path / "logits.npz", **arrays)
    return tmp_path / "logits.npz"


def test_a_file_becomes_a_bundle(mnuts, logits, tmp_path):
    out = tmp_path / "mine.safetensors"
    code, printed, err = mnuts("import", logits, "--out", out, "--name", "mine")
    assert (code, err) == (0, "")
    assert f"written: {out}" in printed.replace("\n", "")
    assert "mine · 120 clean, 120 attacked · 5 classes" in printed
    assert LogitBundle.load(out).digest == make_bundle().digest
    code, printed, _ = mnuts("search", out, "--steps", 2, "--beta", 0.9)
    assert code == 0


def test_json(mnuts, logits, tmp_path):
    out = tmp_path / "b.safetensors"
    code, printed, _ = mnuts("import", logits, "-o", out, "--json")
    card = json.loads(printed)
    assert (code, card["path"]) == (0, str(out))
    counts = {"n_clean": 120, "n_attacked": 120, "classes": 5}
    assert card["bundle"] == {"name": "logits", "digest": make_bundle().digest, **counts}


def test_an_existing_bundle_is_kept_unless_forced(mnuts, logits, toy):
    before = toy.read_bytes()
    code, out, err = mnuts("import", logits, "--out", toy, "--name", "new")
    assert (code, out) == (2, "")
    assert "exists already: give another --out, or --force" in err
    assert toy.read_bytes() == before
    assert mnuts("import", logits, "--out", toy, "--name", "new", "--force").code == 0
    assert LogitBundle.load(toy).name == "new"


def test_the_authors_layout_warns_and_can_be_searched(mnuts, tmp_path):
    toy = make_bundle()
    right = toy.attacked.rob_logits[toy.attacked.rob_logits.argmax(1) == toy.attacked.labels]
    wrong = toy.clean_rob_logits[toy.clean_rob_logits.argmax(1) != toy.clean_labels]
    torch.save(
        {"atk_corr": torch.from_numpy(right), "cln_incorr": torch.from_numpy(wrong)}, tmp_path / "l.pt"
    )
    out = tmp_path / "l.safetensors"
    code, _, err = mnuts("import", tmp_path / "l.pt", "--out", out)
    assert code == 0
    assert "read no accuracy off the bundle" in err
    assert "--clean all --plain" in err
    code, printed, _ = mnuts(
        "search", out, "--clean", "all", "--plain", "--steps", 2, "--beta", 0.9, "--json"
    )
    assert code == 0
    assert json.loads(printed)["counts"]["n_wrong"] == len(wrong)


BAD = {
    "no out": (("{logits}",), "--out"),
    "no file": (("{folder}/none.npz", "--out", "{new}"), "no file at"),
    "another kind": (("{toy}", "--out", "{new}"), "must end in .npz"),
    "no folder": (("{logits}", "--out", "/no-such/x.safetensors"), "--out must name a file"),
    "an empty name": (("{logits}", "--out", "{new}", "--name", ""), "name or classes are wrong at name"),
    "json": (("{logits}", "--out", "{new}", "--json", "/no-such/x.json"), "--json must name a file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_reported_in_one_line(mnuts, logits, toy, tmp_path, case):
    words, message = BAD[case]
    new = tmp_path / "new.safetensors"
    places = {"logits": logits, "toy": toy, "folder": tmp_path, "new": new}
    code, out, err = mnuts("import", *(word.format(**places) for word in words))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("mnuts: ")
    assert message in err
    assert not new.exists()
