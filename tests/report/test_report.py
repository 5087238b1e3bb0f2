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
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import share, wilson_interval
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.certified import certified, certified_model
from mnuts_core.report.claims import moved, robust_change, statements
from mnuts_core.report.compute import make_report
from mnuts_core.report.files import check_folder, default_folder, write_report
from mnuts_core.report.matched import WANTED
from mnuts_core.report.paper import paper_result
from mnuts_core.report.plot import COLOUR, plane_png, points
from mnuts_core.report.render import Bullets, Document, Figure, Grid, Heading, Paragraph, to_html, to_markdown
from mnuts_core.report.wording import document, to_frame, to_json, warnings
from mnuts_core.search.algorithm1 import searchable
from mnuts_core.views.colours import MIX, OTHER, PLAIN, ROB, STD
from tests import reference
from tests.synthetic import clean_only, make_arrays, make_bundle, with_certificate

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


def with_outcomes(logits, params=NUTS, right=60) -> MixConfig:
    """Verified on all clean images: of those that the mix gets right, the first ones stay right."""
    engine = RemixEngine(logits)
    clean = engine.remix(params).on_clean.mix_right
    attacked = clean & (np.cumsum(clean) <= right)
    config = verified_config(logits, params, right, len(clean))
    settings = {"data_digest": "sha256:" + "1" * 64}
    more = {"clean": EstimateCard.of(share(int(clean.sum()), len(clean), "clean")), "settings": settings}
    card = config.verified.model_copy(update={"outcomes": OutcomesCard.of(clean, attacked), **more})
    return config.model_copy(update={"verified": card})


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
    clean, attacked = right
    index = bundle.attacked.index
    images = np.unique(index)
    counts["by_margin"] = int(sum(held[index == image].all() for image in images))
    survives = (clean[image] and attacked[index == image].all() for image in images)
    return counts | {"attacked": int(sum(survives))}


class TestNumbers:
    def test_every_row_is_what_the_reference_counts(self, digits, report):
        abc, rbc = report.base
        assert abc.clean.successes == (digits.clean_std_logits.argmax(1) == digits.clean_labels).sum()
        assert rbc.clean.successes == (digits.clean_rob_logits.argmax(1) == digits.clean_labels).sum()
        points, index = digits.attacked, digits.attacked.index
        for row, logits in ((abc, points.std_logits), (rbc, points.rob_logits)):
            broken = np.unique(index[logits.argmax(1) != points.labels])
            assert row.attacked.successes <= digits.n_adv - len(broken)
            assert row.attacked.kind == "attacked"
        mixes = [row for row in report.rows if row.params is not None]
        assert {row.role for row in mixes} == {"mixed", "mixednuts"}
        for row in mixes:
            counts = recomputed(digits, row.params)
            assert {name: row.figure(name).successes for name in counts} == counts
            assert row.verified is None

    def test_by_default_algorithm_1_at_both_levels(self, digits, report):
        for trial, beta in zip(report.trials, (0.985, 0.95), strict=True):
            best = grid_search(digits, GridSpec.paper("cifar10"), beta).best
            assert trial.mix.params == best.params
            assert trial.mix.beta == beta

    def test_mixed_is_matched_by_each_figure(self, digits, report):
        engine = RemixEngine(digits)
        for trial in report.trials:
            assert [(match.temperature, match.by) for match in trial.matches] == [
                (temperature, by) for temperature in (1.0, 0.0) for by in ("clean", "attacked", "by_margin")
            ]
            for match in trial.matches:
                row, wanted = report.row(match.key), WANTED[match.by]
                assert row.params.temperature == match.temperature
                assert row.figure(match.by).value >= trial.mix.figure(match.by).value
                for alpha in np.linspace(0.5, 1, 26):
                    other = engine.remix(row.params.with_(alpha=alpha))
                    if getattr(other, match.by).value >= trial.mix.figure(match.by).value:
                        assert getattr(other, wanted).value <= row.figure(wanted).value

    def test_mixed_is_matched_by_margin_alone_where_the_points_are_mmaas(self, small):
        (trial,) = make_report(small, [("a", MixConfig.from_remix(RemixEngine(small), NUTS))]).trials
        assert {match.by for match in trial.matches} == {"by_margin"}

    def test_pairs_count_the_images_that_change(self, digits, report):
        for trial in report.trials:
            for row in (report.base[1], *trial.mixed):
                for name in ("clean", "attacked"):
                    pair = trial.paired[row.key][name]
                    gained = trial.mix.figure(name).successes - row.figure(name).successes
                    assert pair.only_first - pair.only_second == gained
            assert "unseen" not in trial.paired["rbc"], "all images were attacked"

    def test_unseen_images_are_those_without_attacked_points(self, small):
        (trial,) = make_report(small, [("a", MixConfig.from_remix(RemixEngine(small), NUTS))]).trials
        unseen = np.setdiff1d(np.arange(small.n_clean), small.attacked.index)
        engine = RemixEngine(small)
        ours, theirs = engine.remix(NUTS).on_clean.mix_right, engine.rob_right[: engine.n_clean]
        assert 0 < len(unseen) < small.n_clean
        assert trial.paired["rbc"]["unseen"] == Paired.of(ours[unseen], theirs[unseen])

    def test_error_changes(self, report):
        frame = to_frame(report).set_index("key")
        ours, rbc = frame.loc["mixednuts-beta-0.95"], frame.loc["rbc"]
        clean = (1 - ours["clean"]) / (1 - rbc["clean"]) - 1
        bound = (1 - ours["by_margin"]) / (1 - rbc["attacked"]) - 1
        assert ours["clean_error_change_to_rbc"] == pytest.approx(clean)
        assert ours["by_margin_error_change_to_rbc"] == pytest.approx(bound)
        (match,) = [match for match in report.trials[1].matches if match[:2] == (1.0, "by_margin")]
        against = (1 - ours["clean"]) / (1 - frame.loc[match.key]["clean"]) - 1
        assert ours["clean_error_change_to_mixed_t1_by_margin"] == pytest.approx(against)
        assert np.isnan(ours["verified"])

    def test_intervals_in_the_frame(self, report):
        frame = to_frame(report)
        ours = frame[frame["source"] == "ours"]
        for row in ours.to_dict("records"):
            low, high = wilson_interval(round(row["clean"] * row["clean_n"]), int(row["clean_n"]))
            assert (row["clean_low"], row["clean_high"]) == pytest.approx((low, high))

    def test_margin_gaps(self, mmaa_digits):
        made = make_report(mmaa_digits, [("a", MixConfig.from_remix(RemixEngine(mmaa_digits), NUTS))])
        labels, adv = mmaa_digits.clean_labels, mmaa_digits.attacked.labels
        clean = reference.layer_norm(mmaa_digits.clean_rob_logits)
        attacked = reference.layer_norm(mmaa_digits.attacked.rob_logits)
        wrong = reference.margins(reference.softmax(clean))[clean.argmax(1) != labels]
        right = reference.margins(reference.softmax(attacked))[attacked.argmax(1) == adv]
        assert made.gaps["LN h"] == pytest.approx(np.median(right) - np.median(wrong))

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
        fine = int(engine.remix(params).on_clean.mix_right[:n].sum())
        config = verified_config(digits, params, right=130, n=n)
        changes = []
        for count in (fine, fine - 1):
            clean = EstimateCard.of(share(count, n, "clean"))
            card = config.verified.model_copy(update={"clean": clean})
            made = make_report(digits, [("a", config.model_copy(update={"verified": card}))])
            changes.append(robust_change(made.trials[0].mix, made.base[1], "verified"))
        right = engine.rob_right_on_images
        first, everyone = right[digits.attacked.first.index < n].mean(), right.mean()
        assert changes == pytest.approx([0.35 / (1 - first) - 1, 0.35 / (1 - everyone) - 1])

    def test_mixed_of_a_configuration_is_a_row_and_is_compared(self, small):
        plain = IDENTITY.with_(alpha=0.7, temperature=1.0)
        configs = [("a", with_outcomes(small)), ("b", with_outcomes(small, plain, right=40))]
        made = make_report(small, configs)
        (row,) = made.given
        assert (row.role, row.verified.successes) == ("mixed", 40)
        (trial,) = made.trials
        assert trial.mix.role == "mixednuts"
        cards = [config.verified.outcomes.attacked_right for _, config in configs]
        assert trial.paired[row.key]["verified"] == Paired.of(*cards)
        (claim,) = [c for c in statements(made) if ATTACKED_TOO in c.text]
        assert claim.holds is True  # as accurate, within the noise, and clearly more robust

    def test_without_outcomes_no_verdict_is_given(self, small):
        plain = IDENTITY.with_(alpha=0.7, temperature=1.0)
        made = make_report(small, [("a", verified_config(small)), ("b", verified_config(small, plain))])
        (claim,) = [c for c in statements(made) if ATTACKED_TOO in c.text]
        assert claim.holds is None
        assert "not in pairs (which images fell is not kept" in claim.text

    def test_the_robust_model_is_compared_on_the_verified_images(self, digits):
        config, engine = with_outcomes(digits, right=600), RemixEngine(digits)
        (trial,) = make_report(digits, [("a", config)]).trials
        order = digits.attacked.first.index
        right = config.verified.outcomes.attacked_right[order]
        assert trial.paired["rbc"]["verified"] == Paired.of(right, engine.rob_right_on_images)

    @pytest.mark.parametrize(
        ("clean", "verified", "holds"),
        [
            ((9, 0), (5, 5), True),  # as robust, more accurate
            ((9, 0), (20, 2), True),  # more of both
            ((0, 0), (20, 2), True),  # as accurate, more robust
            ((1, 0), (0, 1), None),  # both by less than the noise
            ((0, 9), (5, 5), False),  # as robust, less accurate
            ((0, 0), (2, 20), False),  # as accurate, less robust
        ],
    )
    def test_against_a_mixed_that_was_attacked_too(self, small, clean, verified, holds):
        claim = self.claim_with(small, clean, verified)
        assert claim.holds is holds
        assert f"Clean {Paired(50, *clean, 40)}" in claim.text
        assert f"verified {Paired(50, *verified, 40)}" in claim.text

    @pytest.mark.parametrize(("clean", "verified"), [((9, 0), (2, 20)), ((0, 9), (20, 2))])
    def test_no_claim_is_made_of_a_mixed_elsewhere_on_the_plane(self, small, clean, verified):
        assert self.claim_with(small, clean, verified) is None

    @staticmethod
    def claim_with(small, clean, verified):
        """The claim against a given Mixed, with these counts of images that only one gets right."""
        plain = IDENTITY.with_(alpha=0.7, temperature=1.0)
        made = make_report(small, [("a", with_outcomes(small)), ("b", with_outcomes(small, plain))])
        counts = {"clean": Paired(50, *clean, 40), "verified": Paired(50, *verified, 40)}
        trial = made.trials[0]
        paired = {**trial.paired, made.given[0].key: counts}
        changed = dataclasses.replace(made, trials=(dataclasses.replace(trial, paired=paired),))
        return next((claim for claim in statements(changed) if ATTACKED_TOO in claim.text), None)

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


def with_figures(report, clean, attacked, n=1000, verified=None, fixed=None):
    """The report's first trial with other numbers, to see the statements turn; under attack of 1,000.

    Against all others `fixed` more images are right, by every figure; the same ones if it is None.
    """
    trial = report.trials[0]
    mix = dataclasses.replace(
        trial.mix,
        clean=share(clean, n, "clean"),
        attacked=share(attacked, 1000, "attacked"),
        verified=None if verified is None else share(verified, 1000, "verified"),
    )
    paired = trial.paired
    if fixed is not None:
        pair = Paired(1000 - abs(fixed), max(fixed, 0), max(-fixed, 0), 0)
        paired = {key: dict.fromkeys(found, pair) for key, found in trial.paired.items()}
    return dataclasses.replace(report, trials=(dataclasses.replace(trial, mix=mix, paired=paired),))


def verdict(report, words):
    (claim,) = [claim for claim in statements(report) if words in claim.text]
    return claim.holds


class TestStatements:
    """On digits RBC has 93.5 % clean."""

    def test_clean(self, report):
        assert verdict(with_figures(report, 960, 680, fixed=25), "Clean error below") is True
        assert verdict(with_figures(report, 930, 680, fixed=-25), "Clean error below") is False
        assert verdict(with_figures(report, 937, 680, fixed=2), "Clean error below") is None
        assert verdict(with_figures(report, 954, 680), "as far as the paper's") is True  # down by 29.2 %
        assert verdict(with_figures(report, 953, 680), "as far as the paper's") is False  # down by 27.7 %

    def test_under_attack(self, report):
        rbc, words = report.base[1].attacked.successes, "no more than the paper's, attacked"
        most = int((1000 - rbc) * 1.047)
        assert verdict(with_figures(report, 950, 1000 - most), words) is True
        assert verdict(with_figures(report, 950, 999 - most), words) is False
        words = "no more than the paper's, verified"
        assert verdict(with_figures(report, 950, 1000 - most, verified=500), words) is False

    def test_by_margin_where_the_points_are_mmaas_alone(self, small):
        made = make_report(small, [("a", MixConfig.from_remix(RemixEngine(small), NUTS))])
        assert verdict(made, "no more than the paper's, by margin") is not None
        assert not [claim for claim in statements(made) if "attacked (n" in claim.text]

    def test_price(self, report):
        rbc, words = report.base[1].attacked.successes, "larger than the price"
        assert verdict(with_figures(report, 950, rbc - 10), words) is True
        assert verdict(with_figures(report, 936, rbc - 100), words) is False
        assert verdict(with_figures(report, 950, rbc, verified=rbc - 200), words) is False

    @pytest.mark.parametrize(
        "words",
        [
            "At the same clean accuracy more robust than Mixed (T = 1)",
            "At the same attacked accuracy more accurate than Mixed (T = 0)",
            "At the same accuracy by margin more accurate than Mixed (T = 0)",
        ],
    )
    def test_against_mixed_in_pairs(self, report, words):
        assert verdict(with_figures(report, 950, 650, fixed=20), words) is True
        assert verdict(with_figures(report, 950, 650, fixed=2), words) is None
        assert verdict(with_figures(report, 950, 650, fixed=-20), words) is False

    def test_where_no_alpha_of_mixed_reaches_it(self, report):
        trial = report.trials[0]
        matches = tuple(match._replace(key=None) for match in trial.matches)
        changed = dataclasses.replace(report, trials=(dataclasses.replace(trial, matches=matches),))
        claims = [claim for claim in statements(changed) if "no α of Mixed has" in claim.text]
        assert len(claims) == len(matches)
        assert all(claim.holds for claim in claims)

    def test_bound_against_verified(self, report):
        words, by_margin = "Right by margin confirmed", report.trials[0].mix.by_margin.successes
        assert verdict(with_figures(report, 950, 680, verified=by_margin - 10), words) is True
        assert verdict(with_figures(report, 950, 680, verified=by_margin - 80), words) is False

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
        assert (trial.mixed, trial.matches) == ((), ())
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
        for key in ("mixednuts-beta-0.985", report.trials[0].mixed[0].key):
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
        assert COLOUR == {"abc": STD, "rbc": ROB, "adaptive": OTHER, "mixed": PLAIN, "mixednuts": MIX}

    def test_a_dollar_in_a_name_is_no_formula(self, small):
        named = small.manifest.model_copy(update={"name": "$\\frac{1$ $x_$"})
        made = make_report(dataclasses.replace(small, manifest=named))
        assert plane_png(made).startswith(b"\x89PNG")

    def test_long_names_take_lines_of_the_legend_and_no_room_of_the_plane(self, report):
        robust = dataclasses.replace(report.base[1], label="RBC: " + 8 * "a model of a long name ")
        png = plane_png(dataclasses.replace(report, base=(report.base[0], robust)))
        grey = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
        drawn = np.flatnonzero((grey[: len(grey) // 2] < 128).any(axis=0))
        assert drawn[0] < 0.05 * grey.shape[1]
        assert drawn[-1] > 0.95 * grey.shape[1]


def test_without_an_image_that_h_gets_right_at_all_its_points_nothing_is_searched():
    bundle = make_bundle(n=60, m=30)
    first = bundle.require_attacked().first
    right = np.flatnonzero(first.rob_logits.argmax(1) == first.labels)
    for fooled, expected in ((right[1:], True), (right, False)):
        wrong = 9 * np.eye(10)[(first.labels[fooled] + 1) % 10]
        found = bundle.with_points(SourceCard(name="an attack"), first.index[fooled], wrong, wrong)
        assert searchable(found) is expected
    assert any("nothing to work on" in line for line in make_report(found).missing)


class TestCertified:
    THREAT = ThreatModel(norm="Linf", eps=1e-3)

    def test_its_column_has_every_mix_that_something_is_certified_of(self):
        bundle = with_certificate("logits", threat=self.THREAT)
        report = make_report(bundle, [("nuts", MixConfig.from_params(NUTS))])
        grid = next(block for block in document(report, None).blocks if isinstance(block, Grid))
        assert grid.header[-1] == "certified, %"
        figures = dict(zip((row.key for row in report.rows), report.rows, strict=True))
        assert figures["abc"].certified is None
        assert figures["rbc"].certified == certified_model(bundle).accuracy(1e-3)
        for row in report.rows:
            if row.params is not None:
                assert row.certified == certified(bundle, row.params).accuracy(1e-3)
        mix = report.trials[0].mix
        assert 0 < mix.certified.count < 80
        text = to_markdown(document(report, None))
        assert "3-Lipschitz" in text
        assert f"{100 * mix.certified.value:.2f} \\[" in text
        [row] = [each for each in to_json(report)["rows"] if each["key"] == mix.key]
        assert (row["certified"], row["certified_n"]) == (mix.certified.value, 80)

    def test_where_nothing_is_certified_of_a_mix_it_says_why(self):
        report = make_report(with_certificate("smoothing"), [("nuts", MixConfig.from_params(NUTS))])
        assert report.trials[0].mix.certified is None
        assert report.base[1].certified is not None
        assert "does not carry over" in to_markdown(document(report, None))
        assert "customary one" in to_markdown(document(report, None))

    def test_a_certificate_that_cannot_hold_is_among_the_warnings(self):
        bundle = with_certificate("logits", threat=ThreatModel(norm="Linf", eps=1e-6))
        assert any("cannot hold" in line for line in warnings(make_report(bundle, betas=())))

    def test_other_bundles_have_no_such_column(self, small):
        report = make_report(small, [("nuts", MixConfig.from_params(NUTS))])
        assert "certified" not in to_markdown(document(report, None))
        assert not any("certified" in name for name in to_frame(report))
