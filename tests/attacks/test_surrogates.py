"""Several surrogates in one attack: their gradients by hand, their place in the plan, one result for all."""

import pytest
import torch

from mnuts_core import MixedClassifier, MixParams, ParameterError, Plan
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.plan import FOLLOWS, N_TARGETS
from mnuts_core.attacks.surrogates import surrogate_named, surrogate_of
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.errors import Stopped
from mnuts_core.functional.mixing import transform_with
from mnuts_core.pipeline.verify import evaluate
from mnuts_core.pipeline.workfolder import WorkFolderError

PARAMS = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)
N = 6


def plan(*surrogates, **more):
    return Plan(**{"norm": "Linf", "eps": EPS, "n_iter": 2, "surrogates": surrogates} | more)


@pytest.fixture(scope="module")
def mix():
    return MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925).eval()


@pytest.fixture(scope="module")
def data():
    images, labels = load_digits_split()[1]
    return images[:N].float(), labels[:N]


def test_what_is_climbed_and_that_all_are_judged_by_the_mix(mix, data):
    images, _ = data
    g, h = mix.std_model(images).double(), mix.rob_model(images).double()
    transformed = transform_with(h, PARAMS).softmax(1)
    expected = {
        "soft": (0.06 * g.softmax(1) + 0.94 * transformed).log(),
        "plain": (0.075 * g.softmax(1) + 0.925 * h.softmax(1)).log(),
        "auxiliary": (0.075 * g.softmax(1) + 0.925 * (0.9 * h.softmax(1) + 0.1 * transformed)).log(),
        "bypass": mix(images).double(),
    }
    assert set(expected) == set(FOLLOWS)
    for name, logits in expected.items():
        surrogate = surrogate_named(mix, name)
        raw = surrogate.model(images)
        torch.testing.assert_close(surrogate.climbed(raw).double(), logits, atol=1e-5, rtol=1e-5)
        assert (surrogate.judged(raw).argmax(1) == mix(images).argmax(1)).all()


def test_soft_keeps_a_temperature_that_has_gradients(mix, data):
    warm = MixedClassifier(mix.std_model, mix.rob_model, PARAMS.with_(temperature=3.0))
    raw = (surrogate := surrogate_named(warm, "soft")).model(data[0])
    torch.testing.assert_close(surrogate.climbed(raw), surrogate.judged(raw))


@pytest.mark.parametrize(("attack", "own"), [("transfer", "auxiliary"), ("bypass", "bypass")])
def test_the_attacks_own(mix, data, attack, own):
    ours, theirs = surrogate_of(mix, attack), surrogate_named(mix, own)
    raw = theirs.model(data[0])
    torch.testing.assert_close(ours.climbed(raw), theirs.climbed(raw))


def test_their_place_is_between_the_white_box_and_its_witnesses():
    parts = components_of(plan("soft", "plain"), 10)
    assert [part.name for part in parts] == [
        *("apgd-ce", "apgd-t", "fab-t", "apgd-ce:soft", "apgd-t:soft", "apgd-ce:plain", "apgd-t:plain"),
        *("square", "base-transfer"),
    ]
    assert parts[4].cost(plan("soft"), 10) == 2 * N_TARGETS
    frugal = [part.name for part in components_of(plan("soft", effort="frugal"), 10)]
    assert frugal == [
        *("apgd-ce", "apgd-joint", "apgd-t", "apgd-ce:soft", "apgd-t:soft", "square", "base-transfer")
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"surrogates": ["magic"]}, "surrogates must be among auxiliary, bypass, soft, plain, got 'magic'"),
        ({"surrogates": ["soft", "soft"]}, "name each stand-in once"),
        ({"surrogates": ["auxiliary"]}, "not 'auxiliary', which attack 'transfer' follows anyway"),
        ({"surrogates": ["soft"], "attack": "autoattack", "n_iter": 100}, "run as it was published"),
    ],
)
def test_refusals(change, words):
    with pytest.raises(ParameterError, match=words) as raised:
        plan(**change)
    assert "\n" not in str(raised.value)


def test_one_result_for_all_that_goes_on_where_it_was_cut(mix, data, tmp_path):
    alone, both = plan(effort="frugal", n_iter=1), plan("soft", effort="frugal", n_iter=1)
    one = evaluate(mix, *data, plan=alone, batch_size=3)
    whole = evaluate(mix, *data, plan=both, batch_size=3)
    assert "surrogates" not in one.settings
    assert whole.settings["surrogates"] == "soft"
    assert whole.attack.endswith("; APGD also along soft")
    names = [part.name for part in whole.components]
    before = names.index("apgd-ce:soft")
    assert [part.accuracy for part in whole.components[:before]] == [
        part.accuracy for part in one.components[:before]
    ]
    assert (whole.fell[one.fell < before] == one.fell[one.fell < before]).all()
    assert whole.accuracy.value == (whole.fell == len(names)).float().mean()

    def cut(done, total):
        if done >= len(names) + before + 1:  # in the second batch, after one run along the surrogate
            raise Stopped(15)

    with pytest.raises(Stopped):
        evaluate(mix, *data, plan=both, batch_size=3, work_dir=tmp_path, progress=cut)
    with pytest.raises(WorkFolderError, match="surrogates"):
        evaluate(mix, *data, plan=alone, batch_size=3, work_dir=tmp_path)
    assert evaluate(mix, *data, plan=both, batch_size=3, work_dir=tmp_path).digest == whole.digest
