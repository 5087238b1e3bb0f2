"""The transform's curve is the transform, and its axis holds it."""

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.stats import norm

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views import transform
from mnuts_dashboards.figures.transform import transform_figure

PARAMS = MixParams(s=2, p=2, c=-0.3)


@pytest.fixture(scope="module")
def density(bundle):
    return transform.logit_density(RemixEngine(bundle), 250)


def test_the_curve_is_the_transform(density):
    curve = transform.transform_curve(density, PARAMS)
    made = transform_figure(curve, ln=True)
    rest, top, mapped, labels = made["data"]
    assert len(go.Figure(made).data) == 4
    v = mapped["x"] + PARAMS.c
    v = v * norm.cdf(v)
    expected = PARAMS.s * np.sign(v) * np.abs(v) ** PARAMS.p
    for values in (mapped["customdata"], mapped["meta"]["y"]):  # on hover, in the CSV
        np.testing.assert_allclose(values, expected, atol=1e-12)
    unit = float(labels["text"][-1])
    assert labels["y"][-1] == 1.0
    np.testing.assert_allclose(mapped["y"] * unit, expected, atol=1e-12)
    assert labels["meta"] == {"furniture": True}
    width = curve.z[1] - curve.z[0]
    assert top["y"].sum() * width == pytest.approx(1, abs=0.02)
    assert rest["name"] == "other logits"


def test_the_title_says_whether_logits_are_normed(density):
    curve = transform.transform_curve(density, PARAMS)
    titles = [transform_figure(curve, ln)["layout"]["xaxis"]["title"]["text"] for ln in (True, False)]
    assert titles == ["layer-normed logit of the robust model", "logit of the robust model"]


def test_the_axis_stays_whatever_the_scale(density):
    """A slider's frame with a new axis takes `Plotly.react`, five times as long."""
    layouts = []
    for s, p in ((1e-3, 1.2), (0.7, 2), (40.0, 9)):
        made = transform_figure(transform.transform_curve(density, PARAMS.with_(s=s, p=p)), ln=True)
        mapped = made["data"][2]["y"]
        low, high = made["layout"]["yaxis"]["range"]
        assert low <= mapped.min() < 0.6 < mapped.max() <= 1 < high
        layouts.append(made["layout"])
    assert layouts[0] == layouts[1] == layouts[2]


def test_negative_values_have_their_half(density):
    linear = transform.transform_curve(density, PARAMS.with_(clamp="linear", p=3, c=0.0))
    made = transform_figure(linear, ln=True)
    mapped, labels = made["data"][2:]
    assert made["layout"]["yaxis"]["range"] == [-1.1, 1.1]
    assert labels["y"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert labels["text"][0] == "−" + labels["text"][-1]
    assert -1 <= mapped["y"].min() < -0.1


@pytest.mark.parametrize(("s", "last"), [(1e-6, "10<sup>−"), (1e6, "·10<sup>"), (1e-300, "·10<sup>−")])
def test_labels_of_extreme_scales(density, s, last):
    made = transform_figure(transform.transform_curve(density, PARAMS.with_(s=s)), ln=True)
    assert last in made["data"][3]["text"][-1]
    assert np.isfinite(made["data"][2]["y"]).all()
