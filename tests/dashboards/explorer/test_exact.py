"""What ships is reached exactly: by presets, stars, snapshots, links and steps back, with its figures."""

import math
from types import SimpleNamespace

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams
from mnuts_core.export.belonging import configs_of
from mnuts_dashboards.bundles.configs import label_of
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.state import PRESETS
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.figures.tradeoff import OTHERS
from tests import ROOT

DATA = ROOT / "data"
AWAY = {"s": 0.7, "p": 1.5, "c": 0.3, "clamp": "relu", "ln_k": 5, "temperature": 0.5, "beta": 0.9}


@pytest.fixture(scope="module", params=["cifar10", "digits"])
def shipped(request):
    path = DATA / f"{request.param}.safetensors"
    configs = {label_of(file, config): config for file, config in configs_of(LogitBundle.load(path))}
    return SimpleNamespace(explorer=Explorer(path), configs=configs)


@pytest.fixture
def explorer(shipped):
    shipped.explorer.open_link("")
    return shipped.explorer


def leave(explorer):
    """Go somewhere else in every respect."""
    explorer.state.set(**AWAY, by_hand=False)


def assert_shows(explorer, config):
    """The page stands at a configuration: the same floats, the same figures, and these in its row."""
    shown = explorer.config
    assert shown.transform == config.transform
    follows = explorer.opened.engine.remix(config.params.with_(alpha=None)).alpha == config.alpha
    beta = config.beta if follows else None  # else α stands by hand, as it was verified
    assert (shown.alpha, shown.beta, shown.temperature) == (config.alpha, beta, config.temperature)
    assert figures_of(explorer, shown) == figures_of(explorer, config)
    assert shown.verified == config.verified
    explorer.make(ALL)
    row = mix_row(explorer)
    assert list(zip(map(figure_in, row[1:5]), counts(explorer), strict=True)) == [
        (f"{100 * card.value:.2f}", f"{card.n:,}")
        for card in (
            config.estimates.clean,
            shown.estimates.attacked,
            config.estimates.by_margin or config.estimates.margin_bound,
            config.verified.accuracy,
        )
    ]


def figures_of(explorer, config):
    """How many of how many images a configuration's estimates count, by what they mean.

    Those from before there were pools count, at the first points alone, where M(h) is right by margin and
    where the mix is right, the clean image left aside; attacked accuracy is not among them.
    """
    found, at_first = config.estimates, explorer.opened.engine.remix(config.params).on_attacked
    by_margin = found.by_margin or found.margin_bound
    transfer = found.transfer.value if found.transfer else at_first.mix_right.mean()
    return found.clean.estimate.successes, by_margin.estimate.successes, by_margin.n, transfer


def mix_row(explorer):
    """The cells of this mix's row, from its name."""
    return explorer.header.headline.value.split("data-row='mix'")[1].split("</tr>")[0].split("<td>")


def figure_in(cell):
    return cell.split("<b>")[1].split("</b>")[0]


def counts(explorer):
    """The numbers of images in the head of the table."""
    head = explorer.header.headline.value.split("<tbody>")[0]
    return [part.split("<")[0] for part in head.split("n&nbsp;=&nbsp;")[1:]]


def stars(explorer):
    return next(trace for trace in explorer.make(ALL)["plane"]["data"] if trace["name"] == OTHERS)


def click_star(explorer, number):
    point = {"trace": OTHERS, "point": 0, "x": 0, "y": 0, "customdata": number}
    explorer.board._receive(None, {"type": "event", "panel": "plane", "kind": "click", "points": [point]}, [])


def test_presets_give_what_is_stored_and_name_it(explorer, shipped):
    for label, config in shipped.configs.items():
        leave(explorer)
        explorer.controls.preset.value = label
        assert_shows(explorer, config)
        assert explorer.controls.preset.value == label


def test_presets_of_the_paper_give_its_transforms(explorer):
    for label, params in PRESETS.items():
        leave(explorer)
        explorer.controls.preset.value = label
        beta, temperature = (
            (params.beta, params.temperature) if label.startswith("Paper") else (AWAY["beta"], 0.5)
        )
        assert explorer.state.params == params.with_(beta=beta, temperature=temperature)


def test_stars_give_what_is_stored(explorer, shipped):
    leave(explorer)
    shown = stars(explorer)
    assert len(shown["customdata"]) == len(shipped.configs)
    for number, clean in zip(shown["customdata"], shown["x"], strict=True):
        leave(explorer)
        click_star(explorer, number)
        config = next(c for c in shipped.configs.values() if explorer.config.verified == c.verified)
        assert clean == 100 * config.estimates.clean.value
        assert_shows(explorer, config)
        click_star(explorer, number)  # a double click: the star of another mix has its place by now
        assert_shows(explorer, config)


def test_snapshots_links_and_steps_back_give_what_is_stored(explorer, shipped):
    links = []
    for label, config in shipped.configs.items():
        explorer.state.snapshots = ()
        explorer.controls.preset.value = label
        links.append(explorer.link())
        explorer.controls.keep.click()
        leave(explorer)
        explorer.details.snapshots.table.on_action("restore", 0)
        assert_shows(explorer, config)
    for link, config in zip(links, shipped.configs.values(), strict=True):
        explorer.open_link(link)
        assert_shows(explorer, config)
        explorer.navigator._last = float("-inf")
        leave(explorer)
        explorer.controls.toolbar.undo.click()
        assert_shows(explorer, config)


def test_cells_of_the_heat_maps_are_the_grids(explorer):
    scene = explorer._look()
    grid = scene.result.grid
    for i in (0, 3, 7):
        point = {"curve": i, "x": float(grid.c[i]) + 1e-12, "y": math.log10(grid.s[i]) + 4e-13}
        explorer.board._receive(
            None, {"type": "event", "panel": "slices", "kind": "click", "points": [point]}, []
        )
        assert (explorer.state.s, explorer.state.p, explorer.state.c) == (grid.s[i], grid.p[i], grid.c[i])


@pytest.mark.parametrize(
    "params",
    [
        MixParams(s=123.456789, p=77.7, c=-42.42, clamp="softplus", ln_k=7, temperature=3.3, beta=0.123),
        MixParams(s=1e-9, p=1e-3, c=100.0, clamp="elu", ln_k=0, temperature=1e12, alpha=0.5),
        MixParams(s=1e6, p=100.0, c=-100.0, clamp="relu", ln_k=2, temperature=1e308, alpha=1 - 2**-53),
    ],
)
def test_a_configuration_far_from_the_sliders_is_taken_as_it_is(explorer, params, tmp_path):
    config = MixConfig.from_remix(explorer.opened.engine, params)
    explorer.import_file(config.save(tmp_path / "far.json"))
    shown = explorer.config
    assert (shown.transform, shown.alpha, shown.beta) == (config.transform, config.alpha, config.beta)
    assert (shown.temperature, shown.estimates) == (config.temperature, config.estimates)
    explorer.open_link(explorer.link())
    assert explorer.config.params == config.params


def test_no_figure_of_other_settings_stands_in_this_mixs_row(explorer, shipped):
    for config in shipped.configs.values():
        explorer.config = config
        for nudge in ({"c": config.transform.c + 1e-6}, {"temperature": 1e-3}, {"s": config.transform.s * 2}):
            explorer.state.set(**nudge)
            explorer.make(ALL)
            assert "not yet" in mix_row(explorer)[4]
            assert explorer.config.verified is None
            explorer.config = config
