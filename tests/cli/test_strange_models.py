"""Models that answer strangely: one line, the same from every command that asks them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mnuts_core import MixConfig, MixParams
from mnuts_core.bundles.bundle import LogitBundle

MODULE = """
import torch
class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(12, 4))
class Half(Net):
    def forward(self, images): return super().forward(images).half()
class Tuple(Net):
    def forward(self, images): return super().forward(images), images
class InPlace(Net):
    def forward(self, images): return super().forward(images.mul_(0.5))
class Copy(Net):
    def forward(self, images): return super().forward(images * 0.5)
class Meta(Net):
    def forward(self, images): return super().forward(images).to("meta")
class Later(Net):
    passes = 0
    def forward(self, images):
        Later.passes += 1
        logits = super().forward(images)
        return torch.cat([logits, logits], dim=1) if Later.passes > 6 else logits
class Off(Net):
    def forward(self, images):
        off = (images * 255 - (images * 255).round()).abs().amax(dim=(1, 2, 3)) > 1e-3
        return super().forward(images).masked_fill(off[:, None], torch.nan)
class Dark(Net):
    def forward(self, images):
        dark = images.mean(dim=(1, 2, 3)) < 0.1
        return super().forward(images).masked_fill(dark[:, None], torch.nan)
class Printing(Net):
    def forward(self, images):
        print("a batch")
        return super().forward(images)
class Random(Net):
    def forward(self, images): return super().forward(images + 0.1 * torch.rand_like(images))
def scripted():
    return torch.jit.script(Net())
def failing():
    raise RuntimeError("boom")
"""
N = 9


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module above, weights for its network, nine images, the last one dark, and a mix."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "strange", None)
    del sys.modules["strange"]  # undone afterwards: the next test has a module of its own
    Path("strange.py").write_text(MODULE)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    torch.save({f"module.{name}": value for name, value in net.state_dict().items()}, "w.pt")
    images = 0.3 + 0.6 * torch.rand(N, 3, 2, 2)
    images[-1] *= 0.05
    images = (255 * images).round() / 255
    labels = net(images).argmax(dim=1)
    np.savez("d.npz", images=images.numpy(), labels=labels.numpy(), classes=np.array(list("abcd")))
    MixConfig.from_params(MixParams(s=5, p=4, c=-0.6, alpha=0.94)).save("mix.json")
    return tmp_path


def words(command: str, std: str, rob: str) -> list[object]:
    pair = ["--std", f"file:w.pt@strange:{std}", "--rob", f"file:w.pt@strange:{rob}", "--device", "cpu"]
    if command == "profile":
        return [command, *pair, "--image-size", 2, "--batch-size", 4, "--repeats", 1, "--json"]
    attack = [
        "--data",
        "npz:d.npz",
        "--norm",
        "Linf",
        "--eps",
        0.01,
        "--n-iter",
        2,
        "--batch-size",
        4,
        "--json",
    ]
    return [command, *(["mix.json"] if command == "evaluate" else []), *pair, *attack]


@pytest.mark.parametrize("command", ["build", "evaluate", "profile"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Half", "_model must answer in float32 or float64, got float16"),
        ("Tuple", "got a tuple of 2"),
        ("Meta", "got a tensor without values"),
        ("failing", "strange:failing failed (RuntimeError: boom)"),
    ],
)
@pytest.mark.parametrize("role", ["std", "rob"])
def test_one_line_in_every_command(mnuts, here, command, name, message, role):
    pair = {"std": "Net", "rob": "Net"} | {role: name}
    more = ["--out", "b.safetensors"] if command == "build" else []
    code, out, err = mnuts(*words(command, **pair), *more)
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("mnuts: ")]
    assert message in line
    assert not Path("b.safetensors").exists()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("command", ["build", "evaluate", "profile"])
def test_torchscript_is_a_model_as_any_other(mnuts, here, command):
    results = []
    for name in ("Net", "scripted"):
        more = ["--out", f"{name}.safetensors"] if command == "build" else []
        code, out, err = mnuts(*words(command, name, name), *more)
        assert code == 0, err
        results.append(json.loads(out))
    if command == "evaluate":
        assert results[0]["accuracy"] == results[1]["accuracy"]


@pytest.mark.parametrize("command", ["build", "evaluate", "profile"])
def test_what_was_taken_off_the_names_is_noted_and_prints_do_not_spoil_json(mnuts, here, command):
    more = ["--out", "b.safetensors"] if command == "build" else []
    code, out, err = mnuts(*words(command, "Printing", "Net"), *more)
    assert code == 0, err
    json.loads(out)
    assert "file:w.pt@strange:Net: took module. off their names" in err
    assert "a batch" in err


def test_nan_stops_a_build_and_is_wrong_in_an_evaluation(mnuts, here):
    code, _, err = mnuts(*words("build", "Net", "Dark"), "--out", "b.safetensors")
    assert code == 2
    assert "rob_model answers 1 of 9 images with NaN or infinity (rows 8, counted from 0)" in err
    code, _, err = mnuts(*words("build", "Net", "Dark"), "--out", "b.safetensors", "--skip-checks")
    assert code == 2
    assert (
        "rob_model must return finite logits, got NaN or infinity for 1 of 1 images in a batch (rows 8" in err
    )
    for std, rob in (("Dark", "Net"), ("Net", "Dark")):
        code, out, err = mnuts(*words("evaluate", std, rob))
        assert code == 0, err
        assert json.loads(out)["clean"]["value"] == pytest.approx((N - 1) / N)
        assert "docs/warnings.md#not-finite" in err


@pytest.mark.parametrize("role", ["std", "rob"])
def test_changing_images_in_place_changes_nothing(mnuts, here, role):
    bundles = []
    for name in ("InPlace", "Copy"):
        pair = {"std": "Net", "rob": "Net"} | {role: name}
        assert mnuts(*words("build", **pair), "--out", f"{name}.safetensors").code == 0
        bundles.append(LogitBundle.load(f"{name}.safetensors"))
    for field in ("clean.std_logits", "clean.rob_logits", "adv.std_logits", "adv.rob_logits"):
        np.testing.assert_array_equal(bundles[0].tensors()[field], bundles[1].tensors()[field])


def test_a_build_warns_before_it_begins(mnuts, here):
    code, _, err = mnuts(*words("build", "Random", "Net"), "--out", "b.safetensors")
    assert code == 0, err
    assert "warning: std_model: two passes" in err
    assert "docs/warnings.md#random-model" in err


POOL = {
    "attack": ["attack", "b.safetensors", "--on", "mix.json", "--on", "g", "--n-targets", 2],
    "refine": [
        *("refine", "b.safetensors", "--rounds", 1, "--n-targets", 2, "--verify", 4),
        *("--s", 1, 5, "--p", 1, 3, "--c", -1, 0),
    ],
    "into": ["evaluate", "mix.json", "--into", "b.safetensors", "--out-bundle", "o.safetensors"],
}  # fmt: skip
"""What adds points to a bundle's pool."""


@pytest.fixture
def bundle(mnuts, here) -> Path:
    """A bundle of the plain networks, which nothing may spoil."""
    path = here / "b.safetensors"
    assert mnuts(*words("build", "Net", "Net"), "--out", path).code == 0
    config = MixConfig.from_params(MixParams(s=5, p=4, c=-0.6, alpha=0.94))
    threat = LogitBundle.load(path).manifest.threat
    config.model_copy(update={"threat": threat}).save(here / "mix.json")
    return path


def add(mnuts, command: str, std: str, rob: str):
    pair = ["--std", f"file:w.pt@strange:{std}", "--rob", f"file:w.pt@strange:{rob}", "--data", "npz:d.npz"]
    outs = ["--out", "o.json"] if command == "into" else ["--out", "o.safetensors"]
    return mnuts(*POOL[command], *pair, *outs, "--device", "cpu", "--n-iter", 2, "--batch-size", 4, "--json")


@pytest.mark.parametrize("command", POOL)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Meta", "got a tensor without values"),
        ("Later", "one column for each class, got shape"),
    ],
)
@pytest.mark.parametrize("role", ["std", "rob"])
def test_nothing_of_it_comes_into_a_pool(mnuts, bundle, command, name, message, role):
    before = bundle.read_bytes()
    code, out, err = add(mnuts, command, **{"std": "Net", "rob": "Net"} | {role: name})
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if line.startswith("mnuts: ")]
    assert message in line
    assert bundle.read_bytes() == before
    assert not list(Path().glob("o.*[!k]")), "nothing but the work folder"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torchscript_gives_the_same_points(mnuts, bundle):
    points = []
    for name in ("Net", "scripted"):
        result = add(mnuts, "attack", name, name)
        assert result.code == 0, result.err
        points.append(LogitBundle.load("o.safetensors").require_attacked())
        for path in Path().glob("o*"):
            path.unlink()
    np.testing.assert_array_equal(points[0].index, points[1].index)
    np.testing.assert_allclose(points[0].rob_logits, points[1].rob_logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("role", ["std", "rob"])
def test_images_near_which_a_model_gives_nan_are_broken_for_every_mix(mnuts, bundle, role):
    code, _, err = add(mnuts, "attack", **{"std": "Net", "rob": "Net"} | {role: "Off"})
    assert code == 0, err
    assert "docs/warnings.md#not-finite" in err
    assert LogitBundle.load("o.safetensors").require_attacked().settled.all()
