"""What stands beneath the plots: images fixed and broken, snapshots, assumptions, one image's story."""

import pytest

from mnuts_core.views.examples import story as story_of
from mnuts_core.views.paired import mix_pairs
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.figures.tradeoff import SNAPSHOTS
from mnuts_dashboards.text.cards import story_html


def test_the_table_lists_what_the_mix_fixes_and_breaks(explorer):
    card = explorer.details.examples
    assert card.table.rows == []  # nobody looks at it
    assert card.table.empty == "Loading examples …"
    card.table.visible = True
    explorer.make(ALL)
    part, before = explorer.remix.on_clean, explorer.opened.engine.rob_right[:300]
    assert {row["key"] for row in card.table.rows} == set((before != part.mix_right).nonzero()[0])
    card.what.value = "fixed"
    assert {row["what"] for row in card.table.rows} == {"fixes"}
    key = card.table.rows[0]["key"]
    card.table._receive(None, {"type": "choose", "key": key}, [])
    assert explorer.selection == ("clean", key)
    explorer.make(ALL)
    assert "The mix fixes it" in card.story.value
    assert card.table.chosen == key
    card.part.value = "attacked"
    assert "attacked images" in card.table.note
    assert card.table.chosen == -1


def test_snapshots_are_compared_restored_and_removed(explorer):
    table = explorer.details.snapshots.table
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
    pair = mix_pairs(engine.remix(first), explorer.remix)["clean"]
    assert f"{pair.points} against the current mix" in table.rows[0]["clean_tip"].replace("−", "-")
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
    assert "the oldest was removed" in explorer.controls.toolbar.status.value
    explorer.state.c = 0.7
    explorer.make(ALL)
    assert explorer.controls.toolbar.status.value == ""


@pytest.mark.parametrize(
    ("margin", "threshold", "changed", "rule"),
    [
        (2.4e-5, 0.0, False, "margin (2.4e-5) reaches the threshold (0), so g cannot overrule it."),
        (9.6e-5, 1.0e-4, True, "margin (9.6e-5) is below the threshold (1.0e-4), so g overrules it."),
        (0.89779, 0.89781, False, "margin (0.89779) is below the threshold (0.89781), so g can overrule it."),
        (0.99996, 0.34, False, "margin (0.99996) reaches the threshold (0.34000), so g cannot"),
        (0.25, 0.25, False, "margin equals the threshold (0.25): a tie, and ties go to g."),
    ],
)
def test_a_margin_is_compared_with_digits_enough(explorer, margin, threshold, changed, rule):
    story = story_of(explorer.opened.engine, explorer.remix, "clean", 0)
    mix = "another" if changed else story.mapped
    story = story._replace(margin=margin, threshold=threshold, mix=mix)
    assert rule in story_html(story, None)


def test_counts_of_fixed_images_name_their_reference(explorer):
    explorer.make(ALL)
    engine, remix = explorer.opened.engine, explorer.remix
    right, mixed = engine.rob_right[: engine.n_clean], remix.on_clean.mix_right
    card, checks = explorer.details.examples, explorer.details.checks.value
    card.table.visible = True
    fixed, broken = (~right & mixed).sum(), (right & ~mixed).sum()
    assert (
        card.table.note == f"{fixed} of {engine.n_clean} clean images fixed, {broken} broken (relative to h)"
    )
    right = remix.on_clean.right
    fixed, broken = (~right & mixed).sum(), (right & ~mixed).sum()
    assert f"({fixed} fixed, {broken} broken)" in checks
    assert "images gained" in checks
