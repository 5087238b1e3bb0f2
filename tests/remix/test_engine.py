"""The engine against a plain computation with full softmaxes, and the promises made about its figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from mnuts_core import BundleError, LogitBundle, MixedClassifier, MixParams, ParameterError, RemixEngine
from mnuts_core.clamps import CLAMP_RECORDS, CLAMPS
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.quantiles import SATURATED, TIE, UNRESOLVED
from mnuts_core.params import LN_ONLY, PAPER_OPTIMA
from tests import reference
from tests.synthetic import clean_only, make_bundle

PARAMS = [
    MixParams(s=5.0, p=4.0, c=-1.1),
    MixParams(s=0.612, p=3.57, c=-2.14, beta=0.9),
    MixParams(s=1.0, p=1.0, c=0.0, clamp="linear", ln_k=0, beta=0.95),
    MixParams(s=2.0, p=2.0, c=-0.5, clamp="relu", ln_k=4, beta=0.8),
    MixParams(s=3.0, p=1.5, c=0.2, clamp="softplus", beta=1.0),
    MixParams(s=0.5, p=2.5, c=-1.0, clamp="elu", beta=0.0),
]
SOME = st.builds(
    MixParams,
    s=st.sampled_from([0.05, 0.6, 2.0, 8.0]),
    p=st.sampled_from([0.7, 1.0, 2.5, 4.0]),
    c=st.sampled_from([-2.0, -1.1, -0.3, 0.5]),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 4, 250]),
    beta=st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.985, 1.0]),
    temperature=st.sampled_from([0.0, 0.3, 1.0]),
)


class Lookup(nn.Module):
    """A classifier whose images are row numbers and whose logits are the cached ones."""

    def __init__(self, logits: np.ndarray, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("logits", torch.from_numpy(logits).to(dtype))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.logits[rows]


@pytest.fixture(scope="module")
def engine(bundle: LogitBundle) -> RemixEngine:
    return RemixEngine(bundle, device="cpu")


def plain(bundle: LogitBundle, params: MixParams, alpha: float, part: str) -> np.ndarray:
    """Which class the mix predicts, from full softmaxes in NumPy."""
    std = bundle.tensors()[f"{part}.std_logits"].astype(np.float64)
    rob = bundle.tensors()[f"{part}.rob_logits"]
    transformed = reference.transform(rob, params.s, params.p, params.c, params.clamp, params.ln_k)
    return reference.mixed_probabilities(
        reference.std_probabilities(std, params.temperature), reference.softmax(transformed), alpha
    ).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("alpha", [0.5, 0.61, 0.83, 0.97, 1.0])
@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_against_full_softmaxes(bundle, engine, params, alpha, temperature):
    remix = engine.remix(params.with_(alpha=alpha, temperature=temperature))
    for part, found in (("clean", remix.on_clean), ("adv", remix.on_attacked)):
        expected = plain(bundle, remix.params, alpha, part)
        if alpha == 1.0 and temperature == 0.0:  # silenced classes tie with the first; ours then asks g
            expected = np.where(found.margin > 1e-9, expected, found.mix_class)
        np.testing.assert_array_equal(found.mix_class, expected)
        labels = bundle.clean_labels if part == "clean" else bundle.attacked.labels
        estimate, right = remix.clean if part == "clean" else remix.attacked, expected == labels
        if part == "adv":  # the clean image is one of the points
            right &= remix.on_clean.mix_right[bundle.attacked.index]
        assert estimate.successes == np.count_nonzero(right)
        assert estimate.n == len(labels)


@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_the_robust_model_alone(bundle, engine, params):
    remix = engine.remix(params)
    for part, found, labels in (
        ("clean", remix.on_clean, bundle.clean_labels),
        ("adv", remix.on_attacked, bundle.attacked.labels),
    ):
        rob = bundle.tensors()[f"{part}.rob_logits"]
        t = reference.transform(rob, params.s, params.p, params.c, params.clamp, params.ln_k)
        np.testing.assert_allclose(found.margin, reference.margins(reference.softmax(t)), atol=1e-12)
        np.testing.assert_array_equal(found.rob_class, t.argmax(axis=1))
        np.testing.assert_array_equal(found.right, found.rob_class == labels)
    assert remix.rob_clean.successes == remix.on_clean.right.sum()
    both = remix.on_attacked.right & remix.on_clean.right[bundle.attacked.index]
    assert remix.rob_attacked.successes == both.sum()


@pytest.mark.parametrize("quantile", ["linear", "lower"])
@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_alpha_from_beta(bundle, engine, params, quantile):
    right = reference.rows_of(bundle).right
    t = reference.transform(right, params.s, params.p, params.c, params.clamp, params.ln_k)
    q = reference.bottom_quantile(reference.margins(reference.softmax(t)), params.beta, quantile)
    remix = engine.remix(params, quantile=quantile)
    assert remix.threshold == pytest.approx(q, abs=1e-13)
    assert remix.alpha == pytest.approx(1 / (1 + q), abs=1e-13)
    assert remix.params.alpha == remix.alpha
    assert remix.params.with_(alpha=None) == params


@given(alpha=st.floats(0.5, 1.0))
def test_alpha_by_hand_stays_as_given(engine, alpha):
    remix = engine.remix(MixParams(alpha=alpha))
    assert remix.params.alpha == alpha
    assert remix.alpha == alpha


@given(params=SOME)
def test_alpha_lies_between_a_half_and_one(engine, params):
    assert 0.5 <= engine.remix(params).alpha <= 1.0


@given(params=SOME, more=st.floats(0, 1), quantile=st.sampled_from(["linear", "lower"]))
def test_more_beta_never_lowers_alpha(engine, params, more, quantile):
    higher = params.with_(beta=params.beta + more * (1 - params.beta))
    assert engine.threshold(higher, quantile) <= engine.threshold(params, quantile) + 1e-15


def test_a_half_and_one(bundle, engine):
    """At α = 1/2 and T = 0 the standard model decides, at α = 1 the robust one."""
    half = engine.remix(PARAMS[0].with_(alpha=0.5))
    np.testing.assert_array_equal(half.on_clean.mix_class, bundle.clean_std_logits.argmax(axis=1))
    one = engine.remix(PARAMS[0].with_(alpha=1.0))
    np.testing.assert_array_equal(one.on_clean.mix_class, one.on_clean.rob_class)
    assert one.clean == one.rob_clean


class TestFigures:
    @given(params=SOME)
    def test_lower_keeps_the_level(self, engine, params):
        """`lower` keeps at least a share β of the margins, so of the robust model's right answers."""
        if not CLAMP_RECORDS[params.clamp].monotone:
            params = params.with_(
                clamp="relu"
            )  # one that falls may change predictions, which costs right answers
        remix = engine.remix(params, quantile="lower")
        # next to 1 ties count as lost; at 0 those do that ReLU makes of all classes
        assume(UNRESOLVED < remix.threshold <= SATURATED)
        right = engine.rob_right[engine.n_clean :].sum()
        assert remix.by_margin.successes >= params.beta * right - 1e-6

    @given(params=SOME, alpha=st.floats(0.5, 1.0))
    def test_who_leads_by_more_than_the_threshold_cannot_be_outvoted(self, engine, params, alpha):
        """For any g and any T: p[y] - p[i] > (1-α)/α ≥ (1-α)/α · (a[i] - a[y])."""
        remix = engine.remix(params.with_(alpha=alpha))
        part = remix.on_attacked
        without_attack = ~remix.on_clean.mix_right[engine.bundle.attacked.index]
        certain = part.right & (part.margin > remix.threshold + 2 * TIE)
        assert part.mix_right[certain].all()
        assert remix.attacked.successes >= (certain & ~without_attack).sum()
        at_the_threshold = np.abs(part.margin - remix.threshold) <= 2 * TIE
        assert (
            remix.by_margin.successes <= remix.attacked.successes + (at_the_threshold | without_attack).sum()
        )

    def test_attacked_counts_what_g_gets_right_there(self, engine):
        """g is not always wrong at these points, and not always for the runner-up: the bound is lower."""
        remix = engine.remix(LN_ONLY.with_(alpha=0.8))
        assert 0 < remix.by_margin.successes < remix.attacked.successes

    def test_at_the_very_threshold_the_standard_model_wins(self):
        """One attacked example, whose margin is q itself, and g names its runner-up: the bound counts it,
        the mix does not (the rule: ŷ_std iff (1-α)/α ≥ p₁ - p[ŷ_std])."""
        tie = LogitBundle.from_arrays(
            clean_labels=[0],
            clean_std_logits=[[0.0, 9.0, 0.0]],
            clean_rob_logits=[[2.0, 1.0, 0.0]],
            adv_index=[0],
            adv_std_logits=[[0.0, 9.0, 0.0]],
            adv_rob_logits=[[2.0, 1.0, 0.0]],
        )
        remix = RemixEngine(tie).remix(LN_ONLY.with_(beta=1.0))
        assert remix.threshold == remix.on_attacked.margin[0]
        assert (remix.by_margin.successes, remix.attacked.successes) == (1, 0)

    def test_kinds(self, engine):
        remix = engine.remix(PARAMS[0])
        assert (remix.clean.kind, remix.by_margin.kind, remix.attacked.kind) == (
            "clean",
            "right by margin",
            "attacked",
        )

    def test_the_base_models(self, bundle, engine):
        base = engine.base
        std, rob = bundle.clean_std_logits.argmax(axis=1), bundle.clean_rob_logits.argmax(axis=1)
        assert base.std_clean.value == pytest.approx(np.mean(std == bundle.clean_labels))
        assert base.rob_clean.value == pytest.approx(np.mean(rob == bundle.clean_labels))
        hit = bundle.attacked.rob_logits.argmax(axis=1) == bundle.attacked.labels
        hit &= (rob == bundle.clean_labels)[bundle.attacked.index]
        there = bundle.attacked.std_logits.argmax(axis=1) == bundle.attacked.labels
        assert base.rob_attacked.value == pytest.approx(hit.mean())
        assert base.std_attacked is None  # no attack on g
        assert base.std_at_first.value == pytest.approx(there.mean())
        assert (base.rob_attacked.n, base.rob_clean.n) == (bundle.n_adv, bundle.n_clean)

    def test_the_plain_mix(self, bundle, engine):
        """ "Mixed" of Fig. 5: no layer norm, no clamp, s = p = 1; its α from β by Algorithm 1."""
        q = np.percentile(reference.margins(reference.softmax(reference.rows_of(bundle).right)), 5)
        mixed = engine.plain_mix(0.95, temperature=1.0)
        assert mixed.threshold == pytest.approx(q, abs=1e-13)
        g, h = (
            reference.softmax(x.astype(np.float64))
            for x in (bundle.clean_std_logits, bundle.clean_rob_logits)
        )
        expected = ((1 - mixed.alpha) * g + mixed.alpha * h).argmax(axis=1)
        np.testing.assert_array_equal(mixed.on_clean.mix_class, expected)

    def test_margins_of_the_base_models(self, bundle, engine):
        std = np.concatenate([bundle.clean_std_logits, bundle.attacked.std_logits]).astype(np.float64)
        rob = np.concatenate([bundle.clean_rob_logits, bundle.attacked.rob_logits]).astype(np.float64)
        np.testing.assert_allclose(
            engine.std_margins(), reference.margins(reference.softmax(std)), atol=1e-13
        )
        np.testing.assert_allclose(
            engine.raw_margins(), reference.margins(reference.softmax(rob)), atol=1e-13
        )


class TestTheExportedModule:
    """Clean accuracy from the cache is exact, so the module must predict the same."""

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
    @pytest.mark.parametrize("params", [*PAPER_OPTIMA.values(), PARAMS[2]], ids=str)
    def test_predicts_what_the_engine_counted(self, params, dtype):
        raw = make_bundle(n=3000, m=1500, seed=2)
        rounded = {
            name: torch.from_numpy(raw.tensors()[name.replace("_", ".", 1)]).to(dtype).float().numpy()
            for name in ("clean_std_logits", "clean_rob_logits", "adv_std_logits", "adv_rob_logits")
        }
        cached = LogitBundle.from_arrays(
            clean_labels=raw.clean_labels, adv_index=raw.attacked.index, **rounded
        )
        remix = RemixEngine(cached).remix(params)
        if remix.threshold < 1e-9:
            pytest.skip(f"q = {remix.threshold:.1g}: nothing to mix")
        module = MixedClassifier(
            Lookup(cached.clean_std_logits, dtype), Lookup(cached.clean_rob_logits, dtype), remix.params
        )
        with torch.no_grad():
            predicted = module(torch.arange(cached.n_clean)).argmax(dim=1).numpy()
        assert np.count_nonzero(predicted != remix.on_clean.mix_class) == 0


class TestPrecision:
    @pytest.mark.parametrize("params", PARAMS, ids=str)
    def test_float32_is_close(self, bundle, engine, params):
        single = RemixEngine(bundle, dtype=torch.float32).remix(params)
        double = engine.remix(params)
        assert single.threshold == pytest.approx(double.threshold, abs=2e-5)
        np.testing.assert_allclose(single.on_clean.margin, double.on_clean.margin, atol=2e-5)
        assert abs(single.clean.successes - double.clean.successes) <= 2
        assert abs(single.attacked.successes - double.attacked.successes) <= 2

    def test_asking_twice_gives_the_same(self, engine):
        first = engine.remix(PARAMS[0])
        for params in PARAMS[1:]:
            engine.remix(params.with_(temperature=1.0))
        again = engine.remix(PARAMS[0])
        assert again.threshold == first.threshold
        assert (again.clean, again.by_margin, again.attacked) == (
            first.clean,
            first.by_margin,
            first.attacked,
        )
        np.testing.assert_array_equal(again.on_attacked.margin, first.on_attacked.margin)

    def test_a_huge_power_is_finite_or_refused_by_name(self, engine):
        """Powers overflow float64 long before p reaches its open end."""
        try:
            remix = engine.remix(MixParams(s=1.0, p=2000.0, c=0.0))
        except ParameterError as error:
            assert str(error).startswith("p ")  # noqa: PT017
        else:
            assert math.isfinite(remix.threshold)
            assert np.isfinite(remix.on_clean.margin).all()


class TestWithoutAnAttack:
    def test_robust_figures_are_absent(self, bundle):
        engine = RemixEngine(clean_only(bundle))
        remix = engine.remix(MixParams(alpha=0.9))
        assert remix.clean.n == bundle.n_clean
        for absent in ("by_margin", "attacked", "rob_attacked", "on_attacked", "on_images"):
            assert getattr(remix, absent) is None
        assert engine.base.rob_attacked is None
        assert engine.base.std_attacked is None
        assert remix.clean == RemixEngine(bundle).remix(MixParams(alpha=0.9)).clean

    def test_beta_needs_an_attack(self, bundle):
        with pytest.raises(BundleError, match="holds no attacked examples"):
            RemixEngine(clean_only(bundle)).remix(MixParams(beta=0.9))

    def test_beta_needs_a_right_answer_under_attack(self):
        beaten = LogitBundle.from_arrays(
            clean_labels=[0, 1],
            clean_std_logits=[[2.0, 0.0], [0.0, 2.0]],
            clean_rob_logits=[[2.0, 0.0], [0.0, 2.0]],
            adv_index=[0, 1],
            adv_std_logits=[[0.0, 2.0], [2.0, 0.0]],
            adv_rob_logits=[[0.0, 2.0], [2.0, 0.0]],
        )
        engine = RemixEngine(beaten)
        with pytest.raises(ParameterError, match="none of 2: set alpha by hand"):
            engine.remix(MixParams(beta=0.9))
        remix = engine.remix(MixParams(alpha=0.9))
        assert (remix.attacked.successes, remix.by_margin.successes) == (0, 0)


@pytest.mark.parametrize("k", [2, 3])
def test_few_classes(k):
    bundle = make_bundle(k=k, n=80, m=50)
    engine = RemixEngine(bundle)
    for params in (MixParams(s=2.0, p=2.0, c=-0.5), MixParams(s=1.0, p=1.0, c=0.0, clamp="linear")):
        remix = engine.remix(params.with_(alpha=0.8))
        np.testing.assert_array_equal(remix.on_clean.mix_class, plain(bundle, params, 0.8, "clean"))
        assert 0.5 <= engine.remix(params).alpha <= 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": torch.float16}, "dtype must be torch.float64 or torch.float32, got torch.float16"),
        ({"device": "abacus"}, "device must be auto, cpu, cuda, cuda:N or mps, got 'abacus'"),
        ({"device": "meta"}, "device must be auto, cpu, cuda"),
    ],
)
def test_bad_options(bundle, options, message):
    with pytest.raises(ParameterError, match=message):
        RemixEngine(bundle, **options)


def test_bad_quantile(engine):
    with pytest.raises(ParameterError, match="quantile must be 'linear' or 'lower', got 'median'"):
        engine.remix(MixParams(), quantile="median")


def test_real_digits(digits):
    """On the shipped pair the engine counts what a full softmax counts."""
    params = MixParams(s=5.0, p=4.0, c=-1.1)
    remix = RemixEngine(digits).remix(params)
    expected = plain(digits, params, remix.alpha, "clean")
    assert remix.clean.successes == np.count_nonzero(expected == digits.clean_labels)
    assert remix.attacked.n == digits.n_adv


class TestSaturation:
    """Where float64 rounds margins to 1, nothing is promised that the mix does not keep."""

    SHARP = MixParams(s=10.0, p=8.0, c=2.0, beta=0.9)

    def test_ties_at_one_count_as_lost_and_are_warned_of(self, digits):
        remix = RemixEngine(digits).remix(self.SHARP)
        assert remix.threshold == 1.0
        assert remix.by_margin.successes == 0
        assert any("Numerically saturated" in line for line in remix.warnings)

    def test_the_exported_module_resolves_ties_as_the_engine_does(self, digits):
        remix = RemixEngine(digits).remix(self.SHARP)
        logits = torch.from_numpy(digits.clean_std_logits), torch.from_numpy(digits.clean_rob_logits)
        module = mixed_logits(*logits, remix.params).argmax(1).numpy()
        np.testing.assert_array_equal(module, remix.on_clean.mix_class)

    def test_a_transform_that_costs_accuracy_is_warned_of(self, digits):
        lines = RemixEngine(digits).remix(MixParams(s=0.07, p=3.11, c=-1.9, beta=0.674)).warnings
        assert any("points of clean accuracy" in line for line in lines)
        assert any("points of attacked accuracy" in line for line in lines)

    def test_a_mild_mix_has_no_warnings(self, digits):
        assert RemixEngine(digits).remix(MixParams(s=5.0, p=3.57, c=-0.31)).warnings == ()

    def test_layer_norm_over_two_classes_is_warned_of(self):
        engine = RemixEngine(make_bundle(k=2))
        assert any("set ln_k to 0" in line for line in engine.remix(MixParams(alpha=0.8)).warnings)
        assert engine.remix(MixParams(alpha=0.8, ln_k=0, c=0.0, clamp="linear")).warnings == ()
