"""What is no logit, or not of these labels, is warned of; what is sound is not."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.importers import algorithm1_bundle
from mnuts_core.bundles.logit_warnings import logit_warnings
from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import LARGEST_LOGIT
from tests import ROOT
from tests.reference import softmax
from tests.synthetic import clean_only, make_arrays, make_bundle

LOGITS = ("clean_std_logits", "clean_rob_logits", "adv_std_logits", "adv_rob_logits")


def codes(change=None, models=("std", "rob"), **options) -> list[str]:
    """The codes for synthetic arrays whose logits of some models were changed."""
    arrays = make_arrays(**options)
    for name in LOGITS:
        if change is not None and name.split("_")[1] in models:
            arrays[name] = change(arrays[name])
    return [warning.code for warning in logit_warnings(LogitBundle.from_arrays(**arrays))]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def one_hot(z):
    return np.eye(z.shape[1], dtype=np.float32)[z.argmax(axis=1)]


def masked(value):
    return lambda z: np.concatenate([z[:, :-2], np.full((len(z), 2), value, z.dtype)], axis=1)


class TestValues:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_probabilities(self, dtype):
        assert codes(lambda z: softmax(z.astype(float)).astype(dtype)) == ["probabilities"] * 2

    def test_of_one_model(self):
        assert codes(softmax, models=("rob",)) == ["probabilities"]
        warning = logit_warnings(
            LogitBundle.from_arrays(
                **make_arrays() | {"clean_std_logits": softmax(make_arrays()["clean_std_logits"])}
            )
        )
        assert warning == ()  # its attacked rows are logits: no model answers with both

    def test_one_hot(self):
        assert codes(one_hot) == ["one-hot"] * 2

    def test_sigmoid(self):
        assert codes(sigmoid) == ["sigmoid-outputs"] * 2

    @pytest.mark.parametrize("value", [-1e9, np.finfo(np.float32).min, -1e4, -65504.0])
    def test_masks(self, value):
        arrays = make_arrays(k=10)
        keep = arrays["clean_labels"] < 8
        assert 0 < keep.sum() < len(keep)
        assert codes(masked(value)).count("masked-classes") == 2

    @pytest.mark.parametrize("power", [15.5, 20, 30])
    def test_what_the_engine_clips(self, power):
        found = codes(lambda z: z * 10.0**power)
        assert found == ["logits-too-large"] * 2
        arrays = make_arrays()
        arrays["clean_rob_logits"] = arrays["clean_rob_logits"].astype(float) * 1e30
        bundle = LogitBundle.from_arrays(**arrays)
        base = RemixEngine(bundle).rob_right[: bundle.n_clean]
        differs = int((base != (bundle.clean_rob_logits.argmax(1) == bundle.clean_labels)).sum())
        assert differs > 0
        (warning,) = logit_warnings(bundle)
        rows = bundle.clean_rob_logits
        changed = int((rows.clip(-LARGEST_LOGIT, LARGEST_LOGIT).argmax(1) != rows.argmax(1)).sum())
        assert f"changes its prediction in {changed:,} rows" in warning.message

    @pytest.mark.parametrize(("k", "scale"), [(10, 1e-6), (10, 2e-4), (400, 1e-4)])
    def test_what_the_layer_norm_does_not_undo(self, k, scale):
        assert codes(lambda z: scale * z, k=k) == ["logits-too-small"]
        assert codes(lambda z: scale * z, models=("std",), k=k) == []
        arrays = make_arrays(k=k)
        arrays["clean_rob_logits"] = (rows := arrays["clean_rob_logits"] * scale)
        (warning,) = logit_warnings(LogitBundle.from_arrays(**arrays))
        top = torch.from_numpy(rows).double().topk(min(k, 250)).values.std(dim=1)
        scales = layer_norm(torch.from_numpy(rows).double()).topk(min(k, 250)).values.std(dim=1)
        words = re.findall(r"is (\S+) at the median.*at (\S+) of its", warning.message)[0]
        seen, left = map(float, words)
        assert seen == pytest.approx(float(top.quantile(0.5)), rel=0.05)
        assert left == pytest.approx(float(scales.quantile(0.5)), rel=0.05)

    def test_logits_that_are_all_the_same_are_another_fault(self):
        assert "logits-too-small" not in codes(lambda z: 0 * z - 1)

    @pytest.mark.parametrize(
        "sound",
        [
            lambda z: z,
            lambda z: np.log(softmax(z.astype(float))),
            lambda z: z * 1e-3,
            lambda z: z * 1e4,
            lambda z: z - 50,
            lambda z: np.maximum(z, 0),
            lambda z: z.astype(np.float16),
        ],
    )
    def test_sound_logits(self, sound):
        assert codes(sound) == []


class TestLabels:
    def labels(self, change, **options) -> list[str]:
        arrays = make_arrays(**options)
        arrays["clean_labels"] = change(arrays["clean_labels"])
        return [warning.code for warning in logit_warnings(LogitBundle.from_arrays(**arrays))]

    @pytest.mark.parametrize("by", [-1, 1])
    def test_off_by_one(self, by):
        assert self.labels(lambda y: np.clip(y + by, 0, 9)) == ["labels-off-by-one"] * 2

    @pytest.mark.parametrize("k", [3, 10, 40])
    def test_shuffled(self, k):
        shuffled = np.random.default_rng(1).permutation
        assert self.labels(shuffled, n=1000, m=10, k=k) == ["labels-do-not-fit"] * 2

    def test_two_classes(self):
        assert self.labels(lambda y: 1 - y, k=2) == ["labels-off-by-one"] * 2
        assert self.labels(lambda y: y, k=2) == []

    def test_few_images_prove_nothing(self):
        assert self.labels(lambda y: (y + 3) % 10, n=8, m=3) == []

    def test_a_weak_model_among_many_classes_is_sound(self):
        arrays = make_arrays(n=2000, m=10, k=500)
        arrays["clean_rob_logits"] = np.random.default_rng(0).normal(size=(2000, 500)).astype(np.float32)
        arrays["clean_rob_logits"][np.arange(120), arrays["clean_labels"][:120]] += 9  # 6 %: 30 times chance
        assert logit_warnings(LogitBundle.from_arrays(**arrays)) == ()

    def test_made_up_labels_are_not_judged(self):
        wrong = np.random.default_rng(0).normal(size=(200, 10))
        assert logit_warnings(algorithm1_bundle(wrong[:5], wrong, name="x")) == ()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "k"), [(1, 2), (6, 2), (30, 3), (300, 10), (60, 100)])
def test_no_false_alarm_on_sound_bundles(seed, n, k):
    bundle = make_bundle(n=n, m=max(1, n // 2), k=k, seed=seed)
    assert logit_warnings(bundle) == logit_warnings(clean_only(bundle)) == ()


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_no_false_alarm_on_what_ships(name):
    assert logit_warnings(LogitBundle.load(ROOT / "data" / f"{name}.safetensors")) == ()


def test_every_mix_of_the_bundle_carries_them():
    arrays = make_arrays()
    for name in LOGITS:
        arrays[name] = softmax(arrays[name])
    remix = RemixEngine(LogitBundle.from_arrays(**arrays)).remix(MixParams(s=1, p=1, c=0))
    assert sum("docs/warnings.md#probabilities" in text for text in remix.warnings) == 2
