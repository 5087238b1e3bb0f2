"""The lesson on other data: it says what they show, names its gaps, and escapes their names."""

import numpy as np
import pytest

from mnuts_core import LogitBundle
from mnuts_dashboards.lesson.app import Lesson
from tests.synthetic import clean_only, make_arrays


def walk(lesson):
    """Answer all steps; what is missing, by key."""
    missing = {}
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        missing[step.key] = step.missing()
        if missing[step.key]:
            assert "mnuts-missing" in lesson.idea.value
            assert lesson.make(frozenset()) == {}
            continue
        question = step.question()
        lesson.answer(question.options[-1][0] if question.options else question.high)
        assert lesson.result.value
        assert lesson.make(frozenset())
        assert lesson.banner.value == ""
    return missing


@pytest.fixture
def made_up(tmp_path):
    """A function that opens the lesson on synthetic arrays, some of them changed."""

    def make(arrays=None, **options):
        bundle = LogitBundle.from_arrays(**(arrays or make_arrays()), **{"name": "SYNTHETIC", **options})
        return Lesson(bundle.save(tmp_path / "made.safetensors"))

    return make


def two_classes():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    logits = rng.normal(size=(80, 2))
    logits[np.arange(80), labels] += rng.gamma(2.0, 1.0, 80)
    return {
        "clean_labels": labels,
        "clean_std_logits": 3 * logits,
        "clean_rob_logits": logits,
        "adv_index": np.arange(60),
        "adv_std_logits": -logits[:60],
        "adv_rob_logits": logits[:60] - 0.2 * np.eye(2)[labels[:60]],
    }


@pytest.mark.parametrize("arrays", [make_arrays, two_classes])
def test_all_steps_are_there(made_up, arrays):
    assert not any(walk(made_up(arrays())).values())


def test_without_attacked_images_steps_say_so(bundle, tmp_path):
    missing = walk(Lesson(clean_only(bundle).save(tmp_path / "clean.safetensors")))
    assert {key for key, why in missing.items() if why} == {
        "failures", "attack", "ln", "power", "mixing", "price"
    }  # fmt: skip
    assert all("no attacked images" in why for why in missing.values() if why)


def test_without_mistakes_steps_say_so(made_up):
    arrays = make_arrays()
    perfect = arrays["clean_rob_logits"].copy()
    perfect[np.arange(300), arrays["clean_labels"]] = perfect.max(1) + 1
    missing = walk(made_up(arrays | {"clean_rob_logits": perfect}))
    assert {key for key, why in missing.items() if why} >= {"benign", "attack", "ln", "power"}
    assert missing["failures"] is None


def test_a_malign_robust_model_is_called_so(made_up):
    """Mistakes made the surest answers of all: every claim of benign confidence must turn."""
    arrays = make_arrays()
    h, labels = arrays["clean_rob_logits"].copy(), arrays["clean_labels"]
    wrong = np.flatnonzero(h.argmax(1) != labels)
    assert len(wrong) > 20
    h[wrong, h[wrong].argmax(1)] += 20
    lesson = made_up(arrays | {"clean_rob_logits": h})
    for at in (3, 4):
        lesson.state.step = at
        assert lesson.step.check(None).claims[0].verdict == "contrary"
    lesson.answer(None)
    assert "Not so here:" in lesson.result.value


def test_too_few_examples_leave_claims_open(made_up):
    lesson = made_up(make_arrays(n=24, m=14, seed=3), name="few")
    walk(lesson)
    present = [step for step in lesson.steps if not step.missing()]
    verdicts = [claim.verdict for step in present for claim in step.check(None).claims]
    assert verdicts.count("open") >= 3


def test_names_of_the_bundle_are_escaped_wherever_they_stand(made_up):
    """In texts, tables and formulas; as plain text in labels, which the page does not read as HTML."""
    classes = tuple(rf"<b>{number}</b> & \frac}}{{ $%" for number in range(10))
    lesson = made_up(classes=classes, name="<script>")
    seen = 0
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        question = step.question()
        lesson.answer(question.options[0][0] if question.options else question.low)
        for part in (lesson.idea, lesson.formula, lesson.result, lesson.live, lesson.cards, lesson.source):
            assert "<script>" not in part.value
            assert not any(f"<b>{number}</b> &" in part.value for number in range(10)), part.value
            seen += part.value.count(r"</b&gt; &amp; \frac}{ $%") + part.value.count(
                r"&lt;/b&gt; &amp; \frac}{ $%"
            )
    assert seen > 10
    lesson.state.step = 2
    assert any(f"“{name}”" in lesson.step.question().label for name in classes)
