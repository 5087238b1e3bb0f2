"""A verification's points join the pool: no figure of the verified mix exceeds what was verified."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixConfig, MixedClassifier, MixParams, RemixEngine, evaluate
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.manifest import SourceCard, ThreatModel
from mnuts_core.datasets.specs import load_data
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.models.specs import load_model
from mnuts_core.params import IDENTITY
from mnuts_core.pipeline.verified import Verified
from mnuts_core.pipeline.verified_points import VerifiedPoints, add_verified, on_bundle, points_of
from tests.synthetic import make_pool, verified_by

MIX = MixParams(s=3.0, p=2.0, c=-0.5, alpha=0.7)


def under_threat(bundle: LogitBundle, eps: float = 0.1) -> LogitBundle:
    threat = ThreatModel(norm="Linf", eps=eps)
    manifest = bundle.manifest.model_copy(update={"threat": threat})
    return LogitBundle(
        bundle.clean_labels, bundle.clean_std_logits, bundle.clean_rob_logits, manifest, bundle.attacked
    )


def added(
    bundle: LogitBundle, params: MixParams, rows: np.ndarray, seed: int
) -> tuple[LogitBundle, Verified]:
    """The bundle with the points of a made-up verification of these clean rows."""
    rng = np.random.default_rng(seed)
    std = bundle.clean_std_logits[rows] + rng.normal(size=(len(rows), bundle.num_classes)) * 3
    rob = bundle.clean_rob_logits[rows] + rng.normal(size=(len(rows), bundle.num_classes)) * 3
    found = verified_by(params, bundle.clean_labels[rows], std.astype(np.float32), rob.astype(np.float32))
    config = found.into(MixConfig.from_params(params))
    return add_verified(bundle, config, points_of(found, rows)), found


def right_there(bundle: LogitBundle, params: MixParams, rows: np.ndarray) -> np.ndarray:
    """Whether the mix counts as right on the attacked images of these clean rows."""
    images = bundle.require_attacked().index[: bundle.n_adv]
    results = RemixEngine(bundle, device="cpu").remix(params).on_images
    assert results is not None
    return results.mix_right[[int(np.flatnonzero(images == row)[0]) for row in rows]]


@given(
    seed=st.integers(0, 999),
    temperature=st.sampled_from([0.0, 0.5, 2.0]),
    c=st.floats(-3, 1),
    alpha=st.floats(0.5, 1),
    later=st.integers(0, 3),
)
def test_verified_is_never_below_attacked(seed, temperature, c, alpha, later):
    bundle = under_threat(make_pool(n=30, m=24, k=4, sources=2, seed=seed))
    params = MIX.with_(c=c, alpha=alpha, temperature=temperature)
    rows = bundle.require_attacked().index[:15]
    after, found = added(bundle, params, rows, seed)
    rng = np.random.default_rng(seed)
    for number in range(later):  # whatever joins the pool afterwards, even if it settles the image
        index = rng.choice(bundle.require_attacked().index[: bundle.n_adv], 40)
        std, rob = rng.normal(size=(2, 40, 4)).astype(np.float32) * 3
        after = after.with_points(SourceCard(name=f"more {number}"), index, std, rob)
    right = right_there(after, params, rows)
    assert not (right & (found.predictions != found.labels).numpy()).any()
    assert right.mean() <= found.accuracy.value


@pytest.mark.parametrize("later", [False, True])
def test_a_point_stays_where_g_and_h_are_wrong_and_their_mix_is_right(later):
    first = {"std": [0.8, 0.1, 0.1], "rob": [0.8, 0.1, 0.1]}
    settling = {"std": [0.45, 0.55, 1e-9], "rob": [0.45, 1e-9, 0.55]}  # 0.45 + 0.45 > 0.55: the mix is right
    fooling = {"std": [0.5, 0.3, 0.2], "rob": [0.1, 0.8, 0.1]}
    params = IDENTITY.with_(temperature=1.0, alpha=0.5)

    def logits(point: dict[str, list[float]]) -> tuple[np.ndarray, np.ndarray]:
        return np.log(np.float32([point["std"]])), np.log(np.float32([point["rob"]]))

    std, rob = logits(first)
    bundle = under_threat(
        LogitBundle.from_arrays(
            clean_labels=[0], clean_std_logits=std, clean_rob_logits=rob, adv_index=[0],
            adv_std_logits=std, adv_rob_logits=rob,
        )
    )  # fmt: skip
    row, found = np.array([0]), verified_by(params, np.array([0]), *logits(fooling))
    assert found.accuracy.value == 0
    config, points = found.into(MixConfig.from_params(params)), points_of(found, row)
    more = SourceCard(name="more")
    if later:
        after = add_verified(bundle, config, points).with_points(more, row, *logits(settling))
    else:
        after = add_verified(bundle.with_points(more, row, *logits(settling)), config, points)
    assert after.require_attacked().settled.all()
    assert not right_there(after, params, row).any()
    others = after.with_points(more, row, *logits(fooling))
    assert others.n_points == after.n_points == 3, "of other sources, a settled image takes no more"


def test_the_same_verification_joins_once():
    """As where a command was killed between writing the bundle and the rest of its work."""
    bundle = under_threat(make_pool(n=30, m=24, k=4, sources=2))
    rows = bundle.require_attacked().index[:15]
    once, _ = added(bundle, MIX, rows, 0)
    assert added(once, MIX, rows, 0)[0] is once
    others = bundle.require_attacked().index[9:24]
    more, _ = added(once, MIX, others, 1)  # the same settings and as many images, but other ones
    assert len(more.manifest.sources) == len(once.manifest.sources) + 1


def test_the_source_says_what_was_verified():
    bundle = under_threat(make_pool(sources=1))
    rows = np.concatenate([bundle.require_attacked().index[:5], [bundle.n_clean - 1]])
    rows = np.unique(rows)
    after, _ = added(bundle, MIX, rows, 1)
    card = after.manifest.attacks[-1]
    attacked = int(np.isin(rows, bundle.require_attacked().index).sum())
    assert (card.name, card.target, card.images) == ("APGD-CE", str(MIX), attacked)
    assert card.params is not None
    assert card.params["alpha"] == 0.7
    assert card.plan == {"attack": "transfer", "norm": "Linf", "eps": 0.1, "n_iter": 3}
    assert (card.seed, card.precision, card.verified) == (4, "float32", True)
    assert card.config == MixConfig.from_params(MIX).digest
    assert not after.manifest.optimistic


def test_the_bundle_is_read_again_as_it_was_written(tmp_path):
    after, _ = added(under_threat(make_pool()), MIX, np.arange(4), 2)
    again = LogitBundle.load(after.save(tmp_path / "b.safetensors"))
    assert again.digest == after.digest
    assert again.manifest.attacks == after.manifest.attacks


def test_nan_counts_as_broken_for_every_mix():
    bundle = under_threat(make_pool(sources=1))
    rows = bundle.require_attacked().index[:3]
    logits = np.tile(np.eye(bundle.num_classes, dtype=np.float32)[bundle.clean_labels[rows]][:, None] * 9, 1)
    std, rob = logits[:, 0].copy(), logits[:, 0].copy()
    rob[1, 0] = np.nan
    found = verified_by(MIX, bundle.clean_labels[rows], std, rob)
    points = points_of(found, rows)
    assert points.index.tolist() == [rows[1]]
    assert np.isfinite(points.rob_logits).all()
    assert points.rob_logits.argmax() != bundle.clean_labels[rows[1]]
    after = add_verified(bundle, found.into(MixConfig.from_params(MIX)), points)
    assert not right_there(after, MIX.with_(alpha=1.0), rows[1:2]).any()


def test_figures_move_to_the_new_bundle():
    bundle = under_threat(make_pool())
    config = MixConfig.from_remix(RemixEngine(bundle, device="cpu"), MIX)
    after, _ = added(bundle, MIX, bundle.require_attacked().index[:40], 3)
    moved = on_bundle(config, RemixEngine(after, device="cpu"))
    assert (moved.params, moved.bundle.digest) == (config.params, after.digest)
    assert moved.estimates.clean == config.estimates.clean
    assert moved.estimates.attacked.value < config.estimates.attacked.value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norm": "L2"}, "must keep to its threat model, ℓ∞, ε = 0.1, got norm L2, ε = 0.1"),
        ({"eps": 0.2}, "got norm Linf, ε = 0.2"),
        ({"eps": "far"}, "ε = far"),
    ],
)
def test_another_threat_model_is_refused(change, message):
    bundle, rows = under_threat(make_pool()), np.arange(3)
    found = verified_by(
        MIX, bundle.clean_labels[rows], bundle.clean_std_logits[rows], bundle.clean_rob_logits[rows]
    )
    config = found._replace(settings=found.settings | change).into(MixConfig.from_params(MIX))
    with pytest.raises(ParameterError, match=message):
        add_verified(bundle, config, points_of(found, rows))


def test_what_else_is_refused():
    bundle, rows = make_pool(), np.arange(3)
    found = verified_by(
        MIX, bundle.clean_labels[rows], bundle.clean_std_logits[rows], bundle.clean_rob_logits[rows]
    )
    plain, config = MixConfig.from_params(MIX), found.into(MixConfig.from_params(MIX))
    with pytest.raises(ParameterError, match="has no threat model"):
        add_verified(bundle, config, points_of(found, rows))
    with pytest.raises(ParameterError, match="not verified"):
        add_verified(under_threat(bundle), plain, points_of(found, rows))
    with pytest.raises(ParameterError, match="one clean row for each of the 3 images"):
        points_of(found, rows[:2])
    wide = np.zeros((1, bundle.num_classes + 1), np.float32)
    row = bundle.require_attacked().index[:1]
    with pytest.raises(BundleError, match="shape"):
        add_verified(under_threat(bundle), config, VerifiedPoints(row, row, wide, wide))


def test_a_real_attack_on_digits(mmaa_digits):
    std, rob = (load_model(f"demo:digits/{role}").module for role in ("std", "rob"))
    engine = RemixEngine(mmaa_digits, device="cpu")
    config = MixConfig.from_remix(engine, MixParams(s=5, p=4, c=-0.6, beta=0.95))
    rows = mmaa_digits.require_attacked().index[:40]
    data, chosen = load_data("digits", n=int(rows.max()) + 1), torch.from_numpy(rows)
    threat = mmaa_digits.manifest.threat
    found = evaluate(
        MixedClassifier.from_config(config, std, rob),
        data.images[chosen],
        data.labels[chosen],
        plan=Plan(norm=threat.norm, eps=threat.eps, n_iter=3),
    )
    before = right_there(mmaa_digits, config.params, rows)
    after = add_verified(mmaa_digits, found.into(config), points_of(found, rows))
    right, verified = right_there(after, config.params, rows), (found.predictions == found.labels).numpy()
    assert not (right & ~verified).any()
    assert verified.sum() <= before.sum(), "few steps find what MMAA's points alone do not"
    assert len(after.require_attacked()) > mmaa_digits.n_points
