"""Equally likely classes: one rule for engine, search, curves and exported module (`functional.mixing`)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from mnuts_core import (
    GridSpec,
    LogitBundle,
    MixedClassifier,
    MixParams,
    RemixEngine,
    alpha_curve,
    grid_search,
)
from mnuts_core.clamps import CLAMPS, clamp_logits
from mnuts_core.functional.mixing import fools_both, mixed_logits, transform_with
from mnuts_core.functional.statistics import share
from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import IDENTITY, LN_ONLY
from mnuts_core.views.assumptions import assumptions
from mnuts_core.views.comparison import margin_medians
from mnuts_core.views.examples import NO_CLASS, story
from tests import reference

SILENT = MixParams(s=1.0, p=2.0, c=-3.0, clamp="relu", alpha=1.0)
"""Layer-normed logits of three classes end at 1.15, so ReLU leaves nothing of any."""
UNDERFLOW = MixParams(s=1e6, p=0.01, c=-38.0, ln_k=0, alpha=1.0)
"""GELU is 0 in float64 below -38.5 and about -1e-235 at -33: the power makes much of the difference."""


def bundle_of(h, g, labels, **attacked) -> LogitBundle:
    return LogitBundle.from_arrays(clean_labels=labels, clean_std_logits=g, clean_rob_logits=h, **attacked)


def all_of(h, g, labels) -> LogitBundle:
    """The same rows clean and attacked."""
    rows = np.arange(len(labels))
    return bundle_of(h, g, labels, adv_index=rows, adv_std_logits=g, adv_rob_logits=h)


def module_class(bundle: LogitBundle, params: MixParams) -> np.ndarray:
    logits = (torch.from_numpy(x) for x in (bundle.clean_std_logits, bundle.clean_rob_logits))
    return mixed_logits(*logits, params).argmax(dim=1).numpy()


THREE = all_of(
    h=[[3.0, 1.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 3.0]],
    g=[[4.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 0.0, 4.0]],
    labels=[0, 1, 2],
)
"""h is right everywhere, g on the first and the last row."""


class TestAllClassesTie:
    @pytest.mark.parametrize("temperature", [0.0, 1.0])
    @pytest.mark.parametrize("alpha", [0.5, 0.9, 1.0])
    def test_the_standard_model_decides(self, alpha, temperature):
        params = SILENT.with_(alpha=alpha, temperature=temperature)
        remix = RemixEngine(THREE).remix(params)
        assert remix.on_clean.mix_class.tolist() == [0, 0, 2]
        assert module_class(THREE, params).tolist() == [0, 0, 2]
        assert (remix.clean.successes, remix.attacked.successes) == (2, 2)

    def test_the_robust_model_is_right_nowhere(self):
        engine = RemixEngine(THREE)
        remix = engine.remix(SILENT)
        assert remix.on_clean.margin.tolist() == [0.0, 0.0, 0.0]
        assert remix.on_clean.tied.all()
        assert (remix.rob_clean.successes, remix.rob_attacked.successes) == (0, 0)
        assert remix.by_margin.successes == 0
        assert engine.base.rob_clean.successes == 3  # h itself is as it was
        assert any("costs the robust model 100.00 points of clean accuracy" in w for w in remix.warnings)

    def test_every_view_says_so(self):
        engine = RemixEngine(THREE)
        remix = engine.remix(SILENT)
        counted = assumptions(engine, remix)
        assert counted.changed_clean == counted.changed_attacked == share(3, 3)
        assert story(engine, remix, "clean", 0).mapped == NO_CLASS
        assert margin_medians(engine, SILENT)["M(h)"].clean_right.n == 0

    def test_the_search_counts_the_loss(self):
        bundle = all_of(
            h=[[3.0, 1.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 3.0]],
            g=np.eye(3),
            labels=[0, 1, 0],  # the last one is wrong before
        )
        result = grid_search(bundle, GridSpec([1.0], [1.0, 2.0], [-3.0, 0.0]), 0.5, clamp="relu")
        np.testing.assert_allclose(result.accuracy_loss[0], [[2 / 3, 0.0]] * 2)
        assert result.clean_changes[0].tolist() == result.attacked_changes[0].tolist() == [[1.0, 0.0]] * 2
        assert result.admissible[0].tolist() == [[False, True]] * 2

    def test_real_digits(self, digits):
        params = MixParams(s=1.0, p=2.0, c=-3.0, clamp="relu", alpha=1.0)
        remix = RemixEngine(digits).remix(params)
        np.testing.assert_array_equal(module_class(digits, params), remix.on_clean.mix_class)
        np.testing.assert_array_equal(remix.on_clean.mix_class, digits.clean_std_logits.argmax(1))
        assert remix.rob_clean.successes == 0


class TestSomeClassesTie:
    """The largest logit stays below, the others tie above it: a tie that may leave g's class out."""

    H, G = ((5.0, -1.0, -2.0, -3.0),) * 2, ((9.0, 0.0, 0.0, 0.0), (0.0, 0.0, 9.0, 0.0))

    def test_by_hand(self):
        """p = (0, 1/3, 1/3, 1/3): g's class 2 is among the tied, its class 0 is not, and arg max takes 1."""
        bundle = all_of(self.H, self.G, [1, 2])
        p = transform_with(torch.tensor(self.H), UNDERFLOW).softmax(1)
        np.testing.assert_allclose(p[0], [0, 1 / 3, 1 / 3, 1 / 3])
        remix = RemixEngine(bundle).remix(UNDERFLOW)
        assert remix.on_clean.mix_class.tolist() == module_class(bundle, UNDERFLOW).tolist() == [1, 2]
        assert not remix.on_clean.right.any(), "neither is what M(h) says by itself"
        assert remix.by_margin.successes == 0

    @pytest.mark.parametrize("temperature", [0.0, 0.5])
    def test_the_curve_goes_through_it(self, temperature):
        engine = RemixEngine(all_of(self.H, self.G, [1, 2]))
        curve = alpha_curve(engine, UNDERFLOW.with_(temperature=temperature), [1.0, 0.9])
        for place, alpha in enumerate(curve.alpha.tolist()):
            remix = engine.remix(UNDERFLOW.with_(temperature=temperature, alpha=alpha))
            assert curve.clean[place] == remix.clean.value
            assert curve.by_margin[place] == remix.by_margin.value


def test_a_tie_of_the_logits_themselves_is_not_the_transforms():
    """Logits rounded to bfloat16 tie now and then: h, LN h and M(h) are counted alike, as arg max does."""
    bundle = all_of([[2.0, 2.0, 0.0], [0.0, 2.0, 2.0]], np.eye(3)[[2, 2]], [0, 2])
    engine = RemixEngine(bundle)
    for params in (IDENTITY, LN_ONLY, MixParams(s=5.0, p=4.0, c=-0.5)):
        remix = engine.remix(params.with_(alpha=1.0))
        assert remix.on_clean.margin.tolist() == [0.0, 0.0]
        assert not remix.on_clean.tied.any()
        assert remix.on_clean.right.tolist() == engine.rob_right[:2].tolist() == [True, False]
        assert not engine.changed(params).any()
        # g says 2: not among the tied of the first row, and among those of the second
        assert remix.on_clean.mix_class.tolist() == module_class(bundle, params.with_(alpha=1.0)).tolist()
        assert remix.on_clean.mix_class.tolist() == [0, 2]


@pytest.mark.parametrize("k", [2, 3, 10, 100])
@pytest.mark.parametrize("alpha", [0.5, 0.75, 1.0])
def test_the_lift_outlasts_the_logarithm(k, alpha):
    """One bit on a probability is lost in its logarithm: it must go on top of that."""
    h = torch.arange(k, dtype=torch.float64).expand(k, k)
    g = torch.eye(k, dtype=torch.float64)
    for temperature in (0.0, 1.0):
        params = MixParams(s=1.0, p=1.0, c=-60.0, clamp="relu", alpha=alpha, temperature=temperature)
        logits = mixed_logits(g, h, params)
        assert logits.argmax(dim=1).tolist() == list(range(k))
        std = reference.std_probabilities(g, temperature)
        np.testing.assert_allclose(logits.exp(), (1 - alpha) * std + alpha / k, rtol=1e-12)


def test_no_logit_is_lifted_without_a_tie():
    g, h = torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    logits = mixed_logits(g, h, MixParams(s=1e4, p=4.0, c=0.0, alpha=0.75))
    assert logits.diagonal().tolist() == [0.0, 0.0, 0.0]


class Fixed(nn.Module):
    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.logits[rows]


def row_of(k: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-4, 4), min_size=k, max_size=k)


ROWS = st.integers(2, 5).flatmap(lambda k: st.lists(st.tuples(row_of(k), row_of(k)), min_size=1, max_size=5))
"""Rows of small whole numbers (g, h): they tie often, and every dtype holds them."""
SETTINGS = st.builds(
    MixParams,
    s=st.sampled_from([0.05, 1.0, 60.0, 1e6]),
    p=st.sampled_from([0.01, 0.7, 1.0, 4.0, 60.0]),
    c=st.sampled_from([-100.0, -38.0, -9.0, -3.0, -1.1, 0.0, 1.5]),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 3, 250]),
    alpha=st.sampled_from([0.5, 0.6, 0.75, 0.999, 1.0]),
    temperature=st.sampled_from([0.0, 0.5, 1.0]),
)


@settings(max_examples=150)
@given(rows=ROWS, params=SETTINGS)
def test_engine_and_module_agree(rows, params):
    g, h = (np.array(part, np.float64) for part in zip(*rows, strict=True))
    labels = np.arange(len(g)) % g.shape[1]
    bundle = all_of(h, g, labels)
    engine = RemixEngine(bundle)
    remix, curve = engine.remix(params), alpha_curve(engine, params, params.alpha)
    np.testing.assert_array_equal(module_class(bundle, params), remix.on_clean.mix_class)
    assert curve.clean[0] == pytest.approx(remix.clean.value)
    assert curve.attacked[0] == pytest.approx(remix.attacked.value)
    assert curve.by_margin[0] == pytest.approx(remix.by_margin.value)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        bases = (Fixed(torch.from_numpy(x).to(dtype)) for x in (g, h))
        predicted = MixedClassifier(*bases, params)(torch.arange(len(g))).argmax(dim=1)
        np.testing.assert_array_equal(predicted, remix.on_clean.mix_class)


@settings(max_examples=150)
@given(rows=ROWS, params=SETTINGS)
def test_right_is_the_only_largest(rows, params):
    """M(h) is right where the label's transformed logit is above all others, in engine and search alike."""
    g, h = (np.array(part, np.float64) for part in zip(*rows, strict=True))
    labels = h.argmax(axis=1)
    engine = RemixEngine(all_of(h, g, labels))
    t = transform_with(torch.from_numpy(h), params)
    second, first = np.sort(t.numpy(), axis=1)[:, -2:].T
    assume(((first == second) | (first - second > 1e-13 * np.abs(first))).all())  # not one by a last bit
    v = clamp_logits(layer_norm(torch.from_numpy(h), params.ln_k) + params.c, params.clamp).numpy()
    own_tie = np.sort(h, axis=1)[:, -2] == h.max(axis=1)
    own_tie &= v[np.arange(len(h)), labels] == v.max(axis=1)  # GELU has lifted none above it
    expected = (t.numpy()[np.arange(len(h)), labels] == first) & ((second < first) | own_tie)
    right = engine.right(params).numpy()[: len(h)]
    np.testing.assert_array_equal(right, expected)
    np.testing.assert_array_equal(engine.changed(params).numpy()[: len(h)], ~expected)

    wrong = np.append(labels, (labels[-1] + 1) % h.shape[1])  # one wrong example, for the search to run
    searched = all_of(np.vstack([h, h[-1:]]), np.vstack([g, g[-1:]]), wrong)
    grid = GridSpec([params.s], [params.p], [params.c])
    result = grid_search(searched, grid, 0.9, clamp=params.clamp, ln_k=params.ln_k, max_accuracy_loss=None)
    again = RemixEngine(searched)
    n = len(wrong)
    lost = again.rob_right[:n].mean() - again.right(params).numpy()[:n].mean()
    assert result.accuracy_loss.item() == pytest.approx(lost)
    assert result.clean_changes.item() == pytest.approx(again.changed(params).numpy()[:n].mean())


def test_what_fools_both_is_one_rule_for_attacks_and_pools_and_leaves_no_mix_right():
    rows = [  # g, h, and whether both are wrong, the true class being 0
        ([1.0, 2, 0], [0.0, 3, 0], True),
        ([2.0, 1, 0], [0.0, 3, 0], False),
        ([1.0, 2, 0], [3.0, 0, 0], False),
        ([1.0, 2, 0], [3.0, 0, 3], False),  # h ties, its first class is right, and g's is a third
        ([1.0, 2, 0], [0.0, 3, 3], True),
        ([2.0, 2, 0], [0.0, 3, 3], False),  # g ties, its first class is right
    ]
    std, rob = (torch.tensor([row[place] for row in rows]) for place in (0, 1))
    labels, settled = torch.zeros(len(rows), dtype=torch.long), np.array([row[2] for row in rows])
    assert fools_both(std, rob, labels).tolist() == settled.tolist()
    n = len(rows)
    bundle = LogitBundle.from_arrays(
        clean_labels=labels, clean_std_logits=[[9.0, 0, 0]] * n, clean_rob_logits=[[9.0, 0, 0]] * n,
        adv_index=np.arange(n), adv_std_logits=std, adv_rob_logits=rob,
    )  # fmt: skip
    assert bundle.require_attacked().settled.tolist() == settled.tolist()
    engine, right = RemixEngine(bundle), np.zeros(n, bool)
    for alpha in (0.5, 0.7, 0.9, 1.0):
        mix = MixParams(s=1.0, p=1.0, c=0.0, clamp="linear", ln_k=0, alpha=alpha)
        right |= engine.remix(mix).require_images().mix_right
    np.testing.assert_array_equal(right, ~settled)
