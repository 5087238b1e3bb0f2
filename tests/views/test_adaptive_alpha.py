"""A method with α by the image: its figures by hand, over all points at which α is known."""

import numpy as np

from mnuts_core import LogitBundle
from mnuts_core.views.adaptive_alpha import adaptive_points, adaptive_row, may_be_right
from tests.synthetic import make_bundle

SURE, WRONG = [0.0, -20.0], [-20.0, 0.0]
"""Logits of the classes 0, which is right, and 1."""


def bundle(**more) -> LogitBundle:
    return LogitBundle.from_arrays(
        clean_labels=[0, 0, 0],
        clean_std_logits=[SURE, SURE, WRONG],
        clean_rob_logits=[SURE, WRONG, SURE],
        **more,
    )


ATTACKED = {"adv_index": [0, 1, 2], "adv_std_logits": [WRONG] * 3, "adv_rob_logits": [SURE, SURE, WRONG]}


def test_none_without_weights_and_no_place_on_the_plane_without_those_of_the_points():
    assert adaptive_row(make_bundle(n=9, m=4, k=3)) is None
    row = adaptive_row(bundle(clean_alpha=[0.9, 0.4, 0.6], **ATTACKED))
    assert (row.clean.count, row.clean.n, row.attacked) == (3, 3, None)
    assert adaptive_points(bundle(clean_alpha=[0.9, 0.4, 0.6], **ATTACKED)) == ()


def test_each_image_by_its_own_weight():
    assert adaptive_row(bundle(clean_alpha=[0.0, 0.6, 0.4])).clean.count == 1
    row = adaptive_row(bundle(clean_alpha=[0.9, 0.4, 0.6], adv_alpha=[0.9, 0.2, 0.9], **ATTACKED))
    assert (row.attacked.count, row.attacked.n, row.attacked.kind) == (1, 3, "attacked")
    assert adaptive_points(bundle(clean_alpha=[0.9, 0.4, 0.6], adv_alpha=[0.9, 0.2, 0.9], **ATTACKED)) == (
        row,
    )


def test_an_image_that_is_wrong_without_an_attack_counts_as_wrong():
    row = adaptive_row(bundle(clean_alpha=[0.9, 0.9, 0.9], adv_alpha=[0.9, 0.9, 0.9], **ATTACKED))
    assert (row.clean.count, row.attacked.count) == (2, 1)


def test_ties_are_given_to_g():
    assert adaptive_row(bundle(clean_alpha=[0.5, 0.5, 0.5])).clean.count == 2


def test_a_point_of_unknown_weight_counts_where_no_weight_would_be_right():
    def count(std, rob, weight=np.nan):
        more = {"adv_std_logits": std, "adv_rob_logits": rob}
        points = {name: [*rows, more.get(name, rows[0])] for name, rows in ATTACKED.items()}
        given = bundle(
            clean_alpha=[0.9, 0.4, 0.6], adv_alpha=[0.9, 0.9, 0.9, weight], adv_source=[0, 0, 0, 1], **points
        )
        return adaptive_row(given).attacked.count

    assert count(WRONG, SURE) == count(SURE, WRONG) == 2
    assert count(WRONG, WRONG) == 1
    assert count(SURE, WRONG, 0.9) == 1


def test_whether_some_weight_is_right_against_a_thousand_of_them():
    rng = np.random.default_rng(0)
    std, rob = (rng.normal(size=(300, 3)) * 2 for _ in range(2))
    labels = rng.integers(0, 3, 300)
    g, h = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True) for logits in (std, rob))
    weights = np.linspace(0, 1, 1001)[:, None, None]
    tried = (((1 - weights) * g + weights * h).argmax(2) == labels).any(0)
    found = may_be_right(std, rob, labels)
    assert not (tried & ~found).any()
    assert (found & ~tried).sum() <= 2
    assert 50 < found.sum() < 250
