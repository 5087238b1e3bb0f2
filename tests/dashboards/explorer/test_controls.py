"""The explorer's controls move the state, the state moves the controls; presets, undo."""

import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine, grid_search
from mnuts_core.params import IDENTITY
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.state import PRESETS
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.figures.tradeoff import OTHERS
from tests import ROOT
from tests.synthetic import make_bundle


def test_a_slider_moves_state_headline_and_config(explorer, bundle):
    explorer.controls.inputs["c"].slider.value = -0.25
    explorer.controls.inputs["beta"].slider.value = 0.9
    assert (explorer.state.c, explorer.state.beta) == (-0.25, 0.9)
    explorer.make(ALL)
    expected = RemixEngine(bundle).remix(explorer.state.params)
    assert f"<b>{100 * expected.clean.value:.2f}</b>" in explorer.header.headline.value
    assert explorer.config.alpha == expected.alpha


def test_state_moves_sliders_and_widens_their_range(explorer):
    explorer.state.s = 50.0
    slider = explorer.controls.inputs["s"].slider
    assert slider.value == pytest.approx(50.0)
    assert slider.max >= 1.69
    assert explorer.state.s == 50.0


def test_alpha_by_hand_and_back(explorer):
    explorer.controls.by_hand.value = True
    assert explorer.controls.inputs["beta"].slider.disabled
    assert not explorer.controls.inputs["alpha"].slider.disabled
    explorer.controls.inputs["alpha"].slider.value = 0.9
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


@pytest.mark.parametrize(
    ("name", "typed", "answer"),
    [
        ("beta", "98.5", "β must be between 0 and 1. Did you mean 0.985?"),
        ("c", "-0,25", "c must be a number between −100 and 100. Did you mean −0.25?"),
        ("s", "0", "s must be greater than 0 and at most 1,000,000 (you entered 0)."),
    ],
)
def test_a_wrong_number_is_refused_and_the_box_goes_back(explorer, name, typed, answer):
    box, before = explorer.controls.inputs[name].box, getattr(explorer.state, name)
    shown = box.value
    box.value = typed
    assert answer in explorer.header.banner.value
    assert (getattr(explorer.state, name), box.value) == (before, shown)


@pytest.mark.parametrize("typed", ["1", "2.5", "1e3", "abc"])
def test_a_wrong_ln_k_is_refused(explorer, typed):
    explorer.controls.inputs["ln_k"].value = typed
    assert "must be" in explorer.header.banner.value
    assert (explorer.state.ln_k, explorer.controls.inputs["ln_k"].value) == (250, "250")


def test_a_typed_number_is_taken_as_it_is_also_outside_the_slider(explorer):
    explorer.controls.inputs["s"].box.value = "2.34567"
    explorer.controls.inputs["temperature"].box.value = "5"
    assert (explorer.state.s, explorer.state.temperature) == (2.34567, 5.0)
    assert explorer.controls.inputs["temperature"].slider.max >= 5


def test_a_dragged_slider_gives_round_numbers(explorer):
    explorer.controls.inputs["beta"].slider.value = 0.9299999999999999
    assert explorer.state.beta == 0.93
    assert explorer.config.beta == 0.93


def test_alpha_from_beta_is_shown_and_by_hand_starts_from_it(explorer):
    explorer.make(ALL)
    alpha = explorer.remix.alpha
    assert explorer.controls.inputs["alpha"].box.value == f"{alpha:.6g}"
    explorer.controls.by_hand.value = True
    assert explorer.state.alpha == alpha


@pytest.mark.parametrize("case", ["clean", "attacked"])
def test_the_simplex_shows_an_example(explorer, case, bundle):
    explorer.controls.inputs["case"].value = case
    assert explorer.controls.inputs["row"].max == (bundle.n_clean if case == "clean" else bundle.n_adv) - 1
    explorer.controls.inputs["row"].value = 5
    title = explorer.make(frozenset({"simplex"}))["simplex"]["layout"]["annotations"][-1]["text"]
    number = 5 if case == "clean" else bundle.attacked.index[5]
    assert title.startswith(f"{case} image {number}, labelled")


def test_undo_redo_and_defaults(explorer, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.widgets.undo.REST", 0.0)
    opening = explorer.state.params
    controls = explorer.controls
    assert controls.toolbar.undo.disabled
    explorer.state.c = -0.5
    controls.by_hand.value = True
    alpha = explorer.state.alpha
    explorer.state.alpha = 0.9
    controls.toolbar.undo.click()
    assert (explorer.state.alpha, explorer.state.by_hand) == (alpha, True)
    controls.toolbar.undo.click()
    assert (explorer.state.c, explorer.state.by_hand) == (-0.5, False)
    controls.toolbar.redo.click()
    assert explorer.state.by_hand
    controls.defaults.click()
    assert explorer.state.params == opening
    controls.toolbar.undo.click()
    assert (explorer.state.c, explorer.state.by_hand) == (-0.5, True)
    assert not controls.toolbar.redo.disabled


def test_the_browsers_back_reaches_the_state(explorer, monkeypatch):
    monkeypatch.setattr("mnuts_dashboards.widgets.undo.REST", 0.0)
    before = explorer.state.c
    explorer.state.c = -0.5
    explorer.page._receive(None, {"type": "arrive", "place": 0, "query": "bundle=made-up"}, [])
    assert explorer.state.c == before


def test_a_row_is_asked_for_only_where_the_bundles_images_are_shown(explorer):
    assert explorer.controls.inputs["row"].disabled
    explorer.state.case = "clean"
    assert not explorer.controls.inputs["row"].disabled


def test_configurations_made_on_the_bundle_are_offered_and_taken(path, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(tmp_path))
    engine = RemixEngine(bundle)
    mine = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, beta=0.9))
    by_hand = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, alpha=0.6))
    for name, config in (("mine", mine), ("by-hand", by_hand)):
        config.save(tmp_path / f"{name}.json")
    other = MixConfig.from_remix(RemixEngine(make_bundle(seed=5)), MixParams(alpha=0.6))
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
    assert "mine.json loaded" in explorer.controls.toolbar.status.value
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


def test_the_shipped_mixes_are_offered_with_what_was_verified(click):
    root = ROOT / "data"
    explorer = Explorer(root / "digits.safetensors")
    shipped = MixConfig.load(root / "digits-beta95.json")
    assert [name for name in explorer.controls.preset.options if "shipped" in name] == [
        "shipped best, β = 0.985",
        "shipped best, β = 0.95",
        "shipped plain mix, α = 0.9763",
        "shipped plain mix, α = 0.9378",
        "shipped plain mix, α = 0.9317",
        "shipped plain mix, α = 0.9073",
    ]
    assert explorer.config.verified is None  # it opens on the best of the grid, mild or not
    click(explorer, OTHERS, 0, customdata=1)  # by its number
    assert explorer.controls.preset.value == "shipped best, β = 0.95"
    explorer.controls.defaults.click()
    explorer.controls.preset.value = "shipped best, β = 0.95"
    assert explorer.config.transform == shipped.transform
    assert explorer.config.alpha == shipped.alpha
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
