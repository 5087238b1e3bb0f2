"""`mnuts certify`, and the columns of a bundle in `mnuts import`, `info` and `remix`."""

import json

import numpy as np
import pytest

from mnuts_core import MixConfig
from mnuts_core.cli.certify import certificate_of
from mnuts_core.errors import BundleError
from mnuts_core.params import IDENTITY
from tests.synthetic import make_arrays

N, M = 40, 20


@pytest.fixture
def file(tmp_path):
    np.savez(
        tmp_path / "l.npz",
        **make_arrays(n=N, m=M, k=4),
        clean_alpha=np.full(N, 0.6),
        adv_alpha=np.full(M, 0.9),
    )
    return tmp_path / "l.npz"


def test_from_an_import_to_certified_accuracy(mnuts, file, tmp_path):
    out = tmp_path / "b.safetensors"
    code, printed, err = mnuts("import", file, "-o", out, "--certificate", "lipschitz:2:Linf:logits")
    assert code == 0, err
    assert "α by the image" in printed
    code, printed, _ = mnuts("info", out)
    assert "clean.alpha: 40 values, 0.6 to 0.6" in printed
    assert "each of its logits is 2-Lipschitz, ℓ∞" in printed
    assert "optimistic upper bound" in " ".join(printed.split())
    card = json.loads(mnuts("info", out, "--json").out)
    assert card["columns"]["adv.alpha"] == {"n": M, "low": 0.9, "high": 0.9}
    assert card["figures"]["adaptive_alpha"]["attacked"]["n"] == M
    code, printed, err = mnuts("certify", out, "--alpha", 0.9, "--radius", "8/255", "--radius", 0)
    assert (code, err) == (0, "")
    assert "plain mix, α = 0.9" in printed
    found = json.loads(mnuts("certify", out, "--alpha", 0.9, "--radius", "8/255", "--json").out)
    assert found["accuracy"][0]["radius"] == 8 / 255
    assert found["accuracy"][0]["value"] <= found["model"][0]["value"]
    assert len(found["radius"]) == N


def test_another_methods_row_stands_beside_the_mix(mnuts, file, tmp_path):
    out = tmp_path / "b.safetensors"
    mnuts("import", file, "-o", out)
    words = ("remix", out, "--s", 1, "--p", 1, "--c", 0, "--alpha", 0.8)
    code, printed, _ = mnuts(*words)
    assert code == 0
    assert printed.index("α by the image") < printed.index("this mix")
    assert json.loads(mnuts(*words, "--json").out)["figures"]["adaptive_alpha"]["label"] == "α by the image"
    mix = MixConfig.from_params(IDENTITY.with_(alpha=0.8)).save(tmp_path / "mix.json")
    assert "α by the image" in mnuts("compare", mix, mix, "--bundle", out).out
    found = json.loads(mnuts("compare", mix, mix, "--bundle", out, "--json").out)
    assert found["bundle"]["others"]["adaptive"]["clean"]["n"] == N
    code, _, err = mnuts("certify", out, "--alpha", 0.8)
    assert code == 2
    assert "holds no certificate" in err


@pytest.mark.parametrize(
    "text",
    [
        *("", "smoothing", "smoothing:-1", "smoothing:nan", "margin:2:L2", "margin:.5:L1", "magic:1"),
        *("lipschitz:1:L2:weights", "lipschitz:1:L2", "smoothing:1:L2:logits"),
    ],
)
def test_other_certificates_are_refused_in_one_line(text):
    with pytest.raises(BundleError, match="--certificate must be one of") as raised:
        certificate_of(text)
    assert "\n" not in str(raised.value)


def test_what_does_not_fit(mnuts, file, tmp_path):
    out = tmp_path / "b.safetensors"
    code, _, err = mnuts("import", file, "-o", out, "--certificate", "smoothing:0.5")
    assert code == 2
    assert "needs clean.certified_radius" in err
    assert mnuts("certify", file).code == 2
