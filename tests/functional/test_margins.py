"""Confidence margins (Definition 2.1)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mnuts_core import ParameterError, confidence_margin, signed_margin, temperature_scale
from tests import reference

LOGITS = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.floats(-700, 700),
)


def test_by_hand():
    h = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45]], dtype=torch.float64).log()
    torch.testing.assert_close(
        confidence_margin(h), torch.tensor([0.5, 0.0], dtype=torch.float64), atol=1e-15, rtol=0
    )
    signed = [signed_margin(h, torch.tensor([y, y])).tolist() for y in range(3)]
    assert signed[0] == pytest.approx([0.5, -0.35])
    assert signed[1] == pytest.approx([-0.5, 0.0])
    assert signed[2] == pytest.approx([-0.6, 0.0])


@given(logits=LOGITS)
def test_against_numpy_and_in_range(logits):
    p = reference.softmax(logits)
    margin = confidence_margin(torch.from_numpy(logits)).numpy()
    assert ((margin >= 0) & (margin <= 1)).all()
    np.testing.assert_allclose(margin, reference.margins(p), atol=1e-13)


@given(logits=LOGITS, seed=st.integers(0, 99))
def test_signed_margin_against_numpy(logits, seed):
    labels = np.random.default_rng(seed).integers(0, logits.shape[1], len(logits))
    signed = signed_margin(torch.from_numpy(logits), torch.from_numpy(labels)).numpy()
    for row, (p, y) in enumerate(zip(reference.softmax(logits), labels, strict=True)):
        assert signed[row] == pytest.approx(p[y] - np.delete(p, y).max(), abs=1e-13)
    assert (np.abs(signed) <= 1).all()


@given(logits=LOGITS)
def test_signed_margin_of_the_prediction_is_the_confidence_margin(logits):
    h = torch.from_numpy(logits)
    torch.testing.assert_close(
        signed_margin(h, h.argmax(dim=1)), confidence_margin(h), atol=1e-15, rtol=1e-12
    )


def test_small_margins_keep_their_relative_precision():
    h = torch.tensor([[1e-14, 0.0]], dtype=torch.float64)
    assert confidence_margin(h).item() == pytest.approx(5e-15, rel=1e-12)
    assert signed_margin(h, torch.tensor([1])).item() == pytest.approx(-5e-15, rel=1e-12)


def test_margins_near_one_stay_apart_in_float64():
    h = torch.tensor([[25.0, 0.0], [26.0, 0.0], [27.0, 0.0]], dtype=torch.float64)
    short_of_one = (1 - confidence_margin(h)).tolist()
    assert short_of_one == pytest.approx([2 * math.exp(-t) for t in (25, 26, 27)], rel=1e-3)


def test_huge_and_infinite_logits():
    h = torch.tensor([[1e300, -1e300, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    assert confidence_margin(h).tolist() == [1.0, 0.0]
    one_hot = temperature_scale(torch.tensor([[1.0, 3.0, 2.0]]), 0.0)
    assert confidence_margin(one_hot).tolist() == [1.0]
    assert [signed_margin(one_hot, torch.tensor([y])).item() for y in range(3)] == [-1.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("given_dtype", "comes"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.int32, torch.float64),
    ],
)
def test_dtypes(given_dtype, comes):
    h = torch.tensor([[2, 1, 0]]).to(given_dtype)
    expected = (math.e**2 - math.e) / (math.e**2 + math.e + 1)
    for margin in (confidence_margin(h), signed_margin(h, torch.tensor([0]))):
        assert margin.dtype == comes
        assert margin.item() == pytest.approx(expected, rel=1e-6)


def test_signed_margin_has_the_right_gradient():
    h = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    assert torch.autograd.gradcheck(lambda x: signed_margin(x, labels), h)
    assert torch.autograd.gradcheck(confidence_margin, h)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), r"labels must lie in \[0, 3\), got 0 to 3"),
        (torch.tensor([-1, 0]), "got -1 to 0"),
        (torch.tensor([0]), r"labels must have shape \(2,\)"),
        (torch.tensor([0.0, 1.0]), "labels must be an integer"),
        ([0, 1], "labels must be an integer torch.Tensor .* got list"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ParameterError, match=message):
        signed_margin(torch.zeros(2, 3), labels)


def test_bad_logits():
    with pytest.raises(ParameterError, match="at least 2 classes"):
        confidence_margin(torch.zeros(3, 1))
