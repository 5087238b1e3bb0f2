"""A method with α by the image: its figures by hand, over all points at which α is known."""

import numpy as np

from mnuts_core import LogitBundle
from mnuts_core.views.adaptive_alpha import adaptive_points, adaptive_row
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


def test_points_of_unknown_weight_are_left_out():
    points = {name: [*rows, rows[0]] for name, rows in ATTACKED.items()}
    known = dict(points, adv_rob_logits=[*ATTACKED["adv_rob_logits"], WRONG], adv_source=[0, 0, 0, 1])
    weights = {"clean_alpha": [0.9, 0.4, 0.6]}
    unknown = adaptive_row(bundle(**weights, **known, adv_alpha=[0.9, 0.9, 0.9, np.nan]))
    told = adaptive_row(bundle(**weights, **known, adv_alpha=[0.9, 0.9, 0.9, 0.9]))
    assert (unknown.attacked.count, told.attacked.count) == (2, 1)
