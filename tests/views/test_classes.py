"""Results by class, against loops."""

import numpy as np
import pytest

from mnuts_core import BundleError, MixParams, RemixEngine
from mnuts_core.views.classes import class_results, confusion
from tests.synthetic import clean_only

PARAMS = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.7)


@pytest.mark.parametrize("where", ["clean", "attacked"])
def test_against_loops(bundle, where):
    engine = RemixEngine(bundle, device="cpu")
    remix = engine.remix(PARAMS)
    part = remix.on_clean if where == "clean" else remix.require_attacked()
    first = bundle.require_attacked()
    labels, std, rob = (
        (bundle.clean_labels, bundle.clean_std_logits, bundle.clean_rob_logits)
        if where == "clean"
        else (first.labels, first.std_logits, first.rob_logits)
    )
    found, table = class_results(engine, remix, where), confusion(engine, remix, where)
    for y in range(10):
        own = labels == y
        assert found.n[y] == own.sum() == table[y].sum()
        assert found.std[y] == (std[own].argmax(axis=1) == y).sum()
        assert found.rob[y] == (rob[own].argmax(axis=1) == y).sum()
        assert found.mix[y] == table[y, y] == part.mix_right[own].sum()
        np.testing.assert_array_equal(table[y], np.bincount(part.mix_class[own], minlength=10))


def test_no_attacked_part(bundle):
    engine = RemixEngine(clean_only(bundle), device="cpu")
    with pytest.raises(BundleError):
        class_results(engine, engine.remix(PARAMS), "attacked")
