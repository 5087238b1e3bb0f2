"""The page's controls move the state, the state moves the controls; presets, messages, what a link hides."""

from __future__ import annotations

import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine, grid_search
from mnuts_core.params import IDENTITY
from mnuts_core.search.grids import GridSpec
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.explorer.state import PRESETS
from tests.dashboards.web.explorer.visit import opened, verified
from tests.synthetic import clean_only, make_bundle

pytestmark = pytest.mark.usefixtures("held")
LN_K = "layer norm over top-k logits"
BEST = "Best of the grid for this β"


@pytest.fixture(scope="module")
def made_up(bundle):
    return opened("made-up", bundle)


@pytest.fixture
def there(visit, made_up):
    return visit.open(made_up, query="s=2&p=2&c=-0.3")


def figures(remix):
    return [f"{100 * figure.value:.2f} %" for figure in (remix.clean, remix.attacked, remix.by_margin)]


def shown(visit, row="mix"):
    """The figures of a row without their intervals, verified aside."""
    return [cell[: cell.index("%") + 1] for cell in visit.seen["rows"][row][:3]]


def test_a_slider_moves_state_and_figures(there, bundle):
    there.slide("c", -0.25)
    there.slide("beta", 0.9)
    assert (there.state["c"], there.state["beta"]) == (-0.25, 0.9)
    assert shown(there) == figures(RemixEngine(bundle).remix(there.params))


def test_the_state_moves_sliders_and_widens_their_range(there):
    there.type("s", "5000")
    assert there.box("s")["place"] == pytest.approx(3.69897)
    assert there.box("s")["high"] >= 3.69897
    there.type("temperature", "5")
    assert there.state["temperature"] == 5.0
    assert there.box("temperature")["high"] >= 5
    there.type("s", "2.34567")
    assert there.state["s"] == 2.34567
    there.type("p", "90")
    assert there.state["p"] == 90.0


def test_a_dragged_slider_gives_round_numbers(there):
    there.slide("beta", 0.9299999999999999)
    assert there.state["beta"] == 0.93
    there.slide("c", -1e-17)
    assert there.address == "bundle=made-up&s=2&p=2&c=0&beta=0.93"


def test_alpha_from_beta_is_shown_and_by_hand_starts_from_it(there, bundle):
    alpha = RemixEngine(bundle).remix(there.params).alpha
    assert (there.box("beta")["disabled"], there.box("alpha")["disabled"]) == (False, True)
    assert there.box("alpha")["value"] == f"{alpha:.6g}"
    there.press("α by hand")
    assert there.state["alpha"] == pytest.approx(alpha, abs=1e-12)
    assert (there.box("beta")["disabled"], there.box("alpha")["disabled"]) == (True, False)
    there.slide("alpha", 0.9)
    assert shown(there) == figures(RemixEngine(bundle).remix(MixParams(s=2, p=2, c=-0.3, alpha=0.9)))
    there.press("α from β")
    assert there.params == MixParams(s=2, p=2, c=-0.3)


@pytest.mark.parametrize(
    ("name", "typed", "answer"),
    [
        ("beta", "98.5", "β must be between 0 and 1. Did you mean 0.985?"),
        ("c", "-0,25", "c must be a number between −100 and 100. Did you mean −0.25?"),
        ("s", "0", "s must be greater than 0 and at most 1,000,000 (you entered 0)."),
    ],
)
def test_a_wrong_number_is_refused_until_its_cause_goes(there, name, typed, answer):
    before = there.state
    there.type(name, typed)
    assert there.errors == [answer]
    assert there.state == before
    there.slide("p", 3)
    assert there.errors == [answer]
    there.type(name, "0.5")
    assert (there.errors, there.state[name]) == ([], 0.5)


@pytest.mark.parametrize("typed", ["1", "2.5", "1e30", "abc"])
def test_a_wrong_ln_k_is_refused(there, typed):
    there.typeInto(LN_K, typed)
    [error] = there.errors
    assert "must be 0 (no layer norm) or a whole number of 2 or more" in error
    assert there.state["ln_k"] == 250
    there.typeInto(LN_K, "1e3")
    assert (there.errors, there.state["ln_k"]) == ([], 1000)


def test_a_preset_is_taken_and_named_while_it_is_in_force(there):
    there.choose("Preset", "Plain mix (no transform)")
    assert there.params == IDENTITY.with_(beta=there.state["beta"])
    assert there.seen["preset"] == "Plain mix (no transform)"
    there.type("s", "2")
    assert there.seen["preset"] == "choose …"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_leave_the_level_alone_but_for_the_papers(visit, made_up, name):
    visit.open(made_up, query="s=0.7&p=1.5&c=0.3&clamp=relu&k=5&T=0.5&beta=0.9")
    visit.choose("Preset", name)
    params = PRESETS[name]
    level = {} if name.startswith("Paper") else {"beta": 0.9, "temperature": 0.5}
    assert visit.params == params.with_(**level)
    assert visit.seen["preset"] == name


def test_naming_a_preset_changes_nothing(visit, made_up):
    visit.open(made_up, query="s=5&p=4&c=-1.1&beta=0.9")
    assert visit.seen["preset"] == "Paper: CIFAR-10 (Table 3)"
    assert visit.state["beta"] == 0.9


def test_best_of_the_grid_is_a_preset(there, bundle):
    there.hold(False)
    there.type("beta", "0.95")
    there.choose("keep", "clean accuracy of at least")
    there.choose("Preset", BEST)
    best = grid_search(bundle, GridSpec.paper("cifar10"), 0.95).best
    assert there.params == best.params.with_(alpha=None)
    assert there.state["find_by"] == "beta"


def test_configurations_made_on_the_bundle_are_offered_and_taken(visit, bundle, tmp_path):
    engine = RemixEngine(bundle)
    mine = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, beta=0.9))
    by_hand = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3, alpha=0.6))
    other = mine.model_copy(update={"alpha": mine.alpha - 1e-9})  # not the α that its β gives
    names = {"mine": mine, "by-hand": by_hand, "other": other}
    visit.open(opened("made-up", bundle, [(tmp_path / f"{name}.json", one) for name, one in names.items()]))
    labels = ["choose …", BEST, "mine, β = 0.9", "by-hand, α = 0.6", "other, β = 0.9"]
    assert visit.seen["presets"][:5] == labels
    visit.choose("Preset", "other, β = 0.9")
    assert visit.params == settings_of(engine, other) == other.params
    visit.choose("Preset", "mine, β = 0.9")
    assert visit.params == MixParams(s=2, p=2, c=-0.3, beta=0.9)
    visit.choose("Preset", "by-hand, α = 0.6")
    assert visit.params.alpha == 0.6
    assert visit.seen["preset"] == "by-hand, α = 0.6"
    visit.press("α from β")
    visit.type("beta", "0.9")
    assert visit.seen["preset"] == "mine, β = 0.9"
    visit.type("beta", "0.95")
    assert visit.seen["preset"] == "choose …"


def test_an_image_is_asked_for_only_where_the_bundles_are_shown(there, bundle):
    assert there.field("Image no.")["disabled"]
    for part, n in (("clean", bundle.n_clean), ("attacked", bundle.n_adv)):
        there.choose("Source", f"a{'n' * (part == 'attacked')} {part} image")
        assert not there.field("Image no.")["disabled"]
        there.typeInto("Image no.", str(n))
        assert there.errors == [f"image must be a whole number from 0 to {n - 1} (you entered {n})."]
        there.typeInto("Image no.", str(n - 1))
        assert (there.errors, there.state["row"]) == ([], n - 1)
    number = bundle.attacked.index[-1]
    assert there.text("story").startswith(f"attacked image {number}")
    there.choose("Source", "a clean image")
    assert there.state["row"] == bundle.n_adv - 1


def test_the_example_is_one_that_there_is(visit, made_up, bundle):
    visit.open(made_up, query=f"shows=clean&image={bundle.n_clean - 1}")
    visit.choose("Source", "an attacked image")
    assert visit.state["row"] == bundle.n_adv - 1


def test_a_link_hides_controls_and_what_stands_above_them(visit, made_up):
    visit.open(made_up, query="hide=T,snapshots")
    assert not visit.isShown("Keep a snapshot")
    assert not visit.isShown("Compare")
    assert visit.isShown("Search")
    with pytest.raises(AssertionError, match="temperature"):
        visit.box("temperature")
    visit.link("")
    assert visit.isShown("Compare")
    assert not visit.box("temperature")["disabled"]


def test_a_saturated_mix_is_warned_of(visit, made_up):
    visit.open(made_up, query="s=10&p=8&c=2")
    assert "Numerically saturated" in visit.text("shows-remarks")
    assert shown(visit)[2] == "0.00 %"


def test_a_bundle_without_an_attacked_part_has_alpha_by_hand(visit, bundle):
    visit.open(opened("clean", clean_only(bundle)))
    assert visit.errors == []
    assert visit.state["by_hand"]
    assert visit.isDisabled("α from β")
    assert visit.isDisabled("Find best for this β")
    visit.link("bundle=clean&shows=attacked&image=3")
    assert visit.errors == ["shows must be paper or clean: the bundle has no attacked images."]


@pytest.mark.parametrize(
    "params",
    [
        MixParams(s=123.456789, p=77.7, c=-42.42, clamp="softplus", ln_k=7, temperature=3.3, beta=0.123),
        MixParams(s=1e-9, p=1e-3, c=100.0, clamp="elu", ln_k=0, temperature=1e12, alpha=0.5),
        MixParams(s=1e6, p=100.0, c=-100.0, clamp="relu", ln_k=2, temperature=1e308, alpha=1 - 2**-53),
    ],
)
def test_a_configuration_far_from_the_sliders_is_taken_as_it_is(there, bundle, params):
    engine = RemixEngine(bundle)
    config = MixConfig.from_remix(engine, params)
    there.file("far.json", config.to_json())
    assert (there.params, there.errors) == (settings_of(engine, config), [])
    assert "far.json loaded." in there.seen["text"]
    link = there.address
    there.press("Defaults")
    there.link(link)
    assert there.params == settings_of(engine, config)


def test_wrong_files_are_refused_by_their_names_and_change_nothing(there):
    before = there.params
    for name, content in (("a.json", "{"), ("b.json", '{"schema": "other"}'), ("c.safetensors", "no")):
        there.file(name, content)
        [error] = there.errors
        assert error.startswith(f"{name} ")
    assert there.params == before


def test_a_configuration_of_another_bundle_says_so(there):
    other = RemixEngine(make_bundle(seed=5))
    there.file("mine.json", MixConfig.from_remix(other, MixParams(s=2, p=2.5, alpha=0.7)).to_json())
    assert there.params == MixParams(s=2, p=2.5, alpha=0.7)
    assert "It was made on the bundle SYNTHETIC logits for tests; the figures here are" in there.seen["text"]


def test_a_verified_figure_stands_beside_its_own_settings_alone(there, bundle):
    config = verified(RemixEngine(bundle), there.params)
    there.file("mine.json", config.to_json())
    assert there.errors == []
    figure = f"{100 * config.verified.accuracy.value:.2f} %"
    assert there.seen["rows"]["mix"][-1].startswith(figure)
    for name, value in (("c", "-0.300001"), ("temperature", "0.001"), ("s", "4")):
        there.type(name, value)
        assert there.seen["rows"]["mix"][-1] == "not yet"
        there.press("Undo")
        assert there.seen["rows"]["mix"][-1].startswith(figure)
