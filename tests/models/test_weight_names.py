"""Names of weights: what training puts around them is taken off exactly where all names then fit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mnuts_core.models.checkpoints import ModelError, fit_weights, load_weights, read_weight_sets
from mnuts_core.models.weight_names import LEFTOVERS, is_averaged, renamed

OWN = ["conv.weight", "conv.bias", "blocks.0.norm.weight", "blocks.0.norm.running_mean", "fc.weight"]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 5)).eval()


NETWORK = network()
WEIGHTS = NETWORK.state_dict()
OTHER = {name: torch.zeros_like(value) for name, value in WEIGHTS.items()}


def under(prefix: str, weights: dict[str, Tensor] = WEIGHTS) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in weights.items()}


def loaded(path: Path, target: nn.Module | None = None) -> str:
    """Load a checkpoint into a network; the note. Its weights must be the right ones."""
    target = target or copy.deepcopy(NETWORK)
    for value in target.state_dict().values():
        value.zero_()
    fitted = fit_weights(read_weight_sets(path), target, "spec")
    load_weights(target, fitted.weights, "spec")
    images = torch.rand(2, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(target.eval()(images), NETWORK(images), rtol=0, atol=0)
    return fitted.note


wrapper = st.sampled_from(["module", "_orig_mod", "model", "net", "backbone", "network", "ema_model", "mine"])


class TestNames:
    @given(st.lists(wrapper, max_size=5), st.sets(st.sampled_from(LEFTOVERS)))
    def test_any_wrappers_in_any_order(self, wrappers, leftovers):
        prefix = "".join(part + "." for part in wrappers)
        stored = [prefix + name for name in OWN] + [prefix + name for name in leftovers]
        found = renamed([*stored, *leftovers], OWN, OWN)
        assert found.fits
        assert found.names == {name: prefix + name for name in OWN}
        assert found.stripped == ((prefix,) if prefix else ())
        assert set(found.left_out) == {*leftovers, *(prefix + name for name in leftovers)}

    @given(st.sampled_from(OWN), st.lists(wrapper, max_size=3))
    def test_never_if_one_is_missing_or_another_is_there(self, name, wrappers):
        prefix = "".join(part + "." for part in wrappers)
        stored = [prefix + each for each in OWN]
        assert not renamed([each for each in stored if each != prefix + name], OWN, OWN).fits
        assert not renamed([*stored, prefix + "extra.weight"], OWN, OWN).fits

    def test_names_that_fit_stay(self):
        own = ["module.a.weight", "model.b.weight", "model.total_ops"]
        found = renamed(own, own, own)
        assert found.names == {name: name for name in own}
        assert (found.stripped, found.left_out) == ((), ())

    def test_a_part_that_is_wrapped(self):
        """`model.features = DataParallel(model.features)`, and a compiled block."""
        stored = ["conv.module.weight", "conv.module.bias", *OWN[2:4], "fc._orig_mod.weight"]
        assert renamed(stored, OWN, OWN).names == dict(
            zip(["conv.weight", "conv.bias", *OWN[2:4], "fc.weight"], stored, strict=True)
        )

    def test_a_network_that_is_wrapped(self):
        own = ["_orig_mod." + name for name in OWN]
        assert renamed(OWN, own, own).names == dict(zip(own, OWN, strict=True))

    def test_a_prefix_that_only_some_names_have(self):
        stored = [*("backbone." + name for name in OWN[:-1]), "fc.weight"]
        assert renamed(stored, OWN, OWN).fits
        assert not renamed([*stored, "backbone.fc.weight"], OWN, OWN).fits, "which of the two is meant?"

    def test_of_two_copies_the_averaged_one(self):
        stored = [f"{copy}.{name}" for copy in ("online_model", "ema_model") for name in OWN]
        found = renamed([*stored, "initted", "step"], OWN, OWN)
        assert found.fits
        assert found.names == {name: f"ema_model.{name}" for name in OWN}
        assert not renamed([s.replace("ema_", "other_") for s in stored], OWN, OWN).fits

    def test_without_names_that_need_not_be_there(self):
        assert renamed(["module.a.weight"], ["a.weight", "a.count"], ["a.weight"]).fits

    def test_averaged(self):
        assert all(
            map(is_averaged, ("ema", "model_ema", "state_dict_ema", "ema_model", "swa_model", "average"))
        )
        assert not any(map(is_averaged, ("schema", "model", "teaema", "swallow", "shadowed")))


CONTAINERS: dict[str, Any] = {
    "bare": WEIGHTS,
    "state_dict": {"state_dict": WEIGHTS, "epoch": 3},
    "model": {"model": WEIGHTS, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}},
    "model_state_dict": {"model_state_dict": under("module."), "loss": torch.tensor(1.0)},
    "net": {"net": under("module.model."), "acc": 93.1},
    "unusual": {"weights_of_the_student": under("net.")},
    "nested": {"checkpoint": {"state": {"model": under("_orig_mod.module.")}}},
    "averaged first": {"state_dict": OTHER, "state_dict_ema": WEIGHTS},
    "averaged module": {"model": OTHER, "ema": {"decay": 0.99, "module": under("module.")}},
    "lightning": {"state_dict": under("model."), "hyper_parameters": {"lr": 0.1}, "callbacks": {}},
    "swa": AveragedModel(NETWORK).state_dict(),
    "thop": WEIGHTS | {"total_ops": torch.zeros(1), "3.total_params": torch.zeros(1)},
    "numbers beside": WEIGHTS | {"epoch": 3, "best": None, "name": "x"},
    "old": {name: value for name, value in WEIGHTS.items() if "num_batches" not in name},
}


class TestCheckpoints:
    @pytest.mark.parametrize("name", CONTAINERS)
    @pytest.mark.parametrize("ending", ["pt", "PTH", "bin", "ckpt"])
    def test_containers_of_torch_save(self, name, ending, tmp_path):
        torch.save(CONTAINERS[name], tmp_path / f"w.{ending}")
        loaded(tmp_path / f"w.{ending}")

    @pytest.mark.parametrize("ending", ["safetensors", "SafeTensors", "SAFETENSORS"])
    @pytest.mark.parametrize(
        "prefix", ["", "module.", "model.", "net.", "backbone.", "_orig_mod.", "module.model."]
    )
    def test_safetensors_have_the_same_names_taken_off(self, prefix, ending, tmp_path):
        save_file(under(prefix) | {"n_averaged": torch.tensor(3)}, tmp_path / f"w.{ending}")
        note = loaded(tmp_path / f"w.{ending}")
        assert "left out n_averaged" in note
        assert (f"took {prefix} off their names" in note) == bool(prefix)

    def test_nothing_to_note(self, tmp_path):
        torch.save({"state_dict": WEIGHTS}, tmp_path / "w.pt")
        assert loaded(tmp_path / "w.pt") == ""

    def test_averaged_weights_are_noted(self, tmp_path):
        torch.save(CONTAINERS["averaged first"], tmp_path / "w.pt")
        assert loaded(tmp_path / "w.pt") == "took the weights under state_dict_ema"

    def test_into_networks_that_are_wrapped(self, tmp_path):
        torch.save(WEIGHTS, tmp_path / "w.pt")
        loaded(tmp_path / "w.pt", nn.DataParallel(copy.deepcopy(NETWORK)))

    def test_two_sets_that_fit(self, tmp_path):
        torch.save({"teacher": WEIGHTS, "student": OTHER}, tmp_path / "w.pt")
        with pytest.raises(ModelError, match=r"several sets .*teacher, student: save the one that is meant"):
            loaded(tmp_path / "w.pt")

    @pytest.mark.parametrize(
        "change",
        [
            lambda weights: {k: v for k, v in weights.items() if k != "0.bias"},
            lambda weights: weights | {"4.weight": torch.zeros(1)},
            lambda weights: weights | {"3.weight": torch.zeros(5, 8)},
        ],
    )
    def test_names_or_shapes_that_do_not_fit_are_refused(self, change, tmp_path):
        torch.save({"state_dict": under("module.", change(dict(WEIGHTS)))}, tmp_path / "w.pt")
        with pytest.raises(ModelError, match="is of another network: weights 1 ") as caught:
            loaded(tmp_path / "w.pt")
        assert "module." not in str(caught.value), "names are compared without what could be taken off"

    def test_a_whole_module_and_torchscript_have_a_way_out(self, tmp_path):
        torch.save(NETWORK, tmp_path / "whole.pt")
        with pytest.raises(ModelError, match=r"torch.save\(model.state_dict\(\), FILE\)") as caught:
            read_weight_sets(tmp_path / "whole.pt")
        assert "\n" not in str(caught.value)
        torch.jit.script(NETWORK).save(str(tmp_path / "script.pt"))
        with pytest.raises(ModelError, match=r"TorchScript archive.*torch.jit.load\(FILE\).state_dict\(\)"):
            read_weight_sets(tmp_path / "script.pt")
