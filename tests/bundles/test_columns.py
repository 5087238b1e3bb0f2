"""Columns beside the logits: they come in by every door and stay with their rows; hostile ones do not."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pandas
import pytest
import torch
from safetensors.numpy import save as to_safetensors

from mnuts_core import BundleError, LogitBundle
from mnuts_core.bundles.certificate import CertificateCard
from mnuts_core.bundles.croissant import description
from mnuts_core.bundles.importers import import_logits
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.bundles.reading import METADATA_KEY
from mnuts_core.views.equal_terms import with_kinds
from tests.synthetic import make_arrays, make_bundle

N, M, K = 12, 6, 3
SMOOTHED = CertificateCard(kind="smoothing", norm="L2", sigma=0.5)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    own = {"clean_alpha": rng.random(N), "adv_alpha": rng.random(M), "clean_certified_radius": rng.random(N)}
    return make_arrays(n=N, m=M, k=K) | own


def imported(path):
    return import_logits(path, certificate=SMOOTHED)


def check(bundle: LogitBundle, arrays) -> None:
    np.testing.assert_array_equal(bundle.clean_alpha, arrays["clean_alpha"])
    np.testing.assert_array_equal(bundle.attacked.alpha, arrays["adv_alpha"])
    np.testing.assert_array_equal(bundle.clean_certified_radius, arrays["clean_certified_radius"])
    assert bundle.manifest.certificate == SMOOTHED


def test_by_named_arrays_and_through_a_file(arrays, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    torch.save({name: torch.as_tensor(array) for name, array in arrays.items()}, tmp_path / "a.pt")
    for name in ("a.npz", "a.pt"):
        bundle = imported(tmp_path / name)
        check(bundle, arrays)
        check(LogitBundle.load(bundle.save(tmp_path / "b.safetensors")), arrays)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_by_tables(arrays, tmp_path, ending):
    logits = [f"{model}_{i}" for model in ("std", "rob") for i in range(K)]
    names = ["part", "index", "label", "alpha", "certified_radius", *logits]
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(names)
        for row in range(N):
            own = (arrays["clean_alpha"][row], arrays["clean_certified_radius"][row])
            both = (*arrays["clean_std_logits"][row], *arrays["clean_rob_logits"][row])
            table.writerow(["clean", row, arrays["clean_labels"][row], *map(repr, map(float, own)), *both])
        for row in range(M):
            both = (*arrays["adv_std_logits"][row], *arrays["adv_rob_logits"][row])
            weight = repr(float(arrays["adv_alpha"][row]))
            table.writerow(["adv", arrays["adv_index"][row], "", weight, "", *both])
    if ending == "parquet":
        pytest.importorskip("pyarrow")
        pandas.read_csv(tmp_path / "a.csv").to_parquet(tmp_path / "a.parquet")
    check(imported(tmp_path / f"a.{ending}"), arrays)


def test_what_is_made_of_a_bundle_keeps_them(arrays, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    bundle = imported(tmp_path / "a.npz")
    part = bundle.attacked
    again = part.std_logits[:2] + 9, -part.rob_logits[:2]
    pool = bundle.with_points(SourceCard(name="another"), part.index[:2], *again)
    loaded = LogitBundle.load(pool.save(tmp_path / "b.safetensors"))
    np.testing.assert_array_equal(loaded.attacked.alpha, pool.attacked.alpha)
    for made in (
        replace(loaded, attacked=loaded.attacked.first),
        with_kinds(loaded, ()),
        LogitBundle.load(bundle.save(tmp_path / "c.safetensors")),
    ):
        check(made, arrays)
    few = loaded.attacked.of_images(np.arange(M) < 3)
    assert set(few.alpha[~np.isnan(few.alpha)]) == set(arrays["adv_alpha"][:3])
    assert "clean.certified_radius float64[12]" in description(loaded)
    assert "Certificate of h, by randomized smoothing" in description(loaded)


def test_configurations_belong_to_a_bundle_with_and_without_them(arrays, tmp_path):
    """They say nothing of the two models' clean logits."""
    plain = {name: array for name, array in arrays.items() if "alpha" not in name and "radius" not in name}
    np.savez(tmp_path / "a.npz", **arrays)
    assert imported(tmp_path / "a.npz").clean_digest == LogitBundle.from_arrays(**plain).clean_digest


def test_a_bundle_of_the_first_format_takes_them(arrays, tmp_path):
    plain = make_bundle(n=N, m=M, k=K)
    first = {"schema": "mnuts-bundle/1", "digest": plain.digest}
    manifest = json.loads(plain.manifest.model_dump_json(by_alias=True)) | first
    tensors = {name: np.ascontiguousarray(array) for name, array in plain.tensors().items()}
    (tmp_path / "1.safetensors").write_bytes(to_safetensors(tensors, {METADATA_KEY: json.dumps(manifest)}))
    old = LogitBundle.load(tmp_path / "1.safetensors")
    new = replace(old, clean_alpha=arrays["clean_alpha"])
    loaded = LogitBundle.load(new.save(tmp_path / "2.safetensors"))
    np.testing.assert_array_equal(loaded.clean_alpha, arrays["clean_alpha"])
    assert loaded.manifest.schema_ == "mnuts-bundle/2"


def test_a_bundle_without_them_is_the_same_to_the_byte():
    content = make_bundle(n=N, m=M, k=K).to_bytes()
    assert b"certificate" not in content
    assert b"alpha" not in content


def test_points_that_join_later_have_no_weight(arrays):
    plain = {name: array for name, array in arrays.items() if name != "clean_certified_radius"}
    bundle = LogitBundle.from_arrays(**plain)
    part = bundle.attacked
    more = bundle.with_points(
        SourceCard(name="another"), part.index[:2], part.std_logits[:2] + 9, -part.rob_logits[:2]
    ).attacked
    assert len(more) > M
    np.testing.assert_array_equal(more.alpha[:M], arrays["adv_alpha"])
    assert np.isnan(more.alpha[M:]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clean_alpha": np.full(N, 1.5)}, r"clean.alpha must lie in \[0, 1\], got 1.5 to 1.5"),
        ({"clean_alpha": np.full(N, np.nan)}, "clean.alpha must be finite"),
        ({"clean_alpha": np.full(N - 1, 0.5)}, r"clean.alpha must have shape \(12,\)"),
        ({"clean_alpha": [True] * N}, "clean.alpha must be numbers"),
        ({"clean_alpha": None}, "adv.alpha needs clean.alpha"),
        ({"adv_alpha": np.full(M, np.nan)}, "must be known at the first point"),
        ({"adv_alpha": np.full(M, np.inf)}, "adv.alpha must be finite"),
        ({"adv_alpha": np.full(M, -0.1)}, r"adv.alpha must lie in \[0, 1\]"),
        ({"adv_alpha": np.zeros((M, 2))}, "adv.alpha must have 1 dimensions"),
        ({"clean_certified_radius": np.full(N, -1.0)}, "clean.certified_radius must lie in"),
        ({"clean_certified_radius": np.full(N, 1e9)}, "clean.certified_radius must lie in"),
    ],
)
def test_hostile_values_are_refused_in_one_line(arrays, changes, message):
    manifest = make_bundle(n=N, m=M, k=K).manifest.model_copy(update={"certificate": SMOOTHED})
    with pytest.raises(BundleError, match=message) as raised:
        LogitBundle.from_arrays(**arrays | changes, manifest=manifest)
    assert "\n" not in str(raised.value)


def test_radii_and_what_they_prove_belong_together(arrays):
    with pytest.raises(
        BundleError, match="needs a certificate in the manifest, which says what the radii prove"
    ):
        LogitBundle.from_arrays(**arrays)
    bundle = make_bundle(n=N, m=M, k=K)
    with pytest.raises(BundleError, match=r"the certificate needs clean\.certified_radius"):
        replace(bundle, manifest=bundle.manifest.model_copy(update={"certificate": SMOOTHED}))
