"""What stands beneath the plots: images fixed and broken, snapshots, one image's story, sources."""

from __future__ import annotations

import re

import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views.headline import headline
from mnuts_core.views.paired import mix_pairs
from mnuts_core.views.sources import sources
from mnuts_dashboards.explorer.state import DECLARED
from tests.dashboards.web.explorer.visit import opened
from tests.synthetic import make_bundle, make_pool

pytestmark = pytest.mark.usefixtures("held")
EXAMPLES = "Images the mix fixes or breaks, relative to the robust model h"
START = "s=2&p=2&c=-0.3&beta=0.9"


@pytest.fixture
def there(visit, bundle):
    return visit.open(opened("made-up", bundle), query=START)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def pool():
    return make_pool(n=160, m=110, sources=4)


@pytest.fixture(scope="module")
def many():
    """A bundle whose list of images has pages."""
    return opened("many", make_bundle(n=3000, m=20))


def test_the_table_lists_what_the_mix_fixes_and_breaks(there, engine):
    remix = engine.remix(there.params)
    before, after = engine.rob_right[: engine.n_clean], remix.on_clean.mix_right
    rows = there.table(EXAMPLES)["rows"]
    assert {int(row["key"]) for row in rows} == set((before != after).nonzero()[0])
    fixed, broken = (~before & after).sum(), (before & ~after).sum()
    note = f"{fixed} of {engine.n_clean} clean images fixed, {broken} broken (relative to h)"
    assert there.table(EXAMPLES)["note"] == note
    there.choose("Show", "fixed")
    rows = there.table(EXAMPLES)["rows"]
    assert {row["cells"][1] for row in rows} == {"fixes"}
    key = rows[0]["key"]
    there.choice(EXAMPLES, key)
    assert (there.state["case"], there.state["row"]) == ("clean", int(key))
    assert "The mix fixes it" in there.text("story")
    assert there.table(EXAMPLES)["chosen"] == key


def test_counts_of_fixed_images_name_their_reference(there, engine):
    remix = engine.remix(there.params)
    right, mixed = remix.on_clean.right, remix.on_clean.mix_right
    fixed, broken = (~right & mixed).sum(), (right & ~mixed).sum()
    text = there.text("shows-assumptions")
    assert f"({fixed} images gained, {broken} lost)" in text


def test_snapshots_are_compared_restored_and_removed(there, engine):
    first = there.params
    there.press("Keep a snapshot")
    there.type("c", "-0.9")
    there.type("temperature", "0.5")
    there.press("Keep a snapshot")
    there.type("s", "0.3")
    rows = there.table("Snapshots")["rows"]
    assert [row["cells"][0] for row in rows] == ["A", "B", "current"]
    kept, now = engine.remix(first), engine.remix(there.params)
    gain = f"{100 * (kept.clean.value - now.clean.value):+.2f}".replace("-", "−")
    assert rows[0]["cells"][3] == f"{100 * kept.clean.value:.2f}{gain}"
    pair = mix_pairs(kept, now)["clean"]
    assert f"{pair.points} against the current mix" in rows[0]["tips"][3].replace("−", "-")
    there.press("Restore A")
    assert there.params == first
    there.press("Remove A")
    assert [mix["c"] for mix in there.state["snapshots"]] == [-0.9]
    for c in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        there.type("c", str(c))
        there.press("Keep a snapshot")
    assert [mix["c"] for mix in there.state["snapshots"]] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert "the oldest was removed" in there.seen["text"]
    there.type("c", "0.7")
    assert "the oldest was removed" not in there.seen["text"]


def test_every_figure_of_a_pool_is_the_engines(visit, pool):
    visit.open(opened("pool", pool), query=START)
    engine = RemixEngine(pool)
    table = headline(engine, visit.params, engine.remix(visit.params))
    rows = visit.seen["rows"]
    for row in table.rows:
        shown = re.findall(r"([\d.]+) % ", " ".join(rows[row.key]))
        figures = [row.clean, row.attacked, row.by_margin]
        assert shown == [f"{100 * figure.value:.2f}" for figure in figures if figure is not None]
    assert rows["std"][1] == "not attacked"
    assert "3 attacks on mixes" in visit.seen["text"]
    assert "optimistic" not in visit.text("shows-remarks")
    listed = visit.text("shows-sources")
    for source in sources(pool):
        assert str(source).rpartition(": ")[0] in listed
    assert "images are settled" in listed


def test_every_attacked_image_can_be_chosen(visit, pool):
    visit.open(opened("pool", pool), query=f"{START}&shows=attacked&image=0")
    points = set()
    for row in range(0, pool.n_adv, 5):
        visit.typeInto("Image no.", str(row))
        points.add(re.search(r"Shown: (.*?)\.", visit.text("story"))[1])
        assert visit.errors == []
    assert len(points) > 2


def test_first_points_alone_are_called_optimistic(there):
    assert "optimistic, no attack on a mix is among them" in there.text("shows-remarks")


def test_a_snapshot_that_a_bundle_cannot_show_says_why(there):
    there.link("s=2&p=2&c=-0.3&snap=s:5,p:4,c:-1.1,beta:0.9")
    [kept, _] = there.table("Snapshots")["rows"]
    assert kept["cells"][1] == "s 5, p 4, c −1.1"
    assert there.state["snapshots"][0]["beta"] == MixParams(beta=0.9).beta


def test_the_list_of_images_is_in_the_address_and_comes_back(visit, bundle):
    visit.open(opened("made-up", bundle), query=START)
    plain = visit.address
    visit.press("Attacked images")
    visit.choose("Show", "broken")
    visit.order(EXAMPLES, "margin")
    visit.order(EXAMPLES, "margin")
    assert visit.address == f"{plain}&list=attacked&list_kind=broken&list_sort=-margin"
    visit.press("Copy link")
    assert visit.seen["copied"].endswith(visit.address)
    left, query = visit.table(EXAMPLES), visit.address
    margins = [float(row["cells"][-1]) for row in left["rows"]]
    assert len(margins) > 1
    assert margins == sorted(margins, reverse=True)
    assert visit.open(opened("made-up", bundle), query=query).table(EXAMPLES) == left
    assert (visit.address, visit.errors) == (query, [])
    visit.press("Defaults")
    assert "list" not in visit.address
    assert visit.table(EXAMPLES)["sorted"] == []


def test_filter_page_and_selection_are_in_the_address_and_come_back(visit, many):
    visit.open(many, query=f"{START}&T=5&alpha=0.5")
    plain = visit.address
    assert len(visit.table(EXAMPLES)["rows"]) == 50
    visit.press("Next page")
    assert visit.address == f"{plain}&list_page=2"
    visit.filter(EXAMPLES, " 3 ")
    assert visit.address == f"{plain}&list_filter=%203%20"
    left = visit.table(EXAMPLES)
    assert all(any("3" in cell for cell in row["cells"]) for row in left["rows"])
    [visit.press("Undo"), visit.press("Undo")]
    assert visit.address == plain
    [visit.press("Redo"), visit.press("Redo")]
    assert visit.table(EXAMPLES) == left
    query = f"{plain}&list_page=2&selected=0-2999;all"
    rows = visit.open(many, query=query).table(EXAMPLES)["rows"]
    assert visit.address == query.replace(";", "%3B")
    assert visit.text("selection").startswith("3,000 images selected: all")
    visit.press("Clear selection")
    assert visit.address == plain
    visit.press("Undo")
    assert visit.table(EXAMPLES)["rows"] == rows


def test_the_page_of_the_list_is_that_of_the_chosen_image(visit, many):
    visit.open(many, query=f"{START}&T=5&alpha=0.5&list_page=3")
    key = visit.table(EXAMPLES)["rows"][-1]["key"]
    visit.link(f"{START}&T=5&alpha=0.5&shows=clean&image={key}")
    assert visit.table(EXAMPLES)["rows"][-1]["key"] == key
    visit.order(EXAMPLES, "margin")
    assert visit.address.endswith("&list_sort=margin&list_page=1")
    visit.link(f"{START}&T=5&alpha=0.5&list_page=99")  # there is no such page: the last one
    assert visit.table(EXAMPLES)["rows"][-1]["key"] == key


def test_selected_images_are_of_one_bundle(visit, bundle):
    visit.open(opened("one", bundle), opened("other", bundle), query=f"{START}&selected=3;mine")
    visit.choose("Bundle", "other")
    assert (visit.state["selected"], visit.isShown("Clear selection")) == ("", False)
    visit.press("Undo")
    assert (visit.state["bundle"], visit.state["selected"]) == ("one", "3;mine")
    visit.link(f"{START}&selected=3,{bundle.n_clean}")
    [problem] = visit.errors
    assert problem.startswith(f"selected must name images from 0 to {bundle.n_clean - 1}")


def test_the_list_goes_along_with_the_image_that_is_shown(there):
    plain = there.address
    there.press("Attacked images")
    key = there.table(EXAMPLES)["rows"][0]["key"]
    there.choice(EXAMPLES, key)
    assert there.address == f"{plain}&shows=attacked&image={key}"
    there.press("Show the paper's two cases again")
    assert there.address == f"{plain}&list=attacked"
    there.choose("Source", "a clean image")
    assert there.address.startswith(f"{plain}&shows=clean&image=")
    assert "clean images fixed" in there.table(EXAMPLES)["note"]


def test_it_can_be_sorted_by_each_of_its_columns(there):
    for name, sort in DECLARED["list_sort"].values[1:]:
        there.link(f"{START}&list_sort={sort}")
        [[_, direction]] = there.table(EXAMPLES)["sorted"]
        assert direction == ("descending" if name.startswith("-") else "ascending")
    assert there.errors == []
