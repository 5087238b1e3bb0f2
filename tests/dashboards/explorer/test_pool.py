"""The explorer on a bundle with several points an image: every figure is the engine's."""

import json
import re

import pytest

from mnuts_core import RemixEngine
from mnuts_core.views.headline import headline
from mnuts_core.views.tradeoff import alpha_curve
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.examples import picture
from mnuts_dashboards.explorer.views import ALL
from tests.synthetic import make_bundle, make_pool


@pytest.fixture(scope="module")
def pool():
    return make_pool(n=160, m=110, sources=4)


@pytest.fixture(scope="module")
def explorer(pool, tmp_path_factory):
    return Explorer(pool.save(tmp_path_factory.mktemp("pool") / "pool.safetensors"))


def test_the_table_is_the_engines(explorer, pool):
    engine = RemixEngine(pool)
    table = headline(engine, explorer.state.params, engine.remix(explorer.state.params))
    rows = dict(re.findall(r"data-row='(\w+)'>(.*?)</tr>", explorer.header.headline.value))
    for row in table.rows:
        shown = re.findall(r"<b>([\d.]+)</b>", rows[row.key])
        figures = [row.clean, row.attacked, row.by_margin]
        assert shown == [f"{100 * figure.value:.2f}" for figure in figures if figure is not None]
    assert "not attacked" in rows["std"]
    words = explorer.header.headline.value
    assert "3 attacks on mixes" in words
    assert "optimistic" not in words
    config = json.loads(explorer.config.to_json())
    assert config["estimates"]["optimistic"] is False
    assert config["estimates"]["attacked"]["value"] == table.mix.attacked.value


def test_the_plane_is_by_all_points(explorer, pool):
    traces = {trace["name"]: trace for trace in explorer.make(ALL)["plane"]["data"]}
    curve = alpha_curve(RemixEngine(pool), explorer.state.params)
    assert traces["this transform"]["y"] == pytest.approx(100 * curve.attacked)
    assert traces["this transform, by margin"]["y"] == pytest.approx(100 * curve.by_margin)
    assert traces["this transform"]["line"]["width"] > traces["this transform, by margin"]["line"]["width"]
    assert traces["this transform, by margin"]["line"]["dash"] == "dot"
    assert traces["this mix"]["y"] == [100 * explorer.remix.attacked.value]


def test_every_attacked_image_can_be_chosen(explorer, pool):
    engine, points = explorer.opened.engine, set()
    for row in range(pool.n_adv):
        explorer.selection = ("attacked", row)
        drawn = explorer.make(frozenset({"bars", "simplex"}))
        assert all(figure["data"] for figure in drawn.values())
        story = explorer.details.examples.story.value
        points.add(re.search(r"Shown: ([^<]*)\.", story)[1])
        assert explorer.header.banner.value == ""
    assert len(points) > 2
    assert picture(engine.bundle, len(engine) + 1) is None  # of further points there are no images


def test_the_page_says_where_the_points_come_from(explorer):
    about = explorer.header.provenance.value
    assert about.count("Attacked points:") == 4
    assert "images are settled" in about


def test_first_points_alone_are_called_optimistic(tmp_path):
    explorer = Explorer(make_bundle().save(tmp_path / "one.safetensors"))
    assert "MMAA points only: optimistic" in explorer.header.headline.value
    assert json.loads(explorer.config.to_json())["estimates"]["optimistic"] is True
