"""`mnuts export --robustbench` and `mnuts submit-check`: options, refusals, drafts, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnuts_core import LogitBundle
from mnuts_core.bundles.leaderboard import ORIGINAL_PIXELS
from mnuts_core.bundles.manifest import DataCard
from tests import ROOT
from tests.hand_ins import OPTIONS, PAPER, on

CONFIG = ROOT / "data" / "cifar10-beta985.json"
JPEG = ("export", "cifar10", "--config", CONFIG, *OPTIONS)
ENTRY = f"model_info/cifar10/Linf/{PAPER.id}.json"
PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits", "--device", "cpu")


def test_what_the_leaderboard_would_refuse_is_listed_and_nothing_is_written(mnuts, tmp_path):
    code, out, err = mnuts(*JPEG, "--robustbench", tmp_path / "x")
    assert (code, out) == (2, "")
    pixels, images, summary = err.splitlines()
    assert "the pixels are not the original ones, but CIFAR-10, JPEG quality 75" in pixels
    assert "verified on 500 images, the leaderboard takes all 10,000" in images
    assert "(2 reasons): --draft writes it all the same" in summary
    assert not (tmp_path / "x").exists()


def test_a_draft_and_its_check(mnuts, tmp_path):
    folder = tmp_path / "x"
    code, out, err = mnuts(*JPEG, "--robustbench", folder, "--draft", "--json")
    answer = json.loads(out)
    assert (code, len(answer["reasons"]), err.count("a draft: ")) == (0, 2, 2)
    assert {Path(path) for path in answer["files"]} == {path for path in folder.rglob("*") if path.is_file()}
    assert json.loads((folder / ENTRY).read_text())["autoattack_acc"] == "43.00"
    again = mnuts(*JPEG, "--robustbench", folder, "--draft")
    assert (again.code, "exists already" in again.err) == (2, True)
    code, out, err = mnuts("submit-check", folder)
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["wrong", "wrong", "note", "note"]
    assert (code, "in the way of handing it in: 2 of these 4 findings" in err) == (2, True)
    answer = json.loads(mnuts("submit-check", folder, "--json").out)
    assert answer["findings"][0]["kind"] == "wrong"


def test_accuracies_are_recomputed(mnuts, digits, tmp_path):
    data = DataCard(name="CIFAR-10", split="test", source=f"pretended: {ORIGINAL_PIXELS}")
    bundle = on(digits, data).save(tmp_path / "pretended.safetensors")
    config = ROOT / "data" / "digits-beta985.json"
    words = ("--config", config, *OPTIONS, "--robustbench", tmp_path / "x", "--draft")
    assert mnuts("export", bundle, *words).code == 0
    _, out, _ = mnuts("submit-check", tmp_path / "x", *PAIR)
    assert "note: mix.json: clean accuracy is 947 of 1,000 (94.70 %), recomputed 947 of 1,000" in out
    assert "on other images" not in out
    assert "recomputed" not in mnuts("submit-check", tmp_path / "x", "--data", "digits").out


BAD = {
    "nothing of a paper": (
        ("--config", CONFIG, "--robustbench", "x"),
        "--robustbench needs --id, --title, --authors, --link, --venue, --architecture, --additional-data:",
    ),
    "no configuration": ((*OPTIONS, "--robustbench", "x"), "--robustbench needs --config"),
    "a new mix": ((*OPTIONS, "--robustbench", "x", "--best", "--s", 1), "leave --s, --best out"),
    "two outputs": ((*OPTIONS, "--robustbench", "x", "--out", "y.json"), "leave --out out"),
    "no folder": (("--draft", "--out", "x.json"), "--draft belongs to --robustbench"),
    "no folder, a title": (("--title", "x", "--out", "x.json"), "--title belongs to --robustbench"),
    "neither": ((), "--out is missing: give --out FILE.json, or --robustbench DIR"),
    "a file": ((*OPTIONS, "--config", CONFIG, "--robustbench", CONFIG), "--robustbench must name a folder"),
    "a bad venue": (
        (*OPTIONS, "--venue", "in print", "--config", CONFIG, "--robustbench", "x"),
        "venue must end in a year",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(mnuts, case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, message = BAD[case]
    code, out, err = mnuts("export", "cifar10", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_digits_are_on_no_leaderboard(mnuts, tmp_path):
    config = ROOT / "data" / "digits-beta985.json"
    code, _, err = mnuts(
        "export", "digits", "--config", config, *OPTIONS, "--robustbench", tmp_path / "x", "--draft"
    )
    assert (code, "no leaderboard of digits" in err) == (2, True)
    assert "(1 reason): it cannot even be drafted" in err


def test_a_check_of_nothing(mnuts, tmp_path):
    for options in ((), ("--data", "digits")):
        assert "no folder at" in mnuts("submit-check", tmp_path / "none", *options).err
    code, out, err = mnuts("submit-check", tmp_path, "--std", "demo:digits/std")
    assert (code, out, "--std, --rob and --data belong together" in err) == (2, "", True)


class TestGain:
    @pytest.fixture
    def bundle(self, tmp_path):
        data = DataCard(name="CIFAR-10", split="test", source=f"pretended: {ORIGINAL_PIXELS}")
        shipped = LogitBundle.load(ROOT / "data" / "cifar10.safetensors")
        return on(shipped, data).save(tmp_path / "pretended.safetensors")

    def test_where_mixes_stand(self, mnuts, bundle):
        code, out, err = mnuts("gain", "--rob", bundle, "--config", CONFIG, "--json")
        answer = json.loads(out)
        assert (code, answer["leaderboard"]["dataset"], answer["entries"]) == (0, "cifar10", 76)
        robust, mix = answer["standings"]
        assert (robust["label"], robust["robust"]["kind"]) == ("robust model", "attacked")
        assert (mix["clean"]["value"], mix["robust"]["value"]) == (0.7704, 0.43)
        assert mix["of_robust"] == {"place": 75, "best": 72, "worst": 76}
        assert len(mix["dominated_by"]) == 74
        assert mix["distance"] == pytest.approx(
            95.23 - 77.04
        )  # the cleanest entry is the last to dominate it
        assert "robust model: not verified" in err

    def test_the_bundles_own_mixes_as_a_table(self, mnuts, bundle):
        code, out, _ = mnuts("gain", "--rob", bundle)
        assert code == 0
        for words in (
            "76 entries",
            "β = 0.985",
            "43.00",
            "dominated by 74: Bartoldson2024",
            "dominates none",
        ):
            assert words in " ".join(out.split())

    @pytest.mark.parametrize(
        ("name", "words"),
        [("cifar10", "but CIFAR-10, JPEG quality 75"), ("digits", "no leaderboard of digits")],
    )
    def test_what_is_not_comparable_says_why(self, mnuts, name, words):
        code, out, err = mnuts("gain", "--rob", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{name} is not comparable with RobustBench's entries: " in err
        assert words in err

    def test_a_mix_of_another_bundle(self, mnuts, bundle):
        other = ROOT / "data" / "digits-beta985.json"
        assert "was made on bundle 'digits'" in mnuts("gain", "--rob", bundle, "--config", other).err
