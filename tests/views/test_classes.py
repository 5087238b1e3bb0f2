"""Results by class, against loops."""

import numpy as np
import pytest

from mnuts_core import BundleError, LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.manifest import STD_TARGET, SourceCard
from mnuts_core.views.classes import class_results, confusion
from tests.synthetic import clean_only, make_pool

PARAMS = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.7)


@pytest.fixture(scope="module")
def pool() -> LogitBundle:
    return make_pool(n=80, m=50)


def test_clean_against_loops(pool):
    engine = RemixEngine(pool, device="cpu")
    remix = engine.remix(PARAMS)
    found, table = class_results(engine, remix), confusion(engine, remix)
    std, rob = (logits.argmax(axis=1) for logits in (pool.clean_std_logits, pool.clean_rob_logits))
    for y in range(10):
        own = pool.clean_labels == y
        assert found.n[y] == own.sum() == table[y].sum()
        assert found.std[y] == (std[own] == y).sum()
        assert found.rob[y] == (rob[own] == y).sum()
        assert found.mix[y] == table[y, y] == remix.on_clean.mix_right[own].sum()


def test_attacked_images_over_all_their_points(pool):
    engine = RemixEngine(pool, device="cpu")
    remix = engine.remix(PARAMS)
    found, table = class_results(engine, remix, "attacked"), confusion(engine, remix, "attacked")
    attacked, rob = pool.require_attacked(), pool.clean_rob_logits.argmax(axis=1)
    counts = np.zeros((3, 10), int)
    everywhere = engine.everywhere(remix.params, remix.threshold).mix_right
    for image, row in enumerate(attacked.index[: attacked.n_images]):
        label, points = pool.clean_labels[row], np.flatnonzero(attacked.of == image)
        at = [int(logits.argmax()) for logits in attacked.rob_logits[points]]
        counts[0, label] += 1
        counts[1, label] += all(k == label for k in [rob[row], *at])
        counts[2, label] += all(everywhere[[row, *(pool.n_clean + points)]])
    np.testing.assert_array_equal([found.n, found.rob, found.mix], counts)
    np.testing.assert_array_equal(table.diagonal(), found.mix)
    np.testing.assert_array_equal(table.sum(axis=1), found.n)
    assert found.std is None  # nobody attacked g


def test_the_standard_model_where_it_was_attacked(pool):
    first = pool.require_attacked().first
    card = SourceCard(name="SYNTHETIC attack", target=STD_TARGET, images=len(first))
    bundle = pool.with_points(card, first.index, -first.std_logits, first.rob_logits)
    engine = RemixEngine(bundle, device="cpu")
    found = class_results(engine, engine.remix(PARAMS), "attacked")
    assert found.std.sum() == engine.base.std_attacked.count < engine.base.std_at_first.count


def test_no_attacked_part(bundle):
    engine = RemixEngine(clean_only(bundle), device="cpu")
    for view in (class_results, confusion):
        with pytest.raises(BundleError):
            view(engine, engine.remix(PARAMS), "attacked")
