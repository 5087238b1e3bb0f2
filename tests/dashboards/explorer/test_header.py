"""What stands above the plots: complaints stay until something moves, figures and provenance are shown."""

import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.errors import ParameterError
from mnuts_core.views import headline
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.explorer.header import Header, headline_html
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState


@pytest.fixture
def state():
    return ExplorerState(bundle="made-up")


@pytest.fixture
def header(state):
    return Header(state)


def test_a_complaint_stays_until_a_setting_moves(header, state):
    header.refuse("β must be between 0 and 1")
    header.settle()
    assert "β must be between 0 and 1" in header.banner.value
    state.c = state.c + 0.1
    header.settle()
    assert header.banner.value == ""


def test_a_complaint_outlasts_what_the_visitor_did_not_change(header, state):
    def change():
        state.c = state.c + 0.1
        header.settle()

    header.refuse("β must be between 0 and 1")
    header.keep_message_during(change)
    header.settle()
    assert "β must be between 0 and 1" in header.banner.value
    state.c = state.c + 0.1
    header.settle()
    assert header.banner.value == ""


def test_errors_of_ours_are_reported_in_their_own_words(header, caplog):
    header.complain(ParameterError("s is too large"))
    assert "s is too large" in header.banner.value
    assert "Something went wrong" not in header.banner.value
    assert not caplog.records
    header.complain(RuntimeError("boom"))
    assert "Something went wrong: boom" in header.banner.value
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_it_says_what_is_loaded_and_what_the_figures_rest_on(header, bundle):
    header.rest_on(bundle, loading="another")
    assert "another" in header.provenance.value
    assert "opening …" in header.provenance.value
    header.rest_on(bundle)
    assert f"{bundle.n_adv} attacked" in header.provenance.value


def test_the_headline_is_the_moments(header, bundle):
    engine = RemixEngine(bundle)
    params = MixParams(s=2, p=2, c=-0.3)
    remix = engine.remix(params)
    table = headline.headline(engine, params, remix)
    scene = Scene(Opened(engine.bundle), remix, table)
    header.show(scene)
    assert header.headline.value == headline_html(scene)
    assert f"<b>{100 * remix.clean.value:.2f}</b>" in header.headline.value
