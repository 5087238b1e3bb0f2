"""Which images fell: bits by hand, any outcomes there and back, and refusal of bits that do not fit."""

from __future__ import annotations

import base64
import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core import ConfigError, MixConfig, MixParams
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.export.config import MAX_BYTES, published_schema
from mnuts_core.export.outcomes import MAX_IMAGES, OutcomesCard
from mnuts_core.functional.statistics import share_of

DIGEST = "sha256:" + 64 * "0"
CLEAN = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 1], bool)
ATTACKED = np.array([1, 0, 1, 0, 0, 1, 1, 0, 0, 1], bool)


def verified(clean: np.ndarray, attacked: np.ndarray) -> MixConfig:
    card = VerifiedCard(
        accuracy=EstimateCard.of(share_of(attacked, "verified")),
        clean=EstimateCard.of(share_of(clean, "clean")),
        attack="made up",
        settings={"data_digest": DIGEST},
        digest=DIGEST,
        outcomes=OutcomesCard.of(clean, attacked),
    )
    return MixConfig.from_params(MixParams(s=1, p=1, c=0, alpha=0.9)).model_copy(update={"verified": card})


@pytest.fixture
def raw() -> dict:
    return json.loads(verified(CLEAN, ATTACKED).to_json())


def test_bits_by_hand():
    card = OutcomesCard.of(CLEAN, ATTACKED)
    assert card is not None
    assert base64.b64decode(card.clean) == bytes([0b11101110, 0b11000000])
    assert base64.b64decode(card.attacked) == bytes([0b10100110, 0b01000000])


@given(st.lists(st.sampled_from([(False, False), (True, False), (True, True)]), min_size=1, max_size=70))
def test_any_outcomes_there_and_back(images):
    clean, attacked = (np.array(column, bool) for column in zip(*images, strict=True))
    text = verified(clean, attacked).to_json()
    jsonschema.validate(json.loads(text), published_schema())
    card = MixConfig.from_json(text).verified
    assert card is not None
    assert card.outcomes is not None
    np.testing.assert_array_equal(card.outcomes.clean_right, clean)
    np.testing.assert_array_equal(card.outcomes.attacked_right, attacked)
    assert card.images == DIGEST


def test_as_many_as_are_kept_fit_into_a_configuration_and_more_are_left_out():
    right = np.ones(MAX_IMAGES, bool)
    text = verified(right, right).to_json()
    assert len(text) < MAX_BYTES
    assert MixConfig.from_json(text).verified.outcomes.n == MAX_IMAGES
    more = np.ones(MAX_IMAGES + 1, bool)
    assert OutcomesCard.of(more, more) is None


def test_configurations_of_before_open_without_them(raw):
    del raw["verified"]["outcomes"]
    card = MixConfig.from_json(json.dumps(raw)).verified
    assert card is not None
    assert card.outcomes is None


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n", 11, "n = 11|accuracy must be"),
        ("n", 17, "clean must hold 3 bytes for n = 17, but holds 2"),
        ("n", 8, "must hold 1 bytes"),
        ("n", 0, r"outcomes\.n"),
        ("n", 10.0, r"outcomes\.n"),
        ("n", 10**15, r"outcomes\.n"),
        ("clean", "", "must hold 2 bytes"),
        ("clean", "7sA", r"outcomes\.clean"),
        ("clean", "7sA=\n", r"outcomes\.clean"),
        ("clean", "7s-_", r"outcomes\.clean"),
        ("clean", "7sE=", "no bits set beyond the last of its 10 images"),
        ("clean", "7sB=", "no bits set beyond|base64"),  # its last bits belong to no byte
        ("clean", "A" * 200_000, r"outcomes\.clean"),
        ("clean", "rkA=", "right under the attack must be right without it|clean must be"),
        ("attacked", "5kA=", "accuracy must be that of the outcomes, 6 of 10 right, but is 5 of 10"),
        ("attacked", "//8=", "no bits set beyond"),
        ("attacked", None, r"outcomes\.attacked"),
        ("more", 1, r"outcomes\.more"),
    ],
)
def test_bits_that_do_not_fit_are_refused_in_one_line(raw, field, value, message):
    raw["verified"]["outcomes"][field] = value
    with pytest.raises(ConfigError, match=message) as caught:
        MixConfig.from_json(json.dumps(raw))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("card", "value"), [("accuracy", 0.6), ("clean", 0.7)])
def test_figures_that_contradict_the_bits_are_refused(raw, card, value):
    raw["verified"][card] |= {"value": value, "ci95": [0.0, 1.0]}
    with pytest.raises(ConfigError, match=f"{card} must be that of the outcomes"):
        MixConfig.from_json(json.dumps(raw))
