"""Certified accuracy on the page: the counts of `mnuts certify`, whatever the certificate and the mix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.manifest import ThreatModel
from mnuts_core.clamps import CLAMPS
from mnuts_core.params import IDENTITY
from mnuts_core.remix.certified import certificate_warnings, certified, certified_model
from mnuts_core.text import counted
from mnuts_core.views.certified import certified_figures
from mnuts_core.views.registry import Moment, views_of
from mnuts_dashboards.figures.tradeoff import CERTIFIED
from tests.dashboards.web.engine import Engine, assert_same, packed
from tests.dashboards.web.test_figures import check_figures, figure_of
from tests.synthetic import CERTIFICATES, make_bundle, with_certificate

THREATS = st.sampled_from([None, *(ThreatModel(norm=n, eps=e) for n in ("Linf", "L2") for e in (0.03, 0.5))])
LEVELS = st.one_of(
    st.sampled_from([0.5, 1.0]), st.floats(0.5, 1.0), st.floats(0.0, 1e-3).map(lambda x: 1 - x)
)
TRANSFORMS = st.builds(
    MixParams,
    s=st.floats(0.5, 8.0),
    p=st.one_of(st.just(1.0), st.floats(0.5, 4.0)),
    c=st.floats(-2.0, 1.0),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 3, 250]),
)


def shown(engine: Engine, bundle: LogitBundle, params: MixParams) -> Any:
    """What the page shows of it."""
    [[frame]] = engine.ask(["frames", [{"params": params}], ["certified"]], bundle=packed(bundle))
    return frame["views"]["certified"]


@pytest.mark.parametrize("name", CERTIFICATES)
@given(
    transform=st.one_of(st.just(IDENTITY), TRANSFORMS), alpha=LEVELS, threat=THREATS, seed=st.integers(0, 99)
)
@settings(max_examples=12, phases=[Phase.generate], deadline=None)
def test_the_page_counts_what_python_counts(engine, name, transform, alpha, threat, seed):
    bundle, params = with_certificate(name, seed, threat), transform.with_(alpha=alpha)
    reference = RemixEngine(bundle, device="cpu")
    wanted = certified_figures(reference, params, reference.remix(params))
    assert wanted is not None
    assert_same(shown(engine, bundle, params), wanted, name)
    assert wanted.of_threat == (threat is not None and threat.norm == wanted.norm)
    if wanted.mix is not None:
        assert certified(bundle, params).accuracy(wanted.radius) == wanted.mix


def test_where_alpha_follows_from_beta_so_does_that_of_the_plain_mix(engine):
    bundle, params = with_certificate("logits"), MixParams(s=4.0, p=2.0, c=-0.5, beta=0.5)
    reference = RemixEngine(bundle, device="cpu")
    wanted = certified_figures(reference, params, reference.remix(params))
    assert_same(shown(engine, bundle, params), wanted)
    assert 0 < wanted.mix.count < wanted.rob.count < 80
    assert wanted.plain.count != wanted.mix.count
    assert not wanted.refused


@pytest.mark.parametrize("params", [MixParams(s=4.0, p=2.0, c=-0.5, alpha=0.9), MixParams(alpha=0.9, ln_k=0)])
def test_its_mark_on_the_plane(engine, params):
    bundle = with_certificate("logits", threat=ThreatModel(norm="Linf", eps=0.03))
    moment = Moment(RemixEngine(bundle, device="cpu"), params)
    check_figures(engine, moment, {})
    found = views_of(moment, ("certified",))["certified"]
    mark = figure_of("plane", views_of(moment) | {"remix": moment.remix})["data"][-1]
    assert mark["name"] == CERTIFIED
    assert mark["y"] == [None if found.mix is None else 100 * found.mix.value]
    assert (found.mix is None) == (params.ln_k == 0)


@pytest.mark.parametrize("eps", [1e-6, 0.03])
def test_its_mark_stands_inside_the_plane(engine, eps):
    bundle = with_certificate("logits", seed=3, threat=ThreatModel(norm="Linf", eps=eps))
    moment = Moment(RemixEngine(bundle, device="cpu"), MixParams(s=8.0, p=3.0, c=0.0, alpha=1.0))
    check_figures(engine, moment, {})
    plane = figure_of("plane", views_of(moment) | {"remix": moment.remix})
    low, high = plane["layout"]["yaxis"]["range"]
    for trace in plane["data"]:
        assert all(low < y < high for y in trace["y"] if y is not None), trace["name"]


@pytest.mark.parametrize("name", ["margin", "logits"])
def test_a_certificate_that_known_points_refute(engine, name):
    threat = ThreatModel(norm="Linf", eps=1e-6)
    bundle = with_certificate(name, threat=threat)
    reference, params = RemixEngine(bundle, device="cpu"), MixParams(alpha=0.9)
    wrong = ~reference.rob_right_on_images & (
        certified_model(bundle).radius[bundle.attacked.index] >= threat.eps
    )
    found = certified_figures(reference, params, reference.remix(params))
    assert 0 < wrong.sum() < 20
    assert f"on {counted(int(wrong.sum()), 'attacked image')}," in found.warnings[0]
    assert_same(shown(engine, bundle, params), found)
    other = with_certificate(name, threat=ThreatModel(norm="L2", eps=1e-6))
    assert certificate_warnings(RemixEngine(other, device="cpu")) == ()


def test_nothing_is_there_without_a_certificate(engine):
    assert shown(engine, make_bundle(n=20, m=9, k=4), MixParams()) is None
