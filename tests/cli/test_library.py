"""Finding bundles by name."""

import importlib.resources
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.bundles import library
from mnuts_core.errors import BundleError
from mnuts_core.export.belonging import configs_of
from tests.synthetic import make_bundle


@pytest.fixture
def shipped(tmp_path, toy, monkeypatch):
    """A package of data that ships `digits` and `other`, weights, a broken file and a note."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name in ("digits", "other"):
        shutil.copy(toy, folder / f"{name}.safetensors")
    (folder / "broken.safetensors").write_bytes(b"\x08")
    (folder / "README.md").write_text("not a bundle")

    save_file({"weight": np.zeros(2)}, folder / "digits-std.safetensors")
    monkeypatch.setattr(importlib.resources, "files", lambda package: folder)
    return folder


def user_copy(monkeypatch, toy, name):
    folder = toy.parent / "user"
    folder.mkdir()
    monkeypatch.setenv("MNUTS_DATA", str(folder))
    return Path(shutil.copy(toy, folder / f"{name}.safetensors"))


def test_only_bundles_are_listed(shipped):
    assert library.shipped_bundles() == {
        "digits": shipped / "digits.safetensors",
        "other": shipped / "other.safetensors",
    }


def test_without_the_data_package_nothing_is_shipped(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(importlib.resources, "files", missing)
    assert library.shipped_bundles() == {}
    with pytest.raises(BundleError, match="mnuts demo build digits"):
        library.default_bundle()


def test_the_installed_package_is_found():
    folder = Path(str(importlib.resources.files("mnuts_data")))
    assert all(path.parent == folder for path in library.shipped_bundles().values())
    assert set(library.shipped_bundles()) == set(library.bundles_in(folder))


def test_a_users_own_bundle_stands_before_a_shipped_one(shipped, toy, monkeypatch):
    mine = user_copy(monkeypatch, toy, "digits")
    assert library.find_bundle("digits") == mine
    assert library.find_bundle("other") == shipped / "other.safetensors"
    assert list(library.all_bundles()) == ["digits", "other"]


def test_cifar10_is_preferred_then_digits_then_the_first(shipped, toy, monkeypatch):
    assert library.default_bundle().stem == "digits"
    (shipped / "digits.safetensors").unlink()
    assert library.default_bundle().stem == "other"
    mine = user_copy(monkeypatch, toy, "cifar10")
    assert library.default_bundle() == mine


def test_a_path_is_taken_as_it_is(shipped, toy, monkeypatch):
    assert library.find_bundle(toy) == toy
    monkeypatch.chdir(toy.parent)
    shutil.copy(toy, "digits")
    assert library.find_bundle("digits") == shipped / "digits.safetensors"
    assert library.find_bundle("./digits").samefile(toy.parent / "digits")


@pytest.mark.parametrize(
    ("given", "what"), [("", "neither"), ("nope", "neither"), ("package", "is a folder")]
)
def test_a_missing_bundle_is_met_with_the_names(shipped, given, what, monkeypatch):
    monkeypatch.chdir(shipped.parent)
    with pytest.raises(BundleError, match=what) as caught:
        library.find_bundle(given)
    assert "digits, other" in str(caught.value)


def test_without_a_variable_the_platform_says_where(monkeypatch):
    monkeypatch.delenv("MNUTS_DATA")
    assert library.user_folder().name == "mnuts"
    monkeypatch.setenv("MNUTS_DATA", "~/bundles")
    assert library.user_folder() == Path.home() / "bundles"


def test_configurations_of_a_bundle_are_found_by_its_digest(shipped, toy, monkeypatch):
    bundle, other = LogitBundle.load(toy), make_bundle(seed=5)
    folder = toy.parent / "user"
    folder.mkdir()
    monkeypatch.setenv("MNUTS_DATA", str(folder))
    engine, foreign = RemixEngine(bundle), RemixEngine(other)
    for place, beta in ((folder, 0.9), (shipped, 0.985)):
        MixConfig.from_remix(engine, MixParams(s=1, p=1, c=0, beta=beta)).save(place / f"mix-{beta}.json")
    MixConfig.from_remix(foreign, MixParams(s=1, p=1, c=0, alpha=0.7)).save(shipped / "foreign.json")
    MixConfig.from_params(MixParams(s=1, p=1, c=0, alpha=0.7)).save(shipped / "nobodys.json")
    (shipped / "other-kind.json").write_text('{"schema": "something"}')
    found = configs_of(bundle)
    assert [path for path, _ in found] == [shipped / "mix-0.985.json", folder / "mix-0.9.json"]
    assert [config.beta for _, config in found] == [0.985, 0.9]
