"""The page's ties where both models are next to certain, see `tests.functional.test_saturated_ties`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.dashboards.web.engine import packed
from tests.functional.test_saturated_ties import ALPHAS, MIX, expected, saturated


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_page_obeys_the_rule(engine, alpha):
    rows, params = saturated(), MIX.with_(alpha=alpha)
    curve = ["alphaCurve", "$engine", params, np.array([alpha])]
    remix, found = engine.ask(["remix"], curve, bundle=packed(rows), params=params)
    answers = expected(rows, alpha)
    np.testing.assert_array_equal(remix["part"]["mix_class"], answers)
    assert found["clean"][0] == (answers == rows.clean_labels).mean()
