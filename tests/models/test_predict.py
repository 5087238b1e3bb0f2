"""What base models may answer, and what becomes of it: in a build, an evaluation and a profile alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mnuts_core import MixedClassifier, MixParams, ParameterError
from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.attacks.plan import ATTACKS, Plan
from mnuts_core.attacks.square import square_margin_attack
from mnuts_core.bundles.manifest import DataCard, ModelCard
from mnuts_core.errors import Stopped
from mnuts_core.export.profiling import profile
from mnuts_core.models.predict import NO_CLASS, ask, predicted, refuse_unsound
from mnuts_core.pipeline.build import build_bundle, predict
from mnuts_core.pipeline.diagnostics import Diagnostic
from mnuts_core.pipeline.verify import evaluate
from tests.adaptive import run_component
from tests.synthetic import with_attack

N, K, EPS = 12, 5, 0.05
PARAMS = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)
IMAGES = 0.2 + 0.6 * torch.rand(N, 3, 4, 4, generator=torch.Generator().manual_seed(2))
DARK = IMAGES.clone()
DARK[[5, 9]] *= 0.01
"""Rows 5 and 9 are darker than any perturbation makes the others."""


class Changed(nn.Module):
    """A small network with something done to its images, or to its answer to them."""

    def __init__(
        self,
        seed: int = 0,
        before: Callable[[Tensor], Tensor] = lambda images: images,
        after: Callable[[Tensor, Tensor], Any] = lambda logits, images: logits,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, K))
        self.network[1].weight.data *= 10  # so that images differ in class
        self.before, self.after = before, after

    def forward(self, images: Tensor) -> Any:
        return self.after(self.network(self.before(images)), images)


STD, ROB = Changed(0).eval(), Changed(1).eval()
LABELS = ROB(IMAGES).argmax(dim=1)


def build(std: Any, rob: Any, images: Tensor = IMAGES, **change: Any) -> Any:
    settings: dict[str, Any] = {
        "norm": "Linf", "eps": EPS, "n_iter": 3, "batch_size": 4, "device": "cpu", "name": "tiny",
        "classes": tuple("abcde"), "data": DataCard(name="noise"),
        "std_card": ModelCard(spec="std"), "rob_card": ModelCard(spec="rob"),
    }  # fmt: skip
    return build_bundle(std, rob, images, LABELS, **with_attack(settings | change))


def verify(std: nn.Module, rob: nn.Module, images: Tensor = IMAGES, **change: Any) -> Any:
    mix = MixedClassifier(std, rob, PARAMS)
    labels = change.pop("labels", LABELS)
    settings: dict[str, Any] = {"norm": "Linf", "eps": EPS, "n_iter": 3} | change
    return evaluate(mix, images, labels, plan=Plan(**settings), batch_size=4)


def measure(std: nn.Module, rob: nn.Module) -> Any:
    return profile(MixedClassifier(std, rob, PARAMS), IMAGES, repeats=1)


def once_more_than(calls: int, answer: Callable[[Tensor], Any]) -> Callable[[Tensor, Tensor], Any]:
    """The true answer for so many passes, then another one."""
    seen = [0]

    def after(logits: Tensor, _: Tensor) -> Any:
        seen[0] += 1
        return logits if seen[0] <= calls else answer(logits)

    return after


def fail(_: Tensor) -> Tensor:
    raise KeyError("no such\nlayer")


STRANGE: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "tuple": (lambda x: (x, x), "got a tuple of 2.*returns the logits alone"),
    "dict": (lambda x: {"logits": x}, "got a dict with logits"),
    "list": (lambda x: [x], "got a list of 1"),
    "none": (lambda x: None, "got a NoneType"),
    "array": (lambda x: x.detach().numpy(), "got a ndarray"),
    "short": (lambda x: x[:-1], r"one row for each image, got shape \(\d+, 5\)"),
    "long": (lambda x: torch.cat([x, x]), r"one row for each image, got shape \(\d+, 5\)"),
    "one number": (lambda x: x[:, 0], r"one row for each image, got shape \(\d+,\)"),
    "three dimensions": (lambda x: x[:, :, None], r"got shape \(\d+, 5, 1\)"),
    "sparse": (lambda x: x.detach().to_sparse(), "got torch.sparse_coo"),
    "float16": (lambda x: x.half(), "float32 or float64, got float16"),
    "bfloat16": (lambda x: x.bfloat16(), "float32 or float64, got bfloat16"),
    "integers": (lambda x: x.long(), "float32 or float64, got int64"),
    "booleans": (lambda x: x > 0, "float32 or float64, got bool"),
    "complex": (lambda x: x.to(torch.complex64), "float32 or float64, got complex64"),
    "an error": (fail, "failed: KeyError"),
    "an exit": (lambda x: exit(3), "but it failed: SystemExit: 3"),
}


class TestStrangeAnswers:
    @pytest.mark.parametrize("name", STRANGE)
    @pytest.mark.parametrize("role", ["std_model", "rob_model"])
    @pytest.mark.parametrize("pipeline", [build, verify, measure])
    def test_every_pipeline_says_the_same_in_one_line(self, pipeline, role, name):
        answer, message = STRANGE[name]
        strange = Changed(0, after=lambda logits, _: answer(logits)).eval()
        pair = {"std_model": (strange, ROB), "rob_model": (STD, strange)}[role]
        with pytest.raises(ParameterError, match=message) as caught:
            pipeline(*pair)
        assert str(caught.value).startswith(role)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", ["tuple", "short", "float16", "an error"])
    @pytest.mark.parametrize("pipeline", [build, verify])
    @pytest.mark.parametrize("calls", [2, 5, 12])
    def test_in_a_later_batch_too(self, pipeline, name, calls):
        answer, message = STRANGE[name]
        with pytest.raises(ParameterError, match=message):
            pipeline(STD, Changed(1, after=once_more_than(calls, answer)).eval())

    @pytest.mark.parametrize("pipeline", [build, verify])
    def test_another_number_of_classes_later(self, pipeline):
        fewer = Changed(1, after=once_more_than(5, lambda logits: logits[:, :-1])).eval()
        with pytest.raises(
            ParameterError, match=r"rob_model must return logits of shape \(\d, 5\), one column"
        ):
            pipeline(STD, fewer)

    @pytest.mark.parametrize("pipeline", [build, verify])
    def test_gradients_that_fail_in_a_later_batch(self, pipeline):
        broken = Changed(1, after=once_more_than(9, lambda logits: logits.detach())).eval()
        with pytest.raises(ParameterError, match="must let gradients through to its images in every batch"):
            pipeline(broken, broken)

    def test_two_models_of_different_classes(self):
        other = nn.Sequential(nn.Flatten(), nn.Linear(48, K + 1))
        with pytest.raises(ParameterError, match=r"rob_model must return logits of shape \(12, 5\)"):
            MixedClassifier(STD, other, PARAMS)(IMAGES)

    def test_weights_of_another_kind_are_named(self):
        with pytest.raises(ParameterError, match=r"its weights are float16: convert them with .float\(\)"):
            build(Changed(0).half().eval(), ROB)

    def test_a_model_that_stays_in_training_mode_is_named(self):
        class Stubborn(nn.Sequential):
            def train(self, mode: bool = True) -> Stubborn:
                return super().train(True)

        model = Stubborn(nn.Flatten(), nn.BatchNorm1d(48), nn.Linear(48, K))
        with pytest.raises(ParameterError, match="it is in training mode, in spite of"):
            build(STD, model)

    def test_autocast_of_the_caller_is_no_fault(self):
        with torch.autocast("cpu", torch.bfloat16):
            assert ask("m", STD, IMAGES).dtype == torch.bfloat16
            assert MixedClassifier(STD, ROB, PARAMS)(IMAGES).dtype == torch.bfloat16

    def test_half_precision_throughout_is_no_fault(self):
        halves = (Changed(seed).to(torch.bfloat16) for seed in (0, 1))
        assert MixedClassifier(*halves, PARAMS)(IMAGES.bfloat16()).shape == (N, K)


class TestNaN:
    """A row that is not finite names no class: arg max says 0."""

    @staticmethod
    def spoiled(seed: int, value: float = torch.nan, where: Any = None) -> nn.Module:
        """Not finite for dark images, or where a function of the images says so."""
        dark = where or (lambda images: images.mean(dim=(1, 2, 3)) < 0.1)

        def after(logits: Tensor, images: Tensor) -> Tensor:
            bad = torch.zeros(K, dtype=torch.bool).index_fill(0, torch.tensor([2]), True)
            return logits.masked_fill(dark(images).unsqueeze(1) & bad, value)

        return Changed(seed, after=after).eval()

    def test_predicted(self):
        rows = torch.tensor([[1.0, 2.0], [torch.nan, 0.0], [0.0, torch.inf], [-torch.inf, 0.0]])
        assert predicted(rows).tolist() == [1, NO_CLASS, NO_CLASS, NO_CLASS]

    def test_the_mix_hides_none(self):
        """At T = 0 the arg max of NaN, and in M(h) the clip of infinity, would pass for an answer."""
        mix = MixedClassifier(STD, ROB, PARAMS)
        good, rows = torch.randn(3, K), torch.randn(3, K)
        rows[1, 2], rows[2, 0] = torch.nan, -torch.inf
        for pair in ((rows, good), (good, rows)):
            assert mix.mix_logits(*pair).isnan().all(dim=1).tolist() == [False, True, True]

    @pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
    @pytest.mark.parametrize("role", ["std_model", "rob_model"])
    @pytest.mark.parametrize("attack", ["mmaa", "square"])
    def test_a_build_stops_and_names_the_images(self, role, value, attack):
        models = {"std_model": STD, "rob_model": ROB}
        models[role] = self.spoiled(0 if role == "std_model" else 1, value)
        more = {"attack": attack, "n_iter": 100, "n_queries": 5} if attack == "square" else {}
        message = (
            rf"{role} must return finite logits, got NaN or infinity for 1 of 4 .*\(rows 5, counted from 0\)"
        )
        with pytest.raises(ParameterError, match=message):
            build(*models.values(), DARK, **more)

    def test_many_images_are_summed_up(self):
        with pytest.raises(ParameterError, match=r"m must .* for 8 of 9 images .*rows 1, 2, 3, 4, 5, \.\.\."):
            refuse_unsound("m", torch.arange(9) > 0, torch.arange(9))

    def test_too_large_for_float32_is_infinity_in_the_bundle(self):
        with pytest.raises(ParameterError, match="m must return finite logits"):
            predict(lambda x: x.double().flatten(1)[:, :2] * 1e300, IMAGES, device="cpu", name="m")

    @pytest.mark.parametrize("attack", [minimum_margin_attack, square_margin_attack])
    def test_near_an_image_is_enough_to_stop_a_build(self, attack):
        def moved(images: Tensor) -> Tensor:
            return (images[:, 0, 0, 0] - IMAGES[7, 0, 0, 0]).abs() > 1e-4

        near = {"images": IMAGES[7:8], "labels": LABELS[7:8], "indices": torch.tensor([7])}
        with pytest.raises(ParameterError, match=r"at points near 1 of 1 images .*rows 7"):
            attack(self.spoiled(1, where=moved), **near, eps=EPS, device="cpu")

    @pytest.mark.parametrize("role", [0, 1])
    def test_at_a_clean_image_it_counts_as_wrong(self, role):
        """Row 5's true class is the one that the arg max of NaN names."""
        pair = [STD, ROB]
        pair[role] = self.spoiled(role)
        labels = MixedClassifier(STD, ROB, PARAMS)(DARK).argmax(dim=1)
        labels[5] = 2
        found = verify(*pair, DARK, labels=labels, n_iter=1)
        assert found.predictions[[5, 9]].tolist() == [NO_CLASS, NO_CLASS]
        assert found.fell[[5, 9]].tolist() == [-1, -1]
        assert found.clean.successes == N - 2
        (diagnostic,) = [diagnostic for diagnostic in found.warnings if diagnostic.code == "not-finite"]
        assert "without an attack for 2 (rows 5, 9, counted from 0) of 12 images" in diagnostic.message

    @pytest.mark.parametrize("attack", ATTACKS)
    @pytest.mark.parametrize("role", [0, 1])
    def test_at_an_attacked_point_it_counts_as_broken(self, attack, role):
        """NaN at every point but the clean ones, and a tiny ball: nothing else breaks these images."""
        clean = MixedClassifier(STD, ROB, PARAMS)
        sure = [row for row in range(N) if verify_one(clean, row)][:3]
        images, labels = IMAGES[sure], clean(IMAGES[sure]).argmax(dim=1)

        def moved(batch: Tensor) -> Tensor:
            return (batch[:, None] != images[None]).flatten(2).any(dim=2).all(dim=1)

        pair = [STD, ROB]
        pair[role] = self.spoiled(role, where=moved)
        more = {"attack": attack, "eps": 1e-4, "n_iter": 100 if attack == "autoattack" else 2}
        found = verify(*pair, images, labels=labels, **more)
        assert found.clean.successes == 3
        assert found.accuracy.successes == 0
        assert found.predictions.tolist() == [NO_CLASS] * 3
        assert (found.points - images).abs().max() <= 1e-4 + 1e-6
        assert any(
            diagnostic.code == "not-finite" and "at an attacked point for 3" in diagnostic.message
            for diagnostic in found.warnings
        )

    @pytest.mark.parametrize(("component", "eps"), [("fab-t", 0.5), ("square", 1e-4)])
    def test_the_librarys_attacks_see_it_too(self, component, eps):
        """They go by the arg max: every image here is of class 0, which is that of a row of NaN."""
        clean = MixedClassifier(STD, ROB, PARAMS)
        images = IMAGES[[row for row in range(N) if verify_one(clean, row)][:3]]

        def rolled(logits: Tensor, batch: Tensor) -> Tensor:
            near = (batch[:, None] - images[None]).abs().flatten(2).amax(dim=2)
            own = classes[near.argmin(dim=1)]
            columns = (torch.arange(K) + own[:, None]) % K
            moved = (near.amin(dim=1) > 0).unsqueeze(1)
            return logits.gather(1, columns).masked_fill(moved & spoil, torch.nan)

        classes, spoil = clean(images).argmax(dim=1), torch.tensor(False)
        pair = [Changed(seed, after=rolled).eval() for seed in (0, 1)]
        mix, zeros = MixedClassifier(*pair, PARAMS).requires_grad_(False), torch.zeros(3, dtype=torch.long)
        plan = Plan(norm="Linf", eps=eps, n_iter=2)
        assert torch.equal(predicted(mix(images)), zeros)
        spoil.fill_(True)
        found = run_component(component, mix, images, zeros, torch.arange(3), plan, K)
        assert (predicted(mix(found)) == NO_CLASS).all()
        assert found.isfinite().all()

    def test_gradients_of_nan_lead_nowhere_and_are_reported(self):
        """sqrt at 0 has an infinite slope, and NaN behind a product with 0; the answers are finite."""

        def after(logits: Tensor, images: Tensor) -> Tensor:
            return logits + 0 * (images.flatten(1)[:, :1] * 0).sqrt()

        blind = Changed(1, after=after).eval()
        found = verify(STD, blind, attack="bypass")
        assert found.points.isfinite().all()
        (diagnostic,) = [diagnostic for diagnostic in found.warnings if diagnostic.code == "zero-gradients"]
        assert f"zero, or NaN, at {N} of {N}" in diagnostic.message
        assert not any(diagnostic.code == "not-finite" for diagnostic in found.warnings)
        assert np.isfinite(build(STD, blind).attacked.rob_logits).all()

    @pytest.mark.parametrize("role", ["std_model", "rob_model"])
    def test_a_profile_refuses_it(self, role):
        models = {"std_model": STD, "rob_model": ROB} | {
            role: self.spoiled(0, where=lambda x: x[:, 0, 0, 0] > 0)
        }
        with pytest.raises(ParameterError, match=f"{role} must return finite logits"):
            measure(*models.values())


def verify_one(mix: MixedClassifier, row: int) -> bool:
    """Whether the mix is so sure of an image that a tiny perturbation changes nothing."""
    with torch.no_grad():
        near = IMAGES[row] + 1e-3 * torch.randn(50, 3, 4, 4, generator=torch.Generator().manual_seed(row))
        return bool((mix(near).argmax(dim=1) == mix(IMAGES[row : row + 1]).argmax(dim=1)).all())


class TestCopies:
    """A model may change what it is given, and use one buffer for all its answers."""

    @staticmethod
    def halve(images: Tensor) -> Tensor:
        images *= 0.5
        return images.add_(0.25)

    @pytest.mark.parametrize("role", [0, 1])
    @pytest.mark.parametrize("attack", ["mmaa", "square"])
    def test_in_place_gives_what_a_copy_gives(self, role, attack):
        more = {"attack": attack, "n_iter": 100, "n_queries": 5} if attack == "square" else {}
        bundles = []
        for before in (self.halve, lambda images: images * 0.5 + 0.25):
            pair, images = [STD, ROB], IMAGES.clone()
            pair[role] = Changed(role, before=before).eval()
            bundles.append(build(*pair, images, **more))
            assert torch.equal(images, IMAGES)
        assert bundles[0].digest == bundles[1].digest

    @pytest.mark.parametrize("role", [0, 1])
    def test_in_an_evaluation(self, role):
        digests = []
        for before in (self.halve, lambda images: images * 0.5 + 0.25):
            pair, images = [STD, ROB], IMAGES.clone()
            pair[role] = Changed(role, before=before).eval()
            digests.append(verify(*pair, images).digest)
            assert torch.equal(images, IMAGES)
        assert digests[0] == digests[1]

    def test_one_buffer_for_all_answers(self):
        buffer = torch.zeros(4, K)

        def after(logits: Tensor, _: Tensor) -> Tensor:
            return logits if logits.requires_grad else buffer[: len(logits)].copy_(logits)

        torch.testing.assert_close(
            predict(Changed(0, after=after), IMAGES, batch_size=4, device="cpu"),
            predict(STD, IMAGES, batch_size=4, device="cpu"),
        )


class TestDiagnosticsOfABuild:
    def seen(self, std: nn.Module, rob: nn.Module, images: Tensor = IMAGES, **change: Any) -> dict[str, str]:
        diagnostics: list[Diagnostic] = []
        build(std, rob, images, on_diagnostic=diagnostics.append, **change)
        return {diagnostic.code: diagnostic.message for diagnostic in diagnostics}

    def test_none_without_cause(self):
        assert self.seen(ROB, ROB) == {}

    def test_random(self):
        noisy = Changed(0, after=lambda logits, _: logits + 0.1 * torch.randn_like(logits)).eval()
        assert self.seen(noisy, ROB)["random-model"].startswith("std_model: two passes")
        assert self.seen(ROB, noisy)["random-model"].startswith("rob_model: two passes")

    def test_normalised_twice(self):
        twice = Changed(1, before=lambda images: (images - 0.5) / 0.5).eval()
        assert self.seen(twice, ROB, batch_size=N)["normalised-twice"].startswith("std_model: ")

    def test_training_mode(self):
        assert "training-mode" in self.seen(ROB, Changed(1).train())

    def test_too_dark_of_all_images(self):
        assert "inputs-too-dark" in self.seen(ROB, ROB, IMAGES / 255)
        half = torch.cat([IMAGES[:6] / 255, IMAGES[6:]])
        assert "inputs-too-dark" not in self.seen(ROB, ROB, half)

    def test_zero_gradients_where_gradients_are_followed(self):
        flat = Changed(1, after=lambda logits, _: logits.round()).eval()
        assert "at 4 of 4 clean images" in self.seen(ROB, flat)["zero-gradients"]
        assert self.seen(ROB, flat, attack="square", n_iter=100, n_queries=2) == {}
        assert self.seen(ROB, flat, n_adv=0) == {}

    def test_grey_images_in_a_network_for_colour(self):
        class Grey(Changed):
            def forward(self, images: Tensor) -> Tensor:
                return super().forward((images - torch.full((3, 1, 1), 0.1)) / 0.9)

        one = nn.Sequential(nn.Conv2d(1, 3, 1), Changed(1))
        grey = IMAGES[:, :1].clone()
        assert self.seen(Grey(0), one, grey)["grey-images"].startswith("std_model ")
        assert "grey-images" not in self.seen(one, one, grey)
        assert "grey-images" not in self.seen(Grey(0), ROB)

    def test_a_model_without_gradients_is_refused_before_anything_else(self):
        blind = Changed(1, after=lambda logits, _: logits.detach()).eval()
        with pytest.raises(ParameterError, match="rob_model must let gradients through"):
            self.seen(ROB, blind)


def test_a_process_that_is_asked_to_end_during_a_pass_ends():
    """A model's own SystemExit is one line; SIGTERM in the middle of its forward pass is no fault of it."""

    def exits(_):
        raise SystemExit(1)

    def is_stopped(_):
        raise Stopped(15)

    with pytest.raises(ParameterError, match="g must take images"):
        ask("g", exits, torch.zeros(1, 1, 2, 2))
    with pytest.raises(Stopped) as stop:
        ask("g", is_stopped, torch.zeros(1, 1, 2, 2))
    assert stop.value.code == 143
