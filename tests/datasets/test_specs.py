"""Images by spec: the pixels, the labels, the cards; and refusal of what is missing, broken or misfits."""

from __future__ import annotations

import importlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mnuts_core import MnutsError, ParameterError
from mnuts_core.datasets.base import DataError
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.datasets.specs import load_data
from mnuts_core.models.compat import import_robustbench
from tests import CIFAR10, needs_cifar10


def write_npz(folder: Path, **arrays) -> str:
    np.savez(folder / "x.npz", **arrays)
    return f"npz:{folder / 'x.npz'}"


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)


LABELS = np.array([0, 1, 2, 0, 1, 2])


def test_digits():
    data, (images, labels) = load_data("digits", n=7), load_digits_split()[1]
    torch.testing.assert_close(data.images.double(), images[:7], rtol=0, atol=0)
    assert data.labels.tolist() == labels[:7].tolist()
    assert (data.images.dtype, data.images.is_contiguous(), data.labels.dtype) == (
        torch.float32,
        True,
        torch.int64,
    )
    assert data.classes == tuple("0123456789")
    assert len(load_data("digits").labels) == 1000


class TestTorchvision:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """CIFAR-10's and CIFAR-100's own format, with 20 made-up images: the checksums do not fit."""
        rng = np.random.default_rng(1)
        raw = rng.integers(0, 256, (20, 3072), np.uint8)
        for name, part, key, meta, classes in (
            ("cifar-10-batches-py", "test_batch", "labels", ("batches.meta", "label_names"), 10),
            ("cifar-100-python", "test", "fine_labels", ("meta", "fine_label_names"), 100),
        ):
            (tmp_path / name).mkdir()
            labels = [i % classes for i in range(20)]
            content = {"data": raw, key: labels}
            (tmp_path / name / part).write_bytes(pickle.dumps(content))
            (tmp_path / name / meta[0]).write_bytes(
                pickle.dumps({meta[1]: [f"c{i}" for i in range(classes)]})
            )
        cifar = importlib.import_module("torchvision.datasets.cifar")
        monkeypatch.setattr(cifar, "check_integrity", lambda path, md5: Path(path).is_file())
        monkeypatch.setattr(cifar.CIFAR10, "_check_integrity", lambda self: True)
        return tmp_path, raw

    @pytest.mark.parametrize(("name", "k"), [("CIFAR10", 10), ("CIFAR100", 100)])
    def test_the_test_split(self, folder, name, k):
        data = load_data(f"torchvision:{name}", n=12, data_dir=folder[0], image_size=32)
        expected = torch.from_numpy(folder[1][:12].reshape(12, 3, 32, 32)).float() / 255
        torch.testing.assert_close(data.images, expected, rtol=0, atol=0)
        assert data.images.is_contiguous()
        assert data.labels.tolist() == [i % k for i in range(12)]
        assert data.classes == tuple(f"c{i}" for i in range(k))
        assert (data.card.name, data.card.split) == (f"CIFAR-{k}", "test: the first 12 of 20 images")

    def test_the_folder_from_the_environment(self, folder, monkeypatch):
        monkeypatch.setenv("MNUTS_DATASETS", str(folder[0]))
        assert len(load_data("torchvision:CIFAR10").labels) == 20

    def test_more_than_there_are(self, folder):
        with pytest.raises(DataError, match="has 20 images, fewer than n = 21: lower n"):
            load_data("torchvision:CIFAR10", n=21, data_dir=folder[0])

    def test_another_size(self, folder):
        with pytest.raises(DataError, match="images of 32 × 32 pixels, but 224 × 224 are wanted"):
            load_data("torchvision:CIFAR10", data_dir=folder[0], image_size=224)


def test_a_missing_folder_says_how_to_get_it(tmp_path):
    message = r"is not in .*cifar-10-batches-py, or damaged: get it with python -c .*MNUTS_DATASETS"
    with pytest.raises(DataError, match=message):
        load_data("torchvision:CIFAR10", data_dir=tmp_path)


def test_a_forged_folder_is_not_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (exec, ("raise SystemExit('ran')",))

    (tmp_path / "cifar-10-batches-py").mkdir()
    for name in ("test_batch", "batches.meta", *(f"data_batch_{i}" for i in range(1, 6))):
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="or damaged"):
        load_data("torchvision:CIFAR10", data_dir=tmp_path)


class TestNpz:
    def test_uint8(self, tmp_path, pixels):
        data = load_data(write_npz(tmp_path, images=pixels, labels=LABELS, classes=["a", "b", "c"]), n=4)
        torch.testing.assert_close(
            data.images, torch.from_numpy(pixels[:4]).permute(0, 3, 1, 2).float() / 255
        )
        assert data.images.is_contiguous()
        assert (data.labels.tolist(), data.classes) == ([0, 1, 2, 0], ("a", "b", "c"))
        assert (data.card.name, data.card.split) == ("x", "file: the first 4 of 6 images")

    @pytest.mark.parametrize("dtype", ["<f4", ">f4", "f8", "f2"])
    def test_floats(self, tmp_path, pixels, dtype):
        images = (pixels.transpose(0, 3, 1, 2) / 256).astype(dtype)
        data = load_data(write_npz(tmp_path, images=images, labels=LABELS))
        torch.testing.assert_close(data.images, torch.from_numpy(images.astype(np.float32)), rtol=0, atol=0)
        assert data.classes == ("0", "1", "2")

    def test_packed(self, tmp_path, pixels):
        np.savez_compressed(tmp_path / "x.npz", images=pixels, labels=LABELS)
        assert load_data(f"npz:{tmp_path / 'x.npz'}").images.shape == (6, 3, 4, 5)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"images": None}, "lacks images"),
            ({"labels": None}, "lacks labels"),
            ({"labels": LABELS[:5]}, "labels must be 6 integers, one an image, got int64 of shape"),
            ({"labels": LABELS / 2}, "got float64"),
            ({"labels": LABELS - 1}, "labels must lie in .0, 2., as there are 2 classes, got -1 to 1"),
            ({"classes": ["a", "b"]}, "labels must lie in .0, 2., as there are 2 classes, got 0 to 2"),
            ({"classes": ["a"]}, "classes must be a list of at least 2 names"),
            ({"images": np.zeros((6, 3, 4, 5))}, None),
            ({"images": np.zeros((6, 3, 4, 5), np.uint8)}, "uint8 of shape .N, H, W, C."),
            ({"images": np.zeros((6, 4, 5))}, "got float64 of shape .6, 4, 5."),
            ({"images": np.zeros((6, 3, 4, 5), np.int64)}, "got int64"),
            ({"images": np.zeros((0, 3, 4, 5))}, "got float64 of shape .0"),
            ({"images": np.full((6, 3, 4, 5), 1.5)}, "must lie in .0, 1., got 1.5 to 1.5"),
            ({"images": np.full((6, 3, 4, 5), np.nan)}, "must lie in .0, 1., got nan"),
            ({"images": np.array([{}] * 6)}, "holds Python objects, which could run code"),
        ],
    )
    def test_refusals(self, tmp_path, pixels, change, message):
        arrays = {"images": pixels, "labels": LABELS} | change
        spec = write_npz(tmp_path, **{name: array for name, array in arrays.items() if array is not None})
        if message is None:
            assert load_data(spec).images.shape == (6, 3, 4, 5)
            return
        with pytest.raises(DataError, match=message):
            load_data(spec)

    def test_more_than_there_are(self, tmp_path, pixels):
        with pytest.raises(DataError, match="has 6 images, fewer than n = 7"):
            load_data(write_npz(tmp_path, images=pixels, labels=LABELS), n=7)

    def test_a_header_that_lies_is_refused_before_allocating(self, tmp_path):
        header = io.BytesIO()
        shape = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000, 3)}
        np.lib.format.write_array_header_1_0(header, shape)
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("images.npy", header.getvalue() + b"0" * 100)
            archive.writestr("labels.npy", b"")
        with pytest.raises(DataError, match=r"is damaged: its header promises [\d,]+ bytes, it holds 228"):
            load_data(f"npz:{tmp_path / 'x.npz'}")

    def test_a_file_that_unpacks_to_too_much(self, tmp_path, monkeypatch):
        monkeypatch.setattr("mnuts_core.io.untrusted.MAX_BYTES", 10**6)
        np.savez_compressed(tmp_path / "x.npz", images=np.zeros((1000, 4, 100, 3), np.uint8))
        assert (tmp_path / "x.npz").stat().st_size < 10_000
        with pytest.raises(DataError, match="unpacks to 1,200,128 bytes, more than 1,000,000"):
            load_data(f"npz:{tmp_path / 'x.npz'}")

    def test_what_is_no_npz(self, tmp_path):
        (tmp_path / "x.npz").write_text("text")
        with pytest.raises(DataError, match=r"is not a readable .npz file"):
            load_data(f"npz:{tmp_path / 'x.npz'}")
        with pytest.raises(DataError, match="no file at"):
            load_data(f"npz:{tmp_path / 'y.npz'}")
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("images.npy", "text")
        with pytest.raises(DataError, match=r"images.npy in .* is not an array"):
            load_data(f"npz:{tmp_path / 'x.npz'}")


def jpeg(color: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG", quality=100)
    return file.getvalue()


class TestCifarJpeg:
    def write(self, folder: Path, files: list[bytes], label: list[int]) -> str:
        arrays = {
            "jpeg": np.frombuffer(b"".join(files), np.uint8),
            "offset": np.cumsum([0, *map(len, files)]),
            "label": np.array(label, np.uint8),
        }
        np.savez(folder / "test.npz", **arrays)
        return f"cifar10-jpeg:{folder}"

    def test_pixels_and_card(self, tmp_path):
        data = load_data(self.write(tmp_path, [jpeg((255, 0, 0)), jpeg((0, 0, 255))], [3, 9]), image_size=32)
        assert data.images.shape == (2, 3, 32, 32)
        torch.testing.assert_close(
            data.images[0].mean((1, 2)), torch.tensor([1.0, 0.0, 0.0]), rtol=0, atol=0.01
        )
        torch.testing.assert_close(
            data.images[1].mean((1, 2)), torch.tensor([0.0, 0.0, 1.0]), rtol=0, atol=0.01
        )
        assert [data.classes[i] for i in data.labels] == ["cat", "truck"]
        assert data.card.name == "CIFAR-10, JPEG quality 75"
        assert "not the original pixels" in data.card.source

    @pytest.mark.parametrize(
        ("files", "label", "message"),
        [
            ([b"no picture"], [0], "image 0 is not a readable JPEG"),
            (
                [jpeg((0, 0, 0)), jpeg((0, 0, 0), (33, 32))],
                [0, 0],
                r"image 1 must have 32 × 32 pixels, got \(33, 32\)",
            ),
            ([jpeg((0, 0, 0))], [10], "labels must lie in"),
            ([jpeg((0, 0, 0))], [0, 1], "offset N [+] 1 integers"),
        ],
    )
    def test_refusals(self, tmp_path, files, label, message):
        with pytest.raises(DataError, match=message):
            load_data(self.write(tmp_path, files, label))

    def test_no_folder(self, tmp_path):
        with pytest.raises(DataError, match=r"no file at .*test.npz"):
            load_data(f"cifar10-jpeg:{tmp_path}")

    @needs_cifar10
    def test_the_real_ones(self):
        data = load_data(f"cifar10-jpeg:{CIFAR10}", n=64)
        assert data.images.shape == (64, 3, 32, 32)
        assert data.card.split == "test, shuffled: the first 64 of 10,000 images"
        assert 0.4 < float(data.images.mean()) < 0.55  # CIFAR-10's own mean is 0.473
        assert float(data.images[0].std()) > 0.05
        assert len(data.labels.unique()) == 10


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    """The first three images of RobustBench's list, made up, and all thousand class folders."""
    import_robustbench()
    helper = Path(importlib.import_module("robustbench").__file__).parent / "helper_files"
    names = (helper / "imagenet_test_image_ids.txt").read_text().split()
    root, rng = tmp_path_factory.mktemp("imagenet"), np.random.default_rng(2)
    for wnid in json.loads((helper / "imagenet_class_to_id_map.json").read_text()):
        (root / "val" / wnid).mkdir(parents=True)
    for name, size in zip(names[:3], [(300, 400), (260, 256), (500, 333)], strict=True):
        noise = rng.integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(noise).save(root / "val" / name, "JPEG")
    return root


class TestImageNet:
    @pytest.mark.parametrize(
        ("suffix", "preprocessing"),
        [("", "Res256Crop224"), ("@BicubicRes256Crop224", "BicubicRes256Crop224"), ("@Crop288", "Crop288")],
    )
    def test_against_robustbench(self, imagenet, suffix, preprocessing):
        loaders, own = (importlib.import_module(f"robustbench.{name}") for name in ("loaders", "data"))
        theirs = loaders.CustomImageFolder(str(imagenet / "val"), own.PREPROCESSINGS[preprocessing])
        data = load_data(f"imagenet:{imagenet}{suffix}", n=3)
        for row in range(3):
            image, label, _ = theirs[row]
            torch.testing.assert_close(data.images[row], image, rtol=0, atol=0)
            assert data.labels[row] == label
        assert preprocessing in data.card.source
        assert data.card.split == "validation: RobustBench's list: the first 3 of 5,000 images"

    def test_names_sizes_and_the_folder_itself(self, imagenet):
        data = load_data(f"imagenet:{imagenet / 'val'}", n=1, image_size=112)
        assert data.images.shape == (1, 3, 112, 112)
        assert (len(data.classes), data.classes[data.labels[0]]) == (1000, "valley")  # n09468604
        assert "Res128Crop112" in data.card.source

    def test_a_folder_with_an_at_sign(self, imagenet, tmp_path):
        (tmp_path / "images@home").symlink_to(imagenet)
        assert load_data(f"imagenet:{tmp_path / 'images@home'}", n=1).images.shape == (1, 3, 224, 224)
        data = load_data(f"imagenet:{tmp_path / 'images@home'}@Crop288", n=1)
        assert data.images.shape == (1, 3, 288, 288)

    @pytest.mark.parametrize(
        ("suffix", "words", "message"),
        [
            ("", {"n": 5}, "lacks 2 of 5 images, such as .*ILSVRC2012_val"),
            ("", {"n": 5001}, "has 5,000 images, fewer than n = 5,001"),
            ("@Crop99", {}, "PREPROCESSING must be one of Res256Crop224, .* got 'Crop99'"),
            ("@Res224", {"n": 1, "image_size": 256}, "224 × 224 pixels, but 256 × 256 are wanted"),
            ("/none", {"n": 1}, "^no folder at .*/none: data 'imagenet:.* one folder a class"),
            ("/val/n01440764", {"n": 1}, "lacks 1 of 1 images, such as .*/n01440764/n"),
        ],
    )
    def test_refusals(self, imagenet, suffix, words, message):
        with pytest.raises(DataError, match=message):
            load_data(f"imagenet:{imagenet}{suffix}", **words)


@pytest.mark.parametrize(
    "spec", ["", "digits:x", "npz:", "mnist", "torchvision:", "folder:x", "torchvision:MNIST"]
)
def test_bad_specs(spec):
    with pytest.raises(DataError, match="is unknown"):
        load_data(spec)


@pytest.mark.parametrize("words", [{"n": 0}, {"n": 1.5}, {"image_size": -1}, {"n": True}])
def test_bad_counts(words):
    with pytest.raises(ParameterError, match="must be an integer of at least 1"):
        load_data("digits", **words)


def test_data_errors_are_of_the_family():
    assert issubclass(DataError, MnutsError)


@pytest.mark.parametrize("size", [(6000, 6000), (12_000, 12_000)])
def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path, size):
    from PIL import Image

    from mnuts_core.datasets.imagenet import _read_images

    Image.new("1", size).save(tmp_path / "x.png")
    with pytest.raises(DataError, match=rf"has \({size[0]}, {size[1]}\) pixels: at most 33,554,432"):
        _read_images([tmp_path / "x.png"], lambda image: torch.zeros(3, 2, 2))
