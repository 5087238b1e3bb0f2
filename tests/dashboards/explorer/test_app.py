"""The explorer as a whole, without a browser: what it opens on, bundles, errors, and what Python can set."""

import json

import pytest
import torch

from mnuts_core import BundleError, MixConfig, MixParams, ParameterError, RemixEngine, grid_search
from mnuts_dashboards.bundles.open_bundles import Session
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.widgets.background import Cancelled, Job
from tests.synthetic import clean_only

MOVING = ALL - {"margins"}  # the base models' margins move with no slider


def test_it_opens_on_the_best_mix_of_the_first_bundle(explorer, bundle):
    assert explorer.state.bundle == "made-up"
    best = grid_search(bundle, explorer.opened.grids["cifar10"]).best.params.with_(alpha=None)
    assert explorer.state.params == best
    assert explorer.header.banner.value == ""


def test_every_panel_is_made(explorer):
    made = explorer.make(ALL)
    assert set(made) == MOVING
    assert all(figure["data"] for figure in made.values())
    assert explorer.board._figures["margins"]["data"]


def test_only_visible_panels_are_made(explorer):
    assert set(explorer.make(frozenset({"plane"}))) == {"plane"}


def test_export_is_the_configuration(explorer, tmp_path):
    explorer.controls.export.click()
    content, buffers = explorer.sent[-1]
    assert content["type"] == "download"
    text = bytes(buffers[0]).decode()
    assert json.loads(text)["bundle"]["digest"] == explorer.opened.engine.bundle.digest
    loaded = MixConfig.from_json(text)
    assert loaded.estimates == explorer.config.estimates
    assert RemixEngine(explorer.opened.engine.bundle).remix(loaded.params).clean == explorer.remix.clean


def test_a_wrong_setting_shows_a_banner_and_keeps_the_view(explorer):
    before = explorer.header.headline.value
    explorer.state.ln_k = 1
    assert explorer.make(ALL) == {}
    assert "ln_k must be 0" in explorer.header.banner.value
    assert explorer.header.headline.value == before
    explorer.state.ln_k = 250
    assert explorer.make(ALL)
    assert explorer.header.banner.value == ""


def test_a_saturated_mix_is_warned_of_and_keeps_nothing(explorer):
    explorer.state.set(s=10.0, p=8.0, c=2.0)
    explorer.make(ALL)
    assert "Numerically saturated" in explorer.header.headline.value
    assert explorer.remix.by_margin.successes == 0
    assert explorer.config.warnings


def test_an_unexpected_error_is_shown_without_traceback(explorer, caplog):
    explorer.board.on_error(RuntimeError("boom"))
    assert "boom" in explorer.header.banner.value
    assert "Traceback" not in explorer.header.banner.value


def test_another_bundle_is_opened(path, bundle, tmp_path):
    other = clean_only(bundle).save(tmp_path / "clean.safetensors")
    explorer = Explorer(path, other)
    explorer.state.set(by_hand=True)
    explorer.state.bundle = "clean"
    assert explorer.make(ALL)["plane"]
    assert "0 attacked" in explorer.header.provenance.value
    explorer.state.by_hand = False
    explorer.make(ALL)
    assert "holds no attacked examples" in explorer.header.banner.value


def test_a_broken_bundle_is_refused_and_the_old_one_stays(path, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(path.read_bytes())
    explorer = Explorer(path, bad)
    bad.write_bytes(path.read_bytes()[:-8])
    explorer.state.bundle = "bad"
    assert explorer.state.bundle == "made-up"
    assert "bad.safetensors" in explorer.header.banner.value


def test_a_broken_first_bundle_is_passed_over_with_a_banner(path, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(path.read_bytes())
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    bad.write_bytes(damaged)
    explorer = Explorer(bad, path)
    assert explorer.state.bundle == "made-up"
    assert "bad.safetensors is damaged" in explorer.header.banner.value


def test_a_bundle_that_only_the_clean_part_has_opens_with_alpha_by_hand(bundle, tmp_path):
    explorer = Explorer(clean_only(bundle).save(tmp_path / "clean.safetensors"))
    assert explorer.state.by_hand
    assert explorer.header.banner.value == ""


def test_session_keeps_few_bundles_open(bundle, tmp_path):
    paths = [bundle.save(tmp_path / f"b{i}.safetensors") for i in range(5)]
    session = Session(*paths)
    for path in paths:
        session.open(path.stem)
    assert list(session._opened) == ["b2", "b3", "b4"]
    with pytest.raises(BundleError, match="no bundle 'nothing'"):
        session.open("nothing")


def test_a_job_reports_result_failure_and_cancel():
    reported = []

    def run(work):
        return Job(work, done=reported.append, failed=reported.append, progress=reported.append)

    run(lambda progress: progress(0.5) or "made").start()
    assert reported == [0.5, "made"]
    run(lambda progress: 1 / 0).start()
    assert isinstance(reported[-1], ZeroDivisionError)
    job = run(lambda progress: progress(0.1))
    job.cancel()
    job.start()
    assert isinstance(reported[-1], Cancelled)


def test_a_configuration_can_be_set(explorer, bundle):
    config = MixConfig.from_remix(
        RemixEngine(bundle), MixParams(s=0.7, p=2.2, c=-0.3, beta=0.9, temperature=1)
    )
    explorer.config = config
    assert explorer.state.params == MixParams(s=0.7, p=2.2, c=-0.3, beta=0.9, temperature=1)
    assert explorer.config.estimates == config.estimates
    explorer.config = config.model_copy(update={"alpha": 0.9})  # no longer what its β gives here
    assert (explorer.state.by_hand, explorer.state.alpha) == (True, 0.9)


def test_the_selection_can_be_read_and_set(explorer, bundle):
    assert explorer.selection is None
    explorer.selection = ("attacked", 4)
    assert (explorer.state.case, explorer.state.row) == ("attacked", 4)
    drawn = explorer.make(frozenset({"bars"}))["bars"]
    assert drawn["layout"]["annotations"][0]["text"].startswith(
        f"attacked image {bundle.attacked.index[4]}, "
    )
    assert f"attacked image {bundle.attacked.index[4]}" in explorer.details.examples.story.value
    explorer.selection = None
    assert explorer.state.case == "paper"
    for wrong in (("clean", 300), ("attacked", -1), ("other", 0)):
        with pytest.raises(ParameterError, match="selection must be"):
            explorer.selection = wrong


def test_the_report_is_saved(explorer):
    explorer.controls.report.click()
    content, buffers = explorer.sent[-1]
    assert content["filename"] == "mnuts-made-up.html"
    assert bytes(buffers[0]).startswith(b"<!DOCTYPE html>")


def test_a_page_that_comes_late_hears_what_the_search_did(explorer, monkeypatch):
    sent = []
    for widget in (explorer.controls.find, explorer.header.headline):
        monkeypatch.setattr(widget, "send_state", lambda key=None, widget=widget: sent.append(widget))
    explorer.board._receive(None, {"type": "ready"}, [])
    assert sent == [explorer.controls.find, explorer.header.headline]


def test_it_leaves_the_notebooks_own_threads_alone(path):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        Explorer(path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
