"""Trajectories on the probability simplex (Fig. 3 and 4)."""

from __future__ import annotations

import numpy as np
import pytest

from mnuts_core import MixParams, ParameterError
from mnuts_core.functional.simplex import CORNERS, PAPER_CASES, barycentric, tau_grid, trajectory
from tests import reference


def test_the_triangle():
    np.testing.assert_allclose(barycentric(np.eye(3)), CORNERS)
    sides = [np.linalg.norm(CORNERS[i] - CORNERS[j]) for i, j in ((0, 1), (1, 2), (2, 0))]
    assert sides == pytest.approx([1, 1, 1])
    np.testing.assert_allclose(barycentric([1 / 3] * 3), [0.5, np.sqrt(3) / 6])


def test_the_papers_cases():
    """Fig. 3: raw probabilities and margins of the two cases."""
    large, small = (trajectory(h, taus=[1.0]).probabilities[0] for h in PAPER_CASES.values())
    assert large == pytest.approx([0.8, 0.097, 0.11], abs=0.006)
    assert small == pytest.approx([0.06, 0.49, 0.45], abs=0.006)
    assert large[0] - large[2] == pytest.approx(0.698, abs=0.012)  # the logits are given to one digit
    assert small[1] - small[2] == pytest.approx(0.047, abs=0.001)


@pytest.mark.parametrize("params", [None, MixParams(s=2.0, p=3.0, c=-0.5)])
def test_against_numpy(params):
    logits, taus = [1.0, -1.1, -1.0], np.array([3.0, 0.5, 0.06])
    mapped = np.array([logits])
    if params is not None:
        mapped = reference.transform(mapped, params.s, params.p, params.c)
    path = trajectory(logits, params, taus)
    np.testing.assert_allclose(path.probabilities, reference.softmax(mapped / taus[:, None]), atol=1e-12)
    np.testing.assert_allclose(path.xy, path.probabilities @ CORNERS, atol=1e-15)
    np.testing.assert_array_equal(path.tau, taus)


def test_from_the_centre_to_a_corner():
    path = trajectory([1.0, -1.1, -1.0])
    np.testing.assert_array_equal(path.tau, tau_grid())
    assert np.abs(path.xy[0] - [0.5, np.sqrt(3) / 6]).max() < 0.02
    np.testing.assert_allclose(path.xy[-1], CORNERS[0], atol=1e-9)
    assert (np.diff(path.probabilities[:, 0]) >= 0).all()


def test_the_top_three_of_many_see_all_of_them():
    h = np.array([0.5, 4.0, -1.0, 2.0, 3.0])
    params = MixParams(s=1.0, p=2.0, c=-0.2)
    path = trajectory(h, params, [1.0])
    whole = reference.softmax(reference.transform([h], 1.0, 2.0, -0.2))[0]
    shown = whole[[1, 4, 3]]
    np.testing.assert_allclose(path.probabilities[0], shown / shown.sum(), atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "taus", "message"),
    [
        ([1.0, 2.0], None, "at least 3"),
        ([[1.0, 2.0, 3.0]], None, r"got shape \(1, 3\)"),
        ([1.0, np.nan, 3.0], None, "finite"),
        ([1.0, 2.0, 3.0], [0.0], "taus must be finite and > 0"),
        ([1.0, 2.0, 3.0], [np.inf], "taus must be finite"),
    ],
)
def test_bad_input(logits, taus, message):
    with pytest.raises(ParameterError, match=message):
        trajectory(logits, None, taus)


def test_the_simplex_has_three_corners():
    with pytest.raises(ParameterError, match="three classes"):
        barycentric([0.5, 0.5])
