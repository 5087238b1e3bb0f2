"""Pools of attacked points: what is kept, in which order, and what a file must say of it."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import BundleError, LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.manifest import MAX_SOURCES, SourceCard
from mnuts_core.bundles.pool import kept_per_image, most_points
from mnuts_core.remix.rows import Rows
from tests.synthetic import make_arrays, make_bundle, make_pool

CARD = SourceCard(name="an attack", target="a mix", params={"s": 5.0, "alpha": 0.9}, images=4)


@pytest.fixture
def three():
    """Three images: both models right; g wrong; and one settled by its first point."""
    return LogitBundle.from_arrays(
        clean_labels=[0, 0, 0, 1],
        clean_std_logits=[[2, 0]] * 4,
        clean_rob_logits=[[1, 0]] * 4,
        adv_index=[2, 0, 1],
        adv_std_logits=[[2, 0], [0, 2], [0, 2]],
        adv_rob_logits=[[1, 0], [1, 0], [0, 1]],
    )


def points(*rows):
    """Points as (clean row, g, h): of two classes, by the lead of the first one."""
    index, std, rob = zip(*rows, strict=True)
    return np.array(index), *(np.array([[lead, 0.0] for lead in leads], np.float32) for leads in (std, rob))


def kept(bundle):
    part = bundle.attacked
    return list(
        zip(
            part.index.tolist(),
            part.source.tolist(),
            part.std_logits[:, 0],
            part.rob_logits[:, 0],
            strict=True,
        )
    )


def test_new_points_stand_behind_the_first_ones_by_image_and_source(three):
    more = three.with_points(CARD, *points((0, 3, 0.5), (2, 5, 0.5), (0, -1, 0.25)))
    more = more.with_points(CARD, *points((2, 7, 0.25)))
    assert kept(more)[:3] == [(2, 0, 2, 1), (0, 0, 0, 1), (1, 0, 0, 0)]
    assert kept(more)[3:] == [(2, 1, 5, 0.5), (2, 2, 7, 0.25), (0, 1, 3, 0.5), (0, 1, -1, 0.25)]
    assert (more.n_adv, more.n_points) == (3, 7)
    assert more.attacked.of.tolist() == [0, 1, 2, 0, 0, 1, 1]
    assert more.attacked.labels.tolist() == [0] * 7
    assert [source.name for source in more.manifest.sources] == ["unknown", "an attack", "an attack"]
    np.testing.assert_array_equal(more.attacked.first.std_logits, three.attacked.std_logits)


def test_a_settled_image_keeps_its_first_point_and_one_that_settles_it(three):
    assert three.attacked.settled.tolist() == [False, False, True]
    more = three.with_points(CARD, *points((2, 3, 4), (2, 2, -1)))
    more = more.with_points(CARD, *points((2, -3, -4), (2, -5, -6), (1, -7, -8), (0, -2, 0.5)))
    assert kept(more)[3:] == [(2, 2, -3, -4), (0, 2, -2, 0.5)]
    assert more.attacked.settled.tolist() == [True, False, True]


def test_points_that_say_no_more_than_others_are_not_kept(three):
    same = three.with_points(CARD, *points((2, 2, 1), (2, 3, 1), (2, 2, 4), (0, -5, 1), (0, 2, 1.01)))
    assert kept(same)[3:] == []
    more = three.with_points(CARD, *points((2, 2, 0.5), (2, 3, 0.5), (2, 2, 0.49), (2, 2, 0.25)))
    assert [rob for *_, rob in kept(more)[3:]] == [0.5, 0.25]
    again = more.with_points(CARD, *points((2, 4, 0.25), (2, 2, 0.125)))
    assert [(source, rob) for _, source, _, rob in kept(again)[3:]] == [(1, 0.5), (1, 0.25), (2, 0.125)]


def test_a_point_at_which_g_falls_says_more_though_h_stands_as_firm(three):
    assert kept(three.with_points(CARD, *points((2, -1, 1))))[3:] == [(2, 1, -1, 1)]


def test_an_image_keeps_so_many_points_and_those_that_are_the_first_to_fool(three):
    assert [kept_per_image(k) for k in (2, 10, 200, 600, 1000, 10**5)] == [6, 6, 6, 4, 2, 2]
    leads = [0.8, 0.6, 0.45, 0.33, 0.23, 0.15, 0.08]
    more = three.with_points(CARD, *points(*[(2, 2, lead) for lead in leads]))
    assert [rob for *_, rob in kept(more)[3:]] == pytest.approx(leads[:6])
    fooled = more.with_points(CARD, *points((2, 3, 0.05), (2, -1, 2.0), (2, -1, 1.9)))
    assert kept(fooled)[3 + 6 :] == [(2, 2, -1, 2)]


@settings(max_examples=15)
@given(seed=st.integers(0, 999), alpha=st.floats(0.5, 1.0), temperature=st.sampled_from([0.0, 0.7]))
def test_the_attack_on_a_mix_is_never_stronger_than_the_pool_that_has_its_points(seed, alpha, temperature):
    """However many points the images have: the mix's figure is that over all points of the attack on it."""
    rng, pool = np.random.default_rng(seed), make_pool(n=40, m=20, seed=seed % 5, sources=5, most=9)
    mix = MixParams(s=rng.uniform(0.1, 8), p=rng.uniform(0.5, 5), c=0.2, alpha=alpha, temperature=temperature)
    at = rng.integers(0, 20, 100)
    first = pool.attacked.first
    std = first.std_logits[at] + rng.normal(size=(100, 10)).astype(np.float32) * 3
    rob = first.rob_logits[at] + rng.normal(size=(100, 10)).astype(np.float32)
    card = SourceCard(name="verification", params=dataclasses.asdict(mix))
    more = pool.with_points(card, first.index[at], std, rob)
    before, after = (RemixEngine(each).remix(mix).on_images.mix_right for each in (pool, more))
    rows = Rows(std, rob, first.labels[at], device=torch.device("cpu"), dtype=torch.float64)
    fooled = at_any_point(~rows.part(mix, (1 - alpha) / alpha).mix_right, at, 20)
    assert not (after & fooled).any()
    unsettled = ~more.attacked.settled
    np.testing.assert_array_equal(after[unsettled], (before & ~fooled)[unsettled])


SIZES = [(1_000, 10, 1e6), (5_000, 1_000, 150e6)]


def unfooled(m: int, k: int) -> LogitBundle:
    """Both models are right at every point, h by a lead of 12."""
    labels, rng = np.arange(m) % k, np.random.default_rng(0)
    noise, hot = rng.normal(size=(m, k)).astype(np.float32), np.eye(k, dtype=np.float32)[labels]
    rob, std = noise + 12 * hot, noise + 9 * hot
    return LogitBundle.from_arrays(
        clean_labels=labels, clean_std_logits=std, clean_rob_logits=rob, adv_index=np.arange(m),
        adv_std_logits=std, adv_rob_logits=rob,
    )  # fmt: skip


def size_of(bundle: LogitBundle, images: int) -> float:
    """Bytes of all tensors, if there were so many images."""
    return sum(tensor.nbytes for tensor in bundle.tensors().values()) * images / bundle.n_adv


@pytest.mark.parametrize(("images", "k", "limit"), SIZES)
def test_a_pool_of_four_sources_stays_small_even_if_nothing_settles_an_image(images, k, limit):
    """Worst of all: h is right everywhere, and each point says more than those before it."""
    m, most = 20, 9
    bundle = unfooled(m, k)
    noise, hot = bundle.clean_std_logits - 9 * np.eye(k)[bundle.clean_labels], np.eye(k)[bundle.clean_labels]
    for number in range(1, 4):
        at = np.repeat(np.arange(m), most)
        lead = np.tile(11.0 - np.linspace(3 * number - 3, 3 * number, most), m)
        new = noise[at] + lead.astype(np.float32)[:, None] * hot[at]
        bundle = bundle.with_points(SourceCard(name="an attack"), at, bundle.clean_std_logits[at], new)
    assert bundle.n_points == m + min(m * kept_per_image(k), most_points(k, m))
    assert not bundle.attacked.settled.any()
    assert size_of(bundle, images) < limit


@pytest.mark.parametrize(("images", "k", "limit"), SIZES)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_it_does_if_each_source_is_the_first_to_fool_its_mix_everywhere(images, k, limit, temperature):
    """At T > 0 the images are settled as well, and yet each mix keeps the point that fools it."""
    m = 20
    bundle, at = unfooled(m, k), np.arange(m)
    plain = {"s": 1.0, "p": 1.0, "c": 0.0, "clamp": "linear", "ln_k": 0, "temperature": temperature}
    hot, wrong = (np.eye(k)[(bundle.clean_labels + step) % k] for step in (0, 1))
    for number, alpha in enumerate((0.55, 0.75, 0.95), 1):
        std = (9.0 if temperature == 0 else 3.0 * number) * wrong
        rob = (5.0 / number) * hot + (0 if temperature == 0 else 5.0 / number + 0.1) * wrong
        card = SourceCard(name=f"attack {number}", params=plain | {"alpha": alpha})
        bundle = bundle.with_points(card, at, std, rob)
    assert size_of(bundle, images) < limit
    assert bundle.n_points <= m + most_points(k, m)


def test_a_full_pool_lets_go_of_what_no_attacked_mix_needs():
    """Three points of each image: the first fools the mix, the others only say more of h."""
    m, k = 10, 1000
    bundle, at = unfooled(m, k), np.arange(m)
    mix = {"s": 1.0, "p": 1.0, "c": 0.0, "clamp": "linear", "ln_k": 0, "alpha": 0.6, "temperature": 0.0}
    labels = bundle.clean_labels
    hot, wrong, std = np.eye(k)[labels], np.eye(k)[(labels + 1) % k], 9.0 * np.eye(k)[labels]
    for lead in (9.0, 8.2):
        bundle = bundle.with_points(SourceCard(name="an attack"), at, std, lead * hot)
    assert bundle.n_points == m + most_points(k, m)
    bundle = bundle.with_points(SourceCard(name="on a mix", params=mix), at, 9.0 * wrong, 6.0 * hot)
    part = bundle.require_attacked()
    assert bundle.n_points == m + most_points(k, m)
    assert (part.source == 3).sum() == m, "these fool the mix"
    assert RemixEngine(bundle).remix(MixParams(**mix)).attacked.value == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(3, 1, 1)], "must belong to attacked images, got clean row 3"),
        ([(0, np.nan, 1)], "std_logits of new points must be finite"),
        ([(0, 1, np.inf)], "rob_logits of new points must be finite"),
    ],
)
def test_points_that_do_not_fit_are_refused(three, rows, message):
    with pytest.raises(BundleError, match=message):
        three.with_points(CARD, *points(*rows))


def test_a_bundle_without_an_attack_has_no_images_to_add_to(three):
    clean = LogitBundle.from_arrays(
        clean_labels=[0, 1], clean_std_logits=[[1, 0]] * 2, clean_rob_logits=[[1, 0]] * 2
    )
    with pytest.raises(BundleError, match="no attacked examples"):
        clean.with_points(CARD, *points((0, 1, 1)))


def test_a_file_gives_the_pool_back(tmp_path):
    pool = make_pool()
    again = LogitBundle.load(pool.save(tmp_path / "pool.safetensors"))
    assert again.digest == pool.digest
    assert again.manifest.attacks == pool.manifest.attacks
    assert (again.n_adv, again.n_points) == (pool.n_adv, pool.n_points)
    assert again.n_points > again.n_adv
    assert not again.manifest.optimistic


def test_one_source_is_written_as_before(tmp_path):
    bundle = make_bundle()
    again = LogitBundle.load(bundle.save(tmp_path / "one.safetensors"))
    assert "adv.source" not in again.tensors()
    assert (again.manifest.attacks, again.manifest.optimistic, again.attacked.source) == ((), True, None)
    assert again.attacked.first is again.attacked
    assert again.attacked.further is None


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_arrays_in_any_order_become_the_same_pool_in_order(seed):
    pool, rng = make_pool(n=40, m=20, seed=seed % 7), np.random.default_rng(seed)
    part, m = pool.attacked, pool.n_adv
    mixed = np.concatenate([np.arange(m), m + rng.permutation(len(part) - m)])
    late = rng.random(len(part)) < 0.3  # some first points move behind others' further ones
    mixed = np.concatenate([mixed[~late[mixed]], mixed[late[mixed]]])
    firsts = {int(part.index[place]): place for place in reversed(mixed.tolist())}
    again = LogitBundle.from_arrays(
        clean_labels=pool.clean_labels,
        clean_std_logits=pool.clean_std_logits,
        clean_rob_logits=pool.clean_rob_logits,
        adv_index=part.index[mixed],
        adv_source=part.source[mixed],
        adv_std_logits=part.std_logits[mixed],
        adv_rob_logits=part.rob_logits[mixed],
    )
    found = again.attacked
    assert found.n_images == m
    np.testing.assert_array_equal(np.sort(found.index[:m]), np.sort(part.index[:m]))
    np.testing.assert_array_equal(found.index, found.index[:m][found.of])
    for place in range(m):
        np.testing.assert_array_equal(
            found.std_logits[place], part.std_logits[firsts[int(found.index[place])]]
        )
    further = list(zip(found.of[m:].tolist(), found.source[m:].tolist(), strict=True))
    assert further == sorted(further)
    rows = lambda p: sorted(
        map(tuple, np.column_stack([p.index, p.source, p.std_logits, p.rob_logits]).tolist())
    )
    assert rows(found) == rows(part)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "names a clean row twice"),
        ([0, 0, -1], "adv.source must lie in"),
        ([0, 0], "adv.source must have shape"),
    ],
)
def test_several_points_of_an_image_need_sources(source, message):
    with pytest.raises(BundleError, match=message):
        LogitBundle.from_arrays(
            clean_labels=[0, 1],
            clean_std_logits=[[1, 0]] * 2,
            clean_rob_logits=[[1, 0]] * 2,
            adv_index=[0, 1, 0],
            adv_source=source,
            adv_std_logits=[[1, 0]] * 3,
            adv_rob_logits=[[1, 0]] * 3,
        )


def test_a_source_that_the_manifest_does_not_list_is_refused():
    pool = make_pool(sources=2)
    arrays = {name.replace(".", "_", 1): array for name, array in pool.tensors().items()}
    with pytest.raises(BundleError, match=r"adv.source must lie in \[0, 1\)"):
        LogitBundle.from_arrays(**arrays, manifest=make_bundle().manifest)


def test_images_are_those_of_the_first_points():
    images = np.arange(180 * 12, dtype=np.uint8).reshape(180, 2, 2, 3) % 251
    arrays = make_arrays() | {"adv_images": images, "clean_images": np.zeros((300, 2, 2, 3), np.uint8)}
    bundle = LogitBundle.from_arrays(**arrays)
    first = bundle.attacked
    pool = bundle.with_points(CARD, first.index[5:7], first.std_logits[5:7] + 1, first.rob_logits[5:7] * 0.3)
    np.testing.assert_array_equal(pool.attacked.images, images)
    some = pool.attacked.of_images(np.array([5, 9]))
    assert some.index.tolist() == [first.index[5], first.index[9], first.index[5]]
    np.testing.assert_array_equal(some.images, images[[5, 9]])


class TestAsManySourcesAsABundleHolds:
    @pytest.fixture
    def full(self, three):
        cards = (CARD,) * MAX_SOURCES
        return dataclasses.replace(three, manifest=three.manifest.model_copy(update={"attacks": cards}))

    def test_no_more_points_are_taken_than_can_be_read_again(self, full, tmp_path):
        LogitBundle.load(full.save(tmp_path / "full.safetensors"))
        with pytest.raises(BundleError, match=r"has points of 1,000 attacks, and 1 more would be over 1,000"):
            full.with_points(CARD, *points((0, 3, 0.5)))

    def test_there_is_room_for_the_last_one(self, full, tmp_path):
        one_less = full.manifest.model_copy(update={"attacks": full.manifest.attacks[1:]})
        more = dataclasses.replace(full, manifest=one_less).with_points(CARD, *points((0, -3, 0.5)))
        assert LogitBundle.load(more.save(tmp_path / "more.safetensors")).n_points == 4
        with pytest.raises(BundleError, match="2 more"):
            dataclasses.replace(full, manifest=one_less).require_room(2)
