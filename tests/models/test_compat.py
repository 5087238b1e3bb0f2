"""The mix as a drop-in model: RobustBench's benchmark, the library's AutoAttack, dtypes, and copies."""

from __future__ import annotations

import copy
import logging
import shutil
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mnuts_core import MixConfig, MixedClassifier, MixParams
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.models.compat import (
    RobustBenchAutoAttack,
    attack_library,
    import_robustbench,
    library_warnings,
)

N = 24
LARGE = 0.7
"""A radius at which AutoAttack is soon done."""
C_COMPILER = (
    any(map(shutil.which, ("cc", "gcc", "clang")))
    and Path(sysconfig.get_path("include"), "Python.h").exists()
)


@pytest.fixture
def mix(tmp_path) -> MixedClassifier:
    """Through a configuration file, as a user has it."""
    config = MixConfig.from_params(MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94))
    return MixedClassifier.from_config(config.save(tmp_path / "mix.json"), *load_digits_models()).eval()


@pytest.fixture(scope="module")
def data() -> SimpleNamespace:
    images, labels = load_digits_split()[1]
    return SimpleNamespace(images=images[:N].float(), labels=labels[:N])


def quick(attack):
    """AutoAttack with its first component alone and a few steps, for tests of what surrounds it."""
    attack.attacks_to_run = ["apgd-ce"]
    return attack


class TestRobustBench:
    def test_benchmark_runs_without_changes(self, mix, data, monkeypatch, tmp_path, capsys):
        robustbench = import_robustbench()
        transposed = data.images.movedim(1, -1).contiguous().movedim(-1, 1)  # as its CIFAR loader gives them
        loaded = lambda *_: (transposed, data.labels)
        monkeypatch.setattr("robustbench.eval.load_clean_dataset", loaded)
        log = tmp_path / "log.txt"
        clean, robust = robustbench.benchmark(
            mix,
            n_examples=N,
            dataset="cifar10",
            threat_model="Linf",
            eps=LARGE,
            batch_size=N,
            log_path=str(log),
        )
        with torch.no_grad():
            right = (mix(data.images).argmax(1) == data.labels).float().mean()
        assert clean == pytest.approx(float(right))
        assert robust < 0.2
        assert "apgd-ce" in log.read_text()
        assert "Adversarial accuracy" in capsys.readouterr().out

    def test_the_adapter_returns_what_the_library_finds(self, mix, data):
        settings = {"norm": "Linf", "eps": EPS, "seed": 3, "version": "standard"}
        ours = RobustBenchAutoAttack(mix, log_path=None, device="cpu", **settings)
        quick(ours.attack)
        theirs = quick(attack_library().AutoAttack(mix, **settings))
        strided = data.images.movedim(1, -1).contiguous().movedim(-1, 1)
        points = ours.run_standard_evaluation(strided, data.labels, bs=12)
        expected, predicted = theirs.run_standard_evaluation(data.images, data.labels, batch_size=12)
        assert torch.equal(points, expected)
        assert 0 < (predicted == data.labels).sum() < N

    def test_the_library_alone_would_refuse_the_call(self, mix):
        with pytest.raises(TypeError, match="log_path"):
            attack_library().AutoAttack(mix, log_path=None)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_librarys_autoattack_takes_it_as_it_is(mix, data, norm):
    eps = {"Linf": EPS, "L2": 0.9}[norm]
    attack = quick(attack_library().AutoAttack(mix, norm=norm, eps=eps, seed=0))
    points, predicted = attack.run_standard_evaluation(data.images, data.labels)
    with torch.no_grad():
        assert torch.equal(mix(points).argmax(1), predicted)
        clean = (mix(data.images).argmax(1) == data.labels).sum()
    assert (predicted == data.labels).sum() <= clean - 4


class TestDropIn:
    @pytest.fixture(autouse=True)
    def in_float32(self):
        """A GPU may convolve in TF32: M(h) amplifies what is missing to some hundredths of a logit."""
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield

    def test_on_a_device(self, mix, data, device):
        expected = mix(data.images)
        found = mix.to(device)(data.images.to(device)).cpu()
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_dtypes(self, mix, data, dtype, device):
        expected = mix(data.images).argmax(1)
        cast = copy.deepcopy(mix).to(device, dtype)
        images = data.images.to(device, dtype).requires_grad_()
        out = cast(images)
        assert out.dtype == dtype
        assert out.isfinite().all()
        assert (out.argmax(1).cpu() == expected).sum() >= N - 1
        out.gather(1, data.labels.to(device).unsqueeze(1)).sum().backward()
        assert images.grad is not None
        assert images.grad.isfinite().all()
        assert (images.grad.flatten(1).abs().amax(1) > 0).sum() >= N - 2

    def test_autocast(self, mix, data, device):
        mix, images = mix.to(device), data.images.to(device)
        with torch.autocast(device, torch.bfloat16):
            out = mix(images)
        assert out.isfinite().all()
        assert (out.argmax(1) == mix(images).argmax(1)).sum() >= N - 1

    def test_data_parallel(self, mix, data, device):
        mix, images = mix.to(device), data.images.to(device)
        with torch.no_grad():
            torch.testing.assert_close(nn.DataParallel(mix)(images), mix(images), rtol=0, atol=1e-6)

    @pytest.mark.slow
    def test_compiled_as_one_graph(self, mix, data, device):
        """On a GPU into kernels, too."""
        if device != "cpu" and not C_COMPILER:
            pytest.skip("kernels need a C compiler and Python's headers")
        mix, given = mix.to(device), data.images.to(device)
        torch.compiler.reset()
        backend, tolerance = ("eager", 1e-5) if device == "cpu" else ("inductor", 1e-3)
        compiled = torch.compile(mix, backend=backend, fullgraph=True)
        with torch.no_grad():
            torch.testing.assert_close(compiled(given), mix(given), rtol=0, atol=tolerance)
        gradients = []
        for model in (compiled, mix):
            images = given.clone().requires_grad_()
            gradients.append(torch.autograd.grad(model(images)[:, 2].sum(), images)[0])
        torch.testing.assert_close(gradients[0], gradients[1], rtol=10 * tolerance, atol=tolerance)
        assert gradients[1].abs().max() > 1e-3

    def test_copies_and_states(self, mix, data):
        twin = copy.deepcopy(mix)
        with torch.no_grad():
            twin.rob_model.head[0].bias += 1.0
            assert not torch.equal(twin(data.images), mix(data.images))
            twin.load_state_dict(mix.state_dict())
            assert torch.equal(twin(data.images), mix(data.images))

    def test_gradients_reach_both_models(self, mix, data):
        mix(data.images).gather(1, data.labels.unsqueeze(1)).sum().backward()
        for model in (mix.std_model, mix.rob_model):
            assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_library_warnings_are_collected_and_not_printed(capsys):
    logger = logging.getLogger("auto-attack")
    with library_warnings() as raised:
        for text in ("zero gradient", "zero gradient", "randomized"):
            logger.warning(text)
        logger.debug("running")
    assert raised == ["zero gradient", "randomized"]
    assert capsys.readouterr().err == ""
    assert logger.propagate
