"""The transform of Eq. 4 against hand-computed cases, NumPy, the authors' classes and its own gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnuts_core import ParameterError, layer_norm, transform_logits
from mnuts_core.clamps import CLAMPS
from tests import reference
from tests.test_clamps import FORMULAS

CASES = [  # s, p, c: the paper's optima (Table 3) and rougher ones
    (5.0, 4.0, -1.1),
    (0.612, 3.57, -2.14),
    (0.0235, 2.71, -0.286),
    (1.0, 1.0, 0.0),
    (10.0, 0.5, 0.7),
    (0.3, 6.5, -3.0),
]


def some_logits(k: int, n: int = 40, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=generator, dtype=torch.float64)
    logits *= torch.logspace(-1, 1, n, dtype=torch.float64).unsqueeze(1)
    logits[::2, 0] += 4.0 * logits[::2].std(dim=1)  # half of the rows have a clear favourite
    return logits


class TestLayerNorm:
    def test_by_hand(self):
        # mean 1, unbiased variance 1
        normed = layer_norm(torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
        assert normed.tolist() == pytest.approx([-1.0, 0.0, 1.0], rel=1e-8)

    def test_top_two_by_hand(self):
        # of 4 and 2: mean 3, unbiased variance 2; the far outlier does not count
        normed = layer_norm(torch.tensor([-100.0, 4.0, 0.0, 2.0], dtype=torch.float64), 2)
        root = math.sqrt(2.0)
        assert normed.tolist() == pytest.approx([-103 / root, 1 / root, -3 / root, -1 / root], rel=1e-8)

    @pytest.mark.parametrize("k", [0, 2, 3, 9, 10, 11, 250])
    def test_against_numpy(self, k):
        logits = some_logits(10)
        np.testing.assert_allclose(layer_norm(logits, k), reference.layer_norm(logits, k), atol=1e-12)

    def test_zero_leaves_the_logits_alone(self):
        logits = some_logits(5)
        assert torch.equal(layer_norm(logits, 0), logits)

    def test_moments(self):
        normed = layer_norm(some_logits(12))
        assert normed.mean(dim=1).abs().max() < 1e-12
        assert (normed.var(dim=1, correction=1) - 1).abs().max() < 1e-4  # the 1e-8 under the root

    def test_equal_logits_stay_finite(self):
        assert layer_norm(torch.full((2, 4), 7.0)).abs().max() == 0.0

    @given(
        row=arrays(np.float64, 6, elements=st.floats(-20, 20)),
        shift=st.floats(-100, 100),
        scale=st.floats(0.1, 100),
        k=st.sampled_from([2, 4, 250]),
    )
    def test_is_shift_and_scale_free(self, row, shift, scale, k):
        spread = np.sort(row)[::-1][:k].std()
        if spread < 1.0:  # near zero variance the 1e-8 under the root shows
            row[row.argmax()] += 4.0
        normed = layer_norm(torch.from_numpy(row), k)
        moved = layer_norm(torch.from_numpy(scale * row + shift), k)
        np.testing.assert_allclose(moved, normed, rtol=1e-5, atol=1e-5)


class TestTransform:
    def test_by_hand(self):
        # LN of (3, 0, 0) is (2, -1, -1)/√3; ReLU keeps the first; 2 · (2/√3)² = 8/3
        out = transform_logits(torch.tensor([3.0, 0.0, 0.0]), s=2, p=2, c=0, clamp="relu")
        assert out.tolist() == pytest.approx([8 / 3, 0, 0], rel=1e-8)

    def test_the_sign_survives_any_power(self):
        # LN is (2, -1, -1)/√3 again, and c = 0
        root = math.sqrt(3.0)
        for p in (0.5, 1.0, 2.0, 2.5, 3.0):
            out = transform_logits(torch.tensor([3.0, 0.0, 0.0]), s=1, p=p, c=0, clamp="linear")
            assert out.tolist() == pytest.approx([(2 / root) ** p, *[-((1 / root) ** p)] * 2], rel=1e-7)

    @pytest.mark.parametrize("k", [3, 10, 100, 1000])
    @pytest.mark.parametrize("ln_k", [2, 5, 250])
    @pytest.mark.parametrize("clamp", CLAMPS)
    def test_against_the_authors(self, authors, in_float64, clamp, ln_k, k):
        logits = some_logits(k, n=20)
        for s, p, c in CASES:
            if p < 1 and clamp == "gelu":
                continue  # the root magnifies their 1 + erf, which cancels; see test_clamps
            if FORMULAS[clamp].module is None:
                theirs, c = authors.maps.LNPowerScaleMap(scale=s, power=p, ln_k=ln_k), 0.0
            else:
                theirs = authors.maps.LNClampPowerScaleMap(
                    scale=s, power=p, clamp_bias=c, clamp_fn=FORMULAS[clamp].module, ln_k=ln_k
                )
            ours = transform_logits(logits, s=s, p=p, c=c, clamp=clamp, ln_k=ln_k)
            torch.testing.assert_close(ours, theirs(logits), atol=1e-9, rtol=1e-12)
            torch.testing.assert_close(ours.softmax(1), theirs(logits, return_probs=True), atol=1e-9, rtol=0)

    def test_layer_norm_alone_against_the_authors(self, authors):
        logits = some_logits(300, n=10)
        torch.testing.assert_close(
            layer_norm(logits, 250), authors.maps.LayerNormMap(250)(logits), atol=1e-9, rtol=0
        )

    @pytest.mark.parametrize("clamp", CLAMPS)
    def test_against_numpy(self, clamp):
        logits = some_logits(10)
        for s, p, c in CASES:
            ours = transform_logits(logits, s=s, p=p, c=c, clamp=clamp, ln_k=4)
            np.testing.assert_allclose(
                ours, reference.transform(logits, s, p, c, clamp, 4), atol=1e-9, rtol=1e-9
            )

    def test_no_layer_norm_and_no_clamp_is_temperature_scaling(self):
        logits = some_logits(7)
        assert torch.equal(transform_logits(logits, s=3, p=1, c=0, clamp="linear", ln_k=0), 3 * logits)

    @pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 3, 5)])
    def test_any_leading_shape(self, shape):
        logits = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        out = transform_logits(logits, s=2, p=3, c=-1, ln_k=3)
        assert out.shape == logits.shape
        rows = transform_logits(logits.reshape(-1, 5), s=2, p=3, c=-1, ln_k=3)
        assert torch.equal(out.reshape(-1, 5), rows)

    @pytest.mark.parametrize(
        "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64]
    )
    def test_float64_whatever_comes(self, dtype):
        logits = torch.tensor([[5, 1, -2, 0]]).to(dtype)
        out = transform_logits(logits, s=2, p=3, c=-1)
        assert out.dtype == torch.float64
        torch.testing.assert_close(out, transform_logits(logits.double(), s=2, p=3, c=-1))

    def test_float32_on_request(self):
        logits = some_logits(10)
        single = transform_logits(logits, s=1, p=2, c=-1, dtype=torch.float32)
        assert single.dtype == torch.float32
        torch.testing.assert_close(
            single.double(), transform_logits(logits, s=1, p=2, c=-1), rtol=1e-4, atol=1e-5
        )

    def test_the_input_is_left_alone(self):
        logits = some_logits(6)
        before = logits.clone()
        transform_logits(logits, s=2, p=3, c=-1, clamp="relu", ln_k=3)
        assert torch.equal(logits, before)

    @pytest.mark.parametrize("clamp", CLAMPS)
    @pytest.mark.parametrize("ln_k", [0, 3, 250])
    def test_gradients(self, clamp, ln_k):
        logits = some_logits(5, n=4, seed=7).requires_grad_()
        function = lambda h: transform_logits(h, s=0.7, p=2.3, c=-0.21, clamp=clamp, ln_k=ln_k)
        assert torch.autograd.gradcheck(function, logits, eps=1e-6, atol=1e-5)

    def test_gradient_where_relu_silences_every_class_is_zero(self):
        logits = some_logits(5, n=4).requires_grad_()
        transform_logits(logits, s=1, p=0.5, c=-50, clamp="relu").sum().backward()
        assert logits.grad is not None
        assert logits.grad.abs().max() == 0.0


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"s": 0}, r"s must lie in \(0, 1e\+06\], got 0"),
            ({"s": float("nan")}, "s must lie in"),
            ({"p": -1}, r"p must lie in \(0, .*got -1"),
            ({"c": float("inf")}, r"c must lie in \[-100, 100\], got inf"),
            ({"c": "x"}, "c must be a number"),
            ({"clamp": "tanh"}, f"clamp must be one of {', '.join(CLAMPS)}, got 'tanh'"),
            ({"ln_k": 1}, "ln_k must be 0 .* or an integer of at least 2, got 1"),
            ({"ln_k": 2.5}, "ln_k must be"),
        ],
    )
    def test_a_bad_argument_names_itself(self, change, message):
        arguments = {"s": 1, "p": 1, "c": 0} | change
        with pytest.raises(ParameterError, match=message) as caught:
            transform_logits(torch.zeros(1, 3), **arguments)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("logits", "message"),
        [
            ([[1.0, 2.0]], "logits must be a torch.Tensor .* got list"),
            (torch.zeros(3, 1), "at least 2 classes"),
            (torch.tensor(1.0), "at least 2 classes"),
            (torch.zeros(3, 2, dtype=torch.complex64), "real numbers"),
            (torch.zeros(3, 2, dtype=torch.bool), "real numbers"),
        ],
    )
    def test_bad_logits(self, logits, message):
        with pytest.raises(ParameterError, match=message):
            transform_logits(logits, s=1, p=1, c=0)
        with pytest.raises(ParameterError, match=message):
            layer_norm(logits)
