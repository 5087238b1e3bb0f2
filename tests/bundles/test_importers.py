"""Logits from files into bundles: every form round trips, and no file runs code or allocates at will."""

from __future__ import annotations

import builtins
import csv
import importlib.util
import io
import pickle
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

from mnuts_core import BundleError, GridSpec, LogitBundle, ParameterError, grid_search
from mnuts_core.bundles.importers import algorithm1_bundle, for_search_only, import_logits
from tests import reference
from tests.synthetic import make_arrays, make_bundle

N, M, K = 20, 12, 4


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return make_arrays(n=N, m=M, k=K)


def same(ours: LogitBundle, arrays: dict[str, np.ndarray]) -> None:
    theirs = LogitBundle.from_arrays(**arrays).tensors()
    assert set(ours.tensors()) == set(theirs)
    for name, array in ours.tensors().items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def clean_part(arrays):
    return {name: array for name, array in arrays.items() if name.startswith("clean")}


class TestNamedArrays:
    def test_npz(self, tmp_path, arrays):
        np.savez(tmp_path / "mine.npz", **arrays, classes=["a", "b", "c", "d"])
        bundle = import_logits(tmp_path / "mine.npz")
        same(bundle, arrays)
        assert (bundle.name, bundle.manifest.classes) == ("mine", ("a", "b", "c", "d"))
        assert bundle.manifest.data.source == "logits imported from mine.npz"
        assert not for_search_only(bundle)
        loaded = LogitBundle.load(bundle.save(tmp_path / "b.safetensors"))
        assert loaded.digest == bundle.digest

    def test_npz_packed_with_images(self, tmp_path, arrays):
        arrays["clean_images"] = np.random.default_rng(0).integers(0, 256, (N, 3, 3, 1), np.uint8)
        np.savez_compressed(tmp_path / "mine.npz", **arrays)
        same(import_logits(tmp_path / "mine.npz"), arrays)

    def test_the_minimal_form(self, tmp_path, arrays):
        np.savez(tmp_path / "mine.npz", **clean_part(arrays))
        bundle = import_logits(tmp_path / "mine.npz", name="other", classes=list("wxyz"))
        same(bundle, clean_part(arrays))
        assert (bundle.n_adv, bundle.name, bundle.manifest.classes) == (0, "other", ("w", "x", "y", "z"))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
    def test_pt(self, tmp_path, arrays, dtype):
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        tensors = {n: t.to(dtype) if n.endswith("logits") else t for n, t in tensors.items()}
        torch.save({**tensors, "classes": ["a", "b", "c", "d"]}, tmp_path / "mine.pt")
        bundle = import_logits(tmp_path / "mine.pt")
        wide = {n: (t.float() if t.dtype is torch.bfloat16 else t).numpy() for n, t in tensors.items()}
        same(bundle, wide)
        assert bundle.manifest.classes == ("a", "b", "c", "d")

    def test_class_names_in_bytes(self, tmp_path, arrays):
        names = [b"cat", "Füße".encode(), b"\xff", b"d"]
        np.savez(tmp_path / "mine.npz", **arrays, classes=np.array(names))
        torch.save(
            {n: torch.from_numpy(a) for n, a in arrays.items()} | {"classes": names}, tmp_path / "mine.pt"
        )
        for ending in ("npz", "pt"):
            bundle = import_logits(tmp_path / f"mine.{ending}")
            assert bundle.manifest.classes == ("cat", "Füße", r"\xff", "d")

    def test_views_and_parameters_of_pt(self, tmp_path, arrays):
        tensors = {name: torch.from_numpy(array) for name, array in clean_part(arrays).items()}
        tensors["clean_std_logits"] = tensors["clean_std_logits"].T.contiguous().T
        tensors["clean_rob_logits"] = torch.nn.Parameter(tensors["clean_rob_logits"])
        torch.save(tensors, tmp_path / "mine.pt")
        same(import_logits(tmp_path / "mine.pt"), clean_part(arrays))

    def test_all_attacked_in_order_needs_no_index(self, tmp_path):
        arrays = make_arrays(n=N, m=N, k=K) | {"adv_index": np.arange(N)}
        np.savez(tmp_path / "mine.npz", **{n: a for n, a in arrays.items() if n != "adv_index"})
        same(import_logits(tmp_path / "mine.npz"), arrays)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"clean_labels": None}, "lacks clean_labels: allowed are clean_labels"),
            ({"adv_index": None}, r"which of the 20 clean rows each of the 12 .* add it \(0 to 11"),
            ({"adv_std_logits": None}, "incomplete: adv.std_logits missing"),
            ({"logits": np.zeros(3)}, "holds unknown logits"),
            ({"clean_labels": np.full(N, K)}, r"clean.labels must lie in \[0, 4\)"),
            ({"clean_rob_logits": np.zeros((N, K + 1))}, "must have shape"),
            ({"clean_rob_logits": np.zeros(N)}, "must have 2 dimensions"),
            ({"clean_std_logits": np.full((N, K), np.nan)}, "must be finite"),
            ({"classes": np.array(["a", "b"])}, "names 2 classes, but the logits have 4"),
            ({"classes": np.array(3)}, "classes must be a list"),
        ],
    )
    def test_refusals(self, tmp_path, arrays, change, message):
        given = {name: array for name, array in (arrays | change).items() if array is not None}
        np.savez(tmp_path / "mine.npz", **given)
        with pytest.raises(BundleError, match=message):
            import_logits(tmp_path / "mine.npz")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ([torch.zeros(3)], "must hold a dict of named tensors, got list"),
            ({1: torch.zeros(3)}, "must hold a dict of named tensors"),
            ({"clean_labels": [0, 1]}, r"clean_labels must be a tensor, got \[0, 1\]"),
            ({"clean_labels": torch.zeros(1).expand(10**12)}, "repeats its values"),
            ({"clean_labels": torch.zeros(9).to_sparse()}, "must be a dense tensor on the CPU"),
            ({"clean_labels": torch.empty(10**12, device="meta")}, "must be a dense tensor on the CPU"),
            ({"clean_labels": torch.nested.nested_tensor([torch.zeros(2)])}, "must be a dense tensor"),
            ({"clean_labels": torch.zeros(4).to(torch.complex64)}, "one of the dtypes .*, got complex64"),
            (
                {"clean_labels": torch.zeros(4).to(torch.float8_e4m3fn)},
                r"unusual dtypes: save those .float\(\)",
            ),
            ({"clean_labels": np.float64(1)}, r"it holds numpy.*scalar; save numbers as float\(x\)"),
            ({"clean_labels": 10**1000}, "clean_labels must be a tensor|must hold nothing but"),
        ],
    )
    def test_refusals_of_pt(self, tmp_path, content, message):
        torch.save(content, tmp_path / "mine.pt")
        with pytest.raises(BundleError, match=message):
            import_logits(tmp_path / "mine.pt")


def to_table(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    """The arrays as one row an image, the attacked ones below."""

    def part(name: str, **columns: np.ndarray) -> pd.DataFrame:
        for model in ("std", "rob"):
            logits = arrays[f"{name}_{model}_logits"].astype(np.float64)
            columns |= {f"{model}_{i}": logits[:, i] for i in range(logits.shape[1])}
        return pd.DataFrame({"part": name, **columns})

    clean = part("clean", label=arrays["clean_labels"], index=100 + np.arange(N))
    adv = part("adv", index=100 + arrays["adv_index"])
    return pd.concat([clean, adv], ignore_index=True)


class TestTables:
    @pytest.fixture
    def table(self, arrays) -> pd.DataFrame:
        return to_table(arrays)

    @pytest.fixture
    def wide(self, arrays):
        return {n: a.astype(np.float64) if n.endswith("logits") else a for n, a in arrays.items()}

    def load(self, folder, table: pd.DataFrame) -> LogitBundle:
        table.to_csv(folder / "mine.csv", index=False)
        return import_logits(folder / "mine.csv")

    def test_csv(self, tmp_path, table, wide):
        same(self.load(tmp_path, table), wide)

    def test_rows_in_any_order(self, tmp_path, table, wide):
        mixed = self.load(tmp_path, table.sample(frac=1, random_state=3))
        for i, row in enumerate(mixed.attacked.index):
            found = np.flatnonzero((wide["adv_rob_logits"] == mixed.attacked.rob_logits[i]).all(axis=1))[0]
            own = wide["adv_index"][found]
            np.testing.assert_array_equal(mixed.clean_rob_logits[row], wide["clean_rob_logits"][own])
            assert mixed.clean_labels[row] == wide["clean_labels"][own]

    def test_clean_rows_without_a_number_count_from_0(self, tmp_path, table, wide):
        table["index"] = np.where(table["part"] == "clean", np.nan, table["index"] - 100)
        same(self.load(tmp_path, table), wide)

    def test_the_minimal_form(self, tmp_path, table, wide):
        same(self.load(tmp_path, table[:N].drop(columns=["part", "index"])), clean_part(wide))

    def test_margin_and_labels_of_attacked_rows(self, tmp_path, table, wide):
        table["margin"] = np.linspace(-1, 1, N + M)
        table.loc[N:, "label"] = wide["clean_labels"][wide["adv_index"]]
        bundle = self.load(tmp_path, table)
        np.testing.assert_allclose(bundle.attacked.margin, np.linspace(-1, 1, N + M)[N:], atol=1e-6)
        assert bundle.attacked.labels.tolist() == table["label"][N:].astype(int).tolist()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.drop(columns="label"), "lacks the column label"),
            (lambda t: t.drop(columns="std_2"), "lacks the column std_2"),
            (lambda t: t.drop(columns="rob_3"), "unknown column 'std_3'"),
            (lambda t: t.drop(columns=[f"rob_{i}" for i in range(K)]), "lacks the column rob_0"),
            (lambda t: t.drop(columns="index"), "lacks the column index"),
            (lambda t: t.assign(note=1), "unknown column 'note'"),
            (lambda t: t.assign(part="dirty"), "part must be clean or adv in every row, got 'dirty'"),
            (lambda t: t.assign(part="adv"), "has no clean rows"),
            (lambda t: t.assign(label=np.where(t["part"] == "adv", 9, 1)), "the rows are misaligned"),
            (lambda t: t.assign(label=0.5), "'label' must hold whole numbers in every row, got 0.5"),
            (lambda t: t.assign(label=np.nan), "'label' must hold whole numbers in every row, got nan"),
            (lambda t: t.assign(rob_1="x"), "'rob_1' must hold numbers"),
            (lambda t: t.assign(rob_1=np.inf), "must be finite"),
            (lambda t: t.assign(index=7), "numbers two clean rows alike"),
            (lambda t: t.assign(index=np.arange(N + M)), "index 20, which no clean row has"),
        ],
    )
    def test_refusals(self, tmp_path, table, change, message):
        with pytest.raises(BundleError, match=message):
            self.load(tmp_path, change(table))

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"encoding": "utf-8-sig"},
            {"lineterminator": "\r\n"},
            {"quoting": csv.QUOTE_ALL},
            {"index": True},
        ],
    )
    def test_separators_and_quotes(self, tmp_path, table, wide, separator, how):
        table.to_csv(tmp_path / "mine.csv", **({"index": False, "sep": separator} | how))
        same(import_logits(tmp_path / "mine.csv"), wide)

    @pytest.mark.parametrize("separator", [";", "\t"])
    def test_decimal_commas(self, tmp_path, table, wide, separator):
        table.to_csv(tmp_path / "mine.csv", index=False, sep=separator, decimal=",")
        same(import_logits(tmp_path / "mine.csv"), wide)

    @pytest.mark.parametrize(
        ("how", "message"),
        [
            ({"sep": "|"}, "has the one column .* must be separated by commas, semicolons, tabs"),
            ({"sep": " "}, "has the one column .* must be separated by commas, semicolons, tabs"),
            ({"decimal": ","}, "must hold numbers in every row, .*: decimal commas need semicolons"),
            ({"encoding": "utf-16"}, "it is UTF-16; save it as UTF-8"),
        ],
    )
    def test_tables_that_are_not_read(self, tmp_path, table, how, message):
        table.to_csv(tmp_path / "mine.csv", index=False, **how)
        with pytest.raises(BundleError, match=message):
            import_logits(tmp_path / "mine.csv")

    def test_a_line_without_end_is_not_parsed(self, tmp_path, table):
        self.load(tmp_path, table)
        heading = (tmp_path / "mine.csv").read_text().splitlines()[0]
        (tmp_path / "mine.csv").write_text(heading + "\n" + "1," * 10**6)
        with pytest.raises(BundleError, match=r"line 2 is longer than 2,[0-9]+ bytes"):
            import_logits(tmp_path / "mine.csv")

    @pytest.mark.parametrize("dtype", [object, "string", "category"])
    def test_rows_without_a_part_are_named(self, tmp_path, table, dtype):
        table["part"] = table["part"].where(~table.index.isin([3, 7])).astype(dtype)
        with pytest.raises(BundleError, match=r"got nothing in 2 of 32 rows: 3, 7 \(counted from 0\)"):
            self.load(tmp_path, table)

    def test_two_columns_of_one_name(self, tmp_path, table):
        self.load(tmp_path, table)
        path = tmp_path / "mine.csv"
        path.write_text(path.read_text().replace("std_1", "std_0", 1))
        with pytest.raises(BundleError, match="has 2 columns of the name 'std_0'"):
            import_logits(path)

    def test_a_mask_is_not_classes(self, tmp_path, table):
        with pytest.raises(BundleError, match=r"'label' must hold numbers .* a mask .* is not classes"):
            self.load(tmp_path, table[:N].drop(columns=["part", "index"]).assign(label=[True, False] * 10))

    def test_ragged_and_empty_tables(self, tmp_path, table):
        self.load(tmp_path, table)
        path = tmp_path / "mine.csv"
        heading, *rows = path.read_text().splitlines()
        for text, message in [
            ("", "not a readable table"),
            (heading, "has no clean rows"),
            ("\n".join([heading, rows[0] + ",1,2"]), "more values in a row than headings"),
            ("\n".join([heading, rows[0], rows[1] + ",1"]), "not a readable table|more values"),
            (",".join(["x"] * 300_000), "more than 200,010 columns"),
        ]:
            path.write_text(text)
            with pytest.raises(BundleError, match=message):
                import_logits(path)
        for content in (heading.encode() + b"\n\xff\xfe", b"\x89PNG\r\n\x1a\n"):
            path.write_bytes(content)
            with pytest.raises(BundleError, match="not a readable table: it is not UTF-8; save it"):
                import_logits(path)

    @pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
    def test_parquet(self, tmp_path, table, wide):
        table.to_parquet(tmp_path / "mine.parquet")
        same(import_logits(tmp_path / "mine.parquet"), wide)
        table[:N].drop(columns=["part", "index"]).to_parquet(tmp_path / "small.parquet")
        same(import_logits(tmp_path / "small.parquet"), clean_part(wide))
        table.assign(rob_1="x").to_parquet(tmp_path / "bad.parquet")
        with pytest.raises(BundleError, match="column 'rob_1' must hold numbers, got"):
            import_logits(tmp_path / "bad.parquet")
        (tmp_path / "bad.parquet").write_text("text")
        with pytest.raises(BundleError, match="not a readable Parquet file"):
            import_logits(tmp_path / "bad.parquet")

    @pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
    @pytest.mark.parametrize("index", [["part"], ["part", "index"], ["label"], ["rob_0", "part"], []])
    def test_an_index_is_columns(self, tmp_path, table, wide, index):
        stored = table.set_index(index) if index else table.sample(frac=1, random_state=0).sort_index()
        stored.to_parquet(tmp_path / "mine.parquet", index=True)
        same(import_logits(tmp_path / "mine.parquet"), wide)

    @pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
    def test_an_index_without_a_name_is_not_dropped_unless_it_counts_rows(self, tmp_path, table):
        table.index = table.pop("part").rename(None)
        table.to_parquet(tmp_path / "mine.parquet")
        with pytest.raises(BundleError, match="unknown column '__index_level_0__'"):
            import_logits(tmp_path / "mine.parquet")

    @pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
    def test_a_parquet_bomb_is_not_unpacked(self, tmp_path):
        pd.DataFrame({"label": np.zeros(10**7, np.int64)}).to_parquet(tmp_path / "x.parquet")
        assert (tmp_path / "x.parquet").stat().st_size < 10**6
        with pytest.raises(BundleError, match=r"unpacks to some 80,000,[0-9]+ bytes .* more than 67,108,864"):
            import_logits(tmp_path / "x.parquet")

    def test_parquet_without_pyarrow(self, tmp_path, monkeypatch):
        (tmp_path / "mine.parquet").write_bytes(b"PAR1")
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(BundleError, match=r"mine.parquet: .* 'mnuts\[tables\]' .* .csv"):
            import_logits(tmp_path / "mine.parquet")


class TestTheAuthorsLayout:
    """What Algorithm 1 finds equals a plain computation on the two tensors."""

    @pytest.fixture
    def logits(self):
        whole = make_bundle(n=400, m=400, k=7, seed=5)
        wrong = whole.clean_rob_logits[whole.clean_rob_logits.argmax(axis=1) != whole.clean_labels]
        right = whole.attacked.rob_logits[whole.attacked.rob_logits.argmax(axis=1) == whole.attacked.labels]
        assert min(len(wrong), len(right)) > 20
        return {"atk_corr": torch.from_numpy(right), "cln_incorr": torch.from_numpy(wrong)}

    @pytest.fixture
    def bundle(self, logits, tmp_path):
        torch.save(logits, tmp_path / "logits.pt")
        return import_logits(tmp_path / "logits.pt")

    @pytest.mark.parametrize("beta", [0.985, 0.9])
    def test_the_search_is_the_plain_one(self, logits, bundle, beta):
        grid = GridSpec.from_ranges((0.1, 3.0), (1.0, 3.0), (-1.1, 0.0), steps=3)
        result = grid_search(bundle, grid, beta, clean="all", max_accuracy_loss=None)
        assert (result.n_wrong, result.n_right) == (len(logits["cln_incorr"]), len(logits["atk_corr"]))
        for (i, s), (j, p), (k, c) in cells(grid):
            right = top_two_gap(logits["atk_corr"], s, p, c)
            q = np.quantile(right, 1 - beta)
            kept = np.mean(top_two_gap(logits["cln_incorr"], s, p, c) >= q)
            np.testing.assert_allclose(result.quantile[i, j, k], q, rtol=1e-9, atol=1e-12)
            assert abs(result.objective[i, j, k] - kept) < 1e-12
        assert result.best.objective == result.objective.min()

    def test_it_says_that_accuracies_mean_nothing(self, bundle, tmp_path):
        assert for_search_only(bundle)
        assert bundle.name == "logits (Algorithm 1 only: labels and standard logits are not real)"
        assert "read no accuracy off this bundle" in bundle.manifest.data.source
        assert bundle.manifest.std_model.spec.startswith("none")
        assert for_search_only(LogitBundle.load(bundle.save(tmp_path / "b.safetensors")))

    def test_what_needs_real_labels_is_refused(self, bundle):
        grid = GridSpec.from_ranges((1, 1), (1, 1), (0, 0))
        with pytest.raises(ParameterError, match="take more images"):
            grid_search(bundle, grid, 0.9)
        with pytest.raises(ParameterError, match="that the standard model gets right"):
            grid_search(bundle, grid, 0.9, clean="all", conditional=True)

    def test_wrong_stays_wrong_where_all_logits_agree(self):
        bundle = algorithm1_bundle([[1.0, 0.0]], [[2.0, 2.0], [0.0, 3.0]], name="flat")
        wrong = bundle.clean_rob_logits.argmax(axis=1) != bundle.clean_labels
        assert wrong.tolist() == [True, True, False]

    @pytest.mark.parametrize(
        ("right", "wrong", "message"),
        [
            ([[1.0, 0.0]], [[1.0, 0.0, 2.0]], "atk_corr has 2 classes, cln_incorr 3"),
            ([1.0, 0.0], [[1.0, 0.0]], "atk_corr must be numbers of shape"),
            ([[1.0, 0.0]], np.zeros((0, 2)), "cln_incorr must be numbers of shape"),
            ([[1.0, np.nan]], [[1.0, 0.0]], "atk_corr must be finite"),
            ([[1.0]], [[1.0]], "K ≥ 2"),
        ],
    )
    def test_refusals(self, right, wrong, message):
        with pytest.raises(BundleError, match=message):
            algorithm1_bundle(right, wrong, name="x")


def cells(grid: GridSpec):
    for i, s in enumerate(grid.s):
        for j, p in enumerate(grid.p):
            for k, c in enumerate(grid.c):
                yield (i, s), (j, p), (k, c)


def top_two_gap(logits: torch.Tensor, s: float, p: float, c: float) -> np.ndarray:
    probabilities = np.sort(reference.softmax(reference.transform(logits.numpy(), s, p, c)), axis=1)
    return probabilities[:, -1] - probabilities[:, -2]


class Bomb:
    def __reduce__(self):
        return (builtins.exec, ("raise SystemExit('ran')",))


def torch_zip(path, pickled: bytes, compress: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compress) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/version", "3\n")
        archive.writestr("a/byteorder", "little")


class TestUntrusted:
    def test_nothing_runs(self, tmp_path):
        torch.save({"clean_labels": Bomb()}, tmp_path / "x.pt")
        np.savez(tmp_path / "x.npz", clean_labels=np.array([Bomb()]))
        for ending, message in [("pt", "must hold nothing but tensors"), ("npz", "holds Python objects")]:
            with pytest.raises(BundleError, match=message):
                import_logits(tmp_path / f"x.{ending}")

    def test_a_pickle_without_its_zip_is_refused(self, tmp_path):
        torch.save({"a": torch.zeros(2)}, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
        with pytest.raises(BundleError, match=r"is not a file of torch.save \(PyTorch 1.6 or newer\)"):
            import_logits(tmp_path / "x.pt")

    @pytest.mark.parametrize("name", ["builtins\nbytearray", "__builtin__\nbytearray", "torch\nFloatTensor"])
    def test_a_number_does_not_become_memory(self, tmp_path, name):
        """`GLOBAL name; 10**12; TUPLE1; REDUCE; STOP`, by hand."""
        number = pickle.dumps(10**12, protocol=2)[2:-1]
        torch_zip(tmp_path / "x.pt", b"\x80\x02c" + name.encode() + b"\n" + number + b"\x85R.")
        with pytest.raises(BundleError, match="which a file of tensors does not need"):
            import_logits(tmp_path / "x.pt")

    def test_a_packed_pickle_is_refused(self, tmp_path):
        torch_zip(tmp_path / "x.pt", b"\x80\x02]" + b"N0" * 10**6 + b".", zipfile.ZIP_DEFLATED)
        with pytest.raises(BundleError, match="is compressed"):
            import_logits(tmp_path / "x.pt")

    @pytest.mark.parametrize("content", [b"\x80\x02", b"no pickle", b""])
    def test_broken_pickles(self, tmp_path, content):
        torch_zip(tmp_path / "x.pt", content)
        with pytest.raises(BundleError, match=r"broken pickle|must hold nothing but tensors"):
            import_logits(tmp_path / "x.pt")

    def test_a_cut_file(self, tmp_path, arrays):
        torch.save({n: torch.from_numpy(a) for n, a in arrays.items()}, tmp_path / "x.pt")
        np.savez(tmp_path / "x.npz", **arrays)
        for ending in ("pt", "npz"):
            whole = (tmp_path / f"x.{ending}").read_bytes()
            (tmp_path / f"x.{ending}").write_bytes(whole[: len(whole) // 2])
            with pytest.raises(BundleError, match="is not a readable"):
                import_logits(tmp_path / f"x.{ending}")

    def test_a_storage_smaller_than_its_tensor(self, tmp_path):
        torch.save({"clean_labels": torch.zeros(4096)}, tmp_path / "x.pt")
        with zipfile.ZipFile(tmp_path / "x.pt") as old, zipfile.ZipFile(tmp_path / "y.pt", "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                new.writestr(entry.filename, content.replace(b"M\x00\x10", b"J\x00\x00\x00\x7f"))
        with pytest.raises(BundleError, match="must hold nothing but tensors"):
            import_logits(tmp_path / "y.pt")

    def test_a_flipped_bit_in_an_npz(self, tmp_path, arrays):
        file = io.BytesIO()
        np.savez(file, **arrays)
        content = bytearray(file.getvalue())
        content[content.index(b"clean_rob_logits") + 1000] ^= 1
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(BundleError, match=r"is damaged|is not a readable"):
            import_logits(tmp_path / "x.npz")

    @pytest.mark.parametrize("name", ["x.txt", "x", "x.pkl", "x.npy"])
    def test_other_files(self, tmp_path, name):
        (tmp_path / name).write_text("x")
        with pytest.raises(BundleError, match=r"must end in .npz, .pt, .pth, .csv, .parquet"):
            import_logits(tmp_path / name)

    def test_no_file(self, tmp_path):
        for path in (tmp_path, tmp_path / "none.npz"):
            with pytest.raises(BundleError, match="no file at"):
                import_logits(path)
