"""The lesson's steps: what the data say, worked out anew in Python, and judged in words that fit."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import numpy as np
import pytest

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.params import IDENTITY, LN_ONLY
from mnuts_dashboards.lesson.page_file import sentences
from tests.dashboards.web.lesson.conftest import Reader
from tests.synthetic import clean_only, make_arrays, make_bundle

STEPS = range(1, 10)
SELDOM = re.compile(
    r"(judge|verdict|page|sure|ask|unit|thread|class)\.|.*(hidden|explorer_open|optimistic|verified|none|fewer|\.truth\.|\.of\.|live\.off|note_own|tally)"
)
"""Sentences that need a fault, a chance or a bundle of their own; the thread's have tests of their own."""


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def above(reference: RemixEngine, params: MixParams) -> float:
    """The share of h's clean mistakes that the line leaves above it."""
    n = reference.bundle.n_clean
    margins = reference.margins(params).margin.double().numpy()[:n][~reference.rob_right[:n]]
    return float((margins >= reference.remix(params).threshold).mean())


# --- what the data say
def test_accuracies(read, bundle, reference):
    seen = read().shown(1)
    assert (
        f"under attack h gets {percent(reference.base.rob_attacked.value)} right" in seen["verdict"].lower()
    )
    assert percent(reference.base.rob_clean.value) in seen["question"]
    assert seen["state"]["attack"] is None  # nobody has moved it: it stands where the question puts it


def test_medians_of_margins(read, bundle, reference):
    n = bundle.n_clean
    margins, right = reference.raw_margins()[:n], reference.rob_right[:n]
    seen = read().shown(3)
    assert f"{np.median(margins[~right]):.3f}" in seen["verdict"]
    assert f"{np.median(margins[right]):.2f}" in seen["question"]


def test_the_line_and_what_each_stage_leaves_above_it(read, bundle, reference, best):
    reader = read()
    stages = {
        4: IDENTITY.with_(beta=0.95),
        5: LN_ONLY.with_(beta=0.95),
        7: MixParams(s=1, p=4, c=best.c, beta=0.95),
    }
    for step, params in stages.items():
        assert percent(above(reference, params)) in reader.shown(step)["verdict"], step
    score = reader.sees["score"]
    assert [percent(above(reference, one)) in score for one in (*list(stages.values())[:2], best)] == [
        True
    ] * 3


def test_classes_above_the_cutoff(read, bundle):
    h = bundle.clean_rob_logits.astype(float)
    z = (h - h.mean(1, keepdims=True)) / h.std(1, ddof=1, keepdims=True)
    reader = read()
    assert f"{(z > 1.1).sum(1).mean():.2f} of 10" in reader.shown(6)["verdict"]
    reader.type("c", "-0.5")
    assert f"{(z > 0.5).sum(1).mean():.2f} classes above" in reader.sees["live"]


def test_the_mix_and_its_price(read, bundle, reference, best):
    right, before = reference.remix(best).on_clean.mix_right, reference.rob_right[: bundle.n_clean]
    fixes, breaks = int((right & ~before).sum()), int((before & ~right).sum())
    reader = read()
    seen = reader.shown(8)
    assert f"fixes {fixes} of {(~before).sum()}" in seen["verdict"].lower()
    assert f"fixes {fixes} and breaks {breaks}" in seen["live"]
    assert float(seen["control"][1]) == pytest.approx(reference.remix(best).alpha)
    mix = reference.remix(best.with_(alpha=0.8))
    reader.type("alpha", "0.8")
    assert percent(mix.clean.value) in reader.sees["live"]
    gain = (right.sum() - before.sum()) / len(right)
    assert f"{100 * gain:.1f} points" in reader.shown(9)["verdict"]


# --- judgement
@pytest.mark.parametrize(("off", "word"), [(0, "Yes"), (0.04, "Close"), (-0.4, "No"), (0.25, "No")])
def test_a_judgement_fits_the_answer(read, bundle, reference, off, word):
    truth = reference.base.rob_attacked.value
    said = round(100 * (truth + off), 1 if off == 0 else 0)
    seen = read().says(1, said)
    assert seen["verdict"].startswith(f"{word}: under attack h gets {percent(truth)} right")
    assert (f"you said {said:g} %" in seen["verdict"]) == (word != "Yes")
    assert "95 %" not in seen["verdict"], "intervals are there on demand"


def test_a_choice_is_judged_by_what_is_the_case(read):
    reader = read()
    options = ("fewer", "about as many", "more")
    verdicts = []
    for option in options:
        verdicts.append(reader.says(5, option)["verdict"])
        assert reader.sees["checked"] == [option]
        reader.press("Try again")
    assert sorted(verdict.split(":")[0] for verdict in verdicts) == ["No", "No", "Yes"]


def test_each_image_for_guessing_has_an_answer_of_its_own(read):
    reader = read()
    reader.says(2, "right")
    reader.type("example", "2")
    assert reader.sees["verdict"] == ""
    reader.press("Just show me")
    assert "You have judged 1 of these" in reader.sees["result"]
    reader.type("example", "1")
    assert reader.sees["checked"] == ["right"]


# --- the page
def test_answers_are_hidden_until_there_is_one_and_each_sentence_is_used(read):
    reader = read()
    for step in STEPS:
        before = reader.go(step)
        assert (before["verdict"], before["formula"], before["disabled"]) == ("", "", False)
        after = reader.says(1, 50) if step == 1 else reader.shown(step)
        assert after["verdict"]
        assert after["disabled"]
        assert str(step) in after["done"]
        assert after["errors"] == [], "a field is missing"
    used = set(reader.go(10)["used"])
    assert {key for key in sentences() if key not in used and not SELDOM.match(key)} == set()
    reader.go(9)
    reader.press("Try again")
    assert reader.sees["verdict"] == ""
    assert "9" not in reader.sees["done"]


def test_nothing_is_chosen_where_nothing_was_marked(read):
    reader = read("step=5")
    reader.press("Check")
    assert "Choose an answer first" in reader.sees["question"]
    assert reader.sees["state"]["said"] == {}


def test_what_the_box_refuses_is_no_answer(read):
    reader = read("step=4")
    reader.type("answer", "150")
    reader.press("Check")
    assert "between 0 and 100" in reader.sees["question"]
    assert reader.sees["state"]["said"] == {}
    reader.type("answer", "80")
    assert "between" not in reader.sees["question"]
    reader.type("answer", "-3")
    reader.press("Just show me")
    assert "between" not in reader.sees["question"]
    assert reader.sees["state"]["said"] == {"line": None}


def test_a_control_goes_where_the_question_asked_and_then_where_the_reader_wants(read):
    reader = read()
    assert reader.shown(7)["control"][1] == "4"
    assert "At p = 4.00" in reader.sees["live"]
    reader.type("p", "2")
    assert "At p = 2.00" in reader.sees["live"]
    reader.press("Reset")
    assert "At p = 4.00" in reader.sees["live"]
    reader.type("p", "3")
    reader.press("Try again")
    assert reader.sees["state"]["p"] is None


def test_a_link_brings_back_what_was_there(read):
    reader = read()
    reader.says(1, 50)
    reader.says(6, 3.1)
    reader.type("c", "-0.5")
    seen = reader.sees
    assert seen["address"] == "bundle=made-1&step=6&said=failures:50,clamp:3.1&c=-0.5"
    again = read(seen["address"]).sees
    assert {**again, "used": None} == {**seen, "used": None}


def test_what_is_wrong_with_a_link_is_said_and_the_rest_applies(read):
    seen = read("bundle=../etc&step=99&said=nonsense:3,line:40&c=x&who=me").sees
    assert seen["state"]["step"] == 10
    assert seen["state"]["said"] == {"line": 40}
    assert [sum(word in error for error in seen["errors"]) for word in ("bundle", "said", "“who”")] == [
        2,
        2,
        1,
    ]


def test_a_link_leaves_parts_out(read):
    reader = read("step=4&said=line:-&hide=turn,again,thread,nothing")
    seen = reader.sees
    assert not any(reader.isShown(name) for name in ("Next →", "Start again"))
    assert reader.isShown("Copy link")
    assert (len(seen["errors"]), "hide in the link" in seen["errors"][0]) == (1, True)
    assert seen["verdict"]
    assert read("step=4").isShown("Start again")


def test_a_step_by_itself_keeps_its_link(read):
    reader = read("step=4&said=line:-&hide=thread&only")
    assert reader.sees["address"].endswith("step=4&said=line:-&hide=thread&only")
    assert read("only=maybe").sees["errors"]


def test_a_presenter_turns_the_steps_by_keys(read):
    reader = read("step=4")
    reader.key("ArrowRight")
    assert reader.sees["state"]["step"] == 4, "not before"
    reader.press("Present")
    assert reader.sees["address"].endswith("&present")
    reader.key("PageDown")
    assert reader.key("ArrowRight") is None
    assert reader.sees["state"]["step"] == 6
    reader.key("ArrowLeft", "input")
    assert reader.sees["state"]["step"] == 6, "a slider keeps its arrow keys"
    reader.key("PageUp", "input")
    assert reader.sees["state"]["step"] == 5
    reader.key("Escape")
    assert "present" not in reader.sees["address"]


def test_an_answer_that_no_question_allows_is_none(read):
    assert read("said=failures:300,norm:maybe").sees["verdict"] == ""


def test_nothing_is_done_before_the_bundle_is_there(pages, made):
    reader = Reader(pages.open(made, slow=["made-1"]))
    for name in ("Step 3: Right and wrong on clean images", "Start again", "Copy link"):
        reader.press(name)
    assert reader.visit.text("opening").startswith("Opening made-1")
    reader.comes("made-1")
    seen = reader.sees
    assert (seen["state"]["step"], seen["errors"]) == (1, [])


def test_answers_stay_where_another_bundle_cannot_be_opened(read):
    reader = read("", make_bundle(n=90, m=60), make_bundle(n=60, m=40, seed=4))
    reader.says(1, 50)
    before = reader.sees
    reader.cutOff(True)
    reader.choose("Data", "made-3")
    seen = reader.sees
    assert (seen["state"], seen["errors"]) == (before["state"], ["the kernel has ended"])
    assert seen["verdict"] == before["verdict"]


def test_another_bundle_has_no_answers(read):
    reader = read("", make_bundle(n=90, m=60), make_bundle(n=60, m=40, seed=4))
    reader.says(1, 50)
    reader.choose("Data", "made-3")
    seen = reader.sees
    assert (seen["state"]["bundle"], seen["state"]["said"]) == ("made-3", {})
    assert "60 clean" in seen["source"]


def test_the_transform_is_searched_where_no_configuration_is_at_hand(read):
    other = make_bundle(n=90, m=60)
    chosen = grid_search(other, GridSpec.paper("cifar10"), 0.95).best.params
    reader = read("step=10", other)
    assert f"s={chosen.s!r}".removesuffix(".0") in reader.sees["end"]


def test_the_end_has_the_predictions_and_the_explorers_link(read, bundle, best):
    reader = read()
    reader.says(1, 50)
    reader.says(7, 60)
    end = reader.go(10)["end"]
    assert "50 %" in end
    assert "60 %" in end
    assert "of 2 right or close" in end
    query = re.search(r"\?(bundle=\S+beta=0\.95)", end)[1]
    link = dict(parse_qsl(query))
    assert {name: float(link[name]) for name in "spc"} == {name: getattr(best, name) for name in "spc"}


# --- other data
def two_classes() -> LogitBundle:
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 2, 80), rng.normal(size=(80, 2))
    logits[np.arange(80), labels] += rng.gamma(2.0, 1.0, 80)
    attacked = {
        "adv_index": np.arange(60),
        "adv_std_logits": -logits[:60],
        "adv_rob_logits": logits[:60] - 0.2,
    }
    return LogitBundle.from_arrays(
        clean_labels=labels, clean_std_logits=3 * logits, clean_rob_logits=logits, **attacked
    )


def perfect() -> LogitBundle:
    """h makes no mistake."""
    arrays = make_arrays(n=90, m=60)
    logits = arrays["clean_rob_logits"]
    logits[np.arange(90), arrays["clean_labels"]] = logits.max(1) + 1
    return LogitBundle.from_arrays(**arrays)


def malign() -> LogitBundle:
    """h's mistakes are the surest of its answers."""
    arrays = make_arrays(n=260, m=150)
    logits, labels = arrays["clean_rob_logits"], arrays["clean_labels"]
    wrong = np.flatnonzero(logits.argmax(1) != labels)
    logits[wrong, logits[wrong].argmax(1)] += 20
    return LogitBundle.from_arrays(**arrays)


@pytest.mark.parametrize(
    ("make", "missing"),
    [
        (two_classes, []),
        (perfect, [3, 4, 5, 6, 7, 8, 9]),
        (lambda: clean_only(make_bundle(n=90, m=60)), [1, 4, 5, 6, 7, 8, 9]),
        (lambda: make_bundle(n=24, m=14, seed=3), []),
    ],
)
def test_steps_that_a_bundle_cannot_carry_say_why(read, make, missing):
    reader, found = read("", make()), []
    for step in STEPS:
        if not (seen := reader.shown(step) if not reader.go(step)["waits"] else reader.sees)["verdict"]:
            found.append(step)
            assert "bundle" in seen["waits"]
        assert seen["errors"] == []
    assert found == missing
    assert reader.go(10)["errors"] == []


def test_a_malign_robust_model_is_called_so(read):
    seen = read("", malign()).shown(2)
    assert "Not here:" in seen["result"]
