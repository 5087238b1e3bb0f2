"""Comparisons against plain NumPy written from the paper (`tests.reference`), and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.bundles.manifest import AttackCard, ThreatModel
from mnuts_core.functional.paired import Paired
from mnuts_core.params import IDENTITY
from mnuts_core.views.comparison import (
    comparison_warnings,
    margin_medians,
    medians_frame,
    summaries_frame,
    summary,
)
from mnuts_core.views.found_by import found_by
from mnuts_core.views.transfer_matrix import best_frame, best_of, transfer_matrix, transfers_frame
from tests import reference
from tests.synthetic import clean_only, make_bundle

GRID = GridSpec.from_ranges((0.1, 5.0), (1.0, 4.0), (-1.1, 0.0), steps=3)
BETA = 0.95
PARTS = ("clean", "attacked")


@pytest.fixture(scope="module")
def bundles() -> dict[str, LogitBundle]:
    return {
        "ten": make_bundle(),
        "other": make_bundle(seed=1, boost=3.5),
        "twenty": make_bundle(n=400, m=250, k=20, seed=2),
    }


@pytest.fixture(scope="module")
def engines(bundles) -> dict[str, RemixEngine]:
    return {name: RemixEngine(bundle, device="cpu") for name, bundle in bundles.items()}


@pytest.fixture(scope="module")
def best(bundles):
    return {name: best_of(grid_search(bundle, GRID, BETA)) for name, bundle in bundles.items()}


@pytest.fixture(scope="module")
def params(best):
    return {name: found.params for name, found in best.items()}


def labels_of(bundle, part):
    return bundle.clean_labels if part == "clean" else bundle.attacked.labels


def logits_of(bundle: LogitBundle, model: str, part: str) -> np.ndarray:
    return bundle.tensors()[f"{'clean' if part == 'clean' else 'adv'}.{model}_logits"].astype(np.float64)


def expected_median(bundle: LogitBundle, classifier: str, part: str, right: bool, params: MixParams) -> tuple:
    """Median and n of one group, from full softmaxes."""
    scores = {
        "g": lambda: logits_of(bundle, "std", part),
        "h": lambda: logits_of(bundle, "rob", part),
        "LN h": lambda: reference.layer_norm(logits_of(bundle, "rob", part)),
        "M(h)": lambda: reference.transform(
            logits_of(bundle, "rob", part), params.s, params.p, params.c, params.clamp, params.ln_k
        ),
    }[classifier]()
    hit = scores.argmax(axis=1) == labels_of(bundle, part)
    group = reference.margins(reference.softmax(scores))[hit == right]
    return float(np.median(group)) if len(group) else math.nan, len(group)


@pytest.mark.parametrize("name", ["ten", "twenty"])
def test_medians_and_gaps_are_those_of_full_softmaxes(bundles, engines, params, name):
    made = margin_medians(engines[name], params[name])
    assert list(made) == ["g", "h", "LN h", "M(h)"]
    for classifier, groups in made.items():
        wanted = {
            f"{part}_{'right' if right else 'wrong'}": expected_median(
                bundles[name], classifier, part, right, params[name]
            )
            for part in PARTS
            for right in (True, False)
        }
        for group, median in groups.groups.items():
            assert median.value == pytest.approx(wanted[group][0], abs=1e-9, nan_ok=True)
            assert median.n == wanted[group][1]
            if median.n < 6:
                assert math.isnan(median.low)
                assert math.isnan(median.high)
            else:
                assert median.low <= median.value <= median.high
        gap = wanted["attacked_right"][0] - wanted["clean_wrong"][0]
        assert groups.gap == pytest.approx(gap, abs=1e-9, nan_ok=True)


def expected_figures(bundle: LogitBundle, params: MixParams, threshold: float) -> tuple[float, float, float]:
    """Clean and attacked accuracy, and accuracy by margin, at T = 0, example by example."""
    alpha = 1 / (1 + threshold)
    shares = []
    for part in PARTS:
        moved = reference.transform(
            logits_of(bundle, "rob", part), params.s, params.p, params.c, params.clamp, params.ln_k
        )
        rob = reference.softmax(moved)
        shares.append(
            reference.hard_rule(logits_of(bundle, "std", part), rob, alpha) == labels_of(bundle, part)
        )
    bound = (moved.argmax(axis=1) == bundle.attacked.labels) & (reference.margins(rob) >= threshold - 1e-12)
    everywhere = shares[1] & shares[0][bundle.attacked.index]
    return shares[0].mean(), everywhere.mean(), bound.mean()


def own_quantile(bundle: LogitBundle, params: MixParams) -> float:
    right = reference.rows_of(bundle).right
    moved = reference.transform(right, params.s, params.p, params.c, params.clamp, params.ln_k)
    return reference.bottom_quantile(reference.margins(reference.softmax(moved)), BETA, "linear")


@pytest.mark.parametrize("alpha", ["target", "source"])
def test_every_cell_of_the_matrix_is_recomputed(bundles, engines, params, alpha):
    lines = []
    cells = transfer_matrix(engines, params, alpha, lines.append)
    assert [(c.source, c.target) for c in cells] == [(a, b) for a in bundles for b in bundles]
    assert lines[-1] == 1.0
    assert lines == sorted(lines)
    for cell in cells:
        chosen = params[cell.source]
        counted_on = cell.target if alpha == "target" else cell.source
        q = own_quantile(bundles[counted_on], chosen)
        assert cell.params.alpha == pytest.approx(1 / (1 + q), rel=1e-9)
        assert (cell.params.s, cell.params.p, cell.params.c) == (chosen.s, chosen.p, chosen.c)
        wanted = expected_figures(bundles[cell.target], chosen, q)
        own = params[cell.target]
        at_home = expected_figures(bundles[cell.target], own, own_quantile(bundles[cell.target], own))
        for field, ours, theirs in zip(("clean", "attacked", "by_margin"), wanted, at_home, strict=True):
            assert getattr(cell, field).value == pytest.approx(ours)
            assert cell.to_own[field].difference.value == pytest.approx(ours - theirs)


def test_pairs_are_those_of_the_very_images(bundles, engines, params):
    cells = {(cell.source, cell.target): cell for cell in transfer_matrix(engines, params)}
    cell, engine = cells["ten", "other"], engines["other"]
    plain, own = engine.remix(IDENTITY.with_(beta=BETA)), engine.remix(params["other"].with_(alpha=None))
    ours = engine.remix(params["ten"].with_(alpha=None))
    assert cell.to_plain["attacked"] == Paired.of(ours.on_images.mix_right, plain.on_images.mix_right)
    assert cell.to_own["clean"] == Paired.of(ours.on_clean.mix_right, own.on_clean.mix_right)
    assert cells["other", "other"].to_own["clean"].difference.value == 0


def test_the_two_rules_differ_away_from_the_diagonal_only(engines, params):
    target, source = (transfer_matrix(engines, params, rule) for rule in ("target", "source"))
    for a, b in zip(target, source, strict=True):
        assert (a.params.alpha == pytest.approx(b.params.alpha)) == (a.source == a.target)


def test_the_best_cell_is_the_triple_loops(bundles, best):
    bundle, found = bundles["ten"], best["ten"]
    rows = reference.rows_of(bundle)
    table = reference.algorithm_one(rows, GRID.s, GRID.p, GRID.c, BETA)
    at = tuple(
        int(np.flatnonzero(values == getattr(found.params, x))[0]) for x, values in GRID.axes().items()
    )
    assert found.objective == pytest.approx(table.objective[at])
    assert found.quantile == pytest.approx(table.quantile[at])
    assert (found.n_wrong, found.n_right) == (len(rows.wrong), len(rows.right))
    assert found.params.alpha == 1 / (1 + found.quantile)


def test_without_an_attack_only_a_carried_alpha_gives_figures_and_only_clean_ones(bundles, engines, params):
    both = {"ten": engines["ten"], "bare": RemixEngine(clean_only(bundles["other"]), device="cpu")}
    known = {"ten": params["ten"]}
    own, refused = transfer_matrix(both, known, "target")
    assert own.refused is None
    assert "holds no attacked examples" in refused.refused
    assert refused.clean is None
    assert not refused.to_own
    _, carried = transfer_matrix(both, known, "source")
    assert carried.refused is None
    assert carried.by_margin is None
    assert not carried.to_own
    assert not carried.to_plain
    q = own_quantile(bundles["ten"], params["ten"])
    other = bundles["other"]  # the same clean part
    assert carried.clean.value == pytest.approx(expected_figures(other, params["ten"], q)[0])
    groups = margin_medians(both["bare"])
    assert list(groups) == ["g", "h", "LN h"]
    assert groups["g"].attacked_right is None
    assert math.isnan(groups["g"].gap)


def test_a_robust_model_that_attacks_always_beat_refuses_its_column_alone(bundles, engines, params):
    bundle = bundles["other"]
    beaten = np.eye(10)[(bundle.attacked.labels + 1) % 10].astype(np.float32)
    lost = RemixEngine(
        dataclasses.replace(bundle, attacked=dataclasses.replace(bundle.attacked, rob_logits=beaten)),
        device="cpu",
    )
    cells = transfer_matrix({"ten": engines["ten"], "lost": lost}, {"ten": params["ten"]})
    assert cells[0].refused is None
    assert "set alpha by hand" in cells[1].refused


def with_card(bundle: LogitBundle, **fields) -> LogitBundle:
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update=fields))


def test_what_differs_is_listed_and_what_does_not_is_not(bundles):
    assert comparison_warnings({"ten": bundles["ten"], "other": bundles["other"]}) == ()
    square = with_card(bundles["other"], attack=AttackCard(name="Square", n_queries=500))
    mmaa = with_card(bundles["ten"], attack=AttackCard(name="MMAA", n_iter=100, n_targets=9))
    assert [found_by(b).kind for b in (square, mmaa, bundles["ten"], clean_only(mmaa))] == [
        "black box",
        "white box",
        "not recorded",
        "none",
    ]
    l2 = with_card(bundles["twenty"], threat=ThreatModel(norm="L2", eps=0.5))
    lines = comparison_warnings({"square": square, "mmaa": mmaa, "l2": l2})
    assert len(lines) == 3
    assert "10 (square, mmaa); 20 (l2)" in lines[0]
    assert "not recorded (square, mmaa); ℓ2, ε = 0.5 (l2)" in lines[1]
    assert "black box (square); white box (mmaa)" in lines[2]
    assert comparison_warnings({"a": mmaa, "b": with_card(mmaa, name="twin")}) == (
        "a and b hold the very same numbers.",
    )


def test_the_summary_says_what_the_figures_rest_on(bundles):
    card = AttackCard(name="MMAA", n_iter=100, n_targets=9)
    made = summary(RemixEngine(with_card(bundles["ten"], attack=card), device="cpu"))
    assert (made.attack, made.budget, made.kind) == ("MMAA", "100 steps, 9 targets", "white box")
    assert (made.n_clean, made.n_adv, made.classes) == (300, 180, 10)
    right = bundles["ten"].attacked.rob_logits.argmax(axis=1) == bundles["ten"].attacked.labels
    assert made.base.rob_attacked.value == right.mean()


def test_the_frames_hold_every_number_once(engines, best, params):
    cells = transfer_matrix(engines, params)
    frame = transfers_frame(cells)
    assert len(frame) == 9
    row = frame.query("parameters_of == 'ten' and used_on == 'twenty'").iloc[0]
    cell = next(c for c in cells if (c.source, c.target) == ("ten", "twenty"))
    assert (row.clean, row.clean_n, row.clean_low) == (cell.clean.value, 400, cell.clean.interval[0])
    assert row.by_margin_to_own == cell.to_own["by_margin"].difference.value
    assert row.clean_to_plain_low == cell.to_plain["clean"].difference.interval[0]
    medians = medians_frame({name: margin_medians(engine) for name, engine in engines.items()})
    assert len(medians) == 3 * 3 * 4
    assert medians.query("bundle == 'ten' and classifier == 'g' and images == 'clean'").n.sum() == 300
    assert best_frame(best).set_index("bundle").alpha.to_dict() == {n: p.alpha for n, p in params.items()}
    facts = summaries_frame({"ten": summary(engines["ten"])})
    assert facts.rob_attacked_n.item() == 180
