"""Which images the lesson follows: the rule, found again by hand; what is said where there is none."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixConfig, MixParams
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.params import IDENTITY
from mnuts_dashboards.page.thread import shipped_thread
from mnuts_dashboards.page.thread_choice import SURE, thread_record
from tests import ROOT
from tests.synthetic import clean_only, make_bundle, make_pool

PLAIN = IDENTITY.with_(alpha=0.8)
"""Without a transform: h decides where its margin is above 1/4."""


@pytest.fixture(scope="module")
def shipped() -> MixParams:
    return MixConfig.load(ROOT / "data" / "digits-beta95.json").params


def answers(params: MixParams, std: np.ndarray, rob: np.ndarray) -> np.ndarray:
    """The classes that a mix predicts."""
    return mixed_logits(torch.from_numpy(std), torch.from_numpy(rob), params).argmax(dim=-1).numpy()


def probabilities(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits.astype(np.float64) - logits.max())
    return raised / raised.sum()


def arrays_of(example: dict[str, Any]) -> list[dict[str, np.ndarray]]:
    """The clean and the attacked point of an example."""
    types = {"pixels": np.uint8, "std": np.float32, "rob": np.float32}
    return [
        {name: np.array(point[name], dtype) for name, dtype in types.items()}
        for point in (example["points"]["clean"], example["points"]["attacked"])
    ]


def with_images(bundle: LogitBundle, channels: int = 1, side: int = 2) -> LogitBundle:
    """The bundle with pictures in which every pixel says which image it is."""
    part = bundle.require_attacked()
    shape = (side, side, channels)
    clean = np.broadcast_to(
        np.arange(bundle.n_clean, dtype=np.uint8)[:, None, None, None], (bundle.n_clean, *shape)
    )
    attacked = clean[part.index[: part.n_images]] + 3
    return dataclasses.replace(
        bundle,
        clean_images=clean.copy(),
        attacked=dataclasses.replace(part, images=attacked.astype(np.uint8)),
    )


def test_the_digit_that_the_mix_holds(digits, shipped):
    held = thread_record(digits, shipped)["examples"][0]
    clean, attacked = arrays_of(held)
    label, plain = held["label"], IDENTITY.with_(alpha=shipped.alpha)
    assert (held["kind"], held["point"], label) == ("held", "attacked", digits.clean_labels[held["number"]])
    assert clean["std"].argmax() == clean["rob"].argmax() == attacked["rob"].argmax() == label
    assert attacked["std"].argmax() == held["rival"] != label
    assert probabilities(attacked["std"]).max() >= SURE
    part = digits.require_attacked()
    points = part.index == held["number"]
    assert (answers(shipped, part.std_logits[points], part.rob_logits[points]) == label).all()
    assert answers(plain, attacked["std"], attacked["rob"]) != label, "the transform decides"
    first = int(np.flatnonzero(points)[0])
    np.testing.assert_array_equal(attacked["pixels"], part.images[first].ravel())
    np.testing.assert_array_equal(clean["pixels"], digits.clean_images[held["number"]].ravel())
    moved = np.abs(attacked["pixels"].astype(int) - clean["pixels"]).max()
    assert held["magnify"] * moved <= 127 < (held["magnify"] + 1) * moved
    assert (held["shape"], held["norm"], held["eps"]) == ([8, 8, 1], "Linf", digits.manifest.threat.eps)


def test_the_digit_that_the_mix_corrects(digits, shipped):
    corrected = thread_record(digits, shipped)["examples"][1]
    (clean, _), label = arrays_of(corrected), corrected["label"]
    assert (corrected["kind"], corrected["point"]) == ("corrected", "clean")
    assert clean["rob"].argmax() == corrected["rival"] != label
    assert clean["std"].argmax() == label
    assert answers(shipped, clean["std"], clean["rob"]) == label
    assert answers(IDENTITY.with_(alpha=shipped.alpha), clean["std"], clean["rob"]) != label


def test_alpha_may_follow_from_beta_and_the_record_is_plain_json(digits, shipped):
    record = thread_record(digits, shipped.with_(alpha=None))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert [one["kind"] for one in record["examples"]] == ["held", "corrected"]
    assert record["missing"] is None


def test_what_every_lesson_follows(digits, shipped):
    record = shipped_thread()
    own = {"mix": dataclasses.asdict(shipped), "bundle": "digits"}
    assert record == thread_record(digits, shipped) | own
    assert record["mix"]["alpha"] == shipped.alpha


SURE_OF = {right: [6.0 if k == right else 0.0 for k in range(3)] for right in range(3)}
"""Logits of g, by the class of which it is sure."""


def bundle_of(rows: list[tuple[int, list[float], list[float], list[float], list[float]]]) -> LogitBundle:
    """A bundle with pictures from label, g and h on the clean image, g and h at its attacked point."""
    labels, std, rob, adv_std, adv_rob = zip(*rows, strict=True)
    names = ("clean_std_logits", "clean_rob_logits", "adv_std_logits", "adv_rob_logits")
    arrays = dict(zip(names, (std, rob, adv_std, adv_rob), strict=True))
    return with_images(LogitBundle.from_arrays(clean_labels=labels, adv_index=range(len(rows)), **arrays))


def fooled(attacked_rob: list[float]) -> tuple[int, list[float], list[float], list[float], list[float]]:
    """An image of class 0 of which h is sure when it is clean, and g is led to class 1."""
    return 0, SURE_OF[0], [4.0, 0.0, 0.0], SURE_OF[1], attacked_rob


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([fooled([0.0, 1.0, 0.0]), fooled([2.0, 0.0, 0.0])], 1),  # h must be right
        ([fooled([2.0, 0.0, 0.0]), fooled([2.0, 0.0, 0.0])], 0),  # of equal ones the first
        ([fooled([6.0, 0.0, 0.0]), fooled([0.5, 0.3, 0.0])], 1),  # where the transform decides
        ([fooled([0.4, 0.3, 0.0]), fooled([0.5, 0.3, 0.0])], 1),  # where it raises the margin most
    ],
)
def test_the_rule(rows, number):
    params = MixParams(s=20.0, p=1.0, c=0.0, clamp="linear", ln_k=0, alpha=0.8)
    [example] = thread_record(bundle_of(rows), params)["examples"]
    assert (example["kind"], example["number"], example["rival"]) == ("held", number, 1)
    assert set(example["points"]["clean"]["pixels"]) == {number}
    assert (example["norm"], example["eps"]) == (None, None)


def test_all_points_of_an_image_count():
    """An image that the mix loses at another point of the pool is not held."""
    bundle = bundle_of([fooled([2.0, 0.0, 0.0]), fooled([1.8, 0.0, 0.0])])
    part = bundle.require_attacked()
    lost = np.array([[0.0, 6.0, 0.0]], np.float32)
    arrays = {name: getattr(part, name) for name in ("std_logits", "rob_logits")}
    pool = LogitBundle.from_arrays(
        clean_labels=bundle.clean_labels,
        clean_std_logits=bundle.clean_std_logits,
        clean_rob_logits=bundle.clean_rob_logits,
        adv_index=[*part.index, 0],
        adv_source=[0, 0, 1],
        **{f"adv_{name}": np.concatenate([array, lost]) for name, array in arrays.items()},
    )
    [example] = thread_record(with_images(pool), PLAIN)["examples"]
    assert example["number"] == 1


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (clean_only(make_bundle(n=20, m=10)), "no attacked images"),
        (make_bundle(n=20, m=10), "no pictures"),
        (with_images(make_bundle(n=20, m=10), channels=2), "2 channels"),
        (bundle_of([fooled([0.0, 1.0, 0.0])]), "at these settings"),
    ],
)
def test_one_line_says_why_there_is_none(bundle, words):
    record = thread_record(bundle, PLAIN)
    assert record["examples"] == []
    assert words in record["missing"]
    assert "\n" not in record["missing"]


def test_nothing_that_alpha_could_follow_from():
    record = thread_record(bundle_of([fooled([0.0, 1.0, 0.0])]), MixParams())
    assert record["examples"] == []
    assert "alpha" in record["missing"]


def test_colour_images_of_any_pool():
    record = thread_record(with_images(make_pool(n=60, m=50, k=5), channels=3, side=4), PLAIN)
    assert record["examples"]
    for example in record["examples"]:
        assert example["shape"] == [4, 4, 3]
        assert len(example["points"]["attacked"]["pixels"]) == 48
        assert example["magnify"] == 42
