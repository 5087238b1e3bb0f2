"""Base classifiers by spec: outputs equal the library's own, normalised as there; bad specs are refused."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys
import urllib.error
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mnuts_core import MixedClassifier, MixParams, MnutsError, ParameterError
from mnuts_core.attacks.plan import Plan
from mnuts_core.demo.digits import load_digits_models
from mnuts_core.models.compat import import_robustbench
from mnuts_core.models.specs import LoadedModel, ModelError, Normalised, load_model, read_weights
from mnuts_core.pipeline.build import model_card
from mnuts_core.pipeline.verify import evaluate

ROBUST = "Rade2021Helper_R18_ddpm"  # a pre-activation ResNet-18 that normalises inside
IMAGENET = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def pictures(side: int, channels: int = 3) -> torch.Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def outputs(loaded: LoadedModel, images: torch.Tensor) -> torch.Tensor:
    """The logits of a loaded model, once it is seen to be frozen and in evaluation mode."""
    assert not any(part.training for part in loaded.module.modules())
    assert not any(parameter.requires_grad for parameter in loaded.module.parameters())
    return loaded.module(images)


def normalise(images: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    return (images - mean[:, None, None]) / std[:, None, None]


def shaken(network: nn.Module) -> nn.Module:
    """The network in evaluation mode with statistics that a forgotten weight would show in."""
    generator = torch.Generator().manual_seed(2)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.copy_(0.1 * torch.randn(value.shape, generator=generator))
    return network.eval()


@pytest.fixture(scope="module")
def zoo():
    import_robustbench()
    return importlib.import_module("robustbench.utils")


@pytest.fixture(scope="module")
def resnet():
    import timm

    torch.manual_seed(3)
    return shaken(timm.create_model("resnet10t", num_classes=10))


@pytest.fixture(scope="module")
def shuffle():
    from torchvision.models import shufflenet_v2_x0_5

    torch.manual_seed(4)
    return shaken(shufflenet_v2_x0_5(weights=None, num_classes=7))


@pytest.fixture
def models(tmp_path, monkeypatch):
    """RobustBench's folder of weights, with the place for a CIFAR-10 model."""
    monkeypatch.setenv("MNUTS_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "models" / "cifar10" / "Linf"
    folder.mkdir(parents=True)
    return folder


class TestRobustBench:
    def test_a_local_file(self, zoo, models, capsys):
        torch.manual_seed(5)
        kinds = importlib.import_module("robustbench.model_zoo.enums")
        entry = zoo.all_models[kinds.BenchmarkDataset.cifar_10][kinds.ThreatModel.Linf][ROBUST]
        own = shaken(entry["model"]())
        weights = {f"module.{name}": value for name, value in own.state_dict().items()}
        torch.save({"state_dict": weights}, models / f"{ROBUST}.pt")
        loaded = load_model(f"robustbench:{ROBUST}", dataset="cifar10", num_classes=10)
        images = pictures(32)
        torch.testing.assert_close(outputs(loaded, images), own(images), rtol=0, atol=0)
        assert loaded.image_size == 32
        assert loaded.card == model_card(f"robustbench:{ROBUST}", own)
        with pytest.raises(ModelError, match="has 10 classes, but the images have 100"):
            load_model(f"robustbench:{ROBUST}", dataset="cifar10", num_classes=100)
        assert capsys.readouterr().out == ""

    def test_no_file_and_no_network(self, zoo, models, monkeypatch, capsys):
        def unreachable(*_):
            print("Downloading ...")
            raise ConnectionError("no route\nto host")

        monkeypatch.setattr(zoo, "download_gdrive_new", unreachable)
        with pytest.raises(ModelError, match=r"no route to host\): it is looked for at .*") as caught:
            load_model(f"robustbench:{ROBUST}", dataset="cifar10")
        assert str(models / f"{ROBUST}.pt") in str(caught.value)
        assert "\n" not in str(caught.value)
        assert capsys.readouterr().out == ""

    def test_the_two_models_of_the_papers_mix(self, zoo, monkeypatch):
        """The mix itself has 500 million parameters: a small one stands in for it."""
        mix = nn.Module()
        mix.std_model, mix.rob_model = nn.Linear(3, 10), nn.Linear(4, 10)
        monkeypatch.setattr(zoo, "load_model", lambda name, **_: mix)
        for part in ("std", "rob"):
            loaded = load_model(f"robustbench:Bai2024MixedNUTS/{part}", dataset="cifar10", num_classes=10)
            assert loaded.module is getattr(mix, f"{part}_model")
            assert loaded.card.parameters == {"std": 40, "rob": 50}[part]
        for spec in ("Bai2024MixedNUTS/both", f"{ROBUST}/std"):
            monkeypatch.setattr(zoo, "load_model", lambda name, **_: mix if "Bai" in name else nn.Identity())
            with pytest.raises(
                ModelError, match="only mixed classifiers have parts, and these are std and rob"
            ):
                load_model(f"robustbench:{spec}", dataset="cifar10")

    def test_the_files_of_an_ensemble_are_named(self, zoo, models, monkeypatch):
        monkeypatch.setattr(zoo, "load_model", lambda *_, **__: 1 / 0)
        with pytest.raises(ModelError, match=r"Bai2024MixedNUTS.pt_m0.pt, _m1.pt, ...: put it there"):
            load_model("robustbench:Bai2024MixedNUTS/std", dataset="cifar10")

    def test_a_file_of_another_network(self, zoo, models):
        torch.save({"conv.weight": torch.zeros(3)}, models / f"{ROBUST}.pt")
        message = r"Error\(s\) in loading state_dict.*is damaged or of another model: get it again"
        with pytest.raises(ModelError, match=message) as caught:
            load_model(f"robustbench:{ROBUST}", dataset="cifar10")
        assert len(str(caught.value)) < 700
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ({"dataset": None}, "needs dataset to be one of cifar10, cifar100, imagenet, got None"),
            ({"dataset": "mnist"}, "got 'mnist'"),
            ({"dataset": "cifar10", "norm": "L7"}, "needs norm to be one of Linf, L2, corruptions, got 'L7'"),
            (
                {"dataset": "cifar100", "norm": "L2"},
                "is not among the models of RobustBench for cifar100, L2",
            ),
        ],
    )
    def test_it_needs_a_dataset_and_a_norm(self, words, message):
        with pytest.raises(ModelError, match=message):
            load_model(f"robustbench:{ROBUST}", **words)

    def test_a_misspelt_name(self):
        with pytest.raises(ModelError, match=f"did you mean {ROBUST}"):
            load_model("robustbench:Rade2021Helper_R18", dataset="cifar10")


class TestTimm:
    @pytest.mark.parametrize("ending", ["pt", "safetensors"])
    def test_a_local_checkpoint(self, resnet, tmp_path, ending):
        path = tmp_path / f"resnet.{ending}"
        if ending == "pt":
            torch.save(
                {"epoch": 3, "state_dict": {"module." + k: v for k, v in resnet.state_dict().items()}}, path
            )
        else:
            save_file(resnet.state_dict(), path)
        loaded = load_model(f"timm:resnet10t@{path}", num_classes=10)
        images = pictures(48)
        torch.testing.assert_close(
            outputs(loaded, images), resnet(normalise(images, *IMAGENET)), rtol=0, atol=1e-6
        )
        assert loaded.card == model_card(f"timm:resnet10t@{path}", resnet)
        assert (
            loaded.image_size is None
        )  # of other classes than timm's: no one says what size it was trained on

    @pytest.mark.parametrize("name", ["fbnetc_100", "resnet10t", "test_byobnet"])
    def test_a_file_gives_what_the_librarys_own_loading_gives(self, name, tmp_path):
        """FBNet's batch norms have another ε only where timm loads the weights."""
        import timm

        torch.manual_seed(6)
        torch.save(shaken(timm.create_model(name)).state_dict(), tmp_path / "w.pth")
        overlay = {"file": str(tmp_path / "w.pth")}
        own = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay).eval()
        config = timm.data.resolve_model_data_config(own)
        mean, std = (torch.tensor(config[key]) for key in ("mean", "std"))
        loaded, images = load_model(f"timm:{name}@{tmp_path / 'w.pth'}"), pictures(64)
        with torch.no_grad():
            expected = own(normalise(images, mean, std))
            torch.testing.assert_close(outputs(loaded, images), expected, rtol=0, atol=0)

    def test_older_names_are_brought_to_todays_by_timm(self, tmp_path):
        """ConvNeXt's own files name their weights otherwise."""
        import timm

        torch.manual_seed(6)
        net = timm.create_model("convnext_atto").eval()
        renames = {
            r"^stem\.": "downsample_layers.0.",
            r"^stages\.(\d)\.blocks\.": r"stages.\1.",
            r"^stages\.(\d)\.downsample\.": r"downsample_layers.\1.",
            r"\.conv_dw\.": ".dwconv.",
            r"\.mlp\.fc([12])\.": r".pwconv\1.",
            r"^head\.norm\.": "norm.",
            r"^head\.fc\.": "head.",
        }
        old = dict(net.state_dict())
        for new_name, old_name in renames.items():
            old = {re.sub(new_name, old_name, key): value for key, value in old.items()}
        torch.save({"model": old}, tmp_path / "w.pth")
        with pytest.raises(ModelError, match="is of another network"):
            load_model(f"timm:resnet10t@{tmp_path / 'w.pth'}")
        torch.save({"model": old | {"norm.extra": torch.zeros(1)}}, tmp_path / "more.pth")
        with pytest.raises(ModelError, match="is of another network"):
            load_model(f"timm:convnext_atto@{tmp_path / 'more.pth'}")
        loaded, images = load_model(f"timm:convnext_atto@{tmp_path / 'w.pth'}"), pictures(64)
        with torch.no_grad():
            torch.testing.assert_close(
                outputs(loaded, images), net(normalise(images, *IMAGENET)), rtol=0, atol=1e-6
            )

    def test_averaged_weights_come_first(self, resnet, tmp_path):
        path, plain = tmp_path / "r.pt", {k: torch.zeros_like(v) for k, v in resnet.state_dict().items()}
        torch.save({"state_dict": plain, "state_dict_ema": resnet.state_dict()}, path)
        torch.testing.assert_close(read_weights(path)["fc.weight"], resnet.state_dict()["fc.weight"])

    def test_normalisation_and_size_are_the_models_own(self, tmp_path):
        import timm

        torch.manual_seed(6)
        vit = timm.create_model("vit_tiny_patch16_224", num_classes=10).eval()  # mean and std of 0.5
        save_file(vit.state_dict(), tmp_path / "vit.safetensors")
        loaded = load_model(f"timm:vit_tiny_patch16_224@{tmp_path / 'vit.safetensors'}", num_classes=10)
        images, half = pictures(224), torch.full((3,), 0.5)
        torch.testing.assert_close(
            outputs(loaded, images), vit(normalise(images, half, half)), rtol=0, atol=1e-5
        )
        assert loaded.image_size == 224  # the architecture takes no other

    def test_the_checkpoint_gives_the_number_of_classes(self, resnet, tmp_path):
        save_file(resnet.state_dict(), tmp_path / "r.safetensors")
        images = pictures(32)
        loaded = load_model(f"timm:resnet10t@{tmp_path / 'r.safetensors'}")
        assert loaded.module(images).shape == (2, 10)
        with pytest.raises(ModelError, match="has 10 classes, but the images have 100"):
            load_model(f"timm:resnet10t@{tmp_path / 'r.safetensors'}", num_classes=100)

    def test_a_checkpoint_of_another_width(self, resnet, tmp_path):
        weights = resnet.state_dict() | {"fc.weight": torch.zeros(10, 256)}
        save_file(weights, tmp_path / "r.safetensors")
        message = r"1 of another shape \(fc.weight: \(10, 256\) in the file, \(10, 512\) in the network\)"
        with pytest.raises(ModelError, match=message):
            load_model(f"timm:resnet10t@{tmp_path / 'r.safetensors'}")

    def test_a_pretrained_head_is_never_replaced(self, monkeypatch):
        import timm

        create = timm.create_model
        monkeypatch.setattr(timm, "create_model", lambda name, pretrained, **more: create(name, **more))
        with pytest.raises(ModelError, match="has 1,000 classes, but the images have 10"):
            load_model("timm:resnet10t", num_classes=10)
        assert load_model("timm:resnet10t").image_size == 176

    def test_no_network(self, monkeypatch):
        import timm

        def unreachable(*_, **__):
            raise urllib.error.URLError("name not known")

        monkeypatch.setattr(timm, "create_model", unreachable)
        with pytest.raises(ModelError, match=r"name not known.*give a checkpoint: timm:resnet10t@FILE"):
            load_model("timm:resnet10t")

    def test_a_misspelt_name(self):
        with pytest.raises(
            ModelError, match=r"'resnet10' is not among the models of timm: did you mean resnet1"
        ):
            load_model("timm:resnet10")


class TestTorchvision:
    def test_a_local_checkpoint(self, shuffle, tmp_path):
        torch.save(shuffle.state_dict(), tmp_path / "s.pth")
        loaded = load_model(f"torchvision:shufflenet_v2_x0_5@{tmp_path / 's.pth'}", num_classes=7)
        images = pictures(64)
        torch.testing.assert_close(
            outputs(loaded, images), shuffle(normalise(images, *IMAGENET)), rtol=0, atol=1e-6
        )
        assert loaded.card == model_card(f"torchvision:shufflenet_v2_x0_5@{tmp_path / 's.pth'}", shuffle)
        assert loaded.image_size is None
        with pytest.raises(ModelError, match="has 7 classes, but the images have 10"):
            load_model(f"torchvision:shufflenet_v2_x0_5@{tmp_path / 's.pth'}", num_classes=10)

    def test_of_the_librarys_own_classes(self, tmp_path):
        from torchvision.models import shufflenet_v2_x0_5

        torch.save(shufflenet_v2_x0_5(weights=None).state_dict(), tmp_path / "s.pth")
        loaded = load_model(f"torchvision:shufflenet_v2_x0_5@{tmp_path / 's.pth'}", num_classes=1000)
        assert loaded.image_size == 224

    @pytest.mark.parametrize(
        "name", ["inception_v3", "googlenet", "densenet121", "mnasnet0_5", "mobilenet_v3_small"]
    )
    def test_a_file_gives_what_the_librarys_own_loading_gives(self, name, tmp_path, monkeypatch):
        """torchvision sets `transform_input`, drops heads and renames weights only when it loads them."""
        models = importlib.import_module("torchvision.models")
        torch.manual_seed(6)
        init = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
        state = shaken(models.get_model(name, weights=None, **init)).state_dict()
        if name == "densenet121":  # as its file on torchvision's server has them
            dotted = (
                (re.sub(r"(layer\d+\.\w+)([12]\.)", r"\1.\2", key), value) for key, value in state.items()
            )
            state = {key: value for key, value in dotted if "num_batches" not in key}
        torch.save(state, tmp_path / "w.pth")
        monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: dict(state))
        if name == "mnasnet0_5":  # which refuses weights without their version
            monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: state)
        own = models.get_model(name, weights="DEFAULT").eval()
        loaded, images = load_model(f"torchvision:{name}@{tmp_path / 'w.pth'}"), pictures(96)
        with torch.no_grad():
            expected = own(normalise(images, *IMAGENET))
            torch.testing.assert_close(outputs(loaded, images), expected, rtol=0, atol=0)
        assert loaded.card == model_card(f"torchvision:{name}@{tmp_path / 'w.pth'}", own)

    def test_a_fine_tuned_inception_rescales_its_input_and_says_so(self, tmp_path):
        from torchvision.models import googlenet

        net = googlenet(
            weights=None, num_classes=7, aux_logits=False, init_weights=False, transform_input=True
        )
        torch.save(shaken(net).state_dict(), tmp_path / "w.pth")
        loaded, images = load_model(f"torchvision:googlenet@{tmp_path / 'w.pth'}"), pictures(64)
        with torch.no_grad():
            expected = net(normalise(images, *IMAGENET))
            torch.testing.assert_close(outputs(loaded, images), expected, rtol=0, atol=1e-6)
        assert "transform_input" in loaded.note

    def test_a_vision_transformer_of_another_size(self, tmp_path):
        from torchvision.models import VisionTransformer

        torch.manual_seed(7)
        small = VisionTransformer(64, 16, 12, 12, 768, 3072, num_classes=3)
        torch.save(small.state_dict(), tmp_path / "w.pth")
        loaded = load_model(f"torchvision:vit_b_16@{tmp_path / 'w.pth'}")
        assert (loaded.image_size, outputs(loaded, pictures(64)).shape) == (64, (2, 3))

    def test_the_old_format_of_checkpoints(self, shuffle, tmp_path):
        torch.save(shuffle.state_dict(), tmp_path / "s.pth", _use_new_zipfile_serialization=False)
        assert read_weights(tmp_path / "s.pth").keys() == shuffle.state_dict().keys()

    def test_no_network(self, monkeypatch):
        def unreachable(*_, **__):
            raise urllib.error.URLError("name not known")

        monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
        with pytest.raises(ModelError, match=r"name not known.*torchvision:shufflenet_v2_x0_5@FILE"):
            load_model("torchvision:shufflenet_v2_x0_5")

    def test_detectors_are_no_classifiers(self):
        with pytest.raises(ModelError, match="is not among the models of torchvision"):
            load_model("torchvision:fasterrcnn_resnet50_fpn")


FACTORY = """
import torch
def build():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4))
def wrong():
    return 7
def scripted():
    return torch.jit.script(build())
def traced():
    return torch.jit.trace(build(), torch.rand(1, 3, 2, 2))
def printing():
    print("built")
    return build()
def wants(classes):
    return build()
def failing():
    raise LookupError("no such\\nlayer")
def leaving():
    raise SystemExit(0)
def interrupted():
    raise KeyboardInterrupt
class Odd(torch.nn.Sequential):
    def state_dict(self, *_, **__):
        raise OSError("odd")
def odd():
    return Odd()
number = 3
"""


class TestFile:
    @pytest.fixture
    def spec(self, tmp_path, monkeypatch):
        (tmp_path / "my_networks.py").write_text(FACTORY)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "modules", sys.modules.copy())
        own = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
        torch.save(own.state_dict(), "w.pt")
        return own

    def test_the_users_own_network(self, spec):
        before = list(sys.path)
        loaded = load_model("file:w.pt@my_networks:build", num_classes=4)
        images = pictures(2)
        torch.testing.assert_close(outputs(loaded, images), spec(images), rtol=0, atol=0)
        assert loaded.card.parameters == 52
        assert sys.path == before

    @pytest.mark.parametrize(
        ("rest", "message"),
        [
            ("w.pt", "is incomplete: give file:CHECKPOINT@MODULE:FACTORY"),
            ("w.pt@my_networks", "is incomplete"),
            ("none.pt@my_networks:build", "no file at none.pt"),
            ("w.pt@no_such_module:build", "'no_such_module' cannot be imported"),
            ("w.pt@my_networks:none", "has no function 'none'"),
            ("w.pt@my_networks:number", "has no function 'number'"),
            ("w.pt@my_networks:wrong", "must return an nn.Module, got int"),
            ("w.pt@my_networks:wants", r"missing 1 required .*'classes'.*is called without arguments"),
            ("w.pt@my_networks:failing", r"my_networks:failing failed \(LookupError: no such layer\)"),
            ("w.pt@my_networks:leaving", r"my_networks:leaving failed \(SystemExit: 0\)"),
            ("w.pt@my_networks:odd", r"takes no weights \(OSError: odd\)"),
            ("w.pt@broken_module:build", r"cannot be imported \(ZeroDivisionError"),
            ("w.pt@leaving_module:build", r"cannot be imported \(SystemExit"),
            ("w.pt@.my_networks:build", "cannot be imported"),
        ],
    )
    def test_what_is_wrong(self, spec, rest, message, tmp_path):
        (tmp_path / "broken_module.py").write_text("1 / 0")
        (tmp_path / "leaving_module.py").write_text("raise SystemExit")
        with pytest.raises(ModelError, match=message) as caught:
            load_model(f"file:{rest}")
        assert "\n" not in str(caught.value)

    def test_ctrl_c_is_left_alone(self, spec):
        with pytest.raises(KeyboardInterrupt):
            load_model("file:w.pt@my_networks:interrupted")

    @pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
    @pytest.mark.parametrize("factory", ["scripted", "traced", "printing"])
    def test_torchscript_works_as_any_network_does(self, spec, factory, capsys):
        loaded, images = load_model(f"file:w.pt@my_networks:{factory}", num_classes=4), pictures(2)
        torch.testing.assert_close(outputs(loaded, images), spec(images), rtol=0, atol=1e-6)
        assert capsys.readouterr().out == ""
        mix = MixedClassifier(loaded.module, loaded.module, MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94))
        labels = mix(images).argmax(1)
        found = evaluate(mix, images, labels, plan=Plan(norm="Linf", eps=0.5, n_iter=2))
        assert found.accuracy.successes < found.clean.successes == 2


@pytest.mark.parametrize(("role", "place"), [("std", 0), ("rob", 1)])
def test_demo(role, place, digits):
    loaded, images = load_model(f"demo:digits/{role}", num_classes=10), pictures(8, channels=1)
    torch.testing.assert_close(outputs(loaded, images), load_digits_models()[place](images), rtol=0, atol=0)
    assert loaded.card == getattr(digits.manifest, f"{role}_model")
    assert loaded.image_size == 8


@pytest.mark.parametrize(
    "spec", ["resnet50", "hub:resnet50", "", "timm:", "timm:resnet10t@", "demo:digits/x", "demo:"]
)
def test_bad_specs(spec):
    with pytest.raises(ModelError, match=r"give one of|must be one of"):
        load_model(spec)


def test_a_bad_device():
    with pytest.raises(ParameterError, match="device must be"):
        load_model("demo:digits/std", device="abacus")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


class TestCheckpoints:
    def test_nothing_in_a_checkpoint_runs(self, tmp_path):
        for number, content in enumerate([{"fc.weight": Bomb()}, Bomb()]):
            torch.save(content, tmp_path / f"{number}.pt")
            with pytest.raises(ModelError, match="must hold nothing but tensors"):
                read_weights(tmp_path / f"{number}.pt")
        (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ModelError, match="must hold nothing but tensors"):
            read_weights(tmp_path / "plain.pt")

    def test_what_holds_no_weights(self, tmp_path):
        path = tmp_path / "x.pt"
        for content, message in [
            ({}, "no named weights"),
            ([1], "no named weights"),
            ({"a": 1}, "holds 'a'"),
        ]:
            torch.save(content, path)
            with pytest.raises(ModelError, match=message):
                read_weights(path)
        (tmp_path / "x.safetensors").write_text("no")
        with pytest.raises(ModelError, match="not a readable safetensors file"):
            read_weights(tmp_path / "x.safetensors")

    def test_a_packed_checkpoint_is_refused(self, tmp_path):
        torch.save({"a": torch.zeros(100_000)}, tmp_path / "a.pt")
        with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
            for entry in old.infolist():
                new.writestr(entry.filename, old.read(entry), zipfile.ZIP_DEFLATED)
        assert set(read_weights(tmp_path / "a.pt")) == {"a"}
        with pytest.raises(ModelError, match="is compressed"):
            read_weights(tmp_path / "b.pt")

    def test_unknown_and_missing_weights_are_summed_up(self, shuffle, tmp_path):
        weights = dict(shuffle.state_dict())
        weights["extra"] = weights.pop("fc.bias")
        torch.save(weights, tmp_path / "s.pt")
        message = r"weights 1 missing \(fc.bias\); 1 unknown to the network \(extra\). Check the name"
        with pytest.raises(ModelError, match=message):
            load_model(f"torchvision:shufflenet_v2_x0_5@{tmp_path / 's.pt'}", num_classes=7)


def test_gradients_go_through_the_normalisation():
    module = Normalised(nn.Flatten(), (0.5, 0.0), (0.25, 2.0))
    images = torch.rand(1, 2, 1, 1, requires_grad=True)
    module(images).sum().backward()
    assert images.grad is not None
    torch.testing.assert_close(images.grad.flatten(), torch.tensor([4.0, 0.5]))


def test_model_errors_are_of_the_family():
    assert issubclass(ModelError, MnutsError)


def test_libraries_load_when_they_are_needed():
    code = (
        "import sys, mnuts_core.models.specs, mnuts_core.datasets.specs, mnuts_core.bundles.importers as m\n"
        "mnuts_core.models.specs.load_model('demo:digits/std')\n"
        "print([n for n in ('robustbench', 'timm', 'torchvision', 'pandas', 'pyarrow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
