"""Exported configurations: round trip, schema, and refusal of everything else."""

from __future__ import annotations

import copy
import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core import ConfigError, LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.clamps import CLAMPS
from mnuts_core.export.config import MAX_BYTES, config_schema, published_schema
from mnuts_core.params import BETA_D, IDENTITY
from tests.synthetic import clean_only, make_pool

PARAMS = MixParams(s=5.0, p=4.0, c=-1.1, beta=0.95)
VALIDATOR = jsonschema.Draft202012Validator(config_schema())

ANY = st.builds(
    MixParams,
    s=st.floats(1e-6, 1e6),
    p=st.floats(0.01, 50),
    c=st.floats(-50, 50),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 2, 250, 10**6]),
    alpha=st.floats(0.5, 1),
    beta=st.floats(0, 1),
    temperature=st.floats(0, 10),
)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def config(engine) -> MixConfig:
    return MixConfig.from_remix(engine, PARAMS)


@pytest.fixture
def raw(config) -> dict:
    """The configuration as plain JSON, to be spoiled."""
    return json.loads(config.to_json())


def load(tmp_path, content) -> MixConfig:
    path = tmp_path / "mix.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return MixConfig.load(path)


class TestRoundTrip:
    def test_through_a_file(self, config, tmp_path):
        path = config.save(tmp_path / "mix.json")
        assert MixConfig.load(path) == config
        assert MixConfig.load(str(path)).to_json() == config.to_json()
        assert [file.name for file in tmp_path.iterdir()] == ["mix.json"]

    @given(params=ANY, with_beta=st.booleans())
    def test_any_parameters(self, params, with_beta):
        config = MixConfig.from_params(params, beta=params.beta if with_beta else None)
        loaded = MixConfig.from_json(config.to_json())
        assert loaded == config
        assert loaded.params.with_(beta=params.beta) == params
        VALIDATOR.validate(json.loads(config.to_json()))

    def test_bytes_or_text(self, config):
        assert MixConfig.from_json(config.to_json().encode()) == MixConfig.from_json(config.to_json())


class TestFromRemix:
    def test_it_records_what_the_engine_computes(self, bundle, engine, config):
        remix = engine.remix(PARAMS)
        assert config.params == remix.params
        assert (config.alpha, config.beta) == (remix.alpha, 0.95)
        assert config.bundle.digest == bundle.digest
        assert config.bundle.name == bundle.name
        for name in ("clean", "attacked", "by_margin"):
            card, estimate = getattr(config.estimates, name), getattr(remix, name)
            assert card.value == estimate.value
            assert card.n == estimate.n
            assert card.kind == estimate.kind
            assert card.ci95 == pytest.approx(estimate.interval)
        assert config.verified is None

    def test_the_loaded_configuration_gives_the_same_numbers(self, engine, config):
        kept, again = config.estimates, engine.remix(MixConfig.from_json(config.to_json()).params)
        assert again.clean.value == kept.clean.value
        assert again.by_margin.value == kept.by_margin.value
        assert again.attacked.value == kept.attacked.value
        assert again.params.alpha == config.alpha

    def test_auxiliary_weight(self, engine, config):
        """B.2.1: Algorithm 1 with no clamp, s = p = 1, c = 0 (and no LN, as in the authors' script)."""
        assert config.auxiliary.alpha_d == engine.remix(IDENTITY.with_(beta=0.95)).alpha
        assert config.auxiliary.r_d == 0.9

    def test_alpha_by_hand_has_no_beta(self, engine):
        config = MixConfig.from_remix(engine, PARAMS.with_(alpha=0.8))
        assert config.beta is None
        assert config.alpha == 0.8

    def test_without_an_attack(self, bundle):
        config = MixConfig.from_remix(RemixEngine(clean_only(bundle)), PARAMS.with_(alpha=0.8))
        assert config.auxiliary is None
        assert config.estimates.attacked is None
        assert config.estimates.by_margin is None
        assert "attacked" not in config.to_json()

    def test_alpha_must_be_known(self):
        with pytest.raises(ConfigError, match="alpha must be set"):
            MixConfig.from_params(PARAMS)


class TestSchema:
    def test_the_published_file_is_in_step(self):
        assert published_schema() == config_schema(), "write mnuts_core/schemas again: see its README or cli"

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(published_schema())

    def test_it_takes_what_we_write(self, raw):
        jsonschema.validate(raw, published_schema())

    @pytest.mark.parametrize(
        ("where", "value"),
        [
            (("alpha",), 0.4),
            (("alpha",), "0.9"),
            (("transform", "s"), 0),
            (("transform", "s"), True),
            (("transform", "p"), "3"),
            (("transform", "clamp"), "tanh"),
            (("transform", "ln_k"), 1),
            (("schema",), "mnuts-config/2"),
            (("surprise",), 1),
            (("estimates", "clean", "n"), 0),
            (("bundle", "digest"), "md5:0"),
        ],
    )
    def test_it_refuses_what_we_refuse(self, raw, where, value):
        spoil(raw, where, value)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(raw, published_schema())
        with pytest.raises(ConfigError):
            MixConfig.from_json(json.dumps(raw))


def spoil(raw: dict, where: tuple[str, ...], value: object) -> None:
    for key in where[:-1]:
        raw = raw[key]
    raw[where[-1]] = value


class TestRefusals:
    @pytest.mark.parametrize(
        ("where", "value", "message"),
        [
            (("schema",), "mnuts-config/2", "must have schema 'mnuts-config/1', got 'mnuts-config/2'"),
            (("schema",), None, "must have schema 'mnuts-config/1', got None"),
            (("surprise",), 1, "wrong at surprise"),
            (("transform", "q"), 1, r"wrong at transform\.q"),
            (("alpha",), float("nan"), "wrong at alpha"),
            (("alpha",), 0.3, "wrong at alpha: .* greater than or equal to 0.5, got 0.3"),
            (("beta",), 98.5, "wrong at beta"),
            (("temperature",), float("inf"), "wrong at temperature"),
            (("temperature",), -1, "wrong at temperature"),
            (("transform", "s"), 0, r"wrong at transform\.s"),
            (("transform", "c"), float("nan"), r"wrong at transform\.c"),
            (("transform", "ln_k"), 1, "ln_k must be 0"),
            (("transform", "ln_k"), 2.5, r"wrong at transform\.ln_k"),
            (("transform", "clamp"), "tanh", r"wrong at transform\.clamp"),
            (("transform",), None, "wrong at transform"),
            (("estimates", "clean", "value"), 1.5, r"wrong at estimates\.clean\.value"),
            (("estimates", "clean", "ci95"), [float("nan"), 1.0], r"wrong at estimates\.clean\.ci95"),
            (("estimates", "clean", "ci95"), [0.0, 7.0], r"wrong at estimates\.clean\.ci95"),
            (("auxiliary", "alpha_d"), 0.2, r"wrong at auxiliary\.alpha_d"),
            (("bundle", "digest"), "sha256:xyz", r"wrong at bundle\.digest"),
        ],
    )
    def test_a_wrong_value_is_named(self, raw, tmp_path, where, value, message):
        spoil(raw, where, value)
        with pytest.raises(ConfigError, match=message) as caught:
            load(tmp_path, raw)
        self.one_line(caught.value, tmp_path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is not valid JSON"),
            (b"not json", "is not valid JSON"),
            (b"\xff\xfe\x00", "is not valid JSON"),
            (b"[" * 200_000, "is not valid JSON"),
            (b'{"n": ' + b"1" * 10_000 + b"}", "is not valid JSON"),
            (b"[]", "must have schema"),
            (b'"mnuts-config/1"', "must have schema"),
            (b" " * (MAX_BYTES + 1), "is larger than 1 MiB"),
            (b'{"schema": "' + b"x" * 100_000 + b'"}', "must have schema"),
        ],
    )
    def test_no_configuration_at_all(self, tmp_path, content, message):
        with pytest.raises(ConfigError, match=message) as caught:
            load(tmp_path, content)
        self.one_line(caught.value, tmp_path)

    def one_line(self, error, tmp_path):
        assert "\n" not in str(error)
        assert str(tmp_path / "mix.json") in str(error)
        assert len(str(error)) < 1000

    def test_missing_file(self, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot read .*absent\.json: No such file"):
            MixConfig.load(tmp_path / "absent.json")

    def test_a_folder(self, tmp_path):
        with pytest.raises(ConfigError, match="cannot read"):
            MixConfig.load(tmp_path)

    def test_nowhere_to_save(self, config, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot write .*absent/mix\.json: No such file"):
            config.save(tmp_path / "absent" / "mix.json")

    def test_cannot_be_changed(self, config):
        with pytest.raises(ValueError, match="frozen"):
            config.alpha = 0.7


def test_what_is_written_is_strict_json(config, raw):
    """No NaN or Infinity: other readers refuse them."""

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(config.to_json(), parse_constant=refuse)
    spoiled = copy.deepcopy(raw)
    spoiled["verified"] = {
        "accuracy": raw["estimates"]["clean"] | {"kind": "verified"},
        "attack": "AutoAttack",
        "settings": {"eps": np.nan},
        "digest": raw["bundle"]["digest"],
    }
    try:
        loaded = MixConfig.from_json(json.dumps(spoiled))
    except ConfigError:
        return
    json.loads(loaded.to_json(), parse_constant=refuse)


def test_alpha_d_rests_on_the_first_points_whatever_has_joined_them():
    pool = make_pool()
    part = pool.require_attacked()
    first = LogitBundle.from_arrays(
        clean_labels=pool.clean_labels,
        clean_std_logits=pool.clean_std_logits,
        clean_rob_logits=pool.clean_rob_logits,
        adv_index=part.first.index,
        adv_std_logits=part.first.std_logits,
        adv_rob_logits=part.first.rob_logits,
    )
    on_pool, on_first = (MixConfig.from_remix(RemixEngine(each), MixParams()) for each in (pool, first))
    assert on_pool.auxiliary == on_first.auxiliary
    assert on_first.auxiliary.alpha_d == RemixEngine(first).plain_mix(BETA_D).alpha
    assert on_pool.alpha != on_first.alpha, "its own α follows from the pool"
