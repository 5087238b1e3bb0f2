"""Mixing (Eq. 1, 5, 8) against NumPy and against the authors' `NonLinMixedClassifier`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mnuts_core import (
    ConfigError,
    MixConfig,
    MixedClassifier,
    MixParams,
    ParameterError,
    mix_probabilities,
    temperature_scale,
)
from mnuts_core.export.cards import AuxiliaryCard
from mnuts_core.export.classifier import straight_through
from mnuts_core.functional.mixing import mixed_logits, transform_with
from mnuts_core.params import IDENTITY
from tests import reference

PARAMS = MixParams(s=2.5, p=3.0, c=-0.8, alpha=0.87)


class Net(nn.Module):
    """A small nonlinear classifier of vectors."""

    def __init__(self, seed: int, k: int = 6, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.inner, self.outer = nn.Linear(8, 12, dtype=dtype), nn.Linear(12, k, dtype=dtype)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 4 * self.outer(torch.tanh(self.inner(images)))


@pytest.fixture
def models() -> tuple[Net, Net]:
    return Net(1).eval(), Net(2).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(50, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


class TestTemperature:
    def test_zero_is_one_hot(self):
        g = torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
        assert temperature_scale(g, 0.0).softmax(1).tolist() == [[0, 1, 0], [1, 0, 0]]

    def test_positive_divides(self):
        g = torch.tensor([[1.0, 3.0]])
        assert temperature_scale(g, 0.5).tolist() == [[2.0, 6.0]]

    def test_zero_is_the_limit(self, models, images):
        g = models[0](images).detach()
        torch.testing.assert_close(
            temperature_scale(g, 1e-4).softmax(1), temperature_scale(g, 0.0).softmax(1), atol=1e-6, rtol=0
        )

    @pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf"), "0"])
    def test_bad(self, bad):
        with pytest.raises(ParameterError, match="temperature must"):
            temperature_scale(torch.zeros(1, 2), bad)


class TestMixProbabilities:
    def test_by_hand(self):
        mixed = mix_probabilities(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 0.8]]), 0.75)
        assert mixed.tolist() == [pytest.approx([0.4, 0.6])]

    def test_wider_dtype(self):
        mixed = mix_probabilities(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]).double(), 0.5)
        assert mixed.dtype == torch.float64

    @pytest.mark.parametrize("alpha", [0.49, 1.01, float("nan"), None])
    def test_bad_alpha(self, alpha):
        with pytest.raises(ParameterError, match=r"alpha must .* \[0.5, 1\]"):
            mix_probabilities(torch.zeros(2), torch.zeros(2), alpha)

    def test_shapes_must_match(self):
        with pytest.raises(ParameterError, match=r"same shape, got \(2, 3\) and \(3,\)"):
            mix_probabilities(torch.zeros(2, 3), torch.zeros(3), 0.5)


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("clamp", ["gelu", "linear"])
def test_mixed_logits_against_numpy(models, images, temperature, clamp):
    params = PARAMS.with_(temperature=temperature, clamp=clamp, ln_k=4)
    g, h = (model(images).detach() for model in models)
    rob = reference.softmax(reference.transform(h, params.s, params.p, params.c, clamp, 4))
    expected = reference.mixed_probabilities(reference.std_probabilities(g, temperature), rob, params.alpha)
    np.testing.assert_allclose(mixed_logits(g, h, params).exp(), expected, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 0.6, 0.75, 0.9, 0.999])
def test_the_hard_rule_is_the_full_mix(models, images, alpha):
    g, h = (model(images).detach() for model in models)
    rob = transform_with(h, PARAMS).softmax(1)
    full = mixed_logits(g, h, PARAMS.with_(alpha=alpha)).argmax(1)
    assert full.tolist() == reference.hard_rule(g, rob.numpy(), alpha).tolist()
    assert (full == rob.argmax(1)).sum() > 0


def test_a_tie_is_the_standard_models():
    """At α = 1/2 a robust probability that is 1 in float64 ties with the one-hot: the rule says ŷ_std."""
    g = torch.tensor([[0.0, 0.0, 9.0]], dtype=torch.float64)
    h = torch.tensor([[9.0, 0.0, 0.0]], dtype=torch.float64)
    params = MixParams(s=1e4, p=4.0, c=0.0, alpha=0.5)
    assert transform_with(h, params).softmax(1).tolist() == [[1.0, 0.0, 0.0]]
    assert mixed_logits(g, h, params).argmax(1).tolist() == [2]


class TestAgainstTheAuthors:
    """RobustBench's `NonLinMixedClassifier`, made to compute in float64."""

    def theirs(self, authors, models, params, alpha_d):
        maps = authors.maps
        std_map = maps.HardMaxMap() if params.temperature == 0 else maps.ScaleMap(1 / params.temperature)
        settings = {
            "std_map": std_map,
            "rob_map": maps.LNClampPowerScaleMap(params.s, params.p, params.c, ln_k=params.ln_k),
            "alpha": params.alpha,
            "alpha_diffable": alpha_d,
        }
        return authors.mixing.NonLinMixedClassifier(*models, settings)

    @pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize("ln_k", [3, 250])
    @pytest.mark.parametrize("alpha", [0.5, 0.87, 0.9987500602493457])
    def test_values(self, authors, in_float64, models, images, temperature, ln_k, alpha):
        params = PARAMS.with_(temperature=temperature, ln_k=ln_k, alpha=alpha)
        ours = MixedClassifier(*models, params, alpha_d=0.957)
        theirs = self.theirs(authors, models, params, 0.957)
        with torch.no_grad():
            mixed, auxiliary, _ = theirs(images, return_all=True)
            torch.testing.assert_close(ours(images), mixed, atol=1e-9, rtol=0)
            mine = ours.auxiliary_logits(models[0](images), models[1](images))
        torch.testing.assert_close(mine, auxiliary, atol=1e-9, rtol=0)

    def test_gradient_is_that_of_their_differentiable_output(self, authors, in_float64, models, images):
        weights = torch.randn(50, 6, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
        theirs = self.theirs(authors, models, PARAMS, 0.957)
        ours = MixedClassifier(*models, PARAMS, alpha_d=0.957)
        gradients = []
        for forward in (lambda x: theirs(x, return_all=True)[1], ours):
            x = images.clone().requires_grad_()
            (forward(x) * weights).sum().backward()
            gradients.append(x.grad)
        torch.testing.assert_close(gradients[1], gradients[0], atol=1e-9, rtol=1e-9)
        assert gradients[0].abs().max() > 1e-3


class TestMixedClassifier:
    def test_straight_through(self):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        out = straight_through(torch.tensor([10.0, 20.0]), x**2)
        assert out.tolist() == [10.0, 20.0]
        out.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [2.0, 4.0]

    def test_values_of_the_mix_gradient_of_the_auxiliary(self, models, images):
        mixed = MixedClassifier(*models, PARAMS, alpha_d=0.9)
        x = images.clone().requires_grad_()
        out = mixed(x)
        with torch.no_grad():
            torch.testing.assert_close(out.detach(), mixed(images), atol=1e-9, rtol=0)
        gradient = torch.autograd.grad(out[:, 2].sum(), x)[0]
        auxiliary = mixed.auxiliary_logits(models[0](x), models[1](x))
        torch.testing.assert_close(gradient, torch.autograd.grad(auxiliary[:, 2].sum(), x)[0])
        assert gradient.abs().max() > 1e-3

    def test_auxiliary_by_hand(self, models, images):
        g, h = (model(images).detach() for model in models)
        mixed = MixedClassifier(*models, PARAMS, alpha_d=0.8, r_d=0.7)
        sharp = reference.softmax(reference.transform(h, PARAMS.s, PARAMS.p, PARAMS.c))
        soft_g, soft_h = reference.softmax(g.numpy()), reference.softmax(h.numpy())
        expected = np.log(0.2 * soft_g + 0.8 * (0.7 * soft_h + 0.3 * sharp))
        np.testing.assert_allclose(mixed.auxiliary_logits(g, h), expected, atol=1e-12)

    def test_defaults_of_the_auxiliary(self, models):
        mixed = MixedClassifier(*models, PARAMS)
        assert (mixed.alpha_d, mixed.r_d) == (PARAMS.alpha, 0.9)

    def test_dtype_of_the_base_models_and_finite_logits(self, images):
        models = Net(1, dtype=torch.float32).eval(), Net(2, dtype=torch.float32).eval()
        sharp = MixParams(s=50, p=8, c=0, alpha=1.0)
        out = MixedClassifier(*models, sharp)(images.float())
        assert out.dtype == torch.float32
        assert torch.isfinite(out).all()  # probabilities of exactly 0 included

    def test_no_transform_is_the_plain_mix(self, models, images):
        plain = MixedClassifier(*models, IDENTITY.with_(alpha=0.7, temperature=1.0))
        g, h = (reference.softmax(model(images).detach().numpy()) for model in models)
        with torch.no_grad():
            np.testing.assert_allclose(plain(images), np.log(0.3 * g + 0.7 * h), atol=1e-12)

    def test_parameters_of_both_models_are_its_own(self, models):
        mixed = MixedClassifier(*models, PARAMS)
        assert len(list(mixed.parameters())) == 8
        assert "alpha=0.87" in repr(mixed)

    def test_alpha_must_be_set(self, models):
        with pytest.raises(ParameterError, match=r"alpha must be a number .* got None.*with_\(alpha"):
            MixedClassifier(*models, PARAMS.with_(alpha=None))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"r_d": 1.5}, r"r_d must lie in \[0, 1\], got 1.5"),
            ({"r_d": float("nan")}, "r_d must"),
            ({"alpha_d": 0.3}, r"alpha must lie in \[0.5, 1\], got 0.3"),
        ],
    )
    def test_bad_weights(self, models, change, message):
        with pytest.raises(ParameterError, match=message):
            MixedClassifier(*models, PARAMS, **change)


class TestFromConfig:
    def test_the_same_classifier(self, tmp_path, models, images):
        auxiliary = AuxiliaryCard(alpha_d=0.95, r_d=0.8)
        config = MixConfig.from_params(PARAMS.with_(ln_k=5)).model_copy(update={"auxiliary": auxiliary})
        loaded = MixedClassifier.from_config(config.save(tmp_path / "mix.json"), *models)
        direct = MixedClassifier(*models, PARAMS.with_(ln_k=5), alpha_d=0.95, r_d=0.8)
        assert (loaded.alpha_d, loaded.r_d) == (0.95, 0.8)
        with torch.no_grad():
            assert torch.equal(loaded(images), direct(images))

    def test_without_an_auxiliary_part(self, tmp_path, models):
        path = MixConfig.from_params(PARAMS).save(tmp_path / "mix.json")
        loaded = MixedClassifier.from_config(path, *models)
        assert (loaded.alpha_d, loaded.r_d) == (PARAMS.alpha, 0.9)

    def test_missing_file(self, tmp_path, models):
        with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.json"):
            MixedClassifier.from_config(tmp_path / "nowhere.json", *models)
