"""Files on the Hub by name: read from its cache, so that no network is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import find_bundle, require_shipped_folder
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.io.hub import local_path
from mnuts_core.models.specs import load_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
constants = pytest.importorskip("huggingface_hub.constants")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache that holds the digits pair as a model's and as a data set's repository; there is no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for kind in ("models", "datasets"):
        repository = tmp_path / f"{kind}--someone--digits.pair"
        snapshot = repository / "snapshots" / COMMIT / "files"
        snapshot.mkdir(parents=True)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT)
        for file in require_shipped_folder().glob("digits*"):
            shutil.copy(file, snapshot)
    return tmp_path


@pytest.mark.parametrize("revision", ["", "@main", f"@{COMMIT}"])
@pytest.mark.parametrize("kind", ["", "datasets/", "//datasets/"])
def test_a_file_in_the_cache(cache, kind, revision):
    path = local_path(f"hf:{kind}someone/digits.pair{revision}/files/digits.safetensors", MnutsError)
    assert path.read_bytes() == find_bundle("digits").read_bytes()


def test_bundles_configurations_and_checkpoints(cache):
    place = "hf:someone/digits.pair/files"
    assert LogitBundle.load(find_bundle(f"{place}/digits.safetensors")).name == "digits"
    assert MixConfig.load(Path(f"{place}/digits-beta95.json")).beta == 0.95
    factory = "mnuts_core.demo.digits_network:DigitsNet"
    loaded = load_model(f"file:{place}/digits-std.safetensors@{factory}")
    assert loaded.card.digest == load_model("demo:digits/std").card.digest


def test_other_paths_stay_as_they_are(tmp_path):
    assert local_path(tmp_path / "hf" / "x", MnutsError) == tmp_path / "hf" / "x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:someone/other/x.json", "hf:someone/other/x.json .* cannot be fetched"),
        ("hf:someone/digits.pair/files/none.json", "cannot be fetched"),
        ("hf:someone/digits.pair@v2/files/digits.safetensors", "cannot be fetched"),
        ("hf:someone", "is no place on the Hub: give hf:"),
        ("hf:/a/b", "is no place on the Hub"),
        ("hf:../x/y/z", "cannot be fetched|is no place"),
        ("hf:", "is no place on the Hub"),
    ],
)
def test_what_is_not_there(cache, name, message):
    with pytest.raises(MnutsError, match=message):
        local_path(name, MnutsError)
