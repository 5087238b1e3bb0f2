"""What the authors' scripts leave, read; and their `logits.pt`, written."""

import json
import pickle

import numpy as np
import pytest
import torch

from mnuts_core import GridSpec, LogitBundle, grid_search
from mnuts_core.bundles.authors_logits import save_logits
from mnuts_core.bundles.authors_margins import (
    examples_bundle,
    read_examples,
    read_margins,
    read_summary,
)
from mnuts_core.bundles.importers import import_logits
from mnuts_core.bundles.library import find_bundle
from mnuts_core.errors import BundleError
from tests.cli.conftest import make_bundle

SUMMARY = (
    "Accuracy of the Peng2023Robust model on 1000 clean test images: 93.300 %.\n"
    "Mean / median margin for correct predictions: 0.453 / 0.499.\n"
    "Mean / median margin for incorrect predictions: 0.132 / 0.105.\n"
)


def test_margins(tmp_path):
    path = tmp_path / "x_margins.json"
    path.write_text(json.dumps({"correct": [0.5, 1, 0.25], "incorrect": [0.125]}, indent=4))
    margins = read_margins(path)
    assert (margins.correct.tolist(), margins.incorrect.tolist()) == ([0.5, 1, 0.25], [0.125])
    assert margins.accuracy == 0.75


@pytest.mark.parametrize(
    "content",
    ["[]", '{"correct": []}', '{"correct": [2], "incorrect": []}', '{"correct": ["a"], "incorrect": []}',
     '{"correct": [NaN], "incorrect": []}', '{"correct": [true], "incorrect": []}',
     '{"correct": [], "incorrect": []}', "{"],
)  # fmt: skip
def test_other_margins_are_refused(tmp_path, content):
    path = tmp_path / "x_margins.json"
    path.write_text(content)
    with pytest.raises(BundleError):
        read_margins(path)


def test_summary(tmp_path):
    path = tmp_path / "x_summary.csv"
    path.write_text(SUMMARY)
    found = read_summary(path)
    assert found == ("Peng2023Robust", "clean", 1000, pytest.approx(0.933), (0.453, 0.132), (0.499, 0.105))
    path.write_text(SUMMARY.replace("0.132 / 0.105", "nan / nan"))
    assert np.isnan(read_summary(path).mean[1])
    for was, now in (("incorrect", "other"), ("93.300", "133.0"), ("1000", "0"), ("0.499", "7")):
        path.write_text(SUMMARY.replace(was, now))
        with pytest.raises(BundleError, match="must say 'Accuracy of the MODEL"):
            read_summary(path)


def examples(probs, labels):
    """As the authors' `margin_single_model` returns them, of images of 2 × 2."""
    ordered = np.sort(probs)
    right = probs.argmax(1) == labels
    arrays = {
        "margins": ordered[:, -1] - ordered[:, -2],
        "images": np.zeros((len(probs), 3, 2, 2), np.float32),
        "labels": labels,
        "probs": probs.astype(np.float32),
    }
    return {name: {"correct": a[right], "incorrect": a[~right]} for name, a in arrays.items()}


@pytest.fixture
def digits():
    return LogitBundle.load(find_bundle("digits"))


@pytest.fixture
def files(tmp_path, digits):
    """The digits bundle's robust model with LN, as the authors would keep it: clean and attacked."""
    first = digits.attacked.first
    clean = digits.clean_rob_logits[first.index]
    paths = tmp_path / "clean_ln_1000examples.pt", tmp_path / "aa_ln_1000examples.pt"
    for path, logits in zip(paths, (clean, first.rob_logits), strict=True):
        normed = torch.nn.functional.layer_norm(torch.from_numpy(logits), logits.shape[1:])
        with path.open("wb") as stream:
            pickle.dump(examples(normed.softmax(1).numpy(), digits.clean_labels[first.index]), stream)
    return paths


def searched(bundle):
    grid = GridSpec.from_ranges((0.05, 5), (1, 4), (-1.1, 0), steps=4)
    return grid_search(bundle, grid, 0.985, clean="all", max_accuracy_loss=None)


def test_examples_hold_what_the_search_needs(files, digits, tmp_path):
    parts = read_examples(files[0])
    wrong = digits.clean_rob_logits[digits.attacked.first.index].argmax(1)
    wrong = int((wrong != digits.clean_labels[digits.attacked.first.index]).sum())
    assert len(parts["incorrect"].probs) == wrong
    save_logits(digits, tmp_path / "logits.pt")
    ours = searched(import_logits(tmp_path / "logits.pt"))
    theirs = searched(examples_bundle(*files, name="theirs"))
    assert theirs.n_wrong == ours.n_wrong
    assert theirs.n_right == ours.n_right
    np.testing.assert_allclose(theirs.quantile, ours.quantile, rtol=2e-4, atol=1e-9)


def test_logits_are_those_of_the_attacked_images(digits, tmp_path):
    counts = save_logits(digits, tmp_path / "logits.pt")
    tensors = torch.load(tmp_path / "logits.pt", weights_only=True)
    assert {name: len(rows) for name, rows in tensors.items()} == counts
    result = grid_search(digits, GridSpec.paper("cifar10"), 0.985, max_accuracy_loss=None, points="mmaa")
    assert counts == {"cln_incorr": result.n_wrong, "atk_corr": result.n_right}
    with pytest.raises(BundleError, match="no attacked part"):
        save_logits(make_bundle(attacked=False), tmp_path / "none.pt")


def test_examples_that_do_not_fit_are_refused(files, tmp_path):
    content = pickle.loads(files[0].read_bytes())
    for change, problem in (
        (lambda c: c["probs"].update(correct=c["probs"]["correct"][:1]), "must have images"),
        (lambda c: c["probs"].update(correct=c["probs"]["correct"] * 2), "probabilities in"),
        (lambda c: c["probs"].update(correct=c["probs"]["correct"] / 2), "that add up to 1"),
        (lambda c: c["labels"].update(correct=c["labels"]["correct"] + 10), "labels from 0 to 9, got 10 to"),
        (lambda c: c["labels"].update(correct=9 - c["labels"]["correct"]), "predictions are not correct"),
        (lambda c: c["labels"].update(incorrect=c["probs"]["incorrect"].argmax(1)), "are not incorrect"),
        (lambda c: c["probs"].update(incorrect=np.pad(c["probs"]["incorrect"], ((0, 0), (0, 1)))), "one K"),
        (lambda c: c.pop("labels"), "must hold images, labels and probs"),
    ):
        broken = {name: dict(parts) for name, parts in content.items()}
        change(broken)
        path = tmp_path / "broken.pt"
        path.write_bytes(pickle.dumps(broken))
        with pytest.raises(BundleError, match=problem):
            read_examples(path)
