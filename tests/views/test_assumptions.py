"""The assumptions behind the objective, counted by hand and against the mix itself."""

import numpy as np
import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.functional.statistics import share
from mnuts_core.search.grids import GridSpec
from mnuts_core.views.assumptions import assumptions
from tests import reference
from tests.synthetic import make_pool


@pytest.fixture(scope="module")
def by_hand():
    """Five clean images of three classes, T = 0, no transform, α = 0.6: the threshold is 2/3."""
    rob = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [0.9, 0.05, 0.05], [0.5, 0.2, 0.3]])
    std = np.log([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    bundle = LogitBundle.from_arrays(
        clean_labels=[0, 1, 1, 1, 2], clean_std_logits=std, clean_rob_logits=rob, classes=["a", "b", "c"]
    )
    engine = RemixEngine(bundle)
    return engine, engine.remix(MixParams(s=1, p=1, c=0, clamp="linear", ln_k=0, alpha=0.6))


def test_by_hand(by_hand):
    view = assumptions(*by_hand)
    assert view.std_right_too == share(1, 2)  # right: images 0 and 1; g is right on the first alone
    assert view.changed_clean == share(0, 5)
    assert view.changed_attacked is None
    assert view.kept == share(1, 3)  # wrong: 2, 3, 4 with margins 0.2, 0.85, 0.2
    assert view.kept_std_right == share(1, 3)
    assert view.promised == pytest.approx(3 * (1 - 1 / 3))
    assert (view.fixed, view.broken, view.not_second) == (2, 0, 0)


def test_the_gain_is_the_mixs(digits):
    engine = RemixEngine(digits)
    best = grid_search(digits, GridSpec.paper("cifar10")).best
    remix = engine.remix(best.params)
    view = assumptions(engine, remix)
    assert view.fixed - view.broken == remix.clean.successes - remix.rob_clean.successes
    assert view.kept.value == pytest.approx(best.objective)
    assert view.fixed <= view.kept_std_right.n - view.kept_std_right.successes
    assert view.not_second == view.kept_std_right.n - view.kept_std_right.successes - view.fixed


def test_a_transform_that_changes_predictions_is_counted(bundle):
    engine = RemixEngine(bundle)
    view = assumptions(engine, engine.remix(MixParams(s=1, p=2, c=-3.0, alpha=0.7)))
    assert view.changed_clean.successes > 0
    assert view.changed_attacked.n == bundle.n_adv


def test_attacked_images_count_once_whatever_number_of_points_changes():
    pool, params = make_pool(n=90, m=60), MixParams(s=1, p=2, c=-3.0, alpha=0.7)
    engine = RemixEngine(pool)
    part = pool.attacked
    mapped = reference.transform(part.rob_logits, params.s, params.p, params.c, params.clamp)
    changed = mapped.argmax(1) != part.rob_logits.argmax(1)
    images = set(part.of[changed].tolist())
    assert len(images) < changed.sum()
    assert assumptions(engine, engine.remix(params)).changed_attacked == share(len(images), pool.n_adv)
