"""What a class predicts: counted once for each visitor and question, and nothing else is kept."""

from mnuts_dashboards.lesson.questions import MAX_BUNDLES, PARTS, QUESTIONS
from mnuts_dashboards.server.class_counts import ClassCounts


def test_a_visitor_counts_once_for_each_question():
    counts = ClassCounts({"ann", "bob"})
    assert counts.knows("ann")
    assert not counts.knows("eve")
    assert counts.add("ann", 0, "line", 3)
    assert not counts.add("ann", 0, "line", 4)
    assert counts.add("ann", 1, "line", 4)
    assert counts.add("bob", 0, "line", 3)
    assert counts.of(0, "line") == [0, 0, 0, 2] + [0] * (PARTS - 4)
    assert sum(counts.of(0, "norm")) == 0


def test_what_no_page_says_does_nothing():
    counts = ClassCounts({"ann"})
    for said in (
        ("eve", 0, "line", 3),
        ("ann", -1, "line", 3),
        ("ann", MAX_BUNDLES, "line", 3),
        ("ann", 10**40, "line", 3),
        ("ann", 0, "margin-25", 3),
        ("ann", 0, "", 3),
        ("ann", 0, "line", -1),
        ("ann", 0, "line", PARTS),
    ):
        assert not counts.add(*said)
    assert counts._counts == {}


def test_it_is_bounded_by_what_can_be_asked_and_forgets_who_left():
    here = {"ann"}
    counts = ClassCounts(here)
    for bundle in range(2 * MAX_BUNDLES):
        for question in QUESTIONS:
            counts.add("ann", bundle, question, 0)
    assert len(counts._counts) == MAX_BUNDLES * len(QUESTIONS)
    here.clear()
    here.add("bob")
    counts.add("bob", 0, "line", 1)
    assert set(counts._answered) == {"bob"}
    assert counts.of(0, "line")[:2] == [1, 1], "the counts stay"
