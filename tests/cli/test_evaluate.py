"""`mnuts evaluate` and `mnuts profile`: options, tables, JSON, files and errors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixConfig, MixedClassifier, MixParams, RemixEngine
from mnuts_core.cli.anytime import Running
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.digits import EPS
from mnuts_core.export.cards import EstimateCard
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.betting import wealth
from mnuts_core.functional.statistics import share, share_of
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.workfolder import count_batches, work_folder_of
from tests.conftest import DIGITS

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob")
QUICK = (*PAIR, "--data", "digits", "--n", 10, "--n-iter", 1, "--device", "cpu")


@pytest.fixture
def config(mnuts, mmaa_file, tmp_path) -> Path:
    path = tmp_path / "mix.json"
    assert (
        mnuts("export", mmaa_file, "--s", 5, "--p", 4, "--c", -0.6, "--beta", 0.95, "--out", path).code == 0
    )
    return path


@pytest.fixture
def bare(tmp_path) -> Path:
    """Without a threat model, a bundle or figures."""
    return MixConfig.from_params(MixParams(s=5, p=4, c=-0.6, alpha=0.94)).save(tmp_path / "bare.json")


class TestEvaluate:
    def test_into_a_new_configuration(self, mnuts, config, tmp_path):
        before, out = config.read_bytes(), tmp_path / "verified.json"
        result = mnuts("evaluate", config, *QUICK, "--out", out)
        assert (result.code, config.read_bytes()) == (0, before)
        card = MixConfig.load(out).verified
        assert card is not None
        assert (card.accuracy.n, card.settings["eps"], card.settings["norm"]) == (10, EPS, "Linf")
        for words in ("B.2.1", "apgd-ce", "base-transfer", "verified", f"{100 * card.accuracy.value:.2f}"):
            assert words in result.out
        assert "docs/warnings.md#few-steps" in result.err
        assert sorted(tmp_path.iterdir()) == [config, out], "the work folder is gone"

    def test_in_place_and_json(self, mnuts, config):
        result = mnuts("evaluate", config, *QUICK, "--attack", "bypass", "--in-place", "--json")
        data = json.loads(result.out)
        card = MixConfig.load(config).verified
        assert card is not None
        assert data["accuracy"]["value"] == card.accuracy.value
        assert data["config"]["verified"]["digest"] == data["digest"] == card.digest
        assert [part["name"] for part in data["components"]] == list(card.components)
        assert data["settings"]["attack"] == "bypass"
        assert {"code": "few-steps"}.items() <= data["warnings"][0].items()

    def test_points_join_a_bundle(self, mnuts, config, mmaa_file, tmp_path):
        pool, out = tmp_path / "pool.safetensors", tmp_path / "verified.json"
        shutil.copy(mmaa_file, pool)
        before = LogitBundle.load(pool)
        result = mnuts("evaluate", config, *QUICK, "--out", out, "--into", pool)
        assert result.code == 0, result.err
        after, card = LogitBundle.load(pool), MixConfig.load(out)
        assert f"written: {pool}, with" in result.out
        assert after.manifest.attacks[-1].config == card.digest
        assert after.manifest.attacks[-1].images == 10
        assert card.bundle.digest == after.digest, "its figures are those of the bundle with the points"
        results = RemixEngine(after, device="cpu").remix(card.params).on_images
        assert results.mix_right[:10].mean() <= card.verified.accuracy.value
        assert after.n_points > before.n_points
        assert sorted(tmp_path.iterdir()) == [config, pool, out], "work folder and lock are gone"

    def test_points_join_a_new_bundle_as_json(self, mnuts, config, mmaa_file, tmp_path):
        out = tmp_path / "pool.safetensors"
        result = mnuts(
            "evaluate", config, *QUICK, "--in-place", "--into", mmaa_file, "--out-bundle", out, "--json"
        )
        data = json.loads(result.out)
        assert data["bundle"]["path"] == str(out)
        assert 0 < data["bundle"]["points"] <= 10
        assert MixConfig.load(config).bundle.digest == LogitBundle.load(out).digest
        again = mnuts("evaluate", config, *QUICK, "--in-place", "--into", mmaa_file, "--out-bundle", out)
        assert (again.code, "exists already" in again.err) == (2, True)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--out-bundle", "b.safetensors"), "--out-bundle belongs to --into"),
            (("--into", "none"), "'none' is neither a file nor a bundle's name"),
            (("--into", DIGITS, "--eps", "0.5"), "must keep to its threat model"),
            (
                ("--into", DIGITS, "--std", "demo:digits/rob"),
                "std_model must answer the clean images as bundle",
            ),
        ],
    )
    def test_points_of_another_pair_or_threat_model_join_none(self, mnuts, config, words, message):
        before = DIGITS.read_bytes()
        result = mnuts("evaluate", config, *QUICK, *words, "--out", config.with_name("v.json"))
        assert (result.code, result.out) == (2, "")
        assert message in result.err
        assert not config.with_name("v.json").exists()
        assert DIGITS.read_bytes() == before

    def test_a_configuration_of_another_bundle_joins_none(self, mnuts, toy, config, tmp_path):
        other, out = tmp_path / "other.json", tmp_path / "v.json"
        assert mnuts("export", toy, "--s", 5, "--p", 4, "--c", -0.6, "--out", other).code == 0
        words = ("--norm", "Linf", "--eps", EPS, "--into", DIGITS, "--out", out)
        code, printed, err = mnuts("evaluate", other, *QUICK, *words)
        assert (code, printed, err.count("\n")) == (2, "", 1)
        assert f"{other} was made on bundle 'toy', whose models" in err
        wide = MixConfig.load(config)
        wide = wide.model_copy(update={"threat": wide.threat.model_copy(update={"eps": 0.5})}).save(out)
        assert "is for ℓ∞, ε = 0.5" in mnuts("evaluate", wide, *QUICK, "--eps", EPS, "--into", DIGITS).err

    def test_images_in_another_order_join_no_bundle(self, mnuts, config, tmp_path):
        data = load_data("digits", n=10)
        file = tmp_path / "other.npz"
        np.savez(file, images=data.images.flip(0).numpy(), labels=data.labels.flip(0).numpy())
        words = (*PAIR, "--data", f"npz:{file}", "--n-iter", 1, "--device", "cpu", "--into", DIGITS)
        result = mnuts("evaluate", config, *words, "--out", tmp_path / "v.json")
        assert (result.code, "labels must be those of bundle" in result.err) == (2, True)

    def test_points_are_data_on_which_the_mix_has_the_verified_accuracy(self, mnuts, config, tmp_path):
        file = tmp_path / "points.npz"
        result = mnuts("evaluate", config, *QUICK, "--points", file, "--json")
        data = json.loads(result.out)
        found, clean = load_data(f"npz:{file}"), load_data("digits", n=10)
        assert torch.equal(found.labels, clean.labels)
        assert float((found.images - clean.images).abs().max()) <= EPS + 1e-6
        std, rob = (load_model(f"demo:digits/{role}").module for role in ("std", "rob"))
        predicted = MixedClassifier.from_config(config, std, rob)(found.images).argmax(1)
        right = predicted == found.labels
        assert right.float().mean() == pytest.approx(data["accuracy"]["value"])
        arrays = np.load(file)
        assert arrays["predictions"].tolist() == predicted.tolist()
        assert list(arrays["components"]) == [part["name"] for part in data["components"]]
        assert (arrays["fell"] == len(arrays["components"])).tolist() == right.tolist()
        for place, part in enumerate(data["components"]):
            assert int((arrays["fell"] == place).sum()) == part["broken"]
        again = mnuts("evaluate", config, *QUICK, "--points", file)
        assert again.code == 2
        assert "give another --points, or --force" in again.err

    def test_nothing_is_written_unasked(self, mnuts, config, tmp_path):
        before = config.read_bytes()
        result = mnuts("evaluate", config, *QUICK)
        assert result.code == 0
        assert "not written" in result.out
        assert config.read_bytes() == before
        assert list(tmp_path.iterdir()) == [config]

    def test_other_threat_and_models(self, mnuts, tmp_path):
        config = tmp_path / "mix.json"
        mnuts("export", "digits", "--s", 5, "--p", 4, "--c", -0.6, "--beta", 0.95, "--out", config)
        swapped = ("--std", "demo:digits/rob", "--rob", "demo:digits/rob")
        result = mnuts("evaluate", config, *QUICK, *swapped, "--norm", "L2", "--eps", "1/2", "--json")
        assert result.code == 0
        data = json.loads(result.out)
        assert data["threat"] == {"norm": "L2", "eps": 0.5}
        found = {warning["code"] for warning in data["warnings"]}
        assert "other-threat-model" in found
        assert "other-model" in found

    def test_a_run_of_other_settings_is_refused_and_fresh_forgets(self, mnuts, config):
        work = Path(f"{config}.transfer.mnuts-work")
        work.mkdir()
        (work / "settings.json").write_text('{"seed": 5}')
        result = mnuts("evaluate", config, *QUICK)
        assert result.code == 2
        assert "--fresh" in result.err
        assert work.is_dir()
        assert mnuts("evaluate", config, *QUICK, "--fresh").code == 0
        assert not work.exists()

    @pytest.mark.slow
    def test_killed_gives_the_bytes_of_an_undisturbed_run(self, mnuts, config, tmp_path):
        killed, whole = tmp_path / "killed.json", tmp_path / "whole.json"
        words = (*PAIR, "--data", "digits", "--n", 32, "--n-iter", 1, "--batch-size", 8, "--device", "cpu")
        command = [sys.executable, "-m", "mnuts_core.cli", "evaluate", config, *words, "--out", killed]
        process = subprocess.Popen([str(word) for word in command], env=os.environ | {"OMP_NUM_THREADS": "1"})
        work, deadline = work_folder_of(f"{killed}.transfer"), time.monotonic() + 100
        while count_batches(work) < 2:
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not killed.exists()
        results = []
        for out in (killed, whole):
            code, _, err = mnuts("evaluate", config, *words, "--out", out)
            assert (code, "resuming: " in err) == (0, out == killed)
            results.append(MixConfig.load(out).verified)
        assert results[0] == results[1]
        assert not work.exists()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--attack", "pgd"), "--attack must be one of transfer, bypass, autoattack, got 'pgd'"),
            (("--eps", "much"), "--eps must be a number or a fraction"),
            (("--eps", "1/0"), "--eps must be a number or a fraction"),
            (("--eps", "-8/255"), "--eps must be a number or a fraction in (0, inf)"),
            (("--norm", "L1"), "--norm must be one of Linf, L2, got 'L1'"),
            (("--out", "x.json", "--in-place"), "give --out or --in-place, not both"),
            (("--out", "/no/such/folder/x.json"), "existing folder"),
            (("--points", "/no/such/folder/x.npz"), "existing folder"),
            (("--std", "demo:digits/none"), "digits/none"),
            (("--data", "pictures"), "pictures"),
            (("--attack", "autoattack"), "n_iter must be 100"),
            (
                ("--surrogate", "magic"),
                "surrogates must be among auxiliary, bypass, soft, plain, got 'magic'",
            ),
        ],
    )
    def test_errors(self, mnuts, config, words, message):
        result = mnuts("evaluate", config, *QUICK, *words)
        assert result.code == 2
        assert message in result.err
        assert len(result.err.strip().splitlines()) <= 2

    def test_without_a_threat_model(self, mnuts, bare):
        result = mnuts("evaluate", bare, *QUICK, "--eps", "3/16")
        assert result.code == 2
        assert "no threat model: give --norm and --eps" in result.err
        assert mnuts("evaluate", bare, *QUICK, "--eps", "3/16", "--norm", "Linf").code == 0

    def test_an_existing_out_is_kept(self, mnuts, config, bare):
        result = mnuts("evaluate", config, *QUICK, "--out", bare)
        assert result.code == 2
        assert "exists already" in result.err


class TestAnytime:
    """Ten images in batches of five: what is written of the first five, and how the run goes on."""

    WORDS = (*PAIR, "--data", "digits", "--n-iter", 1, "--device", "cpu", "--batch-size", 5, "--n", 10)

    @pytest.fixture
    def stopped(self, monkeypatch):
        """A run of a command in which Ctrl-C is pressed when the first five are done."""
        look = Running.__call__

        def call(self, right):
            answer = look(self, right)
            if len(right) == 5:
                raise KeyboardInterrupt
            return answer

        def run(command, *words):
            monkeypatch.setattr(Running, "__call__", call)
            result = command(*words)
            monkeypatch.undo()
            return result

        return run

    def test_interrupted_it_writes_what_is_done_and_goes_on_to_the_same_bytes(
        self, mnuts, config, mmaa_file, tmp_path, stopped
    ):
        """The points found join the bundle; outputs of its own need no --force."""
        out, points, answer = (tmp_path / name for name in ("mine.json", "mine.npz", "answer.json"))
        pool, whole = tmp_path / "pool.safetensors", tmp_path / "whole.json"
        shutil.copy(mmaa_file, pool)
        words = ("evaluate", config, *self.WORDS, "--out", out, "--points", points)
        code, printed, err = stopped(mnuts, *words, "--json", answer, "--into", pool)
        assert code == 130, err
        assert "the same command goes on" in printed
        assert "docs/warnings.md#stopped-early" in err
        early = json.loads(answer.read_text())
        assert (early["stopped"], early["asked"], early["accuracy"]["n"]) == ("interrupted", 10, 5)
        assert [card.images for card in LogitBundle.load(pool).manifest.attacks[1:]] == [5]
        assert len(load_data(f"npz:{points}").labels) == 5
        assert "exists already" in mnuts(*words, "--json", config).err
        first = MixConfig.load(out).verified
        assert mnuts(*words).code == 0, "its own outputs need no --force"
        assert mnuts("evaluate", config, *self.WORDS, "--out", whole).code == 0
        assert out.read_bytes() == whole.read_bytes()
        right = MixConfig.load(whole).verified.outcomes.attacked_right
        assert first.outcomes.attacked_right.tolist() == right[:5].tolist()
        assert not work_folder_of(f"{out}.transfer").exists()
        assert "exists already" in mnuts(*words).err

    def test_until_different(self, mnuts, config, tmp_path):
        """What is told of the two is what the images say; another that is right where it is wrong."""
        other = tmp_path / "other.json"
        same = mnuts("evaluate", config, *self.WORDS, "--out", other)
        assert same.code == 0
        mix = MixConfig.load(other)
        wrong = ~mix.verified.outcomes.attacked_right
        swapped = mix.verified.model_copy(
            update={
                "outcomes": OutcomesCard.of(np.ones(10, bool), wrong),
                "accuracy": EstimateCard.of(share_of(wrong, "verified")),
                "clean": EstimateCard.of(share(10, 10, "clean")),
            }
        )
        mix.model_copy(update={"verified": swapped}).save(other)
        result = mnuts("evaluate", config, *self.WORDS, "--until-different", other, "--json")
        assert result.code == 0, result.err
        look = json.loads(result.out)["until_different"]
        counts = look["only_first_right"], look["only_second_right"]
        assert sum(counts) == look["n"]
        assert look["e_value"] == pytest.approx(wealth(*counts))
        assert look["different"] == (look["e_value"] >= 20)


class TestProfile:
    def test_table(self, mnuts):
        result = mnuts("profile", *PAIR, "--repeats", 2, "--device", "cpu")
        assert result.code == 0
        for words in ("standard demo:digits/std", "robust demo:digits/rob", "mixing the logits", "GFLOP"):
            assert words in result.out

    def test_json_and_config(self, mnuts, config):
        data = json.loads(mnuts("profile", *PAIR, "--config", config, "--repeats", 1, "--json").out)
        assert data["mix"]["parameters"] == data["std"]["parameters"] + data["rob"]["parameters"]
        assert data["mix"]["flops"] == data["std"]["flops"] + data["rob"]["flops"] > 0
        assert data["image_shape"] == [1, 8, 8]
        assert data["overhead"] > 0

    def test_errors(self, mnuts, tmp_path):
        assert mnuts("profile", *PAIR, "--config", tmp_path / "none.json").code == 2
        assert mnuts("profile", *PAIR, "--batch-size", 0).code == 2
