"""The explorer without a browser: controls move the state, the state moves the figures, errors are told."""

import json

import pytest
import torch

from mnuts_core import BundleError, MixConfig, MixParams, ParameterError, RemixEngine, grid_search
from mnuts_core.params import IDENTITY
from mnuts_core.views.examples import story as story_of
from mnuts_dashboards.bundles.open_bundles import Session
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.scene import ALL
from mnuts_dashboards.explorer.state import PRESETS
from mnuts_dashboards.figures.tradeoff import CURRENT, FRONTIER, OTHERS, SNAPSHOTS
from mnuts_dashboards.text.cards import story_html
from mnuts_dashboards.widgets.background import Cancelled, Job
from tests import ROOT
from tests.synthetic import clean_only

MOVING = ALL - {"margins"}  # the base models' margins move with no slider


@pytest.fixture(scope="module")
def path(bundle, tmp_path_factory):
    return bundle.save(tmp_path_factory.mktemp("bundles") / "made-up.safetensors")


@pytest.fixture
def explorer(path):
    made = Explorer(path)
    made.sent = []
    made.board.send = lambda content, buffers=None: made.sent.append((content, buffers))
    return made


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


def test_a_slider_moves_state_headline_and_config(explorer, bundle):
    explorer.controls.knobs["c"].slider.value = -0.25
    explorer.controls.knobs["beta"].slider.value = 0.9
    assert (explorer.state.c, explorer.state.beta) == (-0.25, 0.9)
    explorer.make(ALL)
    expected = RemixEngine(bundle).remix(explorer.state.params)
    assert f"<b>{100 * expected.clean.value:.2f}</b>" in explorer.header.headline.value
    assert explorer.config.alpha == expected.alpha


def test_state_moves_sliders_and_widens_their_range(explorer):
    explorer.state.s = 50.0
    slider = explorer.controls.knobs["s"].slider
    assert slider.value == pytest.approx(50.0)
    assert slider.max >= 1.69
    assert explorer.state.s == 50.0


def test_alpha_by_hand_and_back(explorer):
    explorer.controls.by_hand.value = True
    assert explorer.controls.knobs["beta"].slider.disabled
    assert not explorer.controls.knobs["alpha"].slider.disabled
    explorer.controls.knobs["alpha"].slider.value = 0.9
    assert explorer.remix.alpha == pytest.approx(0.9)
    assert explorer.config.beta is None
    explorer.controls.by_hand.value = False
    assert explorer.config.beta == explorer.state.beta


def test_a_preset_is_taken_and_named_while_it_is_in_force(explorer):
    explorer.controls.preset.value = "Plain mix (no transform)"
    assert explorer.state.params == IDENTITY.with_(beta=explorer.state.beta)
    assert explorer.controls.preset.value == "Plain mix (no transform)"
    explorer.state.s = 2.0
    assert explorer.controls.preset.value == "choose …"


def test_find_best_moves_to_what_the_core_finds(explorer, bundle):
    explorer.state.set(s=0.7, p=1.5, c=0.3, beta=0.95)
    explorer.controls.find.click()
    best = grid_search(bundle, explorer.opened.grids["cifar10"], 0.95).best
    assert explorer.state.params == best.params.with_(alpha=None)
    assert f"{100 * best.objective:.1f} %" in explorer.controls.found.value
    assert not explorer.controls.find.disabled


def test_a_wider_grid_is_offered_on_the_edge_and_searched(explorer):
    explorer.controls.find.click()
    result = explorer.opened.searches[("cifar10", "gelu", 250)].at_beta(explorer.state.beta)
    assert result.edges, "the made-up bundle has its optimum on the edge"
    assert explorer.controls.widen.layout.display == ""
    explorer.controls.widen.click()
    assert explorer.state.grid == "cifar10+"
    assert "cifar10+" in explorer.controls.grid.options
    assert "grid cifar10+" in explorer.controls.found.value


def test_a_click_in_a_slice_goes_there(explorer):
    explorer.board._receive(
        None,
        {"type": "event", "panel": "slices", "kind": "click", "points": [{"curve": 2, "x": -1.1, "y": -1.0}]},
        [],
    )
    grid = explorer.opened.grids["cifar10"]
    assert (explorer.state.p, explorer.state.c) == (grid.p[2], -1.1)
    assert explorer.state.s == grid.s[1]  # nearest to 0.1


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


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("beta", "98.5", "beta must lie in [0, 1], got 98.5"),
        ("c", "-0,25", "c must be a number in [-100, 100], got &#39;-0,25&#39;: write 0.25"),
        ("s", "0", "s must lie in (0, 1e+06], got 0"),
    ],
)
def test_a_wrong_number_is_refused_and_the_box_goes_back(explorer, name, typed, told):
    box, before = explorer.controls.knobs[name].box, getattr(explorer.state, name)
    shown = box.value
    box.value = typed
    assert told in explorer.header.banner.value
    assert (getattr(explorer.state, name), box.value) == (before, shown)


@pytest.mark.parametrize("typed", ["1", "2.5", "1e3", "abc"])
def test_a_wrong_ln_k_is_refused(explorer, typed):
    explorer.controls.ln_k.value = typed
    assert "must be" in explorer.header.banner.value
    assert (explorer.state.ln_k, explorer.controls.ln_k.value) == (250, "250")


def test_a_typed_number_is_taken_as_it_is_also_outside_the_slider(explorer):
    explorer.controls.knobs["s"].box.value = "2.34567"
    explorer.controls.knobs["temperature"].box.value = "5"
    assert (explorer.state.s, explorer.state.temperature) == (2.34567, 5.0)
    assert explorer.controls.knobs["temperature"].slider.max >= 5


def test_a_dragged_slider_gives_round_numbers(explorer):
    explorer.controls.knobs["beta"].slider.value = 0.9299999999999999
    assert explorer.state.beta == 0.93
    assert explorer.config.beta == 0.93


def test_alpha_from_beta_is_shown_and_by_hand_starts_from_it(explorer):
    explorer.make(ALL)
    alpha = explorer.remix.alpha
    assert explorer.controls.knobs["alpha"].box.value == f"{alpha:.6g}"
    explorer.controls.by_hand.value = True
    assert explorer.state.alpha == alpha


def test_what_was_found_fades_when_the_settings_move_on(explorer):
    explorer.controls.find.click()
    explorer.make(ALL)
    assert "for β = 0.985" in explorer.controls.found.value
    assert "mnuts-stale" not in explorer.controls.found._dom_classes
    explorer.state.c = 0.123
    explorer.make(ALL)
    assert "mnuts-stale" in explorer.controls.found._dom_classes


def test_a_saturated_mix_is_warned_of_and_keeps_nothing(explorer):
    explorer.state.set(s=10.0, p=8.0, c=2.0)
    explorer.make(ALL)
    assert "float64 saturates here" in explorer.header.headline.value
    assert explorer.remix.margin_bound.successes == 0
    assert explorer.config.warnings


def test_an_unexpected_error_is_told_without_traceback(explorer, caplog):
    explorer.board.on_error(RuntimeError("boom"))
    assert "boom" in explorer.header.banner.value
    assert "Traceback" not in explorer.header.banner.value


@pytest.mark.parametrize("case", ["clean", "attacked"])
def test_the_simplex_shows_an_example(explorer, case, bundle):
    explorer.controls.case.value = case
    assert explorer.controls.row.max == (bundle.n_clean if case == "clean" else bundle.n_adv) - 1
    explorer.controls.row.value = 5
    title = explorer.make(frozenset({"simplex"}))["simplex"]["layout"]["annotations"][-1]["text"]
    number = 5 if case == "clean" else bundle.attacked.index[5]
    assert title.startswith(f"{case} image {number}, labelled")


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


def test_a_link_chooses_the_bundle(path, bundle, tmp_path):
    explorer = Explorer(path, bundle.save(tmp_path / "second.safetensors"))
    explorer.open_link("bundle=second")
    assert explorer.state.bundle == "second"
    explorer.open_link("bundle=../../etc/passwd")
    assert explorer.state.bundle == "second"


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
    told = []

    def run(work):
        return Job(work, done=told.append, failed=told.append, progress=told.append)

    run(lambda progress: progress(0.5) or "made").start()
    assert told == [0.5, "made"]
    run(lambda progress: 1 / 0).start()
    assert isinstance(told[-1], ZeroDivisionError)
    job = run(lambda progress: progress(0.1))
    job.cancel()
    job.start()
    assert isinstance(told[-1], Cancelled)


# --- links, history
def test_the_opening_is_a_short_link(explorer):
    assert explorer.link() == "bundle=made-up"


def test_a_link_sets_everything_and_reads_back(explorer):
    query = (
        "bundle=made-up&s=0.5&p=2&c=-0.4&clamp=relu&k=5&alpha=0.8&T=1&grid=cifar100&shows=attacked&image=7"
        "&snap=s:5,p:4,c:-1.1&hide=T,search"
    )
    explorer.open_link(query)
    assert explorer.state.params == MixParams(
        s=0.5, p=2, c=-0.4, clamp="relu", ln_k=5, alpha=0.8, temperature=1
    )
    assert explorer.selection == ("attacked", 7)
    assert explorer.state.snapshots == (MixParams(s=5, p=4, c=-1.1),)
    assert explorer.link() == query
    assert explorer.header.banner.value == ""


def test_a_link_without_a_transform_opens_on_the_best_at_its_level(explorer, bundle):
    explorer.open_link("beta=0.9")
    best = grid_search(bundle, explorer.opened.grids["cifar10"], 0.9).best.params
    assert explorer.state.params == best.with_(alpha=None)


def test_a_wrong_word_of_a_link_is_told_and_stays_told_until_something_moves(explorer):
    explorer.open_link("s=-1&p=2&c=0.1&shows=clean&image=100000")
    assert (explorer.state.p, explorer.state.row) == (2.0, 0)
    explorer.make(ALL)
    assert "s must lie in (0, 1e+06], got -1" in explorer.header.banner.value
    assert "image must lie in [0, 299], got 100000" in explorer.header.banner.value
    explorer.state.c = 0.2
    explorer.make(ALL)
    assert explorer.header.banner.value == ""


def test_a_link_hides_controls_and_their_headings(explorer):
    explorer.open_link("hide=T,snapshots")
    assert explorer.controls.knobs["temperature"].widget.layout.display == "none"
    assert explorer.controls.keep.layout.display == "none"
    headings = {h.value: h.layout.display for h, _ in explorer.controls._headings}
    assert [value for value, display in headings.items() if display == "none"] == [
        "<h3 class='mnuts-group'>Compare</h3>"
    ]
    explorer.open_link("")
    assert explorer.controls.knobs["temperature"].widget.layout.display is None


def test_undo_redo_and_defaults(explorer, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.widgets.undo.REST", 0.0)
    opening = explorer.state.params
    controls = explorer.controls
    assert controls.undo.disabled
    explorer.state.c = -0.5
    controls.by_hand.value = True
    alpha = explorer.state.alpha
    explorer.state.alpha = 0.9
    controls.undo.click()
    assert (explorer.state.alpha, explorer.state.by_hand) == (alpha, True)
    controls.undo.click()
    assert (explorer.state.c, explorer.state.by_hand) == (-0.5, False)
    controls.redo.click()
    assert explorer.state.by_hand
    controls.defaults.click()
    assert explorer.state.params == opening
    controls.undo.click()
    assert (explorer.state.c, explorer.state.by_hand) == (-0.5, True)
    assert not controls.redo.disabled


def test_the_browsers_back_reaches_the_state(explorer, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.widgets.undo.REST", 0.0)
    before = explorer.state.c
    explorer.state.c = -0.5
    explorer.page._receive(None, {"type": "arrive", "place": 0, "query": "bundle=made-up"}, [])
    assert explorer.state.c == before


# --- from Python
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
    assert f"attacked image {bundle.attacked.index[4]}" in explorer.below.examples.story.value
    explorer.selection = None
    assert explorer.state.case == "paper"
    for wrong in (("clean", 300), ("attacked", -1), ("other", 0)):
        with pytest.raises(ParameterError, match="selection must be"):
            explorer.selection = wrong


# --- examples, snapshots
def test_the_table_lists_what_the_mix_mends_and_breaks(explorer):
    card = explorer.below.examples
    assert card.table.rows == []  # nobody looks at it
    card.table.visible = True
    explorer.make(ALL)
    part, before = explorer.remix.on_clean, explorer.opened.engine.rob_right[:300]
    assert {row["key"] for row in card.table.rows} == set((before != part.mix_right).nonzero()[0])
    card.what.value = "mended"
    assert {row["what"] for row in card.table.rows} == {"mends"}
    key = card.table.rows[0]["key"]
    card.table._receive(None, {"type": "choose", "key": key}, [])
    assert explorer.selection == ("clean", key)
    explorer.make(ALL)
    assert "The mix mends it" in card.story.value
    assert card.table.chosen == key
    card.part.value = "attacked"
    assert "attacked images" in card.table.note
    assert card.table.chosen == -1


def test_snapshots_are_compared_restored_and_removed(explorer):
    table = explorer.below.snapshots.table
    first = explorer.state.params
    explorer.controls.keep.click()
    explorer.state.set(c=-0.9, temperature=0.5)
    explorer.controls.keep.click()
    explorer.state.s = 0.3
    made = explorer.make(ALL)
    assert [row["name"] for row in table.rows] == ["A", "B", "current"]
    engine = explorer.opened.engine
    gain = engine.remix(first).clean.value - explorer.remix.clean.value
    assert table.rows[0]["clean"] == pytest.approx(100 * engine.remix(first).clean.value)
    assert table.rows[0]["clean_more"].replace("−", "-") == f"{100 * gain:+.2f}"
    points = next(trace for trace in made["plane"]["data"] if trace["name"] == SNAPSHOTS)
    assert list(points["text"]) == ["A", "B"]
    table._receive(None, {"type": "action", "name": "restore", "key": 0}, [])
    assert explorer.state.params == first
    table._receive(None, {"type": "action", "name": "drop", "key": 0}, [])
    assert [p.c for p in explorer.state.snapshots] == [-0.9]
    for c in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        explorer.state.c = c
        explorer.controls.keep.click()
    assert [p.c for p in explorer.state.snapshots] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert "the oldest is gone" in explorer.controls.said.value
    explorer.state.c = 0.7
    explorer.make(ALL)
    assert explorer.controls.said.value == ""


def test_a_row_is_asked_for_only_where_the_bundles_images_are_shown(explorer):
    assert explorer.controls.row.disabled
    explorer.state.case = "clean"
    assert not explorer.controls.row.disabled


def click_on_plane(explorer, trace, point, **more):
    points = [{"trace": trace, "point": point, "x": 0, "y": 0, **more}]
    explorer.board._receive(None, {"type": "event", "panel": "plane", "kind": "click", "points": points}, [])


def test_clicks_on_the_plane_go_there(explorer):
    plane = explorer.make(ALL)["plane"]["data"]
    frontier = explorer._look().frontier

    click_on_plane(explorer, FRONTIER, 3)
    assert explorer.state.params == frontier.params[3].with_(alpha=None)
    assert explorer.remix.clean.value == pytest.approx(frontier.curve.clean[3], abs=0.01)
    alpha = float(next(trace for trace in plane if trace["name"] == CURRENT)["customdata"][5])
    click_on_plane(explorer, CURRENT, 5, customdata=alpha)
    assert (explorer.state.by_hand, explorer.state.alpha) == (True, alpha)
    before = explorer.state.params
    click_on_plane(explorer, "robust, attacked", 0)
    assert explorer.state.params == before


# --- files
def test_a_configuration_is_imported(explorer, tmp_path):
    explorer.state.set(s=0.7, p=2.2, c=-0.35)
    file = explorer.config.save(tmp_path / "mine.json")
    explorer.controls.defaults.click()
    explorer.import_file(file)
    assert explorer.state.c == -0.35
    assert "mine.json is taken over" in explorer.controls.said.value


def test_a_wrong_file_is_told_by_its_name_and_changes_nothing(explorer, tmp_path):
    before = explorer.state.params
    for name, content in (("a.json", "{"), ("b.json", '{"schema": "other"}'), ("c.safetensors", "no")):
        file = tmp_path / name
        file.write_text(content)
        explorer.import_file(file)
        assert f"{name} " in explorer.header.banner.value
        assert str(tmp_path) not in explorer.header.banner.value
    assert explorer.state.params == before


def test_a_bundle_is_imported_under_a_name_of_its_own(explorer, path, bundle):
    explorer.import_file(path)
    assert explorer.state.bundle == "made-up (2)"
    assert "made-up (2)" in explorer.controls.bundle.options
    assert not explorer.session.trusted("made-up (2)")
    assert explorer.session.trusted("made-up")
    assert explorer.link().startswith("bundle=made-up%20%282%29")


def test_the_report_is_saved(explorer):
    explorer.controls.report.click()
    content, buffers = explorer.sent[-1]
    assert content["filename"] == "mnuts-made-up.html"
    assert bytes(buffers[0]).startswith(b"<!DOCTYPE html>")


def test_configurations_made_on_the_bundle_are_offered_and_taken(path, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(tmp_path))
    engine = RemixEngine(bundle)
    mine = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, beta=0.9))
    by_hand = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, alpha=0.6))
    for name, config in (("mine", mine), ("by-hand", by_hand)):
        config.save(tmp_path / f"{name}.json")
    other = MixConfig.from_remix(RemixEngine(clean_only(bundle)), MixParams(alpha=0.6))
    other.save(tmp_path / "of-another-bundle.json")
    explorer = Explorer(path)
    preset = explorer.controls.preset
    assert preset.options[:4] == (
        *("choose …", "Best of the grid for this β"),
        *("mine, β = 0.9", "by-hand, α = 0.6"),
    )
    assert "another" not in " ".join(preset.options)
    preset.value = "mine, β = 0.9"
    assert explorer.state.params == MixParams(s=2, p=2, c=-0.3, beta=0.9)
    assert "mine.json is taken over" in explorer.controls.said.value
    preset.value = "by-hand, α = 0.6"
    assert explorer.state.params.alpha == 0.6
    explorer.state.set(by_hand=False, beta=0.9)
    assert preset.value == "mine, β = 0.9"
    explorer.state.beta = 0.95
    assert preset.value == "choose …"
    (tmp_path / "mine.json").write_text("{}")
    preset.value = "mine, β = 0.9"
    assert "mine.json" in explorer.header.banner.value
    assert preset.value == "choose …"
    assert explorer.state.beta == 0.95


def test_the_shipped_mixes_are_offered_with_what_was_verified():
    root = ROOT / "data"
    explorer = Explorer(root / "digits.safetensors")
    shipped = MixConfig.load(root / "digits-beta95.json")
    assert [name for name in explorer.controls.preset.options if "shipped" in name] == [
        "shipped best, β = 0.985",
        "shipped best, β = 0.95",
    ]
    assert explorer.config.verified is not None  # it opens on the other one
    click_on_plane(explorer, OTHERS, 0, customdata=1)  # by its number
    assert explorer.controls.preset.value == "shipped best, β = 0.95"
    explorer.controls.defaults.click()
    explorer.controls.preset.value = "shipped best, β = 0.95"
    assert explorer.config.transform == shipped.transform
    assert explorer.config.alpha == shipped.alpha
    assert explorer.config.beta == 0.95
    assert explorer.config.verified == shipped.verified is not None
    assert explorer.controls.preset.value == "shipped best, β = 0.95"


def test_naming_a_preset_changes_nothing(explorer):
    paper = PRESETS["Paper: CIFAR-10 (Table 3)"]
    explorer.state.set(s=paper.s, p=paper.p, c=paper.c, clamp=paper.clamp, ln_k=paper.ln_k, beta=0.9)
    assert explorer.controls.preset.value == "Paper: CIFAR-10 (Table 3)"
    assert explorer.state.beta == 0.9


def test_best_of_the_grid_is_a_preset(explorer, bundle):
    explorer.state.set(s=0.7, p=1.5, c=0.3, beta=0.95)
    explorer.controls.preset.value = "Best of the grid for this β"
    best = grid_search(bundle, explorer.opened.grids["cifar10"], 0.95).best
    assert explorer.state.params == best.params.with_(alpha=None)


@pytest.mark.parametrize(
    ("margin", "threshold", "told"),
    [
        (2.4e-5, 0.0, "margin 2.4e-5 reaches (1−α)/α = 0: g cannot outvote it."),
        (9.6e-5, 1.0e-4, "margin 9.6e-5 stays below (1−α)/α = 1.0e-4: g can outvote it."),
        (0.89779, 0.89781, "margin 0.89779 stays below (1−α)/α = 0.89781: g can"),
        (0.99996, 0.34, "margin 0.99996 reaches (1−α)/α = 0.34000: g cannot"),
        (0.25, 0.25, "margin equals (1−α)/α = 0.25: a tie, and ties go to g."),
    ],
)
def test_a_margin_is_compared_with_digits_enough(explorer, margin, threshold, told):
    story = story_of(explorer.opened.engine, explorer.remix, "clean", 0)
    assert told in story_html(story._replace(margin=margin, threshold=threshold), None)


def test_counts_of_mended_images_name_their_reference(explorer):
    explorer.make(ALL)
    engine, remix = explorer.opened.engine, explorer.remix
    right, mixed = engine.rob_right[: engine.n_clean], remix.on_clean.mix_right
    card, checks = explorer.below.examples, explorer.below.checks.value
    card.table.visible = True
    mended, broken = (~right & mixed).sum(), (right & ~mixed).sum()
    assert card.table.note.endswith(f"{mended} mended, {broken} broken, against the robust model h")
    right = remix.on_clean.right
    mended, broken = (~right & mixed).sum(), (right & ~mixed).sum()
    assert f"{mended} images right that the transformed model M(h) gets wrong" in checks
    assert f"{broken} wrong that M(h) gets right" in checks


def test_a_page_that_comes_late_hears_what_the_search_did(explorer, monkeypatch):
    told = []
    for widget in (explorer.controls.find, explorer.header.headline):
        monkeypatch.setattr(widget, "send_state", lambda key=None, widget=widget: told.append(widget))
    explorer.board._receive(None, {"type": "ready"}, [])
    assert told == [explorer.controls.find, explorer.header.headline]


def test_it_leaves_the_notebooks_own_threads_alone(path):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        Explorer(path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
