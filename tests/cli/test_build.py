"""`mnuts build`: against the core, bad input, and a SIGKILL in the middle."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mnuts_core.attacks.base import Transformed
from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.square import Square
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.build import Settings, build, margin_attack, parse_surrogate
from mnuts_core.cli.loading import dataset_of
from mnuts_core.cli.options import parse_eps
from mnuts_core.datasets.specs import load_data
from mnuts_core.errors import ParameterError
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.build import build_bundle
from mnuts_core.pipeline.workfolder import count_batches, work_folder_of

PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits")
THREAT = ("--norm", "Linf", "--eps", "3/16")
SMALL = (
    "--precision",
    "full",
    "--n-clean",
    60,
    "--n-adv",
    40,
    "--n-iter",
    4,
    "--n-targets",
    2,
    "--batch-size",
    16,
    "--device",
    "cpu",
)
LONG = ("--n-clean", 400, "--n-iter", 12, "--batch-size", 50, "--device", "cpu")


def test_writes_what_the_core_builds(mnuts, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    extra = ("--seed", 3, "--with-images", "--surrogate", "M:2,3,-0.5", "--name", "my pair")
    code, printed, err = mnuts("build", *PAIR, *THREAT, *SMALL, *extra, "--out", out, "--json")
    assert (code, err) == (0, "")
    std, rob = (load_model(f"demo:digits/{role}") for role in ("std", "rob"))
    data, bundle = load_data("digits", n=60), LogitBundle.load(out)
    expected = build_bundle(
        std.module,
        rob.module,
        data.images,
        data.labels,
        attack=Mmaa(
            norm="Linf",
            eps=3 / 16,
            seed=3,
            n_iter=4,
            n_targets=2,
            surrogate=Transformed(2, 3, -0.5),
        ),
        n_adv=40,
        name="my pair",
        classes=data.classes,
        data=data.card,
        std_card=std.card,
        rob_card=rob.card,
        with_images=True,
        batch_size=16,
        device="cpu",
    )
    assert bundle.digest == expected.digest
    card = json.loads(printed)
    assert (card["n_clean"], card["n_attacked"]) == (60, 40)
    manifest = bundle.manifest
    assert (manifest.name, str(manifest.threat)) == ("my pair", "ℓ∞, ε = 0.1875")
    assert manifest.attack is not None
    assert manifest.attack.surrogate == "M(s = 2, p = 3, c = -0.5)∘h_rob"
    assert manifest.std_model == std.card
    assert "--surrogate M:2,3,-0.5" in manifest.command
    assert not work_folder_of(out).exists()

    code, printed, err = mnuts("build", *PAIR, *THREAT, *SMALL, "--out", out)
    assert (code, printed) == (2, "")
    assert "exists already" in err


def test_a_command_line_as_documented_needs_no_device(mnuts, tmp_path: Path) -> None:
    """The default, `auto`, is no device that torch knows: what runs before the attack resolves it too."""
    out = tmp_path / "mine.safetensors"
    words = (*PAIR, *THREAT, "--n-clean", 30, "--n-adv", 10, "--n-iter", 2, "--n-targets", 1)
    code, _, err = mnuts("build", *words, "--precision", "auto", "--out", out)
    assert code == 0, err
    steps = ("--n-iter", 2, "--n-targets", 1, "--precision", "auto")
    code, _, err = mnuts("attack", out, *PAIR, "--on", "g", *steps, "--out", tmp_path / "more.safetensors")
    assert code == 0, err


def test_images_divided_twice_are_warned_of(mnuts, tmp_path: Path) -> None:
    data, file = load_data("digits", n=8), tmp_path / "dark.npz"
    words = (*PAIR[:4], "--data", f"npz:{file}", *THREAT, "--n-adv", 0, "--device", "cpu", "--force")
    for divided, warned in ((255, True), (1, False)):
        np.savez(file, images=data.images.numpy() / divided, labels=data.labels.numpy())
        code, printed, err = mnuts("build", *words, "--out", tmp_path / "x.safetensors")
        assert code == 0
        assert ("docs/warnings.md#inputs-too-dark" in err) is warned
        assert "inputs-too-dark" not in printed


def kill_at(out: Path, batches: int, long: tuple[object, ...] = LONG) -> None:
    """Start a build as a process of its own, and kill it when so many batches are on disk."""
    command = [sys.executable, "-m", "mnuts_core.cli", "build", *PAIR, *THREAT, *long, "--out", out]
    process = subprocess.Popen([str(word) for word in command], env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 100
    while count_batches(work_folder_of(out)) < batches:
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_killed_twice_gives_the_bytes_of_an_undisturbed_build(mnuts, tmp_path: Path) -> None:
    out, whole = tmp_path / "killed.safetensors", tmp_path / "whole.safetensors"
    for batches in (1, 3):
        kill_at(out, batches)
        assert not out.exists()
    assert mnuts("build", *PAIR, *THREAT, *LONG, "--seed", 1, "--out", out)[::2] == (
        2,
        f"mnuts: {work_folder_of(out)} was begun with other settings (seed: 0 → 1): go back to those to "
        "resume, or give --fresh to throw its batches away, or another --out\n",
    )
    # The file that the last batch went to may be the first victim of a crash of the machine itself.
    last = max(work_folder_of(out).glob("batch-*"))
    last.write_bytes(last.read_bytes()[:200])
    code, _, err = mnuts("build", *PAIR, *THREAT, *LONG, "--out", out)
    assert code == 0
    assert "resuming: 2 of 8 batches done" in err
    assert mnuts("build", *PAIR, *THREAT, *LONG, "--out", whole).code == 0
    assert LogitBundle.load(out).digest == LogitBundle.load(whole).digest
    assert not work_folder_of(out).exists()


@pytest.mark.slow
def test_square_killed_gives_the_bytes_of_an_undisturbed_build(mnuts, tmp_path: Path) -> None:
    out, whole = tmp_path / "killed.safetensors", tmp_path / "whole.safetensors"
    long = ("--attack", "square", "--n-queries", 300, "--n-clean", 80, "--batch-size", 20, "--device", "cpu")
    kill_at(out, 1, long)
    code, _, err = mnuts("build", *PAIR, *THREAT, *long, "--out", out)
    assert code == 0
    assert "of 4 batches done" in err
    code, printed, _ = mnuts("build", *PAIR, *THREAT, *long, "--out", whole, "--json")
    bundle = LogitBundle.load(out)
    assert (code, bundle.digest) == (0, LogitBundle.load(whole).digest)
    attack = json.loads(printed)["manifest"]["attack"]
    assert (attack["n_queries"], attack["n_iter"], attack["n_targets"]) == (300, None, None)
    assert "--attack square --n-queries 300" in bundle.manifest.command
    shown = mnuts("info", out).out
    assert "Square" in shown
    assert "queries 300, seed 0" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("text", "value"), [("8/255", 8 / 255), (" 0.5 ", 0.5), ("1e-2", 0.01), ("1.5/3", 0.5), (".25", 0.25)]
)
def test_eps_is_a_number_or_a_fraction(text: str, value: float) -> None:
    assert parse_eps(text) == value


@pytest.mark.parametrize(
    "text",
    ["8/0", "0", "-1", "nan", "inf", "1e999", "", "8/255/2", "__import__('os')", "8 255", "/3", "1e-999"],
)
def test_eps_refuses_all_else(text: str) -> None:
    with pytest.raises(ParameterError, match="--eps must be a number or a fraction in"):
        parse_eps(text)


def test_surrogates() -> None:
    assert parse_surrogate("LN") is None
    assert parse_surrogate("M: 5, 4, -0.63") == (5, 4, -0.63)
    for text in ("M:1,2", "M:1,2,3,4", "M:a,b,c", "N:1,2,3", "", "1,2,3"):
        with pytest.raises(ParameterError, match="--surrogate must be ln, or M:s,p,c"):
            parse_surrogate(text)


def test_data_sets_of_robustbench() -> None:
    known = {
        "torchvision:CIFAR10": "cifar10",
        "torchvision:CIFAR100": "cifar100",
        "cifar10-jpeg:/x/imagenet": "cifar10",
        "imagenet:/x/cifar10": "imagenet",
        "imagenet:/x@Res256Crop224": "imagenet",
        "digits": None,
        "npz:cifar10.npz": None,
    }
    assert {spec: dataset_of(spec) for spec in known} == known


BAD = {
    "eps": (("--eps", "8/0"), "--eps must be"),
    "norm": (("--norm", "L7"), "--norm must be one of Linf, L2, got 'L7'"),
    "surrogate": (("--surrogate", "M:1"), "--surrogate must be"),
    "surrogate's s": (("--surrogate", "M:-1,1,0"), "s must lie in"),
    "precision": (("--precision", "half"), "--precision must be one of auto, full, bfloat16, got 'half'"),
    "device": (("--device", "abacus"), "device must be"),
    "n-clean": (("--n-clean", 0), "--n-clean must be an integer of at least 1, got 0"),
    "n-clean, many": (("--n-clean", 5000), "1,000"),
    "n-adv": (("--n-adv", 61), "n_adv must be at most 60"),
    "batch size": (("--batch-size", 0), "batch_size must be"),
    "steps": (("--n-iter", 0), "n_iter must be"),
    "attack": (("--attack", "pgd"), "--attack must be one of mmaa, square, got 'pgd'"),
    "the other's setting": (("--n-queries", 7), "--n-queries is no setting of --attack mmaa, got 7"),
    "seed": (("--seed", -1), "seed must be"),
    "std": (("--std", "demo:nothing"), "'nothing'"),
    "rob": (("--rob", "nonsense"), "nonsense"),
    "data": (("--data", "nonsense"), "nonsense"),
    "no folder": (("--out", "/no-such/x.safetensors"), "--out must name a file in an existing folder"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_reported_in_one_line(mnuts, tmp_path: Path, case: str) -> None:
    words, message = BAD[case]
    out = tmp_path / "x.safetensors"
    code, printed, err = mnuts("build", *PAIR, *THREAT, *SMALL, "--out", out, *words)
    assert (code, printed) == (2, "")
    assert err.startswith("mnuts: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.glob("x*")) == []


def test_settings_of_another_attack_are_refused() -> None:
    given = {name: parameter.default for name, parameter in inspect.signature(build).parameters.items()}
    given |= {"norm": "Linf", "eps": "0.1", "attack": "square"}
    settings = Settings(**{name: given[name] for name in Settings._fields})
    assert margin_attack(settings) == Square(norm="Linf", eps=0.1)
    assert margin_attack(settings._replace(attack="mmaa")) == Mmaa(norm="Linf", eps=0.1)
    for change in ({"n_iter": 50}, {"n_targets": 3}, {"precision": "bfloat16"}):
        with pytest.raises(ParameterError, match=r"is no setting of --attack square, got .* leave it out"):
            margin_attack(settings._replace(**change))


def test_the_command_is_recorded_without_the_defaults(mnuts, tmp_path: Path) -> None:
    out = tmp_path / "it's.safetensors"
    assert mnuts("build", *PAIR, *THREAT, *SMALL, "--out", out, "--n-adv", 0).code == 0
    command = LogitBundle.load(out).manifest.command
    assert command.startswith("mnuts build --std demo:digits/std --rob demo:digits/rob --data digits --norm")
    assert "--n-adv 0" in command
    assert "--seed" not in command
    assert "\"'\"'" in command, "quoted for a shell"
