"""The verified mixes at hand: of this bundle and these settings only; this very mix's, and all others."""

import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine
from mnuts_core.export.cards import VerifiedCard
from mnuts_dashboards.bundles.verified import VerifiedMixes, key_of

MIXES = [MixParams(s=2, p=2, c=-0.3), MixParams(s=5, p=3.5, c=-0.3, beta=0.95)]


@pytest.fixture(scope="module")
def configs(bundle):
    engine = RemixEngine(bundle)
    return [verified(MixConfig.from_remix(engine, params), 10 + i) for i, params in enumerate(MIXES)]


def verified(config, right, n=40):
    card = VerifiedCard(
        accuracy={"kind": "verified", "value": right / n, "n": n, "ci95": [0.0, 1.0]},
        attack="made up for this test",
        settings={"mix": str(config.params)},
        digest=f"sha256:{'0' * 64}",
    )
    return config.model_copy(update={"verified": card})


def test_those_at_hand_are_known(bundle, configs):
    mixes = VerifiedMixes(bundle, configs)
    first, second = (config.params for config in configs)
    assert mixes.of(first).verified.successes == 10
    assert mixes.of(first).clean.value == configs[0].estimates.clean.value
    assert [known.params for known in mixes.others(first)] == [second]
    assert mixes.others(first.with_(c=0.1)) == mixes.all()
    assert [known.name for known in mixes.all()] == ["mix at β = 0.985", "mix at β = 0.95"]


def test_a_mix_that_is_attacked_again_keeps_its_number(bundle, configs):
    mixes = VerifiedMixes(bundle, configs)
    assert mixes.take(verified(configs[0], 7))
    assert mixes.of(configs[0].params).verified.successes == 7
    assert [known.number for known in mixes.all()] == [0, 1]
    assert [known.number for known in mixes.others(configs[0].params)] == [1]


def test_without_its_clean_accuracy_it_has_no_place_among_the_others(bundle, configs):
    mixes = VerifiedMixes(bundle, [configs[0].model_copy(update={"estimates": None})])
    assert mixes.of(configs[0].params) is not None
    assert mixes.others(configs[1].params) == ()


def test_a_figure_of_other_settings_or_of_another_bundle_is_not_taken(bundle, configs):
    mixes, own = VerifiedMixes(bundle), configs[0]
    assert not mixes.take(own.model_copy(update={"alpha": 0.9}))
    assert not mixes.take(own.model_copy(update={"verified": None}))
    reference = own.bundle.model_copy(update={"digest": f"sha256:{'1' * 64}", "clean": None})
    assert not mixes.take(own.model_copy(update={"bundle": reference}))
    assert not VerifiedMixes().take(own)


def test_beta_is_none_of_a_verifications_business(configs):
    params = configs[0].params
    assert key_of(params.with_(beta=0.5)) == key_of(params)
    assert key_of(params.with_(alpha=params.alpha + 1e-15)) == key_of(params)
    assert key_of(params.with_(alpha=params.alpha - 1e-9)) != key_of(params)
