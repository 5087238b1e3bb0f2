"""Verification in the explorer: its points join the open bundle, every figure moves, and settings stay."""

from __future__ import annotations

import numpy as np
import pytest

from mnuts_core import LogitBundle, RemixEngine
from mnuts_core.pipeline.verified_points import add_verified, points_of
from mnuts_dashboards.bundles.verified import key_of
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.verification.run import Outcome
from tests.conftest import DIGITS
from tests.synthetic import verified_by

N = 400


class FakeRun:
    """An attack that breaks whatever it can by adding noise to logits."""

    def __init__(self, request):
        self.request, self.before = request, 0

    def work(self, progress):
        bundle, config = self.request.bundle, self.request.config
        rows, rng = bundle.require_attacked().index[:N], np.random.default_rng(0)
        logits = (bundle.clean_std_logits[rows], bundle.clean_rob_logits[rows])
        std, rob = (part + rng.normal(size=part.shape).astype(np.float32) * 4 for part in logits)
        eps = bundle.manifest.threat.eps
        found = verified_by(config.params, bundle.clean_labels[rows], std, rob, eps=eps)
        config = found.into(config)
        points = points_of(found, rows)
        return Outcome(config, add_verified(bundle, config, points), points)

    def cancel(self):
        pass


@pytest.fixture
def explorer(monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.verification.panel.Verification", FakeRun)
    made = Explorer(DIGITS)
    made.sent = []
    made.board.send = lambda content, buffers=None: made.sent.append((content, buffers))
    return made


def test_figures_move_and_settings_stay(explorer):
    explorer.state.set(s=1.5, c=-0.5)
    explorer.state.keep_snapshot()
    explorer.state.set(c=-0.6)
    before, remix, kept = explorer.opened, explorer.remix, explorer.state.snapshots
    explorer.verifier.start.click()  # no event loop: it is done at once
    after, engine = explorer.remix, explorer.opened.engine
    assert explorer.opened is not before
    assert engine.bundle.n_points > before.engine.bundle.n_points
    assert after.attacked.value < remix.attacked.value
    assert key_of(after.params) == key_of(remix.params), "what was verified is what is shown"
    assert explorer.state.snapshots == kept
    (known,) = (each for each in explorer.verifier.results.all() if each.params == after.params)
    assert after.attacked.value * engine.bundle.n_adv <= known.verified.successes + engine.bundle.n_adv - N
    assert known.config.bundle.digest == engine.bundle.digest
    assert explorer.config.verified == known.config.verified
    explorer.make(ALL)
    assert f"{100 * after.attacked.value:.2f}" in explorer.header.headline.value
    assert explorer.header.banner.value == ""


def test_results_from_before_and_another_verification_stay(explorer):
    shipped, before = len(explorer.verifier.results.all()), explorer.opened.engine.bundle.manifest.attacks
    explorer.verifier.start.click()
    explorer.state.c = explorer.state.c - 0.1
    explorer.verifier.start.click()
    assert len(explorer.verifier.results.all()) >= shipped + 1
    new = explorer.opened.engine.bundle.manifest.attacks[len(before) :]
    assert [source.verified for source in new] == [True, True]


def test_save_bundle_keeps_the_points(explorer, tmp_path):
    explorer.verifier.start.click()
    explorer.controls.save.click()
    content, (data,) = explorer.sent[-1]
    assert (content["type"], content["filename"]) == ("download", "mnuts-digits.safetensors")
    (tmp_path / "b.safetensors").write_bytes(bytes(data))
    saved = LogitBundle.load(tmp_path / "b.safetensors")
    assert saved.digest == explorer.opened.engine.bundle.digest
    assert RemixEngine(saved).remix(explorer.remix.params).attacked == explorer.remix.attacked


def test_a_bundle_too_large_for_a_page_is_refused(explorer, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.explorer.actions.MAX_BUNDLE", 1000)
    explorer.controls.save.click()
    assert not [content for content, _ in explorer.sent if content["type"] == "download"]
    assert "mnuts evaluate --into" in explorer.header.banner.value


def test_a_bundle_with_points_is_not_closed_for_others(explorer):
    explorer.verifier.start.click()
    opened = explorer.opened
    for number in range(5):
        explorer.session.keep(f"other {number}", explorer.opened)
    assert explorer.session.open(explorer.state.bundle) is opened
