"""Mixed with the same figures: every α is looked at, and none is better than the one chosen."""

import numpy as np
import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.params import IDENTITY
from mnuts_core.views.tradeoff import Curve, best_place, plateau_curve
from tests import reference
from tests.synthetic import clean_only, make_bundle

NUTS = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.8)


@pytest.fixture(scope="module")
def small():
    return make_bundle(n=120, m=70, k=4, seed=3)


def brute(bundle: LogitBundle, params: MixParams, alpha: float) -> tuple[float, float, float]:
    """Clean accuracy, accuracy by margin and attacked accuracy of one mix, by the plain reference."""
    right, held = [], []
    for g, h, labels in (
        (bundle.clean_std_logits, bundle.clean_rob_logits, bundle.clean_labels),
        (bundle.attacked.std_logits, bundle.attacked.rob_logits, bundle.attacked.labels),
    ):
        if params.ln_k == 0:
            rob = reference.softmax(np.asarray(h, np.float64))
        else:
            rob = reference.softmax(reference.transform(h, params.s, params.p, params.c, params.clamp))
        std = reference.std_probabilities(g, params.temperature)
        mixed = reference.mixed_probabilities(std, rob, alpha).argmax(axis=1)
        right.append(mixed == labels)
        held.append((rob.argmax(axis=1) == labels) & (reference.margins(rob) >= (1 - alpha) / alpha))
    attacked = right[0][bundle.attacked.index] & right[1]  # no attack at all is an attack, too
    return np.mean(right[0]), np.mean(held[1]), np.mean(attacked)


@pytest.mark.parametrize("params", [IDENTITY, IDENTITY.with_(temperature=1.0), NUTS])
def test_the_curve_is_what_the_reference_says_at_each_alpha(small, params):
    curve = plateau_curve(RemixEngine(small), params)
    for place in range(0, len(curve.alpha), 7):
        figures = curve.clean[place], curve.by_margin[place], curve.attacked[place]
        assert figures == pytest.approx(brute(small, params, curve.alpha[place]), abs=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_no_alpha_of_a_dense_grid_is_better(small, temperature):
    engine, plain = RemixEngine(small), IDENTITY.with_(temperature=temperature)
    ours = engine.remix(NUTS)
    curve = plateau_curve(engine, plain)
    figures = {name: getattr(ours, name).value for name in ("clean", "by_margin", "attacked")}
    pairs = [(one, other) for one in figures for other in figures if one != other]
    best = {(w, k): best_place(curve, w, k, figures[k]) for w, k in pairs}
    assert curve.by_margin[best["clean", "by_margin"]] >= ours.by_margin.value
    for alpha in np.linspace(0.5, 1.0, 1501):
        found = dict(zip(figures, brute(small, plain, alpha), strict=True))
        for (wanted, kept), place in best.items():
            if found[kept] >= figures[kept]:
                assert place is not None
                assert found[wanted] <= getattr(curve, wanted)[place] + 1e-12


def test_by_hand():
    """h leads by 0.6, 0.4, 0.2 on clean images, is wrong on the first, and by 0.6 and 0.3 when attacked.

    g is right on all clean images and wrong on all attacked ones, so at odds t the mix fixes the first
    clean image from t = 0.6 on, and keeps the attacked ones up to t = 0.6 and 0.3.
    """

    def probabilities(*rows):
        return np.log(np.array(rows))

    bundle = LogitBundle.from_arrays(
        clean_labels=[1, 0, 0],
        clean_std_logits=[[0, 9.0], [9.0, 0], [9.0, 0]],
        clean_rob_logits=probabilities([0.8, 0.2], [0.7, 0.3], [0.6, 0.4]),
        adv_index=[1, 2],
        adv_std_logits=[[0, 9.0], [0, 9.0]],
        adv_rob_logits=probabilities([0.8, 0.2], [0.65, 0.35]),
    )
    curve = plateau_curve(RemixEngine(bundle), IDENTITY)
    odds = (1 - curve.alpha) / curve.alpha
    assert odds == pytest.approx([0.0, 0.15, 0.45, 0.8, 1.0], abs=1e-6)
    assert curve.by_margin == pytest.approx([1, 1, 0.5, 0, 0])
    assert curve.clean == pytest.approx([2 / 3] * 3 + [1, 1])
    assert odds[best_place(curve, "clean", "by_margin", 0.5)] == pytest.approx(
        0.0
    )  # of equals the higher bound, the larger α
    assert odds[best_place(curve, "clean", "by_margin", 0.0)] == pytest.approx(0.8, abs=1e-6)
    assert odds[best_place(curve, "by_margin", "clean", 1.0)] == pytest.approx(0.8, abs=1e-6)


def test_ties_go_to_the_other_figure_and_then_to_the_larger_alpha():
    curve = Curve(
        alpha=np.array([1.0, 0.9, 0.8, 0.7]),
        clean=np.array([0.5, 0.6, 0.6, 0.6]),
        by_margin=np.array([0.4, 0.3, 0.3, 0.2]),
        attacked=np.zeros(4),
    )
    assert best_place(curve, "clean", "by_margin", 0.2) == 1
    assert best_place(curve, "by_margin", "clean", 0.6) == 1
    assert best_place(curve, "clean", "by_margin", 0.31) == 0
    assert best_place(curve, "clean", "by_margin", 0.5) is None
    assert best_place(curve, "by_margin", "clean", 0.7) is None


def test_without_an_attacked_part_no_bound_is_kept(small):
    curve = plateau_curve(RemixEngine(clean_only(small)), IDENTITY)
    assert best_place(curve, "clean", "by_margin", 0.0) is None
    assert np.isfinite(curve.clean).all()
