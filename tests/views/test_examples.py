"""Single examples: what changes, one example's votes and probabilities, against the module itself."""

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixParams, ParameterError, RemixEngine
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.bundles.paper import paper_table
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.simplex import PAPER_CASES
from mnuts_core.params import IDENTITY, PAPER_OPTIMA
from mnuts_core.views.examples import (
    NO_CLASS,
    changed_examples,
    example_bars,
    example_case,
    paper_bars,
    paper_cases,
    story,
)
from tests.synthetic import make_pool

PARAMS = MixParams(s=1.5, p=2.0, c=-0.3, beta=0.95)


@pytest.fixture(scope="module", params=[0.0, 1.0])
def made(request, bundle):
    engine = RemixEngine(bundle)
    return engine, engine.remix(PARAMS.with_(temperature=request.param))


@pytest.mark.parametrize("where", ["clean", "attacked"])
def test_changed_examples_are_those_where_h_and_the_mix_part(made, bundle, where):
    engine, remix = made
    before, after = engine.rob_right[: bundle.n_clean], remix.on_clean.mix_right
    if where == "attacked":
        before, after = engine.rob_right_on_images, remix.on_images.mix_right
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
        place = int(remix.on_images.row[row])  # the clean row where the mix is wrong there
        h = engine.rob_logits[place]
        exact = mixed_logits(engine.std_logits[place : place + 1], h.unsqueeze(0), remix.params)[0].exp()
        shown = h.topk(3).indices
        np.testing.assert_allclose(bars.values["mix"], exact[shown], atol=1e-12)
        np.testing.assert_allclose(bars.values["h"], h.softmax(0)[shown], atol=1e-12)
        assert bars.margin["M(h)"] == pytest.approx(story(*made, "attacked", row).margin, abs=1e-9)
        label = bundle.attacked.labels[row]
        assert bars.label == (shown.tolist().index(label) if label in shown else None)


@pytest.fixture(scope="module")
def pooled():
    bundle = make_pool(n=300, m=240, sources=3, most=1)
    return bundle, RemixEngine(bundle)


def test_a_pool_by_hand():
    """At α = 0.6 g outvotes h below a lead of 2/3: so the first image is fixed, the second broken."""

    def logits(*rows):
        return np.log(np.array(rows))

    def right(lead):
        return [(1 + lead) / 2, (1 - lead) / 2]

    bundle = LogitBundle.from_arrays(
        clean_labels=[0, 0],
        clean_std_logits=logits(right(0.9), right(0.9)),
        clean_rob_logits=logits(right(0.8), right(0.8)),
        adv_index=[0, 1],
        adv_std_logits=logits(right(0.9), right(0.9)),
        adv_rob_logits=logits(right(-0.1), right(0.8)),  # h is wrong on the first, by little
    )
    card = SourceCard(name="APGD", target="a mix", params={"alpha": 0.6})
    further = np.array([0, 1]), logits(right(-0.9), right(-0.9)), logits(right(0.7), right(0.1))
    engine = RemixEngine(bundle.with_points(card, *further))
    remix = engine.remix(IDENTITY.with_(alpha=0.6))
    found = changed_examples(engine, remix, "attacked")
    assert (found.row.tolist(), found.fixed.tolist()) == ([0, 1], [True, False])
    assert (found.rob.tolist(), found.mix.tolist()) == ([1, 0], [0, 1])
    assert found.margin == pytest.approx([0.1, 0.1])
    first, second = (story(engine, remix, "attacked", image) for image in (0, 1))
    assert (first.row, second.row) == (2, 5)  # of two clean, two first and two further rows
    assert second.point == "the point found by APGD on the mix α = 0.6"


def test_attacked_examples_of_a_pool_are_judged_at_all_their_points(pooled):
    """By a loop over images: fixed are those that h gets wrong somewhere and the mix nowhere."""
    bundle, engine = pooled
    remix, part = engine.remix(PARAMS.with_(alpha=0.6)), bundle.attacked
    everywhere = engine.everywhere(remix.params, remix.threshold)
    h_right = np.concatenate([bundle.clean_rob_logits, part.rob_logits]).argmax(1) == np.concatenate(
        [bundle.clean_labels, part.labels]
    )
    outcomes = {}
    for image, clean_row in enumerate(part.first.index):
        rows = [clean_row, *(bundle.n_clean + np.flatnonzero(part.of == image))]
        before, after = h_right[rows].all(), everywhere.mix_right[rows].all()
        if before != after:
            outcomes[image] = bool(after)
    found = changed_examples(engine, remix, "attacked")
    assert dict(zip(found.row.tolist(), found.fixed.tolist(), strict=True)) == outcomes
    assert len(outcomes) > 10


def test_an_example_of_a_pool_is_shown_at_the_point_that_decides(pooled):
    bundle, engine = pooled
    remix = engine.remix(PARAMS.with_(alpha=0.75))
    found = changed_examples(engine, remix, "attacked")
    names, points = bundle.manifest.classes, set()
    for i, image in enumerate(found.row.tolist()):
        case, bars = story(engine, remix, "attacked", image), example_bars(engine, remix, "attacked", image)
        assert case.outcome == ("fixed" if found.fixed[i] else "broken")
        assert (case.mix == case.label) == found.fixed[i]
        assert (case.number, case.margin) == (found.number[i], found.margin[i])
        assert (case.std, case.rob) == (names[found.std[i]], names[found.rob[i]])
        rows, place = engine.at(case.row)
        h = rows.rob_logits[place : place + 1]
        exact = mixed_logits(rows.std_logits[place : place + 1], h, remix.params)[0].exp()
        np.testing.assert_allclose(bars.values["mix"], exact[h[0].topk(3).indices], atol=1e-12)
        assert example_case(engine, case.row, remix.params).name.endswith(f"labelled {case.label}")
        points.add(case.point)
        assert (case.row < bundle.n_clean) == (case.point == "the image without an attack")
    assert sum("SYNTHETIC attack" in point for point in points) >= 2
    assert all(story(engine, remix, "clean", row).point == "" for row in range(3))


def test_figure_3_has_the_printed_numbers():
    """Of `data/paper/fig03.csv`; its 0.698 and the 1.0 over A are misprints (0.687, and 1 - 2 · 0.023)."""
    for (_, table), case, answer in zip(
        paper_table("fig03").groupby("case"), paper_bars(MixParams()), "AB", strict=True
    ):
        printed = table["transformed_probability"].tolist()
        shown = [float(f"{p:.2g}") for p in case.values["printed"]]
        assert shown == ([0.95, *printed[1:]] if printed[0] == 1.0 else printed)
        assert float(f"{case.margin['printed']:.2g}") == table["transformed_margin"].iloc[0]
        assert case.answers["printed"] == case.answers["h"] == answer


def test_figure_3_does_not_move_with_the_sliders():
    one, other = (paper_bars(MixParams(s=s, c=c)) for s, c in ((1, 0), (30, -2)))
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first.values["printed"], second.values["printed"])
    cases = [paper_cases(MixParams(s=s)) for s in (1, 30)]
    np.testing.assert_array_equal(cases[0][1].printed_at, cases[1][1].printed_at)


def test_where_m_changes_the_class():
    """The paper's CIFAR-100 mix puts both of case 2's classes into GELU's dip; ReLU ties all three."""
    assert [case.answers["M(h)"] for case in paper_bars(PAPER_OPTIMA["cifar100"])] == ["B", "A"]
    assert paper_bars(MixParams(clamp="relu", c=-2))[1].answers["M(h)"] == NO_CLASS
    assert [case.answers["M(h)"] for case in paper_bars(MixParams(s=1, p=1, c=0))] == ["A", "B"]


def test_the_papers_cases_are_those_of_figure_3():
    large, small = paper_bars(MixParams(s=5, p=4, c=-1.1, ln_k=250, alpha=0.9))
    np.testing.assert_allclose(small.values["h"], [0.06, 0.49, 0.45], atol=0.005)
    assert small.margin["h"] == pytest.approx(0.047, abs=5e-4)
    expected = torch.tensor(PAPER_CASES["Case 1: large margin"], dtype=torch.float64).softmax(0)
    np.testing.assert_allclose(large.values["h"], expected)
    assert small.margin["M(h)"] < small.margin["h"]
