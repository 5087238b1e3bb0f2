"""Every view by its name: what its own function gives, and none where there is nothing to show."""

import numpy as np
import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, grid_search
from mnuts_core.functional.statistics import share
from mnuts_core.params import IDENTITY
from mnuts_core.views import examples, headline, tradeoff
from mnuts_core.views.classes import confusion
from mnuts_core.views.images import images
from mnuts_core.views.margins import LOG_EDGES, base_histograms, histogram, mix_histograms
from mnuts_core.views.registry import VIEWS, Moment, views_of
from tests.synthetic import clean_only, make_bundle

PARAMS = MixParams(s=2.0, p=2.0, c=-0.5, beta=0.9, temperature=1.0)


@pytest.fixture(scope="module")
def engine():
    return RemixEngine(make_bundle(n=60, m=30), device="cpu")


def test_views_are_those_of_their_functions(engine):
    left = share(10, 30, "verified")
    moment = Moment(engine, PARAMS, verified=left, example=("attacked", 4), snapshots=(IDENTITY,))
    views = views_of(moment)
    assert list(views) == list(VIEWS)
    assert views["headline"].mix.verified == left
    assert views["headline"].mix.attacked == moment.remix.attacked
    expected = tradeoff.alpha_curve(engine, IDENTITY.with_(temperature=1.0))
    np.testing.assert_array_equal(views["plain_curve"].clean, expected.clean)
    assert views["story"] == examples.story(engine, moment.remix, "attacked", 4)
    assert [case.name for case in views["bars"]] == [case.name for case in views["simplex"]]
    assert views["snapshots"][0].clean == engine.remix(IDENTITY).clean
    assert views["classes_attacked"].n.sum() == 30
    assert views["sensitivity"] is None


def test_without_an_attacked_part_or_an_example():
    engine = RemixEngine(clean_only(make_bundle(n=40, m=20)), device="cpu")
    views = views_of(Moment(engine, PARAMS.with_(alpha=0.8)))
    missing = {name for name, view in views.items() if view is None}
    attacked = {name for name in VIEWS if name.endswith("_attacked")}
    assert missing == attacked | {"certified", "story", "frontier", "direct_frontier", "sensitivity"}
    assert len(views["bars"]) == len(views["simplex"]) == 2


def test_a_search_has_its_sensitivity(engine):
    result = grid_search(engine.bundle, GridSpec.paper("cifar10"))
    view = VIEWS["sensitivity"](Moment(engine, PARAMS, result=result))
    assert view.at == (2.0, 2.0, -0.5)


def test_the_scatter_counts_what_the_accuracies_count(engine):
    remix = engine.remix(PARAMS)
    view = images(engine, remix)
    assert view.mix_right.mean() == remix.clean.value
    assert view.mapped_right.mean() == remix.rob_clean.value
    assert view.std_right.mean() == headline.headline(engine, PARAMS, remix).std.clean.value
    np.testing.assert_array_equal(view.margin, remix.on_clean.margin)


def test_images_are_counted_as_elsewhere(engine):
    remix = engine.remix(PARAMS)
    view, k = images(engine, remix), engine.bundle.num_classes
    for label, mixed, where in (
        (view.label, view.mix_class, "clean"),
        (view.label[view.attacked.row], view.attacked.mix_class, "attacked"),
    ):
        counts = np.bincount(label * k + mixed, minlength=k * k).reshape(k, k)
        np.testing.assert_array_equal(counts, confusion(engine, remix, where))
    base = base_histograms(engine)
    for margin, right, name in (
        (view.std_margin, view.std_right, "g"),
        (view.rob_margin, view.rob_right, "h"),
        (view.ln_margin, view.rob_right, "LN h"),
    ):
        np.testing.assert_array_equal(histogram(margin, right).log_right, base[name].clean.log_right)
    found = histogram(view.attacked.margin, view.attacked.mapped_right)
    np.testing.assert_array_equal(found.right, mix_histograms(remix).attacked.right)


def test_bins_even_in_the_logarithm():
    margins = np.array([0.0, 1e-9, 1e-6, 1.7e-6, 1e-3, 0.5, 1.0])
    right = np.array([True, True, False, True, True, False, True])
    found = histogram(margins, right)
    assert (len(LOG_EDGES), LOG_EDGES[0], LOG_EDGES[-1]) == (25, 1e-6, 1.0)
    np.testing.assert_allclose(np.diff(np.log10(LOG_EDGES)), 0.25)
    assert found.log_right[[0, 12, 23]].tolist() == [3, 1, 1]
    assert found.log_wrong[[0, 22]].tolist() == [1, 1]
    assert found.log_right.sum() + found.log_wrong.sum() == found.n == 7
