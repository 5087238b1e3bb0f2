"""The explorer's kernel: its state with a page's, what Python can set, and what a page can ask for."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from mnuts_core import BundleError, LogitBundle, MixConfig, MixParams, ParameterError, RemixEngine
from mnuts_core.pipeline.verified_points import add_verified, points_of
from mnuts_dashboards.apps.explorer import Explorer
from mnuts_dashboards.explorer.links import write_link
from mnuts_dashboards.explorer.view import mix_json, view_json
from mnuts_dashboards.services import pieces
from mnuts_dashboards.verification.run import Outcome
from mnuts_dashboards.widgets.background import Cancelled
from tests.conftest import DIGITS
from tests.dashboards.apps.conftest import FakePage, assert_a_page_writes_nothing_else
from tests.synthetic import clean_only, verified_by

N = 400


def test_before_a_page_is_there_nothing_is_pushed(explorer):
    assert explorer.view == {}
    assert (explorer.state.bundle, explorer.link()) == ("digits", write_link(explorer.state))


def test_what_a_page_shows_is_the_state_and_what_python_sets_goes_to_the_page(explorer, page):
    seen = []
    explorer.state.observe(lambda change: seen.append(change["name"]), names=["s", "p"])
    page.show(s=4, p=2.5)
    assert (explorer.state.params.s, explorer.remix.params.p, seen) == (4.0, 2.5, ["s", "p"])
    explorer.state.set(p=3.0, case="clean", row=7)
    assert explorer.view == view_json(explorer.state)
    assert (explorer.view["p"], explorer.selection) == (3.0, ("clean", 7))
    mix = MixParams(s=2, p=3)
    explorer.state.snapshots = (mix,)
    page.show()
    assert explorer.state.snapshots == (mix,)


def test_images_that_are_brushed_on_a_plot_can_be_read_and_set(explorer, page):
    page.show(selected="3,5-7;margin of M(h) 0.10 to 0.20", list_filter="4")
    assert (explorer.selected, explorer.state.list_filter) == ((3, 5, 6, 7), "4")
    explorer.selected = [9, 2, 9]
    assert explorer.view["selected"] == "2,9"
    assert "selected=2,9" in write_link(explorer.state)
    with pytest.raises(ParameterError, match=r"from 0 to .*, got 1,000,000"):
        explorer.selected = [1_000_000]
    assert explorer.selected == (2, 9)


def test_who_observes_has_the_last_word(explorer, page):
    explorer.state.observe(lambda _: explorer.state.set(p=2.0), names="s")
    page.show(s=4.0, p=3.0)
    assert (explorer.state.p, explorer.view["p"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"s": -1.0},
        {"s": "evil"},
        {"s": None},
        {"ln_k": 1},
        {"bundle": "/etc/passwd"},
        {"grid": "cifar10" + "+" * 99},
        {"grid": 5},
        {"clamp": "<b>"},
        {"snapshots": [{"s": 1}] * 7},
        {"snapshots": [{"evil": 1}]},
        {"snapshots": [5]},
        {"hidden": ["<b>"]},
        {"hidden": "import"},
        {"evil": 1},
        {"row": -1},
        {"by_hand": 3.5},
        {"list_page": -1},
        {"list_filter": "a\nb"},
        {"list_filter": 5},
        {"selected": "5-3"},
        {"selected": None},
    ],
)
def test_what_is_not_allowed_is_passed_over_and_the_page_goes_back(explorer, page, wrong):
    before = view_json(explorer.state)
    page.show(p=2.0, **wrong)
    assert view_json(explorer.state) == before
    assert explorer.view == before


def test_a_page_writes_nothing_else(explorer):
    assert_a_page_writes_nothing_else(explorer)
    explorer.set_state({"view": "evil", "query": "x" * 10_000})
    explorer.set_state({"query": 5})
    assert (explorer.view, explorer.query) == ({}, "")


def test_a_wrong_setting_is_told_to_the_page_which_keeps_its_own(explorer, page):
    explorer.state.s = -1.0
    [(message, _)] = page.sent
    assert message["type"] == "refused"
    assert "s must lie in" in message["message"]
    assert explorer.view == {}


def test_a_configuration_can_be_set_and_read(explorer):
    engine = explorer.opened.engine
    config = MixConfig.from_remix(engine, MixParams(s=0.7, p=2.2, c=-0.3, beta=0.9, temperature=1))
    explorer.config = config
    assert explorer.state.params == MixParams(s=0.7, p=2.2, c=-0.3, beta=0.9, temperature=1)
    assert explorer.config.estimates == config.estimates
    explorer.config = config.model_copy(update={"alpha": 0.9})  # no longer what its β gives here
    assert (explorer.state.by_hand, explorer.state.alpha, explorer.view["alpha"]) == (True, 0.9, 0.9)


def test_the_selection_is_of_this_bundle(explorer):
    explorer.selection = ("attacked", 4)
    assert explorer.view["case"] == "attacked"
    explorer.selection = None
    assert explorer.state.case == "paper"
    for wrong in (("clean", 10**6), ("attacked", -1), ("other", 0)):
        with pytest.raises(ParameterError, match="selection must be"):
            explorer.selection = wrong


def test_a_bundle_comes_as_the_engine_takes_it(explorer, page):
    value, arrays = page.call("open", name="digits")
    bundle = explorer.opened.engine.bundle
    logits = value["record"]["rob"]
    assert logits["$array"] == "f4"
    np.testing.assert_array_equal(np.frombuffer(arrays[logits["at"]], "<f4"), bundle.clean_rob_logits.ravel())
    assert value["meta"]["attack"] == {"reason": None, "n": bundle.n_adv, "steps": 100, "images": None}
    assert value["images"]["shape"] == list(bundle.clean_images.shape)
    json.dumps(value)


def test_what_is_too_long_for_a_message_is_fetched_in_pieces(page, monkeypatch):
    whole, arrays = page.call("open", name="digits")
    monkeypatch.setattr(pieces, "PIECE", 100_000)
    value, none = page.call("open", name="digits")
    message = page.sent[-1][0]
    assert (value, none, message["sizes"]) == (whole, [], [len(array) for array in arrays])
    found = b""
    while len(found) < sum(message["sizes"]):
        _, (piece,) = page.call("more", of=message["id"], **{"from": len(found)})
        assert 0 < len(piece) <= 100_000
        found += piece
    assert found == b"".join(arrays)
    for wrong in ({"of": message["id"], "from": 0}, {"of": 5, "from": 0}, {}):
        assert "no longer here" in page.call("more", **wrong)


def test_a_page_whose_connection_broke_learns_what_is_still_under_way(explorer, page):
    works = []
    explorer._verifier.start = lambda call, name, params: works.append(call)
    page.explorer._handle_custom_msg({"type": "call", "id": "long", "name": "verify", "args": {}}, [])
    [work] = works
    page.call("here")
    done = page.sent[-1][0]["id"]
    work.progress(share=0.5)
    ids = ["long", done, "never came", 5]
    assert page.call("under way", ids=ids)[0] == ["long"]
    work.fail(Cancelled())
    assert page.call("under way", ids=ids)[0] == page.call("under way", ids=None)[0] == []


def test_few_answers_wait_for_their_pages(page, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 100_000)
    asked = []
    for _ in range(pieces.MOST_KEPT + 1):
        page.call("open", name="digits")
        asked.append(page.sent[-1][0]["id"])
    assert "no longer here" in page.call("more", of=asked[0], **{"from": 0})
    assert "no longer here" in page.call("more", of=asked[1], **{"from": -1})
    assert len(page.call("more", of=asked[1], **{"from": 0})[1]) == 1


@pytest.mark.parametrize("name", ["../digits", "nope", 5, None])
def test_only_bundles_at_hand_are_opened(page, name):
    assert "no such bundle" in page.call("open", name=name)


def test_a_broken_bundle_is_passed_over_and_refused(tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(DIGITS.read_bytes()[:-8])
    explorer = Explorer(bad, DIGITS)
    assert explorer.state.bundle == "digits"
    assert "bad.safetensors" in FakePage(explorer).call("open", name="bad")
    explorer.state.bundle = "bad"
    with pytest.raises(BundleError, match="bad"):
        _ = explorer.opened


def test_a_bundle_that_cannot_be_attacked_says_why(tmp_path):
    explorer = Explorer(clean_only(LogitBundle.load(DIGITS)).save(tmp_path / "clean.safetensors"))
    page = FakePage(explorer)
    value, _ = page.call("open", name="clean")
    assert "no threat model" in value["meta"]["attack"]["reason"]
    page.show(by_hand=True)
    assert "not available here" in page.call("verify", n=10, steps=2)


class FakeRun:
    """An attack that breaks whatever it can by adding noise to logits."""

    def __init__(self, request):
        self.request, self.before, self.right = request, 0, None

    def work(self, progress):
        progress(0.5)
        bundle, config, n = self.request.bundle, self.request.config, self.request.n
        rows, rng = bundle.require_attacked().index[:n], np.random.default_rng(0)
        logits = (bundle.clean_std_logits[rows], bundle.clean_rob_logits[rows])
        std, rob = (part + rng.normal(size=part.shape).astype(np.float32) * 4 for part in logits)
        eps = bundle.manifest.threat.eps
        found = verified_by(config.params, bundle.clean_labels[rows], std, rob, eps=eps)
        points, config = points_of(found, rows), found.into(config)
        return Outcome(config, add_verified(bundle, config, points), points)

    def cancel(self):
        pass


@pytest.fixture
def attack(monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.services.verify.Verification", FakeRun)


def test_points_of_a_verification_join_and_settings_stay(explorer, page, attack):
    page.show(s=1.5, c=-0.5)
    before, remix = explorer.opened, explorer.remix
    shipped = page.call("open", name="digits")[0]["meta"]["configs"]
    value, (points,) = page.verify(n=N, steps=2)
    assert [message["type"] for message, _ in page.sent[-2:]] == ["progress", "answer"]
    engine = explorer.opened.engine
    assert engine.bundle.n_points > before.engine.bundle.n_points
    after = explorer.remix
    assert after.attacked.value < remix.attacked.value
    assert (explorer.state.s, explorer.state.c, after.params.alpha) == (1.5, -0.5, remix.params.alpha)
    assert explorer.config.verified is not None
    assert (value["name"], value["verified"]["alpha"]) == ("digits", remix.alpha)
    assert "--n 400 --n-iter 2" in value["command"]
    assert after.on_images.mix_right[:N].mean() == value["beside"]["attacked"]
    assert value["beside"]["robust"] == engine.rob_right_on_images[:N].mean()
    opened, _ = page.call("open", name="digits")
    here = [config for config in opened["meta"]["configs"] if config["file"].startswith("verified here")]
    assert [config["verified"]["n"] for config in here] == [N]
    assert len(opened["meta"]["configs"]) == len(shipped) + 1

    # another kernel, as after a reload: the page gives it what it has kept
    other = FakePage(Explorer(DIGITS))
    kept = {key: value["receipt"][key] for key in ("before", "config")}
    again, _ = other.call("open", name="digits", receipts=[kept], buffers=[memoryview(points)])
    assert again["meta"]["digest"] == opened["meta"]["digest"]
    assert again["meta"]["configs"] == opened["meta"]["configs"]
    twice, _ = other.call("open", name="digits", receipts=[kept], buffers=[memoryview(points)])
    assert twice["meta"]["n_points"] == again["meta"]["n_points"]


def test_figures_hold_what_was_verified_and_earlier_results_stay(explorer, page, attack):
    shipped = explorer._bundles.results("digits").all()
    before = explorer.opened.engine.bundle.manifest.attacks
    kept = (MixParams(s=1.5, c=-0.5),)
    page.show(s=1.5, c=-0.6, snapshots=[mix_json(mix) for mix in kept])
    page.verify(n=N, steps=2)
    engine, remix = explorer.opened.engine, explorer.remix
    known = explorer._bundles.results("digits").of(remix.params)
    most = known.verified.successes + engine.bundle.n_adv - N  # attacked accuracy is not above it
    assert remix.attacked.value * engine.bundle.n_adv <= most
    assert known.config.bundle.digest == engine.bundle.digest
    assert explorer.state.snapshots == kept
    page.show(c=-0.7)
    assert explorer.config.verified is None
    page.verify(n=N, steps=2)
    assert len(explorer._bundles.results("digits").all()) == len(shipped) + 2
    new = explorer.opened.engine.bundle.manifest.attacks[len(before) :]
    assert [source.verified for source in new] == [True, True]


@pytest.mark.parametrize("wrong", ["points", "config", "before", "shape"])
def test_receipts_that_do_not_fit_are_passed_over(explorer, page, attack, wrong):
    value, (points,) = page.call("verify", n=20, steps=2)
    kept = {key: value["receipt"][key] for key in ("before", "config")}
    changed = {"points": kept, "config": kept | {"config": "{"}, "before": kept | {"before": 5}, "shape": 7}
    content = b"evil" if wrong == "points" else points
    other = FakePage(Explorer(DIGITS))
    given = changed[wrong] if wrong == "shape" else [changed[wrong]]
    found, _ = other.call("open", name="digits", receipts=given, buffers=[content])
    assert found["meta"]["digest"] == LogitBundle.load(DIGITS).digest


def test_a_page_asks_for_no_more_than_its_controls_offer(explorer, page, attack):
    value, _ = page.call("verify", n=10**9, steps=10**9)
    assert f"--n {explorer.opened.engine.bundle.n_adv} --n-iter 100" in value["command"]
    value, _ = page.call("verify", n="many", steps=-5)
    assert "--n-iter 1 " in value["command"]


def test_a_page_cannot_start_what_its_button_does_not_offer(explorer, page, attack, tmp_path):
    """A bundle that was brought may name any model, and a page can send any call."""
    card = explorer.opened.engine.bundle.manifest
    named = card.rob_model.model_copy(update={"spec": "timm:resnet18@weights.pt"})
    manifest = card.model_copy(update={"rob_model": named})
    content = dataclasses.replace(explorer.opened.engine.bundle, manifest=manifest).to_bytes()
    value, _ = send(page, "brought.safetensors", content)
    opened, _ = page.call("open", name=value["name"])
    assert "is not at hand" in opened["meta"]["attack"]["reason"]
    page.show(bundle=value["name"])
    assert "verification is not available here" in page.call("verify", n=5, steps=1)


def test_on_a_shared_server_no_visitor_names_files(explorer, attack, monkeypatch, tmp_path):
    bare = dataclasses.replace(explorer.opened.engine.bundle, clean_images=None)
    page = FakePage(Explorer(bare.save(tmp_path / "bare.safetensors")))
    assert page.call("open", name="bare")[0]["meta"]["attack"]["images"] == ""
    assert "contains no images: enter where they are" in page.call("verify", n=5, steps=1)
    value, _ = page.call("verify", n=5, steps=1, images="npz:/etc/passwd")
    assert "--data npz:/etc/passwd" in value["command"]
    monkeypatch.setenv("MNUTS_SHARED", "1")
    assert "started without --images" in page.call("verify", n=5, steps=1, images="npz:/etc/passwd")
    monkeypatch.setenv("MNUTS_IMAGES", "digits")
    value, _ = page.call("verify", n=5, steps=1, images="npz:/etc/passwd")
    assert "--data digits" in value["command"]
    assert page.call("open", name="bare")[0]["meta"]["attack"]["images"] is None


def test_a_page_hears_how_many_are_before_it(explorer, page, monkeypatch):
    class Waiting(FakeRun):
        def work(self, progress):
            self.before = 2
            return super().work(progress)

    monkeypatch.setattr("mnuts_dashboards.services.verify.Verification", Waiting)
    page.verify(n=5, steps=1)
    progress, _ = page.sent[-2]
    assert (progress["type"], progress["before"], progress["right"]) == ("progress", 2, None)


def test_a_cancelled_attack_says_so_and_changes_nothing(explorer, page, monkeypatch):
    class Cancelling(FakeRun):
        def work(self, progress):
            raise Cancelled

    monkeypatch.setattr("mnuts_dashboards.services.verify.Verification", Cancelling)
    before = explorer.opened
    assert page.call("verify", n=5, steps=1) == "cancelled"
    assert page.call("cancel") == (None, [])
    assert explorer.opened is before


def test_an_unexpected_error_says_nothing_of_itself(page, monkeypatch, caplog):
    class Failing(FakeRun):
        def work(self, progress):
            raise RuntimeError("/secret/path")

    monkeypatch.setattr("mnuts_dashboards.services.verify.Verification", Failing)
    message = page.call("verify", n=5, steps=1)
    assert "secret" not in message
    assert "RuntimeError" in message
    assert "/secret/path" in caplog.text


def test_files_are_saved_with_the_points(explorer, page, attack, tmp_path):
    page.verify(n=N, steps=2)
    for name, file in (
        ("save", "mnuts-digits.safetensors"),
        ("report", "mnuts-digits.html"),
        ("page", "mnuts-digits.page.html"),
    ):
        value, (content,) = page.call(name)
        assert value["name"] == file
        (tmp_path / file).write_bytes(content)
    saved = LogitBundle.load(tmp_path / "mnuts-digits.safetensors")
    assert saved.digest == explorer.opened.engine.bundle.digest
    assert RemixEngine(saved).remix(explorer.remix.params).attacked == explorer.remix.attacked
    report = (tmp_path / "mnuts-digits.html").read_text("utf-8")
    assert "verified" in report
    assert f"{100 * explorer.remix.attacked.value:.2f}" in report
    assert "verified here 1" in (tmp_path / "mnuts-digits.page.html").read_text("utf-8")


def test_a_bundle_too_large_for_a_page_is_refused(page, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.services.files.MAX_BUNDLE", 1000)
    assert "mnuts evaluate --into" in page.call("save")


def send(page, name, content, pieces=3):
    assert page.call("begin", name=name, size=len(content)) == (None, [])
    step = -(-len(content) // pieces)
    for start in range(0, len(content), step):
        answer = page.call("piece", buffers=[memoryview(content[start : start + step])])
    return answer


def test_a_bundle_and_logits_are_imported_under_names_of_their_own(explorer, page, tmp_path):
    value, _ = send(page, "digits.safetensors", DIGITS.read_bytes())
    assert value["name"] == "digits (2)"
    assert value["bundles"] == explorer.page["bundles"]
    opened, _ = page.call("open", name="digits (2)")
    assert opened["meta"]["n_clean"] == 1000
    bundle = explorer.opened.engine.bundle
    np.savez(
        tmp_path / "mine.npz",
        clean_labels=bundle.clean_labels,
        clean_std_logits=bundle.clean_std_logits,
        clean_rob_logits=bundle.clean_rob_logits,
    )
    value, _ = send(page, "mine.npz", (tmp_path / "mine.npz").read_bytes())
    assert value["name"] == "mine"
    assert page.call("open", name="mine")[0]["meta"]["n_adv"] == 0
    page.show(bundle="mine", by_hand=True)
    assert explorer.remix.clean.n == 1000


def test_what_is_no_bundle_is_refused_by_its_name(explorer, page, tmp_path):
    message = send(page, "../../evil.safetensors", b"no bundle at all")
    assert message.startswith("evil.safetensors")
    assert "/" not in message.partition(" ")[0]
    assert "must end in" in page.call("begin", name="x.exe", size=3)
    assert "256 MiB" in page.call("begin", name="x.npz", size=2**40)
    assert "piece" in page.call("piece", buffers=[b"x"])
    assert len(explorer.page["bundles"]) == len(explorer._bundles.session.names)


def test_a_configuration_is_imported_from_python_and_kept_for_reports(explorer, page, attack, tmp_path):
    page.show(s=0.7, p=2.2, c=-0.35)
    page.verify(n=50, steps=2)
    text = explorer.config.to_json()
    other = Explorer(explorer.opened.engine.bundle.save(tmp_path / "mine.safetensors"))
    calls = FakePage(other)
    assert calls.call("config", text=text) == (None, [])
    calls.show(**view_json(explorer.state) | {"bundle": "mine"})
    assert other.config.verified is not None
    assert "JSON" in calls.call("config", text="{")
    explorer.state.set(s=3.0)
    file = tmp_path / "mine.json"
    file.write_text(text)
    explorer.import_file(file)
    assert explorer.state.s == 0.7


@pytest.mark.parametrize(
    "content", [5, {}, {"type": "call"}, {"type": "call", "id": "x" * 99, "name": "here"}]
)
def test_what_is_no_call_is_passed_over(explorer, page, content):
    explorer._handle_custom_msg(content, [])
    assert page.sent == []


def test_an_unknown_service_is_refused(page):
    assert "no such service" in page.call("__class__")
    assert "no such service" in page.call(["verify"])


def test_the_configuration_is_the_mixes_with_its_doubts(explorer, page):
    page.show(s=10.0, p=8.0, c=2.0)
    assert explorer.config.warnings
    assert explorer.remix.by_margin.successes == 0
    loaded = MixConfig.from_json(explorer.config.to_json())
    assert loaded.estimates == explorer.config.estimates
    assert loaded.bundle.digest == explorer.opened.engine.bundle.digest
    assert loaded.estimates.optimistic is False


def test_first_points_alone_are_optimistic(bundle, tmp_path):
    explorer = Explorer(bundle.save(tmp_path / "one.safetensors"))
    assert explorer.config.estimates.optimistic


def test_a_link_before_a_page_is_there_waits_for_it(explorer):
    explorer.open_link("s=2&p=2&c=-0.3")
    assert (explorer.query, explorer.link()) == ("s=2&p=2&c=-0.3", "s=2&p=2&c=-0.3")


def test_it_leaves_the_notebooks_own_threads_alone():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        Explorer(DIGITS)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
