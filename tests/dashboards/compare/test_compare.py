"""The comparison without a browser: settings move the numbers, and what is wrong is shown in one line."""

import asyncio
import dataclasses
import io
import threading

import numpy as np
import pandas as pd
import pytest

from mnuts_core import GridSpec, RemixEngine, grid_search
from mnuts_core.bundles.manifest import AttackCard, ThreatModel
from mnuts_core.views.transfer_matrix import best_of, transfer_matrix
from mnuts_dashboards.board.events import BoardEvent
from mnuts_dashboards.compare import tables
from mnuts_dashboards.compare.app import Compare
from mnuts_dashboards.compare.state import CompareState, read_link, write_link
from tests.synthetic import clean_only, make_bundle


def card(bundle, **fields):
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update=fields))


@pytest.fixture(scope="module")
def bundles():
    one = card(make_bundle(), attack=AttackCard(name="MMAA: APGD", n_iter=20, n_targets=9))
    two = card(make_bundle(seed=1, boost=3.5), attack=AttackCard(name="Square, least margin", n_queries=300))
    many = card(make_bundle(n=400, m=250, k=20, seed=2), threat=ThreatModel(norm="L2", eps=0.5))
    return {"one": one, "two": two, "many": many, "bare": clean_only(make_bundle(seed=3))}


@pytest.fixture(scope="module")
def folder(bundles, tmp_path_factory):
    made = tmp_path_factory.mktemp("bundles")
    for name, bundle in bundles.items():
        bundle.save(made / f"{name}.safetensors")
    return made


@pytest.fixture
def compare(folder, monkeypatch):
    """The page on two bundles, with what it sends kept in `sent`."""
    monkeypatch.setenv("MNUTS_DATA", str(folder))
    made = Compare(folder / "one.safetensors", folder / "two.safetensors")
    made.state.bundles = ("one", "two")
    made.sent = []
    made.results.board.send = lambda content, buffers=None: made.sent.append((content, buffers))
    return made


def expected(bundles, names, beta=0.985, grid="cifar10", clamp="gelu", alpha="target"):
    engines = {name: RemixEngine(bundles[name], device="cpu") for name in names}
    params = {
        name: best_of(grid_search(bundles[name], GridSpec.paper(grid), beta, clamp=clamp)).params
        for name in names
        if bundles[name].n_adv
    }
    return transfer_matrix(engines, params, alpha)


def test_it_opens_on_the_bundles_that_were_named(folder, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(folder))
    opened = Compare(folder / "two.safetensors", folder / "many.safetensors")
    assert opened.state.bundles[:2] == ("two", "many")
    assert opened.banner.value == ""
    assert {"one", "bare", "digits"} <= set(opened.session.names)


def test_the_numbers_are_the_cores(compare, bundles):
    assert compare.shown.transfers == expected(bundles, ["one", "two"])
    rows = compare.results.transfers.rows
    assert [(row["source"], row["target"]) for row in rows] == [
        (a, b) for a in ("one", "two") for b in ("one", "two")
    ]
    cell = compare.shown.transfers[1]
    assert rows[1]["clean"] == 100 * cell.clean.value
    assert rows[1]["by_margin_loss"] == pytest.approx(100 * cell.by_margin_loss)
    assert rows[1]["n"] == "300"
    assert rows[1]["n_more"] == "180"


@pytest.mark.parametrize(
    "change",
    [{"beta": 0.9}, {"grid": "cifar100"}, {"clamp": "relu"}, {"alpha": "source"}],
    ids=lambda change: next(iter(change)),
)
def test_a_setting_moves_the_numbers(compare, bundles, change):
    before = compare.shown
    compare.state.set(**change)
    assert compare.shown != before
    assert compare.shown.transfers == expected(bundles, ["one", "two"], **change)


def test_another_beta_does_not_search_again(compare, monkeypatch):
    monkeypatch.setattr(
        "mnuts_dashboards.compare.session.grid_search", lambda *_, **__: pytest.fail("searched again")
    )
    compare.state.beta = 0.9
    compare.state.alpha = "source"
    assert compare.shown.settings.beta == 0.9
    assert all(best.params.beta == 0.9 for best in compare.shown.best.values())


def test_controls_and_state_follow_each_other(compare):
    compare.controls.alpha.value = "source"
    compare.controls.beta.box.value = "0.9"
    compare.controls.clamp.value = "relu"
    assert (compare.state.alpha, compare.state.beta, compare.state.clamp) == ("source", 0.9, "relu")
    compare.state.set(alpha="target", grid="imagenet")
    assert (compare.controls.alpha.value, compare.controls.grid.value) == ("target", "imagenet")
    compare.controls.bundles._boxes["many"].value = True
    assert compare.state.bundles == ("one", "two", "many")
    compare.controls.bundles._boxes["one"].value = False
    assert tuple(compare.shown.summaries) == ("two", "many")


def test_bundles_of_all_kinds_stand_beside_each_other(compare, bundles):
    compare.state.set(bundles=("one", "two", "many", "bare"), alpha="source")
    assert compare.banner.value == ""
    assert compare.shown.transfers == expected(bundles, ["one", "two", "many", "bare"], alpha="source")
    notes = " ".join(compare.shown.notes)
    for message in (
        "10 (one, two, bare); 20 (many)",
        "ε = 0.5 (many)",
        "black box (two)",
        "bare has no attacked part",
    ):
        assert message in notes
    assert {row["bundle"] for row in compare.results.best.rows} == {"one", "two", "many"}
    bare = [row for row in compare.results.transfers.rows if row["target"] == "bare"]
    assert all(row["clean"] is not None and row["attacked"] is None for row in bare)
    compare.state.alpha = "target"
    bare = [row for row in compare.results.transfers.rows if row["target"] == "bare"]
    assert all("holds no attacked examples" in row["target_more"] and row["clean"] is None for row in bare)


def test_the_facts_say_which_attack(compare):
    one, two = compare.results.facts.rows
    assert (one["attack"], one["attack_more"]) == ("MMAA, white box", "20 steps, 9 targets")
    assert (two["attack"], two["attack_more"]) == ("Square, black box", "300 queries")
    assert one["rob_attacked_more"].count(" to ") == 1


def test_a_broken_file_is_left_out_and_reported_in_one_line(compare, folder, tmp_path):
    bad = tmp_path / "bad <b>.safetensors"
    damaged = bytearray((folder / "one.safetensors").read_bytes())
    damaged[-5] ^= 1
    bad.write_bytes(damaged)
    compare.add(bad)
    assert compare.state.bundles == ("one", "two")
    assert compare.banner.value.count("<div") == 1
    assert "bad &lt;b&gt; is left out" in compare.banner.value
    assert "damaged" in compare.banner.value
    assert "bad <b>" not in compare.session.names
    assert compare.shown.settings.bundles == ("one", "two")
    compare.state.beta = 0.9
    assert compare.banner.value == ""


def test_an_added_bundle_gets_a_name_of_its_own(compare, bundles, tmp_path):
    path = bundles["many"].save(tmp_path / "one.safetensors")
    compare.add(path)
    assert compare.state.bundles == ("one", "two", "one (2)")
    assert compare.shown.summaries["one (2)"].classes == 20
    bundles["two"].save(path)  # the same file again, with other contents
    compare.add(path)
    assert compare.shown.summaries["one (2)"].classes == 10


def test_a_file_is_called_by_its_name_and_not_by_where_it_lies(compare, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no bundle")
    compare.add(bad)
    assert "bad.safetensors is not a readable safetensors file" in compare.banner.value
    assert str(tmp_path) not in compare.banner.value


def test_more_than_six_are_refused(compare, bundles, tmp_path):
    for number in range(5):
        compare.add(bundles["bare"].save(tmp_path / f"extra{number}.safetensors"))
    assert len(compare.state.bundles) == 6
    assert "At most 6 bundles" in compare.banner.value
    assert compare.controls.bundles._boxes["extra4"].value is False


def test_none_and_one_are_explained(compare):
    compare.state.bundles = ("two",)
    assert "Only one bundle is chosen" in compare.results.notes.value
    assert len(compare.results.transfers.rows) == 1
    compare.state.bundles = ()
    assert "Choose bundles" in compare.results.notes.value
    assert compare.results.transfers.rows == []


def test_a_link_reproduces_the_view(compare, folder, monkeypatch):
    compare.state.set(bundles=("two", "many"), beta=0.9, alpha="source", clamp="relu")
    link = compare.link()
    assert link == "bundles=two,many&beta=0.9&clamp=relu&alpha=source"
    other = Compare()
    other.open_link(link)
    assert other.state.settings == compare.state.settings
    assert other.shown == compare.shown
    other.open_link("bundles=one")
    assert (other.state.beta, other.state.alpha) == (0.985, "target")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("bundles=nope,one", "no bundle &#39;nope&#39; here"),
        ("beta=98.5", "β must be between 0 and 1. Did you mean 0.985?"),
        ("beta=x", "β must be a number between 0 and 1"),
        ("grid=mine", "grid must be one of cifar10"),
        ("clamp=tanh", "clamp must be one of gelu"),
        ("alpha=1", "alpha must be one of target, source"),
        ("s=3", "&#39;s&#39; is no setting"),
        ("bundles=" + "x" * 9000, "longer than 8,000"),
    ],
)
def test_what_is_wrong_with_a_link_is_reported_and_the_rest_counts(compare, query, message):
    compare.open_link(f"{query}&theme=dark")
    assert message in compare.banner.value
    assert set(compare.state.bundles) <= {"one", "two"}
    assert compare.shown.settings.bundles


def test_names_with_commas_survive_a_link():
    state = CompareState(bundles=("a,b", "c&d", "é"))
    known = ["a,b", "c&d", "é"]
    assert read_link(write_link(state), bundles=known).values["bundles"] == state.bundles
    assert read_link("bundles=x%2Cy", bundles=["x", "y"]).values["bundles"] == ("x", "y")


def test_undo_and_redo(compare):
    compare.navigator.restart()
    compare.state.beta = 0.9
    assert not compare.controls.toolbar.undo.disabled
    compare.controls.toolbar.undo.click()
    assert compare.state.beta == 0.985
    assert compare.shown.settings.beta == 0.985
    compare.controls.toolbar.redo.click()
    assert compare.state.beta == 0.9


def test_a_click_brings_a_bundle_out_and_again_lets_it_be(compare):
    event = BoardEvent("medians", "click", ({"x": "two", "y": 0.3, "customdata": "two"},))
    compare.results.click(event)
    assert (compare.results.focus, compare.results.facts.chosen) == ("two", 1)
    opacity = compare.results.board._figures["medians"]["data"][0]["marker"]["opacity"]
    assert opacity[0] < opacity[1] == 1.0
    compare.results.facts.on_choose(1)
    assert (compare.results.focus, compare.results.facts.chosen) == (None, -1)


def test_a_click_on_a_cell_finds_its_row(compare):
    compare.results.click(BoardEvent("transfers", "click", ({"x": "one", "y": "two", "customdata": "…"},)))
    assert compare.results.transfers.chosen == 2
    assert len(compare.results.matrix._figures["transfers"]["layout"]["shapes"]) == 3
    compare.state.bundles = ("one", "many")
    assert compare.results.transfers.chosen == -1


@pytest.mark.parametrize(("place", "name", "rows"), [(0, "facts", 2), (1, "best", 2), (2, "transfers", 4)])
def test_every_table_is_saved_as_csv(compare, place, name, rows):
    boxes = [box for box in compare.results.children if "mnuts-box" in box._dom_classes]
    boxes[place].children[0].children[1].click()
    content, buffers = compare.sent[-1]
    assert content["type"] == "download"
    assert content["filename"].endswith(".csv")
    frame = pd.read_csv(io.BytesIO(buffers[0]))
    shown = compare.frames()[name].astype(object).fillna("")
    pd.testing.assert_frame_equal(frame.astype(object).fillna(""), shown, check_dtype=False)
    assert len(frame) == rows


def test_the_medians_are_saved_as_csv(compare):
    compare.controls.margins.click()
    content, buffers = compare.sent[-1]
    frame = pd.read_csv(io.BytesIO(buffers[0]))
    assert content["filename"] == "median-margins.csv"
    assert len(frame) == 2 * 4 * 4
    shown = compare.shown.medians["two"]["LN h"].attacked_right
    row = frame.query(
        "bundle == 'two' and classifier == 'LN h' and images == 'attacked' and predicted == 'right'"
    )
    np.testing.assert_allclose(
        row[["median", "low", "high", "n"]].to_numpy()[0], [shown.value, *shown.interval, shown.n]
    )


def test_work_runs_beside_the_page_and_a_cancel_keeps_the_view(compare, monkeypatch):
    """On a running loop: the search waits until it is cancelled, and is then taken up again."""
    searched = threading.Event()
    begun = threading.Event()

    def slow(bundle, grid, beta, *, clamp, progress):
        begun.set()
        for _ in range(2000):
            progress(0.5)
            if searched.wait(0.005):
                break
        return grid_search(bundle, grid, beta, clamp=clamp, progress=progress)

    monkeypatch.setattr("mnuts_dashboards.compare.session.grid_search", slow)
    before = compare.shown

    async def visit():
        compare.state.grid = "cifar100"
        while not begun.is_set() or compare.controls.progress.value == 0:
            await asyncio.sleep(0.01)
        assert compare.controls.progress.layout.visibility == "visible"
        compare.controls.cancel.click()
        while compare.controls.again.layout.display == "none":
            await asyncio.sleep(0.01)
        assert compare.shown is before
        assert "Cancelled" in compare.controls.toolbar.status.value
        searched.set()
        compare.controls.again.click()
        while compare.shown is before:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(visit(), 60))
    assert compare.shown.settings.grid == "cifar100"
    assert compare.controls.progress.layout.visibility == "hidden"


def test_an_unexpected_error_is_reported_without_traceback(compare, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("boom")

    before = compare.shown
    monkeypatch.setattr(compare.session, "compare", fail)
    compare.start()
    assert "boom" in compare.banner.value
    assert "Traceback" not in compare.banner.value
    assert compare.shown is before


def test_the_papers_numbers_are_the_papers():
    gaps = tables.paper_gaps()
    assert len(gaps) == 9
    assert ("Peng 2023, CIFAR-10 ℓ∞", 0.395) in gaps
    assert "Wang et al. (2023) s = 5, c = −1.1, p = 2.71" in tables.paper_best()


def test_numbers_written_as_text_are_sorted_as_numbers(bundles):
    engine = RemixEngine(bundles["one"], device="cpu")
    params = grid_search(bundles["one"], GridSpec.paper("cifar10"), 0.985).best.params
    cells = transfer_matrix({"one": engine}, {"one": params}, "target")
    (row,) = tables.transfer_rows(cells)
    assert (row["n"], row["n_sort"]) == ("300", 300)
    assert row["alpha_sort"] == cells[0].params.alpha
