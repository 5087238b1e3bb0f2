"""Where attacked points come from: counts by hand, and words."""

from mnuts_core.views.sources import settled_words, sources, sources_words
from tests.synthetic import clean_only, make_bundle, make_pool


def test_each_source_has_its_points_counted():
    pool = make_pool(n=60, m=40, sources=3)
    part, found = pool.attacked, sources(pool)
    assert [source.points for source in found] == [(part.source == number).sum() for number in range(3)]
    assert sum(source.points for source in found) == len(part)
    assert [source.images for source in found] == [40] * 3
    assert [source.alpha for source in found] == [None, 0.9, 0.9]
    assert str(found[1]) == (
        f"SYNTHETIC attack 1 on the mix s = 1, α = 0.9: 40 images, {found[1].points} points kept"
    )
    settled = {
        int(image)
        for image, g, h, label in zip(
            part.of, part.std_logits.argmax(1), part.rob_logits.argmax(1), part.labels, strict=True
        )
        if g != label != h
    }
    assert sources_words(pool) == "not recorded, 2 attacks on mixes"
    assert settled_words(pool).startswith(f"{len(settled)} of 40 images are settled")


def test_a_bundle_of_one_source_has_one_and_one_without_an_attack_none():
    (only,) = sources(make_bundle(n=60, m=40))
    assert (only.images, only.points, only.alpha) == (40, 40, None)
    bare = clean_only(make_bundle())
    assert (sources(bare), settled_words(bare)) == ((), "")
