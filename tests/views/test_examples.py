"""Single examples: what changes, one example's votes and probabilities, against the module itself."""

import numpy as np
import pytest
import torch

from mnuts_core import MixParams, ParameterError, RemixEngine
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.simplex import PAPER_CASES
from mnuts_core.views.examples import changed_examples, example_bars, paper_bars, story

PARAMS = MixParams(s=1.5, p=2.0, c=-0.3, beta=0.95)


@pytest.fixture(scope="module", params=[0.0, 1.0])
def made(request, bundle):
    engine = RemixEngine(bundle)
    return engine, engine.remix(PARAMS.with_(temperature=request.param))


@pytest.mark.parametrize("where", ["clean", "attacked"])
def test_changed_examples_are_those_where_h_and_the_mix_part(made, bundle, where):
    engine, remix = made
    part = remix.on_clean if where == "clean" else remix.on_attacked
    rows = slice(0, bundle.n_clean) if where == "clean" else slice(bundle.n_clean, None)
    before, after = engine.rob_right[rows], part.mix_right
    found = changed_examples(engine, remix, where)
    assert len(found.row) == (before != after).sum() > 0
    assert found.fixed.sum() - (~found.fixed).sum() == after.sum() - before.sum()
    assert ((found.mix == found.label) == found.fixed).all()
    assert ((found.rob == found.label) != found.fixed).all()
    labels = bundle.clean_labels if where == "clean" else bundle.attacked.labels
    np.testing.assert_array_equal(found.label, labels[found.row])
    if where == "attacked":
        np.testing.assert_array_equal(found.number, bundle.attacked.index[found.row])


def test_a_story_agrees_with_the_table(made, bundle):
    engine, remix = made
    found = changed_examples(engine, remix)
    names = bundle.manifest.classes
    for i in range(len(found.row)):
        shown = story(engine, remix, "clean", int(found.row[i]))
        assert shown.outcome == ("fixed" if found.fixed[i] else "broken")
        assert (shown.label, shown.mix) == (names[found.label[i]], names[found.mix[i]])
        assert shown.margin == found.margin[i]


def test_rows_that_are_not_there_are_refused(made, bundle):
    with pytest.raises(ParameterError, match=f"row must lie in \\[0, {bundle.n_adv}\\) for attacked"):
        story(*made, "attacked", bundle.n_adv)


def test_bars_are_the_probabilities_of_the_mix(made, bundle):
    engine, remix = made
    for row in range(20):
        bars = example_bars(engine, remix, "attacked", row)
        place = bundle.n_clean + row
        h = engine.rob_logits[place]
        exact = mixed_logits(engine.std_logits[place : place + 1], h.unsqueeze(0), remix.params)[0].exp()
        shown = h.topk(3).indices
        np.testing.assert_allclose(bars.values["mix"], exact[shown], atol=1e-12)
        np.testing.assert_allclose(bars.values["h"], h.softmax(0)[shown], atol=1e-12)
        assert bars.margin["M(h)"] == pytest.approx(remix.on_attacked.margin[row], abs=1e-9)
        label = bundle.attacked.labels[row]
        assert bars.label == (shown.tolist().index(label) if label in shown else None)


def test_the_papers_cases_are_those_of_figure_3():
    large, small = paper_bars(MixParams(s=5, p=4, c=-1.1, ln_k=250, alpha=0.9))
    np.testing.assert_allclose(small.values["h"], [0.06, 0.49, 0.45], atol=0.005)
    assert small.margin["h"] == pytest.approx(0.047, abs=5e-4)
    expected = torch.tensor(PAPER_CASES["Case 1: large margin"], dtype=torch.float64).softmax(0)
    np.testing.assert_allclose(large.values["h"], expected)
    assert small.margin["M(h)"] < small.margin["h"]
