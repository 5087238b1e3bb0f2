"""The headline's rows and the arithmetic between them, by hand."""

import json

import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import share
from mnuts_core.params import IDENTITY
from mnuts_core.report.compute import make_report
from mnuts_core.views.headline import (
    ESTIMATED,
    FIGURES,
    Row,
    change,
    changes,
    error_change,
    headline,
    seen_and_unseen,
)
from tests.synthetic import clean_only

PARAMS = MixParams(s=1, p=2, c=-0.3, beta=0.9)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


def test_a_change_in_points_and_in_errors():
    found = change(share(95, 100, "clean"), share(90, 100, "clean"))
    assert found.points == pytest.approx(5)
    assert found.relative_error == pytest.approx(-0.5)


def test_parts_of_different_size():
    found = change(share(40, 100, "attacked"), share(5, 10, "attacked"))
    assert found.points == pytest.approx(-10)
    assert found.relative_error == pytest.approx(0.2)


def test_no_relative_change_of_no_errors():
    found = change(share(6, 7, "clean"), share(7, 7, "clean"))
    assert found.points == pytest.approx(-100 / 7)
    assert found.relative_error is None


def test_no_change_from_or_to_nothing():
    assert change(None, share(1, 2)) is None
    assert change(share(1, 2), None) is None
    assert error_change(None, share(1, 2)) is None


def test_the_attack_on_the_robust_model_stands_in_for_estimates_and_nothing_else_does():
    clean, attacked, bound = share(9, 10, "clean"), share(6, 10, "attacked"), share(5, 10, "right by margin")
    rob, mix = Row("rob", "h", clean, attacked=attacked), Row("mix", "mix", clean, by_margin=bound)
    assert [rob.comparable(name) for name in FIGURES] == [clean, attacked, attacked, attacked]
    assert [mix.comparable(name) for name in FIGURES] == [clean, None, bound, None]
    found = changes(mix, rob)
    assert (found["clean"].points, found["attacked"]) == (0, None)
    assert found["by_margin"].relative_error == pytest.approx(0.25)


def test_rows_are_the_engines(engine):
    mix, plain = engine.remix(PARAMS), engine.remix(IDENTITY.with_(beta=0.9))
    left = share(30, 60, "verified")
    table = headline(engine, PARAMS, mix, verified=left)
    assert [row.key for row in table.rows] == ["std", "rob", "mapped", "plain", "mix"]
    assert (table.std.clean, table.std.attacked) == (engine.base.std_clean, engine.base.std_attacked)
    assert (table.rob.attacked, table.rob.by_margin) == (engine.base.rob_attacked, None)
    assert (table.mapped.clean, table.mapped.attacked) == (mix.rob_clean, mix.rob_attacked)
    assert [table.plain.figure(name) for name in ESTIMATED] == [
        plain.clean,
        plain.attacked,
        plain.by_margin,
    ]
    assert [table.mix.figure(name) for name in ESTIMATED] == [mix.clean, mix.attacked, mix.by_margin]
    assert (table.mix.verified, table.mix.alpha) == (left, mix.alpha)
    assert table.plain.label == "plain mix, same β"


def test_the_plain_mix_takes_an_alpha_set_by_hand(engine):
    params = PARAMS.with_(alpha=0.7)
    table = headline(engine, params, engine.remix(params))
    assert (table.plain.alpha, table.plain.label) == (0.7, "plain mix, same α")


def test_json_holds_every_row_and_every_change(engine):
    table = headline(engine, PARAMS, engine.remix(PARAMS))
    card = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert list(card["figures"]) == ["standard", "robust", "transformed", "plain_mix", "mix"]
    assert card["figures"]["robust"]["by_margin"] is None
    assert list(card["changes"]) == ["robust", "plain_mix"]
    bound, attacked = table.mix.by_margin, table.rob.attacked
    assert card["changes"]["robust"]["by_margin"]["points"] == 100 * (bound.value - attacked.value)


def test_gains_are_paired_on_the_same_images(engine):
    mix, plain = engine.remix(PARAMS), engine.remix(IDENTITY.with_(beta=0.9))
    found = headline(engine, PARAMS, mix).changes()
    clean, attacked = found["rob"]["clean"].paired, found["plain"]["attacked"].paired
    ours, theirs = mix.on_clean.mix_right, engine.rob_right[: engine.n_clean]
    assert (clean.only_first, clean.only_second) == ((ours & ~theirs).sum(), (theirs & ~ours).sum())
    assert attacked == Paired.of(mix.on_images.mix_right, plain.on_images.mix_right)
    for row in found.values():
        for gain in row.values():
            assert 100 * gain.paired.difference.value == pytest.approx(gain.points)
            assert gain.paired.difference.low <= gain.points / 100 <= gain.paired.difference.high
            assert gain.to_json()["paired"]["mcnemar_p"] == gain.paired.p_value


def test_without_an_attacked_part_only_clean_changes(bundle):
    engine, params = RemixEngine(clean_only(bundle)), PARAMS.with_(alpha=0.7)
    found = headline(engine, params, engine.remix(params)).changes()
    assert found["rob"]["clean"] is not None
    assert (found["rob"]["by_margin"], found["plain"]["attacked"]) == (None, None)


def test_the_reports_rows_are_these(digits):
    report, engine = make_report(digits, betas=[0.95]), RemixEngine(digits)
    row = report.trials[0].mix
    table = headline(engine, row.params, engine.remix(row.params))
    for ours, theirs in zip((*report.base, row), (table.std, table.rob, table.mix), strict=True):
        assert [ours.figure(name) for name in FIGURES] == [theirs.figure(name) for name in FIGURES]


def test_seen_and_unseen_split_the_clean_images(engine):
    bundle, remix = engine.bundle, engine.remix(MixParams(s=1, p=2, c=-0.3, alpha=0.7))
    seen, unseen = seen_and_unseen(engine, remix)
    assert (seen.n, unseen.n) == (bundle.n_adv, bundle.n_clean - bundle.n_adv)
    assert seen.successes + unseen.successes == remix.clean.successes
    assert seen.successes == int(remix.on_clean.mix_right[bundle.attacked.index].sum())
