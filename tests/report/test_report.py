"""The report: every number recomputed in plain NumPy, every statement follows from the numbers."""

import dataclasses
import html.parser
import io
import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnuts_core import GridSpec, MixConfig, MnutsError, RemixEngine, grid_search
from mnuts_core.bundles.manifest import SourceCard, ThreatModel
from mnuts_core.export.cards import BundleCard, EstimateCard, VerifiedCard
from mnuts_core.functional.statistics import share, wilson_interval
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.report.claims import moved, robust_change, statements
from mnuts_core.report.compute import make_report
from mnuts_core.report.files import check_folder, default_folder, write_report
from mnuts_core.report.paper import paper_result
from mnuts_core.report.plot import COLOUR, plane_png, points
from mnuts_core.report.render import Bullets, Document, Figure, Grid, Heading, Paragraph, to_html, to_markdown
from mnuts_core.report.wording import document, to_frame, to_json, warnings
from mnuts_core.search.algorithm1 import searchable
from mnuts_core.views.colours import MIX, PLAIN, ROB, STD
from tests import reference
from tests.synthetic import clean_only, make_arrays, make_bundle

NUTS = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.8)


@pytest.fixture(scope="module")
def small():
    return make_bundle(n=150, m=90, k=5, seed=1)


@pytest.fixture(scope="module")
def report(digits):
    return make_report(digits)


def verified_config(logits, params=NUTS, right=60, n=90, **changes) -> MixConfig:
    config = MixConfig.from_remix(RemixEngine(logits), params)
    card = VerifiedCard(
        accuracy=EstimateCard.of(share(right, n, "verified")),
        attack="transfer-based adaptive AutoAttack",
        digest="sha256:" + "0" * 64,
    )
    return config.model_copy(update={"verified": card, **changes})


def recomputed(bundle, params: MixParams) -> dict[str, int]:
    """How many images a mix gets right, by the independent reference."""
    counts, right = {}, []
    for part, g, h, labels in (
        ("clean", bundle.clean_std_logits, bundle.clean_rob_logits, bundle.clean_labels),
        ("attacked", bundle.attacked.std_logits, bundle.attacked.rob_logits, bundle.attacked.labels),
    ):
        logits = reference.transform(h, params.s, params.p, params.c, params.clamp, params.ln_k)
        rob, std = reference.softmax(logits), reference.std_probabilities(g, params.temperature)
        if params.temperature == 0:
            top = reference.hard_rule(g, rob, params.alpha)
        else:
            top = reference.mixed_probabilities(std, rob, params.alpha).argmax(axis=1)
        right.append(top == labels)
        counts[part] = int(right[-1].sum())
        threshold = (1 - params.alpha) / params.alpha - 1e-13
        held = (rob.argmax(axis=1) == labels) & (reference.margins(rob) >= threshold)
        counts["by_margin"] = int(held.sum())
    clean, attacked = right
    return counts | {"attacked": int((clean[bundle.attacked.index] & attacked).sum())}


class TestNumbers:
    def test_every_row_is_what_the_reference_counts(self, digits, report):
        abc, rbc = report.base
        assert abc.clean.successes == (digits.clean_std_logits.argmax(1) == digits.clean_labels).sum()
        assert abc.attacked is None  # g was not attacked
        assert rbc.clean.successes == (digits.clean_rob_logits.argmax(1) == digits.clean_labels).sum()
        assert (
            rbc.attacked.successes == (digits.attacked.rob_logits.argmax(1) == digits.attacked.labels).sum()
        )
        assert rbc.attacked.kind == "attacked"
        mixes = [row for row in report.rows if row.params is not None]
        assert [row.role for row in mixes] == ["mixed", "mixed", "mixednuts"] * 2
        for row in mixes:
            counts = recomputed(digits, row.params)
            assert {name: row.figure(name).successes for name in counts} == counts
            assert row.verified is None

    def test_by_default_algorithm_1_at_both_levels(self, digits, report):
        for trial, beta in zip(report.trials, (0.985, 0.95), strict=True):
            best = grid_search(digits, GridSpec.paper("cifar10"), beta).best
            assert trial.mix.params == best.params
            assert trial.mix.beta == beta

    def test_mixed_is_matched_at_the_same_margin_bound(self, digits, report):
        engine = RemixEngine(digits)
        for trial in report.trials:
            for row, reach in zip(trial.mixed, trial.reach, strict=True):
                assert row.by_margin.value >= trial.mix.by_margin.value
                assert row.clean.value == pytest.approx(reach.clean)
                for alpha in np.linspace(0.5, 1, 101):
                    other = engine.remix(row.params.with_(alpha=alpha))
                    if other.by_margin.value >= trial.mix.by_margin.value:
                        assert other.clean.value <= row.clean.value
                    if other.clean.value >= trial.mix.clean.value:
                        assert other.by_margin.value <= reach.bound + 1e-12

    def test_pairs_count_the_images_that_change(self, digits, report):
        for trial in report.trials:
            rbc = trial.paired["rbc"]
            gained = trial.mix.clean.successes - report.base[1].clean.successes
            assert rbc.only_first - rbc.only_second == gained
            for row in trial.mixed:
                pair = trial.paired[row.key]
                assert pair.only_first - pair.only_second == trial.mix.clean.successes - row.clean.successes

    def test_error_changes(self, report):
        frame = to_frame(report).set_index("key")
        ours, rbc = frame.loc["mixednuts-beta-0.95"], frame.loc["rbc"]
        clean = (1 - ours["clean"]) / (1 - rbc["clean"]) - 1
        bound = (1 - ours["by_margin"]) / (1 - rbc["attacked"]) - 1
        assert ours["clean_error_change_to_rbc"] == pytest.approx(clean)
        assert ours["by_margin_error_change_to_rbc"] == pytest.approx(bound)
        mixed = frame.loc["mixednuts-beta-0.95-mixed-t1"]
        against = (1 - ours["clean"]) / (1 - mixed["clean"]) - 1
        assert ours["clean_error_change_to_mixed_t1"] == pytest.approx(against)
        assert np.isnan(ours["verified"])

    def test_intervals_in_the_frame(self, report):
        frame = to_frame(report)
        ours = frame[frame["source"] == "ours"]
        for row in ours.to_dict("records"):
            low, high = wilson_interval(round(row["clean"] * row["clean_n"]), int(row["clean_n"]))
            assert (row["clean_low"], row["clean_high"]) == pytest.approx((low, high))

    def test_margin_gaps(self, digits, report):
        labels, adv = digits.clean_labels, digits.attacked.labels
        clean = reference.layer_norm(digits.clean_rob_logits)
        attacked = reference.layer_norm(digits.attacked.rob_logits)
        wrong = reference.margins(reference.softmax(clean))[clean.argmax(1) != labels]
        right = reference.margins(reference.softmax(attacked))[attacked.argmax(1) == adv]
        assert report.gaps["LN h"] == pytest.approx(np.median(right) - np.median(wrong))

    def test_the_paper_agrees_with_itself(self):
        for dataset in ("cifar10", "cifar100", "imagenet"):
            paper = paper_result(dataset)
            change = (1 - paper.clean["MixedNUTS"]) / (1 - paper.clean["RBC"]) - 1
            assert change == pytest.approx(paper.clean_change, abs=1e-4)
            change = (1 - paper.robust["MixedNUTS"]) / (1 - paper.robust["RBC"]) - 1
            assert change == pytest.approx(paper.robust_change, abs=1e-4)


class TestVerified:
    def test_absent_where_nothing_was_verified(self, small):
        made = make_report(small, [("a", MixConfig.from_remix(RemixEngine(small), NUTS))])
        assert made.trials[0].mix.verified is None
        assert any("not known" in claim.text for claim in statements(made))

    def test_taken_from_the_configuration(self, small):
        made = make_report(small, [("a", verified_config(small))])
        assert made.trials[0].mix.verified == share(60, 90, "verified")
        change = robust_change(made.trials[0].mix, made.base[1], "verified")
        attacked = made.base[1].attacked
        assert change == pytest.approx((30 / 90) / (1 - attacked.value) - 1)
        assert any("verified (n = 90)" in claim.text for claim in statements(made))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"bundle": BundleCard(name="other", digest="sha256:" + "1" * 64)}, "'other'"),
            ({"bundle": None}, "names no bundle"),
            ({"threat": ThreatModel(norm="L2", eps=0.5)}, "ℓ2, ε = 0.5"),
        ],
    )
    def test_left_out_where_it_belongs_elsewhere(self, small, changes, message):
        made = make_report(small, [("a", verified_config(small, **changes))])
        assert made.trials[0].mix.verified is None
        assert any("left out" in warning and message in warning for warning in warnings(made))

    def test_rbc_on_the_same_images_where_they_are_known(self, digits):
        engine, n = RemixEngine(digits), 200
        params = NUTS.with_(alpha=0.9)
        right = int(engine.remix(params).on_clean.mix_right[:n].sum())
        config = verified_config(digits, params, right=130, n=n)
        changes = []
        for count in (right, right - 1):
            clean = EstimateCard.of(share(count, n, "clean"))
            card = config.verified.model_copy(update={"clean": clean})
            made = make_report(digits, [("a", config.model_copy(update={"verified": card}))])
            changes.append(robust_change(made.trials[0].mix, made.base[1], "verified"))
        first = np.mean(digits.attacked.rob_logits[:n].argmax(1) == digits.attacked.labels[:n])
        everyone = np.mean(digits.attacked.rob_logits.argmax(1) == digits.attacked.labels)
        assert changes == pytest.approx([0.35 / (1 - first) - 1, 0.35 / (1 - everyone) - 1])

    def test_mixed_of_a_configuration_is_a_row_and_is_compared(self, small):
        plain = IDENTITY.with_(alpha=0.7, temperature=1.0)
        configs = [("a", verified_config(small)), ("b", verified_config(small, plain, right=40))]
        made = make_report(small, configs)
        (row,) = made.given
        assert (row.role, row.verified.successes) == ("mixed", 40)
        (trial,) = made.trials
        assert trial.mix.role == "mixednuts"
        (claim,) = [c for c in statements(made) if ATTACKED_TOO in c.text]
        assert claim.holds is True  # as accurate, within the noise, and clearly more robust

    @pytest.mark.parametrize(
        ("clean", "verified", "fixed", "holds"),
        [
            (+3, 500, 100, True),  # as robust, more accurate
            (+3, 700, 100, True),  # more of both
            (0, 700, 0, True),  # as accurate, more robust
            (+1, 490, 1, None),  # more accurate, less robust, both by less than the noise
            (+3, 500, 1, None),  # as robust, more accurate by less than the noise
            (0, 520, 0, None),  # as accurate, more robust by less than the noise
            (-1, 700, 1, None),  # more robust; less accurate, by less than the noise
            (-5, 500, 100, False),  # as robust, less accurate
            (0, 300, 0, False),  # as accurate, less robust
        ],
    )
    def test_against_a_mixed_that_was_attacked_too(self, small, clean, verified, fixed, holds):
        plain = verified_config(small, IDENTITY.with_(alpha=0.7, temperature=1.0), right=500, n=1000)
        made = make_report(small, [("a", verified_config(small)), ("b", plain)])
        (row,) = made.given
        clean += row.clean.successes
        changed = with_figures(made, clean, 400, row.clean.n, verified=verified, fixed=fixed)
        (claim,) = [c for c in statements(changed) if ATTACKED_TOO in c.text]
        assert claim.holds is holds
        assert claim.text.count("beyond the noise") == (fixed == 100) + (abs(verified - 500) == 200)

    @pytest.mark.parametrize(("clean", "verified"), [(+3, 300), (+3, 490), (-5, 700)])
    def test_no_claim_is_made_of_a_mixed_elsewhere_on_the_plane(self, small, clean, verified):
        plain = verified_config(small, IDENTITY.with_(alpha=0.7, temperature=1.0), right=500, n=1000)
        made = make_report(small, [("a", verified_config(small)), ("b", plain)])
        clean += made.given[0].clean.successes
        changed = with_figures(made, clean, 400, made.given[0].clean.n, verified=verified, fixed=100)
        assert not [c for c in statements(changed) if ATTACKED_TOO in c.text]

    def test_of_a_matched_mixed_it_is_claimed_that_it_is_more_robust(self, small):
        matched = make_report(small, [("a", verified_config(small))]).trials[0].mixed[0]
        twin = verified_config(small, matched.params, right=900, n=1000)
        made = make_report(small, [("a", verified_config(small)), ("b", twin)])
        changed = with_figures(made, small.n_clean, 400, small.n_clean, verified=890, fixed=100)
        (claim,) = [c for c in statements(changed) if ATTACKED_TOO in c.text]
        assert claim.holds is None  # by less than the noise

    def test_a_matched_mix_takes_the_verified_figure_of_its_own_configuration(self, small):
        first = make_report(small, [("a", verified_config(small))])
        matched = first.trials[0].mixed[0]
        config = verified_config(small, matched.params, right=50)
        config = MixConfig.from_json(config.to_json())
        second = make_report(small, [("a", verified_config(small)), ("b", config)])
        assert second.trials[0].mixed[0].verified.successes == 50
        assert second.trials[0].mixed[1].verified is None
        assert second.given == ()


ATTACKED_TOO = "better on one, clean or verified"


def with_figures(report, clean, by_margin, n=1000, verified=None, fixed=None):
    """The report's first trial with other numbers, to see the statements turn; under attack of 1,000."""
    trial = report.trials[0]
    mix = dataclasses.replace(
        trial.mix,
        clean=share(clean, n, "clean"),
        by_margin=share(by_margin, 1000, "right by margin"),
        verified=None if verified is None else share(verified, 1000, "verified"),
    )
    paired = {
        key: dataclasses.replace(pair, only_first=pair.only_first if fixed is None else fixed, only_second=0)
        for key, pair in trial.paired.items()
    }
    return dataclasses.replace(report, trials=(dataclasses.replace(trial, mix=mix, paired=paired),))


def verdict(report, words):
    (claim,) = [claim for claim in statements(report) if words in claim.text]
    return claim.holds


class TestStatements:
    """On digits RBC has 93.5 % clean and 68.8 % under attack."""

    def test_clean(self, report):
        assert verdict(with_figures(report, 960, 680, fixed=25), "Clean error below") is True
        assert verdict(with_figures(report, 930, 680, fixed=25), "Clean error below") is False
        assert verdict(with_figures(report, 937, 680, fixed=2), "Clean error below") is None
        assert verdict(with_figures(report, 954, 680), "as far as the paper's") is True  # down by 29.2 %
        assert verdict(with_figures(report, 953, 680), "as far as the paper's") is False  # down by 27.7 %

    def test_under_attack(self, report):
        words = "no more than the paper's, by margin"
        assert verdict(with_figures(report, 950, 674), words) is True  # up by 4.49 %
        assert verdict(with_figures(report, 950, 673), words) is False  # up by 4.81 %
        words = "no more than the paper's, verified"
        assert verdict(with_figures(report, 950, 674, verified=600), words) is False

    def test_price(self, report):
        words = "larger than the price"
        assert verdict(with_figures(report, 950, 674), words) is True
        assert verdict(with_figures(report, 936, 600), words) is False
        assert verdict(with_figures(report, 950, 674, verified=500), words) is False

    def test_against_mixed(self, report):
        reach = report.trials[0].reach[0]
        above = round(1000 * reach.clean) + 10, round(1000 * reach.bound) + 10
        words = "Mixed (T = 1) on both, by"
        assert verdict(with_figures(report, *above, fixed=20), words) is True
        assert verdict(with_figures(report, *above, fixed=2), words) is None
        assert verdict(with_figures(report, above[0] - 10, above[1], fixed=20), words) is False
        assert verdict(with_figures(report, above[0], above[1] - 10, fixed=20), words) is False

    def test_bound_against_verified(self, report):
        words = "Right by margin confirmed"
        assert verdict(with_figures(report, 950, 680, verified=670), words) is True
        assert verdict(with_figures(report, 950, 680, verified=600), words) is False

    def test_words(self):
        assert (moved(-0.1), moved(0.0)) == ("down by 10.00 %", "up by 0.00 %")


class TestWithoutAttack:
    def test_says_what_is_missing(self, small):
        made = make_report(clean_only(small))
        assert made.trials == ()
        assert any("no attacked part" in text for text in made.missing)
        assert made.base[1].attacked is None
        assert plane_png(made) is None
        assert "no attacked part" in to_markdown(document(made, None))

    def test_a_configuration_still_has_its_clean_accuracy(self, small):
        made = make_report(clean_only(small), [("a", MixConfig.from_params(NUTS))])
        (trial,) = made.trials
        assert trial.mix.clean.successes == recomputed(small, NUTS)["clean"]
        assert (trial.mixed, trial.reach) == ((), ())
        assert trial.mix.by_margin is None

    def test_nothing_to_search_on(self):
        arrays = make_arrays(n=40, m=20, k=4)
        arrays["clean_rob_logits"] = 20 * np.eye(4, dtype=np.float32)[arrays["clean_labels"]]
        from mnuts_core import LogitBundle

        made = make_report(LogitBundle.from_arrays(**arrays))
        assert any("nothing to work on" in text for text in made.missing)

    def test_unknown_paper_and_level(self, small):
        with pytest.raises(MnutsError, match="cifar10, cifar100, imagenet, got 'mnist'"):
            make_report(small, paper="mnist")
        with pytest.raises(MnutsError, match="beta must lie"):
            make_report(small, betas=[2.0])


class Links(html.parser.HTMLParser):
    """Every tag, and whatever a page would fetch."""

    def __init__(self):
        super().__init__()
        self.tags, self.fetched = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]


class TestFiles:
    def test_written_and_read_again(self, digits, report, tmp_path):
        written = {path.name: path for path in write_report(report, digits, tmp_path / "new")}
        assert {"report.md", "report.html", "report.csv", "report.png"} <= set(written)
        frame = pd.read_csv(written["report.csv"])
        row = frame[frame["key"] == "mixednuts-beta-0.985"].iloc[0]
        assert row["clean"] == report.trials[0].mix.clean.value
        picture = Image.open(io.BytesIO(written["report.png"].read_bytes()))
        assert min(picture.size) > 500
        for key in ("mixednuts-beta-0.985", "mixednuts-beta-0.985-mixed-t1"):
            config = MixConfig.load(written[f"{key}.json"])
            assert config.params.alpha == report.row(key).params.alpha
            assert config.estimates.clean.value == report.row(key).clean.value
        assert MixConfig.load(written["mixednuts-beta-0.985.json"]).beta == 0.985

    def test_html_asks_for_nothing_outside(self, digits, report, tmp_path):
        write_report(report, digits, tmp_path)
        links = Links()
        links.feed((tmp_path / "report.html").read_text("utf-8"))
        assert {"table", "img", "ul"} <= links.tags
        assert all(value.startswith("data:image/png;base64,") for value in links.fetched)
        assert not links.tags & {"script", "link", "iframe"}

    def test_what_is_there_is_kept(self, digits, report, tmp_path):
        (tmp_path / "report.csv").write_text("mine")
        with pytest.raises(MnutsError, match=r"report\.csv exists already"):
            write_report(report, digits, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
        write_report(report, digits, tmp_path, force=True)
        assert (tmp_path / "report.csv").read_text() != "mine"

    @pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_all_files_or_none(self, digits, report, tmp_path, monkeypatch, stop):
        """A report that is cut off leaves no folder, and an earlier one as it was."""
        write_report(report, digits, tmp_path / "old")
        before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
        left, fsync = [], os.fsync

        def cut(handle):
            left.append(handle)
            if len(left) % 3 == 0:
                raise stop
            fsync(handle)

        monkeypatch.setattr(os, "fsync", cut)
        for folder in ("new", "old"):
            with pytest.raises((MnutsError, KeyboardInterrupt)):
                write_report(report, digits, tmp_path / folder, force=True)
        assert [path.name for path in tmp_path.iterdir()] == ["old"]
        assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before

    def test_folders(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(MnutsError, match="must name a folder"):
            check_folder(tmp_path / "file", force=True)
        assert default_folder("../../etc/x y").parts == ("report-etc-x-y",)
        assert default_folder("§").name == "report-bundle"

    def test_json_is_json(self, report):
        plain = json.loads(json.dumps(to_json(report), allow_nan=False))
        assert len(plain["rows"]) == len(report.rows)
        assert {"bundle", "data", "threat model", "attacked points", "versions"} <= set(plain["provenance"])

    def test_provenance_is_the_manifests(self, digits, report):
        assert digits.digest in report.provenance["bundle"]
        for words in (digits.manifest.data.name, digits.manifest.data.split, digits.manifest.data.source):
            assert words in report.provenance["data"]
        assert report.provenance["threat model"] == str(digits.manifest.threat)
        assert digits.manifest.attack.name in report.provenance["attacked points"]


class TestSetting:
    EVIL = "<script>alert(1)</script> | `x` [a](b) *c*"

    @pytest.fixture
    def words(self):
        grid = Grid(("a", "b"), ((self.EVIL, "1"), ("x", "2")), frozenset({1}))
        blocks = (Heading(self.EVIL), Paragraph(self.EVIL), Bullets((self.EVIL,)), grid)
        return Document(self.EVIL, (*blocks, Figure("f.png", b"\x89PNG", self.EVIL)))

    def test_html_is_escaped(self, words):
        links = Links()
        links.feed(to_html(words))
        assert "script" not in links.tags
        assert '<tr class="strong">' in to_html(words)

    def test_markdown_is_escaped(self, words):
        text = to_markdown(words)
        assert "<script>" not in text
        assert "[a](b)" not in text
        row = next(line for line in text.splitlines() if line.startswith("| &lt;script"))
        assert row.replace("\\|", "").count("|") == 3
        assert "| **x** | **2** |" in text


class TestPlane:
    def test_attacked_and_verified_points(self, small):
        made = make_report(small, [("a", verified_config(small))])
        shown = {(point.row.key, point.measured): point.attacked.kind for point in points(made)}
        key = made.trials[0].mix.key
        assert shown[key, False] == "attacked"
        assert shown[key, True] == "verified"
        assert shown["rbc", True] == "attacked"
        assert not any(name == "abc" for name, _ in shown)  # its own robustness is not known

    def test_colours_are_the_dashboards(self):
        from mnuts_dashboards import theme

        assert (theme.STD, theme.ROB, theme.PLAIN, theme.MIX) == (STD, ROB, PLAIN, MIX)
        assert COLOUR == {"abc": STD, "rbc": ROB, "mixed": PLAIN, "mixednuts": MIX}

    def test_a_dollar_in_a_name_is_no_formula(self, small):
        named = small.manifest.model_copy(update={"name": "$\\frac{1$ $x_$"})
        made = make_report(dataclasses.replace(small, manifest=named))
        assert plane_png(made).startswith(b"\x89PNG")


def test_without_an_image_that_h_gets_right_at_all_its_points_nothing_is_searched():
    bundle = make_bundle(n=60, m=30)
    first = bundle.require_attacked().first
    right = np.flatnonzero(first.rob_logits.argmax(1) == first.labels)
    for fooled, expected in ((right[1:], True), (right, False)):
        wrong = 9 * np.eye(10)[(first.labels[fooled] + 1) % 10]
        found = bundle.with_points(SourceCard(name="an attack"), first.index[fooled], wrong, wrong)
        assert searchable(found) is expected
    assert any("nothing to work on" in line for line in make_report(found).missing)
