"""The ablations, each against plain NumPy or against what it must equal by its definition."""

import dataclasses
import inspect
import json

import numpy as np
import pytest
import torch

from mnuts_core import BundleError, GridSpec, MixParams, MnutsError, RemixEngine, grid_search
from mnuts_core.ablations import ABLATIONS, find_ablation
from mnuts_core.ablations.common import attacked_part, drawn
from mnuts_core.ablations.curves import PAPER_BETAS, fig8, table10
from mnuts_core.ablations.images import table8, table9
from mnuts_core.ablations.margins import fig6, fig7
from mnuts_core.ablations.pool import left_out, pool
from mnuts_core.ablations.promise import promise
from mnuts_core.ablations.surrogate import d9
from mnuts_core.ablations.transforms import fig9, table4, table7
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.bundles.paper import paper_tables
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.digits import load_digits_models
from mnuts_core.functional.statistics import wilson_interval
from mnuts_core.pipeline.pool import attack_pool
from tests import reference
from tests.synthetic import clean_only, make_bundle, make_pool

GRID = GridSpec.from_ranges((0.5, 5.0), (1.0, 3.0), (-1.0, 0.0), steps=3)
MIX = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.8)


@pytest.fixture(scope="module")
def small():
    return make_bundle(n=220, m=120, k=6, seed=5)


def transformed(logits, mix=MIX):
    return reference.softmax(reference.transform(logits, mix.s, mix.p, mix.c))


class TestRegistry:
    @pytest.mark.parametrize("ablation", ABLATIONS.values(), ids=ABLATIONS)
    def test_options_are_the_functions(self, ablation):
        parameters = inspect.signature(ablation.function).parameters
        assert next(iter(parameters)) == "bundle"
        assert set(parameters) == {"bundle", *ablation.options}
        assert ablation.function.__name__ == ablation.name
        assert ablation.where.split(",")[0] in ablation.function.__doc__

    def test_printed_tables_exist(self):
        names = {table.name for table in paper_tables()}
        assert {a.printed for a in ABLATIONS.values() if a.printed} <= names

    def test_unknown(self):
        with pytest.raises(MnutsError, match=r"one of fig6, .*, got 'fig1'"):
            find_ablation("fig1")

    @pytest.mark.parametrize("name", [a.name for a in ABLATIONS.values() if "models" not in a.options])
    def test_frames_say_what_they_rest_on_and_need_attacked_examples(self, small, name):
        function, options = find_ablation(name).function, {}
        if "grid" in ABLATIONS[name].options:
            options["grid"] = GRID
        made = function(small, **options)
        about = json.loads(json.dumps(made.attrs, allow_nan=False))
        assert (about["ablation"], about["digest"]) == (name, small.digest)
        assert {"data", "threat", "attack", "models", "settings", "versions"} <= set(about)
        for column in [c for c in made if f"{c}_low" in made]:
            known = made[made[column].notna()]
            assert (known[f"{column}_low"] <= known[column]).all()
            assert (known[column] <= known[f"{column}_high"]).all()
            assert (known[f"{column}_n"] >= 1).all()
        with pytest.raises(BundleError, match="no attacked examples"):
            function(clean_only(small), **options)


class TestMargins:
    def test_fig6(self, small):
        made = fig6(small, params=MIX).set_index(["classifier", "part", "right"])
        for name, of, probabilities in (
            ("g", "std", lambda z: reference.softmax(np.asarray(z, np.float64))),
            ("h", "rob", lambda z: reference.softmax(np.asarray(z, np.float64))),
            ("LN h", "rob", lambda z: reference.softmax(reference.layer_norm(z))),
            ("M(h)", "rob", transformed),
        ):
            medians = {}
            for part, labels in (("clean", small.clean_labels), ("adv", small.attacked.labels)):
                shares = probabilities(small.tensors()[f"{part}.{of}_logits"])
                margins, right = reference.margins(shares), shares.argmax(axis=1) == labels
                word = "clean" if part == "clean" else "attacked"
                for correct in (True, False):
                    row = made.loc[(name, word, correct)]
                    medians[word, correct] = np.median(margins[right == correct])
                    assert row["n"] == (right == correct).sum()
                    assert row["median_margin"] == pytest.approx(medians[word, correct])
            gap = medians["attacked", True] - medians["clean", False]
            assert made.loc[name]["margin_gap"].to_numpy() == pytest.approx([gap] * 4)

    def test_fig7(self, small):
        other = make_bundle(n=80, m=40, k=3, seed=9)
        made = fig7(small, others=[other])
        assert len(made) == 2 * 2 * 4
        assert made.attrs["settings"]["others"] == {other.name: other.digest}
        rob = made[(made["classifier"] == "LN h") & (made["attacked_n"] == 40)]
        right = other.attacked.rob_logits.argmax(1) == other.attacked.labels
        assert set(rob["attacked"]) == {right.mean()}
        std = made[(made["classifier"] == "LN g")].iloc[:4]
        assert std["attacked"].isna().all()  # g was not attacked
        shares = reference.softmax(reference.layer_norm(small.clean_std_logits))
        correct = shares.argmax(1) == small.clean_labels
        row = std[(std["part"] == "clean") & std["right"]].iloc[0]
        assert row["median_margin"] == pytest.approx(np.median(reference.margins(shares)[correct]))


class TestCurves:
    def test_fig8_curves(self, small):
        made = fig8(small, grid=GRID, params=MIX)
        for row in made[made["curve"] == "Mixed, T = 1"].iloc[::23].to_dict("records"):
            rob = reference.softmax(np.asarray(small.clean_rob_logits, np.float64))
            std = reference.std_probabilities(small.clean_std_logits, 1.0)
            mixed = reference.mixed_probabilities(std, rob, row["alpha"]).argmax(axis=1)
            assert row["clean"] == np.mean(mixed == small.clean_labels)
            assert row["clean_n"] == 220
            held = wilson_interval(round(row["by_margin"] * 120), 120)
            assert (row["by_margin_low"], row["by_margin_high"]) == pytest.approx(held)
        held = made[made["curve"] == "MixedNUTS"]
        assert set(zip(held["s"], held["p"], held["c"], strict=True)) == {(2.0, 2.0, -0.5)}

    def test_fig8_levels_are_searched_anew(self, small):
        made = fig8(small, grid=GRID, params=MIX)
        found = made[made["beta"].notna()].sort_values("beta")
        assert found["beta"].tolist() == sorted(PAPER_BETAS)
        row = found[found["beta"] == 0.96].iloc[0]
        best = grid_search(small, GRID, 0.96).best.params
        if (row["s"], row["p"], row["c"]) == (best.s, best.p, best.c):
            assert row["alpha"] == pytest.approx(best.alpha)
        remix = RemixEngine(small).remix(
            MixParams(s=row["s"], p=row["p"], c=row["c"], clamp=row["clamp"], alpha=row["alpha"])
        )
        assert row["clean"] == pytest.approx(remix.clean.value)
        assert row["by_margin"] == pytest.approx(remix.by_margin.value)

    def test_table10_keeps_clean_accuracy(self, small):
        made = table10(small, params=MIX)
        engine = RemixEngine(small)
        target = engine.remix(MIX).clean.value
        assert made["temperature"].tolist() == [0.0, 0.5, 1.0]
        assert made.attrs["settings"]["kept_clean"]["value"] == target
        for row in made.to_dict("records"):
            scaled = MIX.with_(temperature=row["temperature"])
            assert row["clean"] >= target
            remix = engine.remix(scaled.with_(alpha=row["alpha"]))
            assert row["by_margin"] == remix.by_margin.value
            assert row["attacked"] == remix.attacked.value
            for alpha in np.linspace(0.5, 1.0, 201):
                other = engine.remix(scaled.with_(alpha=alpha))
                if other.clean.value >= target:
                    assert other.by_margin.value <= row["by_margin"]

    def test_a_mix_must_carry_alpha(self, small):
        with pytest.raises(MnutsError, match="must carry alpha"):
            table10(small, params=MIX.with_(alpha=None))


class TestTransforms:
    def test_fig9_is_algorithm_one(self, small):
        made = fig9(small, grid=GRID, beta=0.9)
        rows = reference.rows_of(small)
        table = reference.algorithm_one(rows, GRID.s, GRID.p, GRID.c, 0.9)
        assert made["objective"].to_numpy() == pytest.approx(table.objective.ravel())
        assert made["quantile"].to_numpy() == pytest.approx(table.quantile.ravel(), rel=1e-6)
        assert set(made["objective_n"]) == {len(rows.wrong)}
        best = made[made["best"]].iloc[0]
        chosen = grid_search(small, GRID, 0.9).best.params
        assert (best["s"], best["p"], best["c"]) == (chosen.s, chosen.p, chosen.c)

    def test_table4(self, small):
        made = table4(small, params=MIX).set_index("classifier")
        for part, name, labels in (
            ("clean", "clean", small.clean_labels),
            ("adv", "attacked", small.attacked.labels),
        ):
            h = small.tensors()[f"{part}.rob_logits"]
            plain, top = h.argmax(1), transformed(h).argmax(1)
            assert made.loc["h", name] == made.loc["LN h", name] == np.mean(plain == labels)
            assert made.loc["M(h)", name] == np.mean(top == labels)
            assert made.loc["M(h)", f"{name}_changes"] == np.mean(plain != top)

    def test_table7(self, small):
        made = table7(small, grid=GRID, widen=0).set_index("clamp")
        assert made.loc["linear", "c"] == 0.0
        for clamp in ("gelu", "relu"):
            result = grid_search(small, GRID, 0.985, clamp=clamp)
            assert made.loc[clamp, "objective"] == result.best.objective
            assert made.loc[clamp, "alpha"] == result.best.params.alpha
            assert (made.loc[clamp, "edges"] == "") == (not result.edges)
        wider = table7(small, grid=GRID, widen=1).set_index("clamp")
        edged = [clamp for clamp in made.index if made.loc[clamp, "edges"]]
        assert edged
        assert (wider.loc[edged, "s"] != made.loc[edged, "s"]).any() or (
            wider.loc[edged, "p"] != made.loc[edged, "p"]
        ).any()
        with pytest.raises(MnutsError, match="widen must be"):
            table7(small, widen=-1)


class TestImages:
    def test_table8_parts_add_up(self, small):
        made = table8(small, grid=GRID, n_optimised=50, seed=2)
        seen, unseen = made.to_dict("records")
        assert (seen["seen"], unseen["seen"]) == (True, False)
        assert (seen["clean_n"], unseen["clean_n"]) == (50, 170)
        assert (seen["attacked_n"], unseen["attacked_n"]) == (50, 70)
        chosen = drawn(small, 50, 2)
        best = grid_search(attacked_part(small, chosen), GRID).best.params
        assert (seen["s"], seen["alpha"]) == (best.s, best.alpha)
        whole = RemixEngine(small).remix(best)
        for name in ("clean", "by_margin", "attacked"):
            right = sum(row[name] * row[f"{name}_n"] for row in (seen, unseen))
            assert round(right) == getattr(whole, name).successes
        own = whole.on_clean.mix_right[small.attacked.index[chosen]]
        assert seen["clean"] == own.mean()

    def test_table8_sees_nothing_of_the_rest(self, small):
        """Other logits where Algorithm 1 must not look change nothing that it chooses."""
        chosen = drawn(small, 60, 0)
        rest = np.setdiff1d(np.arange(small.n_adv), chosen)
        attacked, clean = small.attacked.rob_logits.copy(), small.clean_rob_logits.copy()
        attacked[rest] = attacked[rest][:, ::-1]
        unseen = np.setdiff1d(np.arange(small.n_clean), small.attacked.index[chosen])
        clean[unseen] = clean[unseen][:, ::-1]
        other = dataclasses.replace(
            small, attacked=dataclasses.replace(small.attacked, rob_logits=attacked), clean_rob_logits=clean
        )
        one, two = (table8(b, grid=GRID, n_optimised=60).iloc[0] for b in (small, other))
        assert [one[name] for name in ("s", "p", "c", "alpha", "clean", "by_margin")] == [
            two[name] for name in ("s", "p", "c", "alpha", "clean", "by_margin")
        ]

    def test_table8_with_all_seen(self, small):
        made = table8(small, grid=GRID, n_optimised=120)
        assert made["attacked"].isna().tolist() == [False, True]
        assert made["clean_n"].tolist() == [120, 100]

    def test_table8_default_is_half(self, small):
        assert table8(small, grid=GRID).attrs["settings"]["n_optimised"] == 60

    def test_table9(self, small):
        made = table9(small, grid=GRID, sizes=[120, 30], repeats=2, seed=4)
        assert made["n_optimised"].tolist() == [120, 30, 30]
        assert made["seed"].tolist() == [4, 4, 5]
        best = grid_search(small, GRID).best
        assert made.iloc[0]["objective"] == best.objective
        assert made.iloc[0]["alpha"] == best.params.alpha
        part = grid_search(attacked_part(small, drawn(small, 30, 5)), GRID).best
        remix = RemixEngine(small).remix(part.params)
        assert made.iloc[2]["clean"] == remix.clean.value
        assert made.iloc[2]["by_margin"] == remix.by_margin.value
        assert set(made["clean_n"]) == {220}

    def test_table9_sizes_by_default(self, small):
        assert table9(small, grid=GRID, repeats=1)["n_optimised"].tolist() == [120, 100]

    @pytest.mark.parametrize("n", [0, 121])
    def test_counts_out_of_range(self, small, n):
        with pytest.raises(MnutsError, match=r"n must lie in \[1, 120\]"):
            table8(small, grid=GRID, n_optimised=n)
        with pytest.raises(MnutsError, match="repeats"):
            table9(small, grid=GRID, repeats=0)


@pytest.fixture(scope="module")
def given():
    data = load_data("digits")
    return {"models": load_digits_models(), "data": (data.images, data.labels)}


class TestSurrogate:
    def test_d9(self, digits, mmaa_digits, given):
        made = d9(digits, **given, grid=GRID, beta=0.9, n=60, n_iter=8, batch_size=30)
        before, after = made.to_dict("records")
        assert (before["points"], after["points"]) == ("LN∘h", "M∘h")
        result = grid_search(attacked_part(mmaa_digits, np.arange(60)), GRID, 0.9)
        assert before["objective"] == before["best_objective"] == result.best.objective
        assert before["objective_n"] == after["objective_n"] == result.n_wrong
        assert before["alpha"] == result.best.params.alpha
        assert (before["n_attacked"], after["n_attacked"]) == (60, 60)
        assert after["quantile"] == pytest.approx(1 / after["alpha"] - 1)

    def test_the_new_points_lower_the_margin_of_m(self, digits, mmaa_digits, given, monkeypatch):
        """What is attacked is M∘h: the points' margins under M are below those at the clean images."""
        from mnuts_core.pipeline import build

        built = []
        original = build.build_bundle

        def spy(*args, **options):
            built.append((original(*args, **options), options["attack"].surrogate))
            return built[-1][0]

        monkeypatch.setattr(build, "build_bundle", spy)
        d9(digits, **given, grid=GRID, beta=0.9, n=40, n_iter=5)
        ((bundle, surrogate),) = built
        best = grid_search(attacked_part(mmaa_digits, np.arange(40)), GRID, 0.9).best.params
        assert surrogate == (best.s, best.p, best.c)
        clean, attacked = (
            transformed(logits, best)[np.arange(40), bundle.clean_labels]
            for logits in (bundle.clean_rob_logits, bundle.attacked.rob_logits)
        )
        assert attacked.mean() < clean.mean()

    def test_other_models_and_images_are_refused(self, digits, given):
        std, rob = given["models"]
        images, labels = given["data"]
        few = {"grid": GRID, "beta": 0.9, "n": 20, "n_iter": 1}
        with pytest.raises(MnutsError, match="accurate model does not give the bundle's clean logits"):
            d9(digits, models=(rob, rob), data=(images, labels), **few)
        with pytest.raises(MnutsError, match="labels are not the bundle's"):
            d9(digits, models=(std, rob), data=(images, (labels + 1) % 10), **few)
        with pytest.raises(MnutsError, match="must hold the bundle's 1,000 images"):
            d9(digits, models=(std, rob), data=(images[:10], labels[:10]), **few)

    def test_bundles_that_do_not_say_enough(self, small, given):
        with pytest.raises(MnutsError, match="threat model"):
            d9(small, **given)
        with pytest.raises(BundleError, match="no attacked examples"):
            d9(clean_only(small), **given)

    def test_n_out_of_range(self, digits, given):
        with pytest.raises(MnutsError, match=r"n must lie in \[1, 1000\]"):
            d9(digits, **given, n=1001)


FEW = {"n_iter": 4, "n_targets": 2}


class TestPool:
    def test_figures_by_hand(self, mmaa_digits, given):
        """The live figure, the same attack by itself, and both together, on the first 60 images."""
        made = pool(mmaa_digits, **given, mixes=[MIX], n=60, **FEW)
        row = made.iloc[0]
        (source,) = attack_pool(
            mmaa_digits,
            *given["models"],
            *given["data"],
            targets=[PoolTarget(MIX)],
            plan=PoolPlan(norm="Linf", eps=3 / 16, **FEW),
            n=60,
        )
        index = mmaa_digits.attacked.index[:60]
        live = RemixEngine(mmaa_digits).remix(MIX).on_images.mix_right[:60]
        right = mix_right(
            mmaa_digits.clean_std_logits, mmaa_digits.clean_rob_logits, mmaa_digits.clean_labels
        )[index]
        right &= ~mmaa_digits.attacked.settled[:60]
        found = mix_right(source.std_logits, source.rob_logits, mmaa_digits.clean_labels[source.index])
        own = np.array([right[i] and found[source.index == index[i]].all() for i in range(60)])
        assert row["live"] == live.mean()
        assert row["own"] == own.mean() < live.mean()
        assert row["both"] == (live & own).mean()
        assert row["live_minus_own"] == pytest.approx(live.mean() - own.mean())
        assert (row["live_n"], row["own_n"], row["both_n"]) == (60, 60, 60)
        assert row["first"] == row["live"]  # these points are all that this bundle has
        h, y = mmaa_digits.attacked.rob_logits[:60], mmaa_digits.clean_labels[index]
        top = np.sort(transformed(h), axis=1)
        held = (h.argmax(1) == y) & (top[:, -1] - top[:, -2] >= (1 - MIX.alpha) / MIX.alpha)
        assert row["first_margin"] == held.mean() < row["first"]
        assert row["first_minus_own"] == row["live_minus_own"]
        assert row["first_margin_minus_own"] == pytest.approx(row["first_margin"] - own.mean())
        assert made.attrs["settings"]["optimistic"]
        assert made.attrs["mixes"] == [dataclasses.asdict(MIX)]

    def test_six_mixes_that_the_pool_does_not_know(self, mmaa_digits):
        first = left_out(mmaa_digits, GRID)
        assert [mix.beta for mix in first] == [0.99, 0.95, 0.9, 0.8, 0.95, 0.8]
        assert sum((mix.s, mix.p, mix.c, mix.clamp) == (1, 1, 0, "linear") for mix in first) == 2
        part = mmaa_digits.attacked
        known = mmaa_digits
        for mix in (first[1], first[4]):
            card = SourceCard(name="an attack", params=dataclasses.asdict(mix))
            known = known.with_points(card, part.index[:0], part.std_logits[:0], part.rob_logits[:0])
        second = left_out(known, GRID)
        assert len(second) == 6
        assert not {first[1], first[4]} & set(second)
        with pytest.raises(MnutsError, match="does not know, but a source of bundle 'digits' attacked"):
            pool(known, models=(None, None), data=(None, None), mixes=[first[4].with_(beta=0.1)])

    def test_it_goes_on_from_its_work_folder(self, mmaa_digits, given, tmp_path, monkeypatch):
        options = {"mixes": [MIX, MIX.with_(alpha=0.9)], "n": 20, "work_dir": tmp_path / "work", **FEW}
        done = []
        made = pool(mmaa_digits, **given, **options, progress=lambda *at: done.append(at))
        assert done[-1][0] == done[-1][1]
        assert [at for at, _ in done] == sorted(at for at, _ in done)
        monkeypatch.setattr("mnuts_core.pipeline.pool_batches.attack_for_pool", None)
        again = pool(mmaa_digits, **given, **options)
        assert again.to_dict("records") == made.to_dict("records")

    def test_bundles_and_counts_that_will_not_do(self, small, mmaa_digits, given):
        with pytest.raises(MnutsError, match="threat model"):
            pool(small, **given)
        with pytest.raises(BundleError, match="no attacked examples"):
            pool(clean_only(small), **given)
        with pytest.raises(MnutsError, match=r"n must lie in \[1, 1000\]"):
            pool(mmaa_digits, **given, n=1001)

    @pytest.mark.full
    def test_live_figures_are_within_a_point(self, digits, given):
        """The shipped pool makes six other mixes' figures as low as attacks on these mixes themselves."""
        made = pool(digits, **given, batch_size=1000)
        assert len(made) == 6
        assert set(made["live_n"]) == {1000}
        assert not made.attrs["settings"]["optimistic"]
        assert (made["live"] - made["both"]).max() <= 0.01
        assert (made["live"] - made["own"]).max() <= 0.01


def mix_right(std, rob, labels, mix=MIX):
    """Whether the mix with T = 0 is right, plainly."""
    shares = mix.alpha * transformed(rob)
    shares[np.arange(len(std)), std.argmax(axis=1)] += 1 - mix.alpha
    return shares.argmax(axis=1) == labels


def test_parts_of_a_bundle(small):
    part = attacked_part(small, np.array([3, 5]))
    assert (part.n_adv, part.n_clean) == (2, 220)
    assert np.array_equal(part.attacked.labels, small.attacked.labels[[3, 5]])
    assert torch.equal(torch.from_numpy(drawn(small, 120, 7)), torch.arange(120))


class TestPools:
    """Bundles with several points an image."""

    @pytest.fixture
    def pool(self):
        pool = make_pool(n=220, m=120, k=6, seed=5)
        lost = np.flatnonzero(pool.clean_rob_logits.argmax(1) != pool.clean_labels)[::3]
        pool.clean_std_logits[lost] *= -1.0  # so that both models are wrong on some
        return pool

    def test_promise(self, pool):
        made = promise(pool, beta=0.9, grid=GRID).set_index("points")
        engine = RemixEngine(pool)
        for points in ("mmaa", "pool"):
            found, row = grid_search(pool, GRID, 0.9, points=points), made.loc[points]
            remix = engine.remix(found.best.params)
            assert (row.s, row.alpha) == (found.best.params.s, found.best.params.alpha)
            assert row.promised == pytest.approx(0.9 * found.n_right / 120)
            assert (row.attacked, row.by_margin) == (remix.attacked.value, remix.by_margin.value)
        assert made.loc["pool"].kept == pytest.approx(0.9, abs=1.5 / found.n_right)
        assert made.loc["mmaa"].kept < made.loc["pool"].kept
        assert made.loc["mmaa"].promised > made.loc["mmaa"].by_margin + 0.02
        assert not made.optimistic.any()

    def test_promise_of_mmaa_alone(self, small):
        made = promise(small, beta=0.9, grid=GRID).set_index("points")
        assert made.optimistic.all()
        assert made.loc["mmaa"].attacked == made.loc["pool"].attacked

    def test_the_conditional_objective(self, pool):
        """D.8.3 on several points: by a plain loop."""
        found, first = grid_search(pool, GRID, 0.9, conditional=True), pool.attacked.index[:120]
        h, g, y = (a[first] for a in (pool.clean_rob_logits, pool.clean_std_logits, pool.clean_labels))
        counted = (h.argmax(1) != y) & (g.argmax(1) == y)
        assert found.n_wrong == counted.sum()
        assert counted.sum() < (h.argmax(1) != y).sum()
        for index in np.ndindex(GRID.shape):
            cell = found.cell(index).params
            right, least = [], []
            for image in range(120):
                points = pool.attacked.rob_logits[pool.attacked.of == image]
                right.append((points.argmax(1) == y[image]).all())
                least.append(min(_margins(points, cell)))
            q = np.percentile(np.array(least)[right], 10)
            assert found.quantile[index] == pytest.approx(q, rel=1e-9)
            objective = (_margins(h[counted], cell) >= q).mean()
            assert found.objective[index] == pytest.approx(objective, abs=1e-12)


def _margins(logits, cell):
    p = np.sort(reference.softmax(reference.transform(logits, cell.s, cell.p, cell.c)), axis=1)
    return p[:, -1] - p[:, -2]
