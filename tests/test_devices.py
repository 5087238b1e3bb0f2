"""Where to compute."""

from __future__ import annotations

import pytest
import torch

from mnuts_core import MixedClassifier, MixParams, ParameterError, Plan
from mnuts_core.attacks.margin_attacks import MARGIN_ATTACKS
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.devices import handed_to, home_of, one_thread, resolve_device
from mnuts_core.models.predict import predict
from mnuts_core.pipeline.verify import evaluate
from tests.no_float64 import MPS, fake_mps

HAS_GPU = torch.cuda.is_available()


def test_names():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    assert resolve_device().type == ("cuda" if HAS_GPU else "cpu")


@pytest.mark.parametrize("bad", ["abacus", "meta", "", 1.5, None])
def test_bad_names(bad):
    with pytest.raises(ParameterError, match="device must be auto, cpu, cuda, cuda:N or mps, got "):
        resolve_device(bad)


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU here")
def test_no_gpu():
    with pytest.raises(ParameterError, match="torch sees no GPU: use auto or cpu"):
        resolve_device("cuda")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ParameterError, match=r"'cuda:2' was asked for, but torch sees 2 GPU"):
        resolve_device("cuda:2")


def test_one_thread():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == before


class TestAppleGpu:
    """Models on `mps`, all else on the CPU: what a stand-in for such a device shows."""

    N = 6
    PARAMS = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)

    @pytest.fixture
    def there(self, monkeypatch):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    @pytest.fixture
    def data(self):
        images, labels = load_digits_split()[1]
        return images[: self.N].float(), labels[: self.N]

    def test_it_must_be_there_and_is_never_chosen_by_itself(self, monkeypatch):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        with pytest.raises(ParameterError, match="torch sees no Apple GPU: use auto or cpu"):
            resolve_device("mps")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        assert resolve_device("mps") == MPS
        assert resolve_device("auto").type == ("cuda" if HAS_GPU else "cpu")
        assert (home_of("mps").type, home_of("cuda:1"), home_of("cpu").type) == (
            "cpu",
            torch.device("cuda:1"),
            "cpu",
        )

    def test_the_stand_in_keeps_its_rules(self):
        with fake_mps():
            tensor = torch.ones(2).to("mps")
            assert tensor.device == MPS
            assert (tensor + 1).device == MPS
            assert tensor.cpu().device.type == tensor.to("cpu").double().device.type == "cpu"
            with pytest.raises(TypeError, match="float64"):
                tensor.double()
            with pytest.raises(RuntimeError, match="same device"):
                tensor + torch.ones(2)

    def test_images_are_handed_to_models_there_and_to_no_others(self, data):
        std, rob = load_digits_models()
        images, _ = data
        with fake_mps(rob):
            assert handed_to(rob, images).device == MPS
            assert handed_to(std, images) is images
            assert handed_to(lambda images: images, images) is images

    def test_passes(self, there, data):
        std, _ = load_digits_models()
        expected = predict(std, data[0])
        with fake_mps(std):
            found = predict(std, data[0], device="mps")
            assert found.device.type == "cpu"
        torch.testing.assert_close(found, expected)

    def test_minimum_margins(self, there, data):
        _, rob = load_digits_models()
        images, labels = data
        for name, more in (("mmaa", {"n_iter": 2, "n_targets": 1}), ("square", {"n_queries": 5})):
            attack = MARGIN_ATTACKS[name](norm="Linf", eps=EPS, **more)
            given = (images, labels, torch.arange(self.N))
            options = {"batch_size": 4, "progress": None}
            expected = attack.run(rob, *given, device=torch.device("cpu"), **options)
            _, moved = load_digits_models()
            with fake_mps(moved):
                found = attack.run(moved, *given, device=MPS, **options)
            torch.testing.assert_close(found.images, expected.images)
            torch.testing.assert_close(found.margin, expected.margin)

    def test_an_attack_on_a_mix(self, there, data):
        plan = Plan(norm="Linf", eps=EPS, n_iter=1, effort="frugal", surrogates=("bypass",))

        def run(*models):
            mix = MixedClassifier(*models, self.PARAMS, alpha_d=0.925)
            return evaluate(mix, *data, plan=plan, batch_size=4)

        expected = run(*load_digits_models())
        models = load_digits_models()
        with fake_mps(*models):
            found = run(*models)
            with pytest.raises(ParameterError, match="precision must be 'full' on mps, got 'bfloat16'"):
                evaluate(
                    MixedClassifier(*models, self.PARAMS),
                    *data,
                    plan=Plan(norm="Linf", eps=EPS, precision="bfloat16"),
                )
        assert found.fell.tolist() == expected.fell.tolist()
        torch.testing.assert_close(found.points, expected.points)

    def test_a_mix_of_ones_own_there(self, data):
        """Outside the project's pipelines, images may stand there, too: so does the answer."""
        models = load_digits_models()
        expected = MixedClassifier(*models, self.PARAMS)(data[0])
        with fake_mps(*models):
            leaf = data[0].to("mps").requires_grad_()
            found = MixedClassifier(*models, self.PARAMS)(leaf)
            assert (found.device, found.dtype) == (MPS, torch.float32)
            (gradient,) = torch.autograd.grad(found.sum(), leaf)
            assert gradient.abs().max() > 0
            torch.testing.assert_close(found.cpu(), expected)
