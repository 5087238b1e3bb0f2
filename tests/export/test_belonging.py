"""A configuration belongs to a bundle through all that joins its pool, and to no other."""

import numpy as np
import pytest

from mnuts_core import ConfigError, LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.manifest import SourceCard, ThreatModel
from mnuts_core.export.belonging import Identity, belongs, configs_of
from mnuts_core.export.config import MixConfig
from tests.synthetic import make_bundle

MIX = MixParams(s=2.0, p=2.0, c=-0.3, alpha=0.7)
THREAT = ThreatModel(norm="Linf", eps=0.1)


def under(bundle: LogitBundle, threat: ThreatModel | None = THREAT) -> LogitBundle:
    manifest = bundle.manifest.model_copy(update={"threat": threat})
    return LogitBundle(
        bundle.clean_labels, bundle.clean_std_logits, bundle.clean_rob_logits, manifest, bundle.attacked
    )


def with_points(bundle: LogitBundle, seed: int) -> LogitBundle:
    first, rng = bundle.require_attacked().first, np.random.default_rng(seed)
    noise = rng.normal(size=first.std_logits.shape)
    card = SourceCard(name="an attack", params={"s": 1.0, "alpha": 0.9})
    return bundle.with_points(card, first.index, noise, first.rob_logits + noise)


def config_of(bundle: LogitBundle, *, old: bool) -> MixConfig:
    """A configuration of a mix; an old one has no digest of the clean logits."""
    config = MixConfig.from_remix(RemixEngine(bundle), MIX)
    if not old:
        return config
    return config.model_copy(update={"bundle": config.bundle.model_copy(update={"clean": None})})


@pytest.mark.parametrize("old", [False, True])
def test_it_stays_with_its_bundle_as_points_join(tmp_path, old):
    states = [under(make_bundle(n=80, m=40))]
    for seed in range(3):
        states.append(with_points(states[-1], seed))
    states[3] = LogitBundle.load(states[3].save(tmp_path / "b.safetensors"))
    assert len({state.digest for state in states}) == 4
    for number, state in enumerate(states):
        config = config_of(state, old=old)
        for later in states[number:]:
            assert belongs(config, later)
            Identity(later).check(config, "x.json")
    assert belongs(config_of(states[3], old=False), states[0]), "with fewer points, too"


def test_a_bundle_whose_sources_do_not_say_what_was_before_has_its_first_state_all_the_same():
    first = under(make_bundle(n=80, m=40))
    pool = with_points(with_points(first, 1), 2)
    silent = tuple(card.model_copy(update={"before": None}) for card in pool.manifest.attacks)
    manifest = pool.manifest.model_copy(update={"attacks": silent})
    pool = LogitBundle(
        pool.clean_labels, pool.clean_std_logits, pool.clean_rob_logits, manifest, pool.attacked
    )
    assert pool.first_digest == first.digest
    assert belongs(config_of(first, old=True), pool)


def test_copies_that_were_attacked_apart_share_their_configurations():
    bundle = under(make_bundle(n=80, m=40))
    one, two = with_points(bundle, 1), with_points(bundle, 2)
    assert one.digest != two.digest
    assert belongs(config_of(one, old=False), two)


def test_others_are_refused_in_one_line():
    bundle = under(make_bundle(n=80, m=40))
    for other in (make_bundle(n=80, m=40, seed=1), make_bundle(n=80, m=40, k=11), make_bundle(n=70, m=40)):
        for old in (False, True):
            config = config_of(under(other), old=old)
            assert not belongs(config, bundle)
            with pytest.raises(ConfigError, match=r"^x.json was made on bundle .*") as error:
                Identity(bundle).check(config, "x.json")
            assert "\n" not in str(error.value)


def test_another_threat_model_is_refused_and_none_is_not():
    bundle = make_bundle(n=80, m=40)
    config = config_of(under(bundle), old=False)
    for threat in (ThreatModel(norm="L2", eps=0.1), ThreatModel(norm="Linf", eps=0.2)):
        with pytest.raises(ConfigError, match=r"x.json is for ℓ∞, ε = 0\.1, bundle"):
            Identity(under(bundle, threat)).check(config, "x.json")
    Identity(under(bundle, None)).check(config, "x.json")
    Identity(under(bundle)).check(MixConfig.from_params(MIX), "x.json")


def test_the_user_folder_is_searched_by_the_same_rule(tmp_path, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(tmp_path))
    bundle = under(make_bundle(n=80, m=40))
    config_of(bundle, old=True).save(tmp_path / "mine.json")
    config_of(under(make_bundle(n=80, m=40, seed=1)), old=True).save(tmp_path / "other.json")
    assert [path.name for path, _ in configs_of(with_points(bundle, 1))] == ["mine.json"]
