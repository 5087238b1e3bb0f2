"""Valid files, damaged at random: each is read as it was, or refused in one line; none does anything else."""

from __future__ import annotations

import importlib.util
import io
import json
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as to_safetensors

from mnuts_core import BundleError, LogitBundle, MixConfig, MixParams, MnutsError, RemixEngine
from mnuts_core.bundles.importers import import_logits
from mnuts_core.bundles.manifest import seal_of, sealed_json
from mnuts_core.bundles.reading import METADATA_KEY
from mnuts_core.bundles.tensors import content_digest
from tests.synthetic import make_arrays, make_bundle, make_pool

N, M, K = 8, 5, 3
Damage = Callable[[bytes], bytes]

PLACES = st.floats(0, 1, exclude_max=True)
WORDS = st.sampled_from(
    [b"\xff" * 8, b"\0" * 8, b"\x7f", b"\x80\0\0\0", b"1e999", b"NaN", b"-", b'"', b"{", b"\n", b",", b";"]
)


def flip(content: bytes, place: float, bit: int) -> bytes:
    changed = bytearray(content)
    if changed:
        changed[int(place * len(content))] ^= 1 << bit
    return bytes(changed)


def overwrite(content: bytes, place: float, word: bytes, insert: bool) -> bytes:
    at = int(place * len(content))
    return content[:at] + word + content[at + (0 if insert else len(word)) :]


def splice(content: bytes, start: float, stop: float, place: float) -> bytes:
    begin, end, at = (int(share * len(content)) for share in (start, stop, place))
    return content[:at] + content[min(begin, end) : max(begin, end)] + content[at:]


def cut(content: bytes, place: float) -> bytes:
    return content[: int(place * len(content))]


FLIPS = st.builds(lambda place, bit: lambda c: flip(c, place, bit), PLACES, st.integers(0, 7))
DAMAGES = st.lists(
    st.one_of(
        FLIPS,
        st.builds(lambda *a: lambda c: overwrite(c, *a), PLACES, WORDS, st.booleans()),
        st.builds(lambda *a: lambda c: splice(c, *a), PLACES, PLACES, PLACES),
        st.builds(lambda place: lambda c: cut(c, place), PLACES),
    ),
    min_size=1,
    max_size=3,
)


def arrays() -> dict[str, np.ndarray]:
    return make_arrays(n=N, m=M, k=K)


def table() -> pd.DataFrame:
    own, parts = arrays(), []
    for part, index in (("clean", np.arange(N)), ("adv", own["adv_index"])):
        columns = {"part": part, "index": index, "label": own["clean_labels"][index]}
        for model in ("std", "rob"):
            logits = own[f"{part}_{model}_logits"].astype(float)
            columns |= {f"{model}_{i}": logits[:, i] for i in range(K)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


@cache
def valid(kind: str) -> bytes:
    """A valid file of each kind."""
    stream = io.BytesIO()
    match kind:
        case "npz":
            np.savez(stream, **arrays(), classes=["a", "b", "c"])
        case "packed.npz":
            np.savez_compressed(stream, **arrays(), classes=["a", "b", "c"])
        case "pt":
            torch.save({name: torch.from_numpy(array) for name, array in arrays().items()}, stream)
        case "csv":
            table().to_csv(stream, index=False)
        case "parquet":
            table().to_parquet(stream)
    return stream.getvalue()


def damaged(content: bytes, damages: list[Damage]) -> bytes:
    for damage in damages:
        content = damage(content)
    return content


def read(folder: Path, name: str, content: bytes, reader=import_logits):
    """What the reader gives; None where it refuses, in one line of bounded length that names the file."""
    path = folder / name
    path.write_bytes(content)
    try:
        return reader(path)
    except MnutsError as error:
        message = str(error)
        assert len(message.splitlines()) == 1
        assert len(message) < 1000
        assert message.isprintable()
        assert str(path) in message
        return None


needs_pyarrow = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed"
)
often = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    "kind", ["npz", "packed.npz", "pt", "csv", pytest.param("parquet", marks=needs_pyarrow)]
)
class TestLogits:
    def test_the_whole_file_is_read(self, tmp_path, kind):
        assert isinstance(read(tmp_path, f"x.{kind}", valid(kind)), LogitBundle)

    @often
    @given(damages=DAMAGES)
    def test_a_damaged_one_is_read_or_refused(self, tmp_path, kind, damages):
        found = read(tmp_path, f"x.{kind}", damaged(valid(kind), damages))
        assert found is None or isinstance(found, LogitBundle)


@pytest.mark.parametrize("kind", ["npz", "packed.npz", "pt"])
@often
@given(damage=FLIPS)
def test_a_flipped_bit_changes_nothing_unseen(tmp_path, kind, damage):
    """Zip files carry checksums: what is accepted says what it said before."""
    found = read(tmp_path, f"x.{kind}", damage(valid(kind)))
    if found is not None:
        whole = LogitBundle.from_arrays(**arrays(), classes=found.manifest.classes)
        assert found.digest == whole.digest
        assert found.manifest.classes == (("0", "1", "2") if kind == "pt" else ("a", "b", "c"))


def test_every_bit_of_the_logits_in_a_pt_file_is_covered(tmp_path):
    content = valid("pt")
    start = content.index(arrays()["clean_std_logits"].tobytes())
    for bit in range(0, 8 * arrays()["clean_std_logits"].nbytes, 7):
        changed = bytearray(content)
        changed[start + bit // 8] ^= 1 << bit % 8
        (tmp_path / "x.pt").write_bytes(changed)
        with pytest.raises(BundleError, match="does not match its checksum"):
            import_logits(tmp_path / "x.pt")


@pytest.fixture(scope="module")
def small() -> LogitBundle:
    return make_bundle(n=N, m=M, k=K)


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory) -> bytes:
    return small.save(tmp_path_factory.mktemp("whole") / "b.safetensors").read_bytes()


class TestBundles:
    def same(self, found: LogitBundle | None, whole: bytes, folder: Path) -> None:
        """An accepted file says in every byte what the whole one says."""
        if found is None:
            return
        assert found.save(folder / "again.safetensors").read_bytes() == whole

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(damages=DAMAGES)
    def test_what_is_accepted_is_the_same(self, whole, tmp_path, damages):
        self.same(read(tmp_path, "x.safetensors", damaged(whole, damages), LogitBundle.load), whole, tmp_path)

    def test_every_byte_of_the_header(self, whole, tmp_path):
        for place in range(8 + int.from_bytes(whole[:8], "little")):
            content = bytearray(whole)
            content[place] ^= 1 << place % 7
            found = read(tmp_path, "x.safetensors", bytes(content), LogitBundle.load)
            self.same(found, whole, tmp_path)

    def test_metadata_hold_the_manifest_and_nothing_else(self, small, whole, tmp_path):
        text = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])["__metadata__"][METADATA_KEY]
        content = to_safetensors(dict(small.tensors()), metadata={METADATA_KEY: text, "more": "x"})
        assert read(tmp_path, "x.safetensors", content, LogitBundle.load) is None


@pytest.fixture(scope="module")
def pool() -> LogitBundle:
    return make_pool(n=40, m=20, k=4)


def forged(bundle: LogitBundle, folder: Path, tensors=(), **manifest) -> Path:
    """A file whose digest and seal are right, whatever it says."""
    arrays = {name: np.ascontiguousarray(array) for name, array in (bundle.tensors() | dict(tensors)).items()}
    says = json.loads(sealed_json(bundle.manifest)) | {"digest": content_digest(arrays)} | manifest
    says.pop("seal")
    path = folder / "forged.safetensors"
    text = json.dumps(says | {"seal": seal_of(says)})
    path.write_bytes(to_safetensors(arrays, metadata={METADATA_KEY: text}))
    return path


def refused(path: Path) -> str:
    """The one line that a file is refused with, soon."""
    begun = time.monotonic()
    with pytest.raises(BundleError) as caught:
        LogitBundle.load(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1000
    assert time.monotonic() - begun < 10
    return message


class TestPools:
    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            (name, value, f"{name} must lie in [0, {end})")
            for name, end in (("adv.source", 3), ("adv.index", 40))
            for value in (-1, end, 10**6, 2**62, -(2**63))
        ],
    )
    def test_points_of_nobody(self, pool, tmp_path, name, value, message):
        column = pool.tensors()[name].copy()
        column[-1] = value
        assert message in refused(forged(pool, tmp_path, {name: column}))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda source: source[:-1], "must have shape (65,)"),
            (lambda source: source[:0], "must have shape (65,)"),
            (lambda source: source[:, None], "must have 1 dimensions"),
            (lambda source: source.astype(float), "must have dtype int64"),
        ],
    )
    def test_sources_that_do_not_fit(self, pool, tmp_path, change, message):
        source = pool.attacked.source
        message = message.replace("65", str(len(source)))
        assert message in refused(forged(pool, tmp_path, {"adv.source": change(source)}))

    @pytest.mark.parametrize(
        ("card", "where"),
        [
            ({"params": {"alpha": float("nan")}}, "params.alpha"),
            ({"params": {"alpha": -float("inf")}}, "params.alpha"),
            ({"params": {"alpha": [0.5]}}, "params.alpha"),
            ({"params": {"note": "x" * 10**6}}, "params.note"),
            ({"params": {"x" * 10**6: 1}}, "params.x"),
            ({"params": {str(number): 0 for number in range(10**5)}}, "params"),
            ({"params": {"s": 10**400}}, "64 bits"),
            ({"plan": {str(number): 0 for number in range(101)}}, "plan"),
            ({"images": -1}, "images"),
            ({"images": 1.5}, "images"),
            ({"seed": 10**30}, "64 bits"),
            ({"name": ""}, "name"),
            ({"config": "sha256:0"}, "config"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_cards_that_say_anything(self, pool, tmp_path, card, where):
        cards = json.loads(sealed_json(pool.manifest))["attacks"]
        assert where in refused(forged(pool, tmp_path, attacks=[*cards[:-1], cards[-1] | card]))

    @pytest.mark.parametrize("n", [1_001, 10_000])
    def test_too_many_sources(self, pool, tmp_path, n):
        card = json.loads(sealed_json(pool.manifest))["attacks"][-1]
        assert "at most 1000" in refused(forged(pool, tmp_path, attacks=[card] * n))

    def test_parameters_that_are_no_mix_do_no_harm(self, pool, tmp_path):
        cards = json.loads(sealed_json(pool.manifest))["attacks"]
        for params in ({"s": "five", "alpha": True}, {"alpha": None}, {"colour": 3}, {}):
            found = LogitBundle.load(
                forged(pool, tmp_path, attacks=[*cards[:-1], cards[-1] | {"params": params}])
            )
            card, part = found.manifest.attacks[-1], found.attacked
            more = found.with_points(card, part.index[:1], part.std_logits[:1], part.rob_logits[:1])
            assert more.n_points == found.n_points

    @pytest.mark.parametrize("images", [1, 20])
    def test_a_hundred_thousand_points_of_a_few_images(self, pool, tmp_path, images):
        """In any order; with first points anywhere."""
        rng, n = np.random.default_rng(0), 10**5
        logits = rng.normal(size=(2, n, 4)).astype(np.float32)
        tensors = {
            "adv.index": rng.integers(0, images, n), "adv.source": rng.integers(0, 3, n),
            "adv.std_logits": logits[0], "adv.rob_logits": logits[1], "adv.margin": np.zeros(n, np.float32),
        }  # fmt: skip
        begun, path = time.monotonic(), forged(pool, tmp_path, tensors)
        found = LogitBundle.load(path)
        assert (found.n_adv, found.n_points) == (images, n)
        part = found.attacked
        remix = RemixEngine(found).remix(MixParams(alpha=0.9))
        assert remix.attacked.n == images
        more = found.with_points(
            found.manifest.attacks[-1], part.index[:3], part.std_logits[:3] + 1, part.rob_logits[:3]
        )
        assert more.n_adv == images
        assert time.monotonic() - begun < 10


class TestConfigurations:
    text = MixConfig.from_params(MixParams(s=5, p=4, c=-1.1, alpha=0.999)).to_json().encode()

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(damages=DAMAGES)
    def test_read_or_refused(self, tmp_path, damages):
        found = read(tmp_path, "x.json", damaged(self.text, damages), MixConfig.load)
        assert found is None or MixConfig.from_json(found.to_json()) == found

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('"alpha": 0.999', '"alpha": 0.999, "alpha": 0.5', "'alpha' stands twice"),
            ('"ln_k": 250', f'"ln_k": {2**70}', "must fit into 64 bits"),
            ('"ln_k": 250', f'"ln_k": {"9" * 5000}', "must fit into 64 bits"),
            ('"s": 5.0', '"s": 1e999', r"wrong at transform\.s"),
            ('"s": 5.0', '"s": NaN', r"wrong at transform\.s"),
            ('"clamp": "gelu"', '"clamp": "\\ud800"', "must be UTF-8"),
            ('"clamp": "gelu"', '"clamp": "a\\n\\u202eb"', r"got 'a\\n\\u202eb'"),
            ('"clamp": "gelu"', '"clamp": ' + "[" * 5000 + "]" * 5000, "nested more than 100 deep"),
        ],
    )
    def test_one_line_for_each(self, tmp_path, old, new, message):
        content = self.text.decode()
        assert old in content
        (tmp_path / "x.json").write_text(content.replace(old, new))
        with pytest.raises(MnutsError, match=message) as caught:
            MixConfig.load(tmp_path / "x.json")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 1000


class TestZips:
    def test_a_bomb_is_not_unpacked(self, tmp_path):
        logits = np.zeros((20_000, 1000), np.float32)
        packed = io.BytesIO()
        np.savez_compressed(packed, clean_labels=np.zeros(20_000, int), clean_std_logits=logits)
        assert len(packed.getvalue()) < 200_000
        (tmp_path / "x.npz").write_bytes(packed.getvalue())
        with pytest.raises(BundleError, match=r"unpacks to 80,[0-9,]+ bytes, more than 67,108,864"):
            import_logits(tmp_path / "x.npz")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    @pytest.mark.parametrize("again", ["clean_labels.npy", "clean_labels"])
    def test_two_arrays_of_one_name(self, tmp_path, again):
        path = tmp_path / "x.npz"
        np.savez(path, **arrays())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(again, archive.read("clean_labels.npy"))
        with pytest.raises(BundleError, match="of the same name"):
            import_logits(path)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_unusual_compression(self, tmp_path, method):
        path = tmp_path / "x.npz"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("clean_labels.npy", b"x" * 1000)
        with pytest.raises(BundleError, match="may be stored or deflated"):
            import_logits(path)

    def test_a_broken_stream(self, tmp_path):
        content = bytearray(valid("packed.npz"))
        content[60:160] = b"\xff" * 100
        assert read(tmp_path, "x.npz", bytes(content)) is None

    @pytest.mark.parametrize("shape", ["(-2, -4)", "(2, 2, 2)", "(" * 3000, "(3L,)", "None", "(10**9,)"])
    def test_headers_that_lie(self, tmp_path, shape):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
        array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(63)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("clean_labels.npy", array)
        assert read(tmp_path, "x.npz", stream.getvalue()) is None
