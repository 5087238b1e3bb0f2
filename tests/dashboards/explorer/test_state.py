"""The state: defaults, transform, level, and one change for many traits."""

import pytest

from mnuts_core.errors import ParameterError
from mnuts_core.params import IDENTITY, PARAMS, MixParams
from mnuts_dashboards.explorer.state import DECLARED, PRESETS, ExplorerState
from mnuts_dashboards.widgets.query import FOREIGN

PAGE_WORDS = ("bundle", "snap", "hide", *FOREIGN)


def test_defaults_are_those_of_the_core():
    state = ExplorerState()
    assert state.params == MixParams()
    assert {name: getattr(state, name) for name in PARAMS} == {n: spec.default for n, spec in PARAMS.items()}


def test_alpha_counts_only_by_hand():
    state = ExplorerState(alpha=0.8)
    assert state.params.alpha is None
    state.by_hand = True
    assert state.params.alpha == 0.8


def test_take_moves_alpha_and_beta_too():
    state = ExplorerState()
    state.take(IDENTITY.with_(alpha=0.6, beta=0.7, temperature=1.0))
    assert state.params == IDENTITY.with_(alpha=0.6, beta=0.7, temperature=1.0)
    state.take(IDENTITY)
    assert not state.by_hand


def test_many_changes_are_announced_when_all_are_made():
    state, seen = ExplorerState(), []
    state.observe(lambda _: seen.append(state.params), names=["s", "p", "c"])
    state.set(s=2.0, p=2.0, c=0.5)
    assert len(seen) == 3
    assert set(seen) == {MixParams(s=2, p=2, c=0.5)}


def test_a_wrong_value_is_named_by_the_core():
    with pytest.raises(ParameterError, match="s must lie in"):
        _ = ExplorerState(s=-1.0).params


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_and_reach_the_state(name):
    state = ExplorerState()
    state.take(PRESETS[name])
    assert state.params.with_(beta=0.5) == PRESETS[name].with_(beta=0.5)


def test_words_of_links_name_one_thing_each():
    words = [setting.word for setting in DECLARED.values()]
    assert len({*words, *PAGE_WORDS}) == len(words) + len(PAGE_WORDS)


def test_every_setting_but_the_bundle_has_a_control_or_is_named_here():
    assert set(ExplorerState.SETTINGS) - set(DECLARED) == {"by_hand", "snapshots", "hidden"}
    assert set(ExplorerState().traits()) - set(ExplorerState.SETTINGS) == {"bundle"}
