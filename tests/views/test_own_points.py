"""Every classifier's margins stand at its own worst points; where there are no others, at the first ones."""

import numpy as np
import pytest
import torch

from mnuts_core import MixParams, RemixEngine
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.views.comparison import margin_medians
from mnuts_core.views.margins import base_histograms, mix_histograms
from mnuts_core.views.own_points import base_points, of_transform
from tests.synthetic import make_bundle, make_pool

MIX = MixParams(s=2.0, p=2.0, c=-0.3, alpha=0.7)


def with_an_attack_on_g(pool):
    first, rng = pool.require_attacked().first, np.random.default_rng(3)
    std = rng.normal(size=first.std_logits.shape)
    card = SourceCard(name="APGD-CE", target="g", images=len(first))
    return pool.with_points(card, first.index, std, first.rob_logits)


def plain_margins(logits, label):
    """Confidence margin and signed margin of one row of logits."""
    shares = torch.softmax(torch.from_numpy(np.asarray(logits, np.float64)), 0)
    top = shares.topk(2).values
    return float(top[0] - top[1]), float(
        shares[label] - torch.cat([shares[:label], shares[label + 1 :]]).max()
    )


def expected(bundle, columns):
    """Margins at each image's point of least signed margin, by a loop, and whether right there."""
    part, found = bundle.require_attacked(), []
    for image in range(part.n_images):
        places = np.flatnonzero(part.of == image)
        each = [plain_margins(columns[place], part.labels[place]) for place in places]
        margin, signed = min(each, key=lambda both: both[1])
        found.append((margin, signed > 0))
    return np.array(found)


def normed(logits):
    logits = np.asarray(logits, np.float64)
    return (logits - logits.mean(1, keepdims=True)) / np.sqrt(logits.var(1, ddof=1, keepdims=True) + 1e-8)


@pytest.mark.parametrize("g_attacked", [False, True])
def test_on_a_pool_each_stands_at_its_own_point_of_least_signed_margin(g_attacked):
    bundle = make_pool(n=60, m=30)
    bundle = with_an_attack_on_g(bundle) if g_attacked else bundle
    part, n = bundle.require_attacked(), bundle.n_clean
    points = base_points(RemixEngine(bundle))
    logits = {"h": part.rob_logits, "LN h": normed(part.rob_logits), "g": part.std_logits}
    for name, own in points.items():
        itself = name != "g" or g_attacked
        wanted = expected(bundle if itself else make_pool(n=60, m=30, sources=1), logits[name])
        np.testing.assert_allclose(own.margin[n:], wanted[:, 0], atol=1e-12)
        np.testing.assert_array_equal(own.right[n:], wanted[:, 1] == 1)
        assert own.attacked_itself is itself


def test_the_mix_stands_where_its_histogram_has_it():
    engine = RemixEngine(make_pool())
    own, remix = of_transform(engine, MIX), engine.remix(MIX)
    np.testing.assert_array_equal(own.margin[engine.n_clean :], remix.require_images().margin)
    medians, histograms = margin_medians(engine, MIX)["M(h)"], mix_histograms(remix)
    assert medians.gap == histograms.gap


def test_with_the_first_points_alone_nothing_is_chosen():
    engine = RemixEngine(make_bundle())
    for name, own in base_points(engine).items():
        right = engine.std_right if name == "g" else engine.rob_right
        np.testing.assert_array_equal(own.right, right)
    np.testing.assert_array_equal(base_points(engine)["h"].margin, engine.raw_margins())
    np.testing.assert_array_equal(base_points(engine)["g"].margin, engine.std_margins())


def test_g_is_marked_where_no_source_attacked_it():
    pool = make_pool(n=60, m=30)
    for bundle, itself in ((pool, False), (with_an_attack_on_g(pool), True)):
        engine = RemixEngine(bundle)
        assert base_histograms(engine)["g"].attacked_itself is itself
        assert margin_medians(engine)["g"].attacked_itself is itself
        assert margin_medians(engine)["h"].attacked_itself
