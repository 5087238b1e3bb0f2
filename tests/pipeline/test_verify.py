"""Verification: figures, points, resume, refusals, and every warning with its documented entry."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

import jsonschema
import pytest
import torch
from torch import Tensor, nn

from mnuts_core import MixConfig, MixedClassifier, MixParams, MnutsError, ParameterError
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.logit_warnings import CODES as LOGIT_CODES
from mnuts_core.bundles.manifest import ModelCard, ThreatModel
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.errors import Stopped
from mnuts_core.export.config import published_schema
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.statistics import share
from mnuts_core.pipeline import workfolder
from mnuts_core.pipeline.diagnostics import (
    CODES,
    diagnostics_of_config,
    diagnostics_of_inputs,
    diagnostics_of_result,
)
from mnuts_core.pipeline.distributed import World
from mnuts_core.pipeline.verified import ComponentResult, Verified
from mnuts_core.pipeline.verify import evaluate
from mnuts_core.pipeline.workfolder import WorkFolderError
from tests import ROOT

N = 20
PARAMS = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)
WARNINGS = ROOT / "docs" / "warnings.md"


class Setup(NamedTuple):
    mix: MixedClassifier
    images: Tensor
    labels: Tensor

    def run(self, **change: Any) -> Verified:
        settings = {"norm": "Linf", "eps": EPS, "n_iter": 2} | change
        names = [field.name for field in fields(Plan)]
        plan = Plan(**{name: settings.pop(name) for name in names if name in settings})
        return evaluate(self.mix, self.images, self.labels, plan=plan, **({"batch_size": 10} | settings))


@pytest.fixture
def setup() -> Setup:
    images, labels = load_digits_split()[1]
    return Setup(
        MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925), images[:N].float(), labels[:N]
    )


@pytest.fixture(scope="module")
def verified() -> Verified:
    images, labels = load_digits_split()[1]
    mix = MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925)
    return Setup(mix, images[:N].float(), labels[:N]).run()


def codes(result: Verified) -> set[str]:
    return {diagnostic.code for diagnostic in result.warnings}


def without_passes(components: tuple[ComponentResult, ...]) -> list[ComponentResult]:
    return [part._replace(passes=None) for part in components]


class TestResult:
    def test_figures_follow_from_points(self, setup, verified):
        with torch.no_grad():
            clean = setup.mix(setup.images).argmax(1) == setup.labels
            right = setup.mix(verified.points).argmax(1) == setup.labels
        assert verified.clean == share(int(clean.sum()), N, "clean")
        assert verified.accuracy == share(int(right.sum()), N, "verified")
        assert torch.equal(verified.predictions == setup.labels, right)
        assert 0 < right.sum() < clean.sum()

    def test_points_are_allowed_and_clean_where_nothing_was_found(self, setup, verified):
        assert (make_ball("Linf", EPS).distance(verified.points, setup.images) <= EPS + 1e-6).all()
        assert verified.points.min() >= 0
        assert verified.points.max() <= 1
        right = verified.predictions == setup.labels
        assert torch.equal(verified.points[right], setup.images[right])

    def test_components_add_up(self, verified):
        left = verified.clean.successes
        names = [part.name for part in verified.components]
        assert names == ["apgd-ce", "apgd-t", "fab-t", "square", "base-transfer"]
        for part in verified.components:
            left -= part.broken
            assert part.accuracy == share(left, N, "attacked")
        assert left == verified.accuracy.successes
        assert sum(part.broken > 0 for part in verified.components) >= 2

    def test_passes_are_counted(self, verified, setup):
        """Of the 20 images, those that are attacked cost three passes a run of two steps and its start."""
        parts = {part.name: part.passes for part in verified.components}
        attacked = verified.clean.successes
        assert parts["apgd-ce"].forward == parts["apgd-ce"].backward
        assert 2 * attacked < N * parts["apgd-ce"].forward <= 3 * attacked
        assert parts["square"].forward > 20 > parts["square"].backward == 0
        assert parts["base-transfer"].backward == pytest.approx(parts["base-transfer"].forward / 2), (
            "each run climbs one of both models"
        )
        total = [sum(each[way] for each in parts.values()) for way in range(2)]
        assert verified.passes == pytest.approx(total)

    def test_digest_and_settings(self, verified):
        arrays = {"points": verified.points.numpy(), "predictions": verified.predictions.numpy()}
        assert verified.digest == content_digest(arrays)
        wanted = {"attack": "transfer", "norm": "Linf", "eps": EPS, "n_iter": 2, "n_queries": 100, "n": N}
        assert wanted.items() <= verified.settings.items()
        assert {
            "alpha_d": 0.925,
            "r_d": 0.9,
            "seed": 0,
            "batch_size": 10,
        }.items() <= verified.settings.items()

    @pytest.mark.parametrize("attack", ["transfer", "bypass"])
    def test_reduced_precision_finds_about_as_much_and_is_judged_in_full(self, setup, attack):
        settings = {"attack": attack, "n_iter": 5, "batch_size": N}
        full = setup.run(**settings)
        reduced = setup.run(**settings, precision="bfloat16", channels_last=True)
        assert abs(reduced.accuracy.successes - full.accuracy.successes) <= 1
        assert reduced.settings["precision"] == "bfloat16"
        with torch.no_grad():
            right = setup.mix(reduced.points).argmax(1) == setup.labels
        assert reduced.accuracy.successes == int(right.sum())

    def test_goes_into_a_configuration(self, verified, tmp_path):
        config = verified.into(MixConfig.from_params(PARAMS))
        jsonschema.validate(json.loads(config.to_json()), published_schema())
        card = MixConfig.load(config.save(tmp_path / "mix.json")).verified
        assert card is not None
        assert card.accuracy.kind == "verified"
        assert (card.accuracy.n, card.accuracy.value) == (N, verified.accuracy.value)
        assert card.accuracy.ci95 == verified.accuracy.interval
        assert card.digest == verified.digest
        assert card.components["apgd-ce"] == verified.components[0].accuracy.value
        assert any("few-steps" in text for text in card.warnings)
        assert card.images == verified.settings["data_digest"]

    def test_the_configuration_keeps_which_images_fell(self, setup, verified):
        card = MixConfig.from_json(verified.into(MixConfig.from_params(PARAMS)).to_json()).verified
        assert card is not None
        assert card.outcomes is not None
        with torch.no_grad():
            clean = setup.mix(setup.images).argmax(1) == setup.labels
        assert card.outcomes.clean_right.tolist() == clean.tolist()
        assert card.outcomes.attacked_right.tolist() == (verified.predictions == verified.labels).tolist()

    @pytest.mark.parametrize("successes", [0, 20])
    def test_all_and_none_fit_into_a_card(self, verified, successes):
        fell = torch.full((20,), len(verified.components) if successes else 0)
        extreme = verified._replace(
            accuracy=share(successes, 20, "verified"), clean=share(20, 20, "clean"), fell=fell
        )
        card = extreme.into(MixConfig.from_params(PARAMS)).verified
        assert card is not None
        assert card.accuracy.value == successes / 20

    def test_another_seed_another_digest(self, setup, verified):
        assert setup.run(seed=1).digest != verified.digest  # TestResume holds the same seed to the digest

    def test_models_are_as_they_were(self, setup):
        setup.mix.train()
        setup.mix.rob_model.eval()
        setup.run(n_iter=1)
        assert setup.mix.std_model.training
        assert not setup.mix.rob_model.training
        assert all(parameter.requires_grad for parameter in setup.mix.parameters())
        assert all(parameter.grad is None for parameter in setup.mix.parameters())

    def test_bypass_and_float64_images(self, setup, verified):
        mine = setup._replace(images=setup.images.double()).run(attack="bypass")
        assert abs(mine.accuracy.successes - verified.accuracy.successes) <= 3
        assert mine.points.dtype == torch.float32

    @pytest.mark.slow
    def test_autoattack(self, setup):
        found = setup._replace(images=setup.images[:8], labels=setup.labels[:8]).run(
            attack="autoattack", n_iter=100, eps=0.7
        )
        assert [part.name for part in found.components] == ["apgd-ce", "apgd-t", "fab-t", "square"]
        assert found.accuracy.successes < found.clean.successes
        assert "few-steps" not in codes(found)


class TestFrugal:
    """It finds about what a full plan finds, for a fraction of the passes."""

    def test_tells_what_was_left_out_and_goes_on_where_it_was_cut(self, setup, tmp_path):
        frugal: dict[str, Any] = {"effort": "frugal", "n_iter": 5}
        whole = setup.run(**frugal)
        full = setup.run(n_iter=5)
        assert whole.settings["effort"] == "frugal"
        assert "frugal" in whole.attack
        assert codes(whole) == codes(full) | {"frugal"}
        assert abs(whole.accuracy.successes - full.accuracy.successes) <= 1
        assert sum(whole.passes) < 0.6 * sum(full.passes)
        cut = [0]

        def progress(done: int, total: int) -> None:
            cut[0] += done >= 3  # on the first batch, within Square
            if cut[0] > 3:
                raise CutError

        with pytest.raises(CutError):
            setup.run(**frugal, work_dir=tmp_path, progress=progress)
        again = setup.run(**frugal, work_dir=tmp_path)
        assert (again.digest, again.components) == (whole.digest, whole.components)


class CutError(Exception):
    """Somebody pressed the button."""


class TestResume:
    def cut_after(self, calls: int):
        left = [calls]

        def progress(done: int, total: int) -> None:
            left[0] -= 1
            if not left[0]:
                raise CutError

        return progress

    def test_progress_counts_components(self, setup):
        seen: list[tuple[int, int]] = []
        setup.run(n_iter=1, progress=lambda done, total: seen.append((done, total)))
        assert {total for _, total in seen} == {10}
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert {done for done, _ in seen} == set(range(11))

    @pytest.mark.parametrize("calls", [1, 40, 250])
    def test_a_cut_run_goes_on_and_ends_the_same(self, setup, verified, tmp_path, calls):
        with pytest.raises(CutError):
            setup.run(work_dir=tmp_path / "work", progress=self.cut_after(calls))
        done: list[int] = []
        again = setup.run(work_dir=tmp_path / "work", progress=lambda now, total: done.append(now))
        assert again.digest == verified.digest
        assert again.components == verified.components
        if calls == 250:
            assert done[0] > 0, "what was finished is not done again"

    def test_a_finished_run_is_only_read(self, setup, tmp_path):
        first = setup.run(work_dir=tmp_path, n_iter=1)
        assert setup.run(work_dir=tmp_path, n_iter=1, progress=self.cut_after(2)).digest == first.digest

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"seed": 1}, "seed: 0 → 1"),
            ({"eps": 0.1}, "eps: 0.1875 → 0.1"),
            ({"attack": "bypass"}, "attack: 'transfer' → 'bypass'"),
            ({"batch_size": 30}, "batch_size: 10 → 30"),
        ],
    )
    def test_other_settings_are_refused(self, setup, tmp_path, change, message):
        with pytest.raises(CutError):
            setup.run(work_dir=tmp_path, progress=self.cut_after(1))
        with pytest.raises(MnutsError, match=re.escape(message)):
            setup.run(work_dir=tmp_path, **change)

    def test_other_images_and_weights_are_refused(self, setup, tmp_path):
        with pytest.raises(CutError):
            setup.run(work_dir=tmp_path, progress=self.cut_after(1))
        with pytest.raises(MnutsError, match="data_digest"):
            setup._replace(images=setup.images.flip(0)).run(work_dir=tmp_path)
        with torch.no_grad():
            setup.mix.rob_model.head[0].bias += 1
        with pytest.raises(MnutsError, match="rob_digest"):
            setup.run(work_dir=tmp_path)

    @pytest.mark.parametrize(("fewer", "again"), [(10, 5), (15, 5), (9, 0)])
    def test_more_images_keep_whole_batches(self, setup, verified, tmp_path, fewer, again):
        few = setup._replace(images=setup.images[:fewer], labels=setup.labels[:fewer])
        few.run(work_dir=tmp_path)
        done: list[int] = []
        more = setup.run(work_dir=tmp_path, progress=lambda now, total: done.append(now))
        assert min(done) == again, "components of whole batches are not run again"
        assert (more.digest, more.components) == (verified.digest, verified.components)
        with pytest.raises(MnutsError, match="n: 20 → "):
            few.run(work_dir=tmp_path)

    @pytest.mark.parametrize("what", ["images", "labels"])
    def test_more_images_after_others_are_refused(self, setup, tmp_path, what):
        few = setup._replace(images=setup.images[:10], labels=setup.labels[:10])
        with pytest.raises(CutError):
            few.run(work_dir=tmp_path, progress=self.cut_after(1))
        changed = setup._replace(**{what: getattr(setup, what).flip(0)})
        with pytest.raises(MnutsError, match=r"n: 10 → 20; .*data_digest"):
            changed.run(work_dir=tmp_path)
        with pytest.raises(MnutsError, match=r"seed: 0 → 1; .*n: 10 → 20"):
            setup.run(work_dir=tmp_path, seed=1)

    @pytest.mark.parametrize("writes", [1, 2])
    def test_killed_while_it_takes_batches_over(self, setup, verified, tmp_path, monkeypatch, writes):
        """The batch is written and the settings are not, or both: either way what follows is right."""
        few = setup._replace(images=setup.images[:10], labels=setup.labels[:10])
        first = few.run(work_dir=tmp_path)
        left, write = [writes], workfolder.write_atomically

        def dying(*arguments):
            write(*arguments)
            left[0] -= 1
            if not left[0]:
                raise CutError

        monkeypatch.setattr(workfolder, "write_atomically", dying)
        with pytest.raises(CutError):
            setup.run(work_dir=tmp_path)
        monkeypatch.undo()
        if writes == 1:
            assert few.run(work_dir=tmp_path).digest == first.digest
        assert setup.run(work_dir=tmp_path).digest == verified.digest

    @pytest.mark.parametrize("kept", [0, 50, -5])
    def test_a_damaged_batch_is_attacked_again(self, setup, tmp_path, kept):
        first = setup.run(work_dir=tmp_path, n_iter=1)
        file = tmp_path / "batch-000001.safetensors"
        file.write_bytes(file.read_bytes()[:kept])
        done: list[int] = []
        again = setup.run(work_dir=tmp_path, n_iter=1, progress=lambda now, total: done.append(now))
        assert again.digest == first.digest
        assert set(done) == set(range(5, 11)), "all components of the second batch, and no other"

    def test_damaged_settings_are_refused_and_fresh_replaces_them(self, setup, tmp_path):
        first = setup.run(work_dir=tmp_path, n_iter=1)
        (tmp_path / "settings.json").write_text("[")
        with pytest.raises(WorkFolderError, match="give --fresh"):
            setup.run(work_dir=tmp_path, n_iter=1)
        assert setup.run(work_dir=tmp_path, n_iter=1, fresh=True).digest == first.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attack": "pgd"}, "attack must be one of transfer, bypass, autoattack, got 'pgd'"),
        ({"attack": "autoattack"}, "n_iter must be 100 for attack 'autoattack'.* got 2"),
        ({"n_iter": 0}, "n_iter must be an integer of at least 1"),
        ({"batch_size": 0}, "batch_size must"),
        ({"seed": -1}, "seed must"),
        ({"eps": 8}, None),
        ({"eps": -0.1}, r"eps must be a number in \(0, inf\)"),
        ({"norm": "L1"}, "norm must be one of Linf, L2"),
    ],
)
def test_refusals(setup, change, message):
    if message is None:  # a large ball is allowed
        assert setup.run(n_iter=1, **change).accuracy.successes == 0
        return
    with pytest.raises(ParameterError, match=message):
        setup.run(**change)


@pytest.mark.parametrize("plan", ["transfer", None, {"norm": "Linf", "eps": EPS}, Plan])
def test_a_plan_is_a_plan(setup, plan):
    with pytest.raises(ParameterError, match=r"plan must be Plan\(norm=\.\.\., eps=\.\.\.\), got ") as raised:
        evaluate(setup.mix, setup.images, setup.labels, plan=plan)
    assert "\n" not in str(raised.value)


def test_images_and_labels_must_fit(setup):
    with pytest.raises(ParameterError, match=r"images must lie in \[0, 1\], got 0 to 255"):
        setup._replace(images=setup.images * 255).run()
    with pytest.raises(ParameterError, match=r"images must lie in \[0, 1\].* let the model normalise"):
        setup._replace(images=(setup.images - 0.5) / 0.3).run()
    with pytest.raises(ParameterError, match=r"labels must lie in \[0, 10\), got 0 to 10"):
        setup._replace(labels=setup.labels.where(torch.arange(N) > 0, 10)).run()
    with pytest.raises(ParameterError, match="labels must have shape"):
        setup._replace(labels=setup.labels[:5]).run()


class Wrapped(nn.Module):
    """A base model with something done to its images or logits."""

    def __init__(self, model: nn.Module, before=lambda x: x, after=lambda x: x) -> None:
        super().__init__()
        self.model, self.before, self.after = model, before, after

    def forward(self, images: Tensor) -> Tensor:
        return self.after(self.model(self.before(images)))


class NaiveMix(MixedClassifier):
    def forward(self, images: Tensor) -> Tensor:
        return mixed_logits(self.std_model(images), self.rob_model(images), self.params).float()


class TestWarnings:
    def rebuilt(self, setup, kind=MixedClassifier, **wrap):
        bases = (Wrapped(base, **wrap).eval() for base in (setup.mix.std_model, setup.mix.rob_model))
        return setup._replace(mix=kind(*bases, PARAMS, alpha_d=0.925))

    def test_none_without_cause(self, verified):
        assert codes(verified) <= {"few-steps", "square-beats-white-box", "transfer-beats-white-box"}
        assert "few-steps" in codes(verified)

    def test_divided_twice(self, setup):
        found = setup._replace(images=setup.images / 255).run(n_iter=1, eps=0.001)
        assert {"inputs-too-dark", "low-clean-accuracy"} <= codes(found)

    def test_normalised_twice(self, setup):
        twice = self.rebuilt(setup, before=lambda images: (images - 0.47) / 0.25)
        assert "normalised-twice" in codes(twice.run(n_iter=1))

    def test_random(self, setup):
        noisy = self.rebuilt(setup, after=lambda logits: logits + 0.1 * torch.randn_like(logits))
        assert "random-model" in codes(noisy.run(n_iter=1))

    def test_training_mode(self, setup):
        setup.mix.rob_model.features.train()
        assert "training-mode" in codes(setup.run(n_iter=1))

    @pytest.mark.parametrize("attack", ["transfer", "bypass"])
    def test_zero_gradients(self, setup, attack):
        flat = self.rebuilt(setup, after=lambda logits: logits.round())
        found = [
            diagnostic
            for diagnostic in flat.run(n_iter=1, attack=attack).warnings
            if diagnostic.code == "zero-gradients"
        ]
        assert len(found) == 1
        assert f"at {N} of {N} clean images" in found[0].message

    @pytest.mark.parametrize("attack", ["transfer", "bypass"])
    @pytest.mark.parametrize("role", ["std_model", "rob_model"])
    def test_a_base_model_without_gradients_is_refused(self, setup, role, attack):
        bases = {name: getattr(setup.mix, name) for name in ("std_model", "rob_model")}
        bases[role] = Wrapped(bases[role], after=torch.Tensor.detach)
        message = (
            rf"{role} must let gradients through .* both models \(B\.2\.1\).*mnuts build --attack square"
        )
        with pytest.raises(ParameterError, match=message):
            setup._replace(mix=MixedClassifier(**bases, params=PARAMS)).run(n_iter=1, attack=attack)

    def test_square_beats_misled_gradients(self, setup):
        images, labels = load_digits_split()[1]
        naive = self.rebuilt(setup, kind=NaiveMix)._replace(images=images[:80].float(), labels=labels[:80])
        found = naive.run(n_iter=8, attack="bypass", batch_size=80)
        assert "square-beats-white-box" in codes(found)

    def test_witnesses(self):
        clean = share(900, 1000, "clean")
        assert diagnostics_of_result(clean, {"apgd-ce": 300, "square": 2, "base-transfer": 2}) == []
        found = diagnostics_of_result(clean, {"square": 3, "base-transfer": 3})
        assert [diagnostic.code for diagnostic in found] == [
            "square-beats-white-box",
            "transfer-beats-white-box",
        ]
        assert "square broke 3 of 1000" in found[0].message

    def test_autoattack_leaves_out_what_needs_more_classes(self, setup):
        plan, data = Plan(norm="Linf", eps=0.1, attack="autoattack"), (setup.images, setup.labels)
        found = {k: diagnostics_of_inputs(setup.mix, *data, plan, k) for k in (3, 4)}
        messages = {k: [one.message for one in diagnostics] for k, diagnostics in found.items()}
        assert "3 classes leave 2 targets, not 9; APGD-T is left out" in messages[3]
        assert "4 classes leave 3 targets, not 9" in messages[4]

    @pytest.mark.parametrize("classes", [3, 4])
    def test_few_classes(self, classes):
        torch.manual_seed(0)
        nets = [nn.Sequential(nn.Flatten(), nn.Linear(64, classes)).eval() for _ in range(2)]
        mix, images = MixedClassifier(*nets, PARAMS), torch.rand(6, 1, 8, 8)
        found = Setup(mix, images, mix(images).argmax(1)).run(n_iter=2, eps=0.1)
        messages = [
            diagnostic.message for diagnostic in found.warnings if diagnostic.code == "target-classes"
        ]
        assert messages == [f"{classes} classes leave {classes - 1} targets, not 9"]
        assert found.settings["n_targets"] == classes - 1

    def test_other_than_the_configuration(self):
        threat, digest = ThreatModel(norm="Linf", eps=0.1), "sha256:" + "0" * 64
        clean, estimate = share(950, 1000, "clean"), share(900, 1000, "clean")
        cards = [ModelCard(spec="a", digest=digest), ModelCard(spec="b", digest=digest)]
        others = [cards[0], ModelCard(spec="c", digest="sha256:" + "1" * 64)]
        raw = json.loads(MixConfig.from_params(PARAMS).to_json())
        raw |= {"threat": threat.model_dump(), "estimates": {"clean": estimate.to_json()}}
        config = MixConfig.from_json(json.dumps(raw))
        check = partial(diagnostics_of_config, config)
        assert check(threat, estimate, cards, cards) == []
        assert check(threat, estimate, [], others) == []
        found = check(ThreatModel(norm="L2", eps=0.1), clean, cards, others)
        assert [d.code for d in found] == ["other-threat-model", "other-model", "clean-accuracy-differs"]
        assert "robust model's weights (c) are not those of the bundle (b)" in found[1].message

    def test_every_warning_has_its_entry(self):
        entries = re.split(r"^## ", WARNINGS.read_text("utf-8"), flags=re.MULTILINE)[1:]
        by_name = {entry.partition("\n")[0].strip(): entry for entry in entries}
        assert set(by_name) == {*CODES, *LOGIT_CODES, "images-outside-0-1"}
        for name, entry in by_name.items():
            for part in ("**Raised when**", "**Meaning.**", "**Remedy.**"):
                assert part in entry, f"{name} lacks {part}"


class TestSharedWork:
    def test_two_processes_do_half_the_batches_each_and_both_get_the_whole(
        self, setup, verified, tmp_path, monkeypatch
    ):
        """Threads stand for processes, each with models of its own; a barrier for torchrun's."""
        meet, written = threading.Barrier(2, timeout=60), {}
        write = workfolder.WorkFolder.write

        def noted(work, number, arrays):
            written.setdefault(threading.get_ident(), set()).add(number)
            write(work, number, arrays)

        def run(rank: int) -> Verified:
            mix = MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925)
            return setup._replace(mix=mix).run(work_dir=tmp_path / "w", world=World(rank, 2))

        monkeypatch.setattr(workfolder.WorkFolder, "write", noted)
        monkeypatch.setattr(World, "wait", lambda self: meet.wait() if self.size > 1 else None)
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(run, range(2)))
        assert sorted(map(sorted, written.values())) == [[0], [1]]
        for result in both:
            assert result.digest == verified.digest
            # threads share the random state that Square draws from, so that its passes are other ones
            assert without_passes(result.components) == without_passes(verified.components)
            assert torch.equal(result.std_logits, verified.std_logits)

    def test_several_need_a_folder(self, setup):
        with pytest.raises(ParameterError, match="work_dir must be given for 2 processes"):
            setup.run(world=World(0, 2))


class TestAnytime:
    """Whole batches are done for good: what is told of them is what a run on them alone finds."""

    def test_the_bound_as_images_are_done(self, setup, verified):
        seen: list[list[bool]] = []

        def enough(right):
            seen.append(right.tolist())
            return False

        setup.run(enough=enough)
        final = (verified.predictions == verified.labels).tolist()
        assert seen == [final[:10], final]

    def test_enough_ends_it_and_the_rest_comes_later(self, setup, verified, tmp_path):
        first = setup._replace(images=setup.images[:10], labels=setup.labels[:10]).run()
        calls = [0]

        def count(done: int, total: int) -> None:
            calls[0] += done < 5

        early = setup.run(work_dir=tmp_path, enough=lambda right: len(right) >= 10, progress=count)
        assert (early.digest, early.settings, early.components) == (
            first.digest,
            first.settings,
            first.components,
        )
        assert codes(early) == codes(first) | {"stopped-early"}
        assert calls[0] > 0
        done: list[int] = []
        whole = setup.run(work_dir=tmp_path, progress=lambda now, total: done.append(now))
        assert min(done) == 5, "the first batch is not attacked again"
        assert (whole.digest, whole.components, whole.settings, whole.warnings) == (
            verified.digest,
            verified.components,
            verified.settings,
            verified.warnings,
        )
        again = setup.run(work_dir=tmp_path, enough=lambda right: True)
        assert again.digest == first.digest, "the same images are enough, though more are done"

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, partial(Stopped, 15)])
    def test_stopped_it_hands_over_what_is_done(self, setup, tmp_path, stop):
        first = setup._replace(images=setup.images[:10], labels=setup.labels[:10]).run()
        handed: list[Verified] = []

        def progress(done: int, total: int) -> None:
            if done == 7:
                raise stop()

        with pytest.raises((KeyboardInterrupt, Stopped)):
            setup.run(work_dir=tmp_path, progress=progress, on_stop=handed.append)
        assert [each.digest for each in handed] == [first.digest]
        assert "stopped-early" in codes(handed[0])

    def test_stopped_before_anything_is_done_it_hands_over_nothing(self, setup):
        handed: list[Verified] = []

        def progress(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            setup.run(progress=progress, on_stop=handed.append)
        assert not handed

    def test_two_processes_stop_at_the_same_images(self, setup, tmp_path, monkeypatch):
        """Each may have done more when the first batch is enough; both tell of that one."""
        meet = threading.Barrier(2)
        monkeypatch.setattr(World, "wait", lambda self: meet.wait() if self.size > 1 else None)

        def run(rank: int) -> Verified:
            mix = MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925)
            how: dict[str, Any] = {"batch_size": 5, "n_iter": 1, "enough": lambda right: len(right) >= 5}
            return setup._replace(mix=mix).run(work_dir=tmp_path / "w", world=World(rank, 2), **how)

        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(run, range(2))
        assert one.digest == two.digest
        assert len(one.labels) == 5
