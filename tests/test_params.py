"""The parameters' intervals, defaults and messages."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mnuts_core import MixParams, MnutsError, ParameterError
from mnuts_core.params import IDENTITY, LN_ONLY, PAPER_OPTIMA, PARAMS, check_eps, check_ln_k


@pytest.mark.parametrize("spec", PARAMS.values(), ids=lambda spec: spec.name)
def test_sliders_and_defaults_are_valid(spec):
    assert spec.slider_low <= spec.default <= spec.slider_high
    assert spec.step > 0
    assert spec.label
    assert spec.help.endswith(".")
    for value in (spec.slider_low, spec.slider_high, spec.default):
        assert spec.check(value) == value
    if spec.scale == "log":
        assert spec.slider_low > 0


def test_every_number_of_mix_params_has_a_spec_and_its_default():
    fields = {field.name: field.default for field in dataclasses.fields(MixParams)}
    assert set(PARAMS) == set(fields) - {"clamp", "ln_k"}
    for name, spec in PARAMS.items():
        assert fields[name] == (None if name == "alpha" else spec.default)


@pytest.mark.parametrize(
    ("name", "interval", "inside", "outside"),
    [
        ("s", "(0, 1e+06]", [1e-9, 1e6], [0, -1, 1.1e6, float("inf")]),
        ("p", "(0, 100]", [0.1, 100], [0, -2, 101]),
        ("c", "[-100, 100]", [-100, 0, 3], [-101, float("-inf"), float("inf"), float("nan")]),
        ("beta", "[0, 1]", [0, 1, 0.985], [-0.01, 1.0001, 98.5, float("nan")]),
        ("alpha", "[0.5, 1]", [0.5, 1], [0.4999, 1.0001]),
        ("temperature", "[0, inf)", [0, 2], [-0.1, float("inf")]),
    ],
)
def test_intervals(name, interval, inside, outside):
    assert PARAMS[name].interval == interval
    for value in inside:
        assert PARAMS[name].check(value) == value
    for value in outside:
        with pytest.raises(ParameterError, match=rf"^{name} must lie in ") as caught:
            PARAMS[name].check(value)
        assert interval in str(caught.value)
        assert f"got {float(value):g}" in str(caught.value)


@pytest.mark.parametrize("value", [np.float64(0.75), np.float32(0.75), torch.tensor(0.75), np.array(0.75)])
def test_scalars_of_numpy_and_torch_are_numbers(value):
    checked = PARAMS["alpha"].check(value)
    assert type(checked) is float
    assert checked == 0.75


@pytest.mark.parametrize("value", [True, "0.75", None, [0.75], 1j, torch.tensor([0.75, 0.8])])
def test_other_types_are_refused(value):
    with pytest.raises(ParameterError, match=r"alpha must be a number in \[0.5, 1\], got "):
        PARAMS["alpha"].check(value)


def test_mix_params_checks_and_converts():
    params = MixParams(s=np.float64(2), p=3, c=-1, alpha=1)
    assert (params.s, params.p, params.alpha) == (2.0, 3.0, 1.0)
    assert type(params.s) is float
    for bad in ({"s": -1}, {"beta": 2}, {"alpha": 0.1}, {"temperature": -1}, {"clamp": "x"}, {"ln_k": 1}):
        with pytest.raises(ParameterError, match=f"^{next(iter(bad))} must"):
            MixParams(**bad)
        with pytest.raises(ParameterError):
            params.with_(**bad)


def test_mix_params_cannot_be_changed_and_can_be_a_key():
    params = MixParams()
    with pytest.raises(dataclasses.FrozenInstanceError):
        params.s = 2.0
    assert {params: 1}[MixParams()] == 1
    assert params.with_(s=2.0) != params


@pytest.mark.parametrize("value", [0, 2, 250, 10**9, np.int64(250)])
def test_ln_k(value):
    assert check_ln_k(value) == value


@pytest.mark.parametrize("value", [1, -1, 2.0, True, "250", None])
def test_bad_ln_k(value):
    with pytest.raises(ParameterError, match=r"ln_k must be 0 \(no layer norm\) or an integer of at least 2"):
        check_ln_k(value)


@pytest.mark.parametrize("value", [10**9 + 1, 2**70, 10**6000], ids=["1e9", "2^70", "1e6000"])
def test_an_ln_k_beyond_all_classes(value):
    with pytest.raises(ParameterError, match="ln_k must be at most 1,000,000,000"):
        MixParams(ln_k=value)


def test_the_papers_optima():
    """Table 3 and section 5.1."""
    optima = {name: (o.s, o.c, o.p, o.beta) for name, o in PAPER_OPTIMA.items()}
    assert optima == {
        "cifar10": (5.0, -1.1, 4.0, 0.985),
        "cifar100": (0.612, -2.14, 3.57, 0.985),
        "imagenet": (0.0235, -0.286, 2.71, 0.99),
    }
    assert {(o.clamp, o.ln_k, o.temperature) for o in PAPER_OPTIMA.values()} == {("gelu", 250, 0.0)}


def test_named_transforms():
    assert (IDENTITY.s, IDENTITY.p, IDENTITY.c, IDENTITY.clamp, IDENTITY.ln_k) == (1, 1, 0, "linear", 0)
    assert (LN_ONLY.s, LN_ONLY.p, LN_ONLY.c, LN_ONLY.clamp, LN_ONLY.ln_k) == (1, 1, 0, "linear", 250)


def test_one_exception_family():
    assert issubclass(ParameterError, MnutsError)
    assert issubclass(MnutsError, ValueError)


@pytest.mark.parametrize(("norm", "eps"), [("Linf", 8.0), ("Linf", 1.0), ("L2", 128.0), ("L2", 10.0)])
def test_a_radius_in_levels_of_255_is_asked_about(norm, eps):
    with pytest.raises(ParameterError, match=rf"got {eps:g}: was {eps:g}/255 meant\?"):
        check_eps(norm, eps)


def test_usual_radii_pass():
    assert [check_eps("Linf", 8 / 255), check_eps("Linf", 0.3), check_eps("L2", 5.0)] == [8 / 255, 0.3, 5.0]
