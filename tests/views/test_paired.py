"""Mixes on the same images: by hand, and when two verifications cannot be paired."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import share, share_of
from mnuts_core.views.headline import mix_row
from mnuts_core.views.paired import mix_pairs, right_of, right_of_robust, verified_pair
from tests.synthetic import clean_only

MIX = MixConfig.from_params(MixParams(s=1, p=1, c=0, alpha=0.9))
A = ([1, 1, 1, 1, 0], [1, 1, 0, 0, 0])
B = ([1, 1, 1, 0, 1], [1, 0, 1, 0, 0])


def digest(digit: str) -> str:
    return f"sha256:{64 * digit}"


def verified(clean: list[int], attacked: list[int], images: str = "1", **settings: object) -> MixConfig:
    rights = np.array(clean, bool), np.array(attacked, bool)
    card = VerifiedCard(
        accuracy=EstimateCard.of(share_of(rights[1], "verified")),
        clean=EstimateCard.of(share_of(rights[0], "clean")),
        attack="made up",
        settings={"data_digest": digest(images), "mix": f"{clean}", "n": len(clean), **settings},
        digest=digest("0"),
        outcomes=OutcomesCard.of(*rights),
    )
    return MIX.model_copy(update={"verified": card})


def without(config: MixConfig, **change: object) -> MixConfig:
    assert config.verified is not None
    return config.model_copy(update={"verified": config.verified.model_copy(update=change)})


class TestOnABundle:
    def test_two_mixes(self, bundle):
        engine = RemixEngine(bundle)
        one, two = (engine.remix(MixParams(s=2, p=2, c=-0.3, alpha=alpha)) for alpha in (0.6, 0.95))
        found = mix_pairs(one, two)
        assert list(found) == ["clean", "attacked", "by_margin"]
        for name, pair in found.items():
            figures = [mix_row(mix, "mix", "").figure(name) for mix in (one, two)]
            assert pair.both + pair.only_first == figures[0].successes
            assert pair.both + pair.only_second == figures[1].successes
            assert pair.n == figures[0].n
        assert found["clean"] == Paired.of(one.on_clean.mix_right, two.on_clean.mix_right)
        assert found["clean"].only_first > 0

    def test_the_robust_model_counts_under_its_own_attack(self, bundle):
        engine = RemixEngine(bundle)
        right = right_of_robust(engine)
        assert share_of(right["clean"], "clean") == engine.base.rob_clean
        assert share_of(right["attacked"], "attacked") == engine.base.rob_attacked

    def test_without_an_attacked_part(self, bundle):
        engine = RemixEngine(clean_only(bundle))
        assert list(right_of_robust(engine)) == ["clean"]
        assert list(right_of(engine.remix(MixParams(s=1, p=1, c=0, alpha=0.8)))) == ["clean"]


class TestVerified:
    def test_on_the_same_images(self):
        found = verified_pair(verified(*A), verified(*B))
        assert found.reason == ""
        assert found.paired == {"clean": Paired(3, 1, 1, 0), "verified": Paired(1, 1, 1, 2)}
        assert found.verified == (share(2, 5, "verified"), share(2, 5, "verified"))
        assert found.clean == (share(4, 5, "clean"), share(4, 5, "clean"))
        assert found.differing == {}
        card = json.loads(json.dumps(found.to_json()))
        assert card["why_not_paired"] is None
        assert card["paired"]["verified"]["only_first_right"] == 1

    @pytest.mark.parametrize(
        ("one", "two", "reason"),
        [
            (MIX, MIX, "no attack was run on A and B: run `mnuts evaluate`"),
            (verified(*A), MIX, "no attack was run on B: run `mnuts evaluate`"),
            (verified(*A), verified(*B, images="2"), "different images (n = 5 and n = 5)"),
            (verified(*A), verified([1], [1]), "different images (n = 5 and n = 1)"),
            (
                without(verified(*A), outcomes=None),
                verified(*B),
                "is not kept in A: run `mnuts evaluate` again",
            ),
            (verified(*A), without(verified(*B), settings={}), "is not kept in B: run"),
        ],
    )
    def test_why_not(self, one, two, reason):
        found = verified_pair(one, two)
        assert reason in found.reason
        assert found.paired == {}
        assert found.to_json()["paired"] is None
        assert [figure is None for figure in found.verified] == [one.verified is None, two.verified is None]

    def test_settings_of_the_attack_that_differ(self):
        one, two = (
            verified(*A, eps=0.1, n_iter=100, seed=0),
            verified(*B, eps=0.2, n_iter=100, precision="full"),
        )
        assert verified_pair(one, two).differing == {
            "eps": (0.1, 0.2),
            "seed": (0, None),
            "precision": (None, "full"),
        }

    def test_clean_accuracy_of_the_bundle_where_none_was_verified(self, bundle):
        engine = RemixEngine(bundle)
        config = MixConfig.from_remix(engine, MixParams(s=1, p=1, c=0, alpha=0.9))
        assert verified_pair(config, MIX).clean == (engine.remix(config.params).clean, None)
