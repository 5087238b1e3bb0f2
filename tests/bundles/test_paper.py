"""The paper's numbers: key values by hand, and what the paper derives from what, derived again."""

import importlib.resources
import tomllib

import pytest

from mnuts_core.bundles.paper import paper_table, paper_tables
from mnuts_core.errors import MnutsError
from mnuts_core.params import PAPER_OPTIMA
from mnuts_core.search.grids import PAPER_RANGES
from tests import ROOT

NAMES = [table.name for table in paper_tables()]
FOLDER = ROOT / "data" / "paper"
DATASETS = ["cifar10", "cifar100", "imagenet"]
BLANK = {"table07": {"c"}, "fig02": {"venue"}, "text": {"dataset", "unit"}}
SHAPES = {
    "table01": 3, "table02": 6, "table03": 3, "table04": 18, "table05": 15, "table06": 8, "table07": 6,
    "table08": 6, "table09": 3, "table10": 3, "table11": 3, "fig03": 6, "fig04": 3, "fig05": 12, "fig06": 9,
    "fig07": 9, "fig08": 9, "fig09": 32,
}  # fmt: skip


def text(quantity: str, dataset: str) -> float:
    table = paper_table("text")
    return table[(table.quantity == quantity) & (table.dataset == dataset)].value.item()


def accuracy(dataset: str, model: str):
    table = paper_table("fig05").set_index(["dataset", "model"])
    return table.loc[(dataset, model), ["clean_percent", "autoattack_percent"]]


def test_all_eleven_tables_and_every_file_are_listed():
    assert {f"table{number:02d}" for number in range(1, 12)} <= set(NAMES)
    assert {path.stem for path in FOLDER.glob("*.csv")} == {*NAMES, "index"}
    assert all(table.title for table in paper_tables())


def test_the_files_ship_in_the_wheel():
    settings = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["mnuts_data"]
    shipped = {path for pattern in patterns for path in FOLDER.parent.glob(pattern)}
    assert set(FOLDER.glob("*.csv")) <= shipped


@pytest.mark.parametrize(("name", "rows"), SHAPES.items())
def test_rows_as_in_the_paper(name, rows):
    assert len(paper_table(name)) == rows


@pytest.mark.parametrize("name", NAMES)
def test_each_row_has_its_source_and_blanks_only_where_the_paper_has_them(name):
    table = paper_table(name)
    assert table.columns[-1] == "source"
    assert table.source.str.len().min() > 5
    assert set(table.columns[table.isna().any()]) <= BLANK.get(name, set())
    assert not table.duplicated().any()


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_percentages_are_in_range(name):
    table = paper_table(name)
    for column in table.columns:
        if column.endswith("_percent") and "change" not in column:
            assert table[column].between(0, 100).all(), column
        if column in {"alpha", "beta", "objective", "margin_gap"} or column.endswith(
            ("_probability", "_margin")
        ):
            assert table[column].between(0, 1).all(), column


def test_an_unknown_table_lists_the_names():
    with pytest.raises(MnutsError, match=r"table01.*got 'table12'"):
        paper_table("table12")


def test_without_the_data_package_the_remedy_is_named(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(importlib.resources, "files", missing)
    with pytest.raises(MnutsError, match="mnuts_data is missing: install"):
        paper_tables()


@pytest.mark.parametrize("dataset", DATASETS)
def test_table_1_follows_from_figure_5(dataset):
    printed = paper_table("table01").set_index("dataset").loc[dataset]
    robust, mixed = 100 - accuracy(dataset, "RBC"), 100 - accuracy(dataset, "MixedNUTS")
    change = 100 * (mixed - robust) / robust
    assert printed.clean_error_change_percent == pytest.approx(change.clean_percent, abs=0.006)
    assert printed.robust_error_change_percent == pytest.approx(change.autoattack_percent, abs=0.006)


def test_the_abstract_follows_from_figure_5():
    gain = accuracy("cifar100", "MixedNUTS") - accuracy("cifar100", "RBC")
    assert gain.clean_percent == pytest.approx(7.86) == pytest.approx(text("clean_gain_over_rbc", "cifar100"))
    assert -gain.autoattack_percent == pytest.approx(0.87) == text("robust_loss_to_rbc", "cifar100")


def test_what_section_5_says_of_adaptive_smoothing_follows_from_table_5():
    table = paper_table("table05").set_index(["dataset", "model"])
    theirs, base = (
        table.loc[("cifar100", "Bai et al. (2024a)")],
        table.loc[("cifar100", "Wang et al. (2023)")],
    )
    assert theirs.clean_percent - base.clean_percent == pytest.approx(9.99)
    assert base.autoattack_percent - theirs.autoattack_percent == pytest.approx(3.95)
    ours, smooth = table.loc[("cifar10", "This work")], table.loc[("cifar10", "Bai et al. (2024a)")]
    errors = 100 - ours.autoattack_percent, 100 - smooth.autoattack_percent
    assert 100 * (1 - errors[0] / errors[1]) == pytest.approx(5.17, abs=0.006)
    more_flops = 100 * (ours.gflops / table.loc[("cifar10", "Peng et al. (2023)")].gflops - 1)
    assert more_flops == pytest.approx(24.79, abs=0.006)


@pytest.mark.parametrize("dataset", DATASETS)
def test_table_5_and_figure_5_agree(dataset):
    table = paper_table("table05").query("dataset == @dataset").set_index("model")
    columns = ["clean_percent", "autoattack_percent"]
    assert table.loc["This work", columns].tolist() == accuracy(dataset, "MixedNUTS").tolist()
    assert (
        table.loc[table.autoattack_percent == 0, columns].iloc[0].tolist()
        == accuracy(dataset, "ABC").tolist()
    )


@pytest.mark.parametrize("dataset", DATASETS)
def test_table_3_is_what_the_core_takes_for_the_paper(dataset):
    row = paper_table("table03").set_index("dataset").loc[dataset]
    best, (s, p, c) = PAPER_OPTIMA[dataset], PAPER_RANGES[dataset]
    assert (row.s, row.p, row.c) == (best.s, best.p, best.c)
    assert ((row.s_min, row.s_max), (row.p_min, row.p_max), (row.c_min, row.c_max)) == (s, p, c)
    assert text("beta", dataset) == pytest.approx(100 * best.beta)


def test_key_numbers_by_hand():
    clamp = paper_table("table07").set_index(["dataset", "clamp"])
    assert clamp.loc[("cifar100", "linear"), ["s", "p", "alpha", "objective"]].tolist() == [
        5e-6,
        10.5,
        0.88,
        0.504,
    ]
    fewer = paper_table("table09").set_index("optimization_images")
    assert fewer.loc[100, ["clean_percent", "autoattack_percent"]].tolist() == [85.1, 39.5]
    seen = paper_table("table08").set_index(["dataset", "seen"])
    assert seen.loc[("imagenet", False), "autoattack_percent"] == 57.93
    assert paper_table("table10").autoattack_percent.tolist() == [41.6, 41.4, 41.3]
    assert paper_table("table11").p.tolist() == [4.0, 4.0, 2.71]
    gaps = paper_table("fig06").query("model == 'h_rob_transformed'").margin_gap
    assert gaps.tolist() == [0.986, 0.973, 0.980]
    assert (text("objective_original", "cifar100"), text("objective_recomputed", "cifar100")) == (50.0, 66.7)


def test_the_robustbench_points_hold_the_papers_own_entries():
    points = paper_table("fig02").set_index(["dataset", "model"])
    for dataset in DATASETS:
        ours = points.loc[(dataset, "Bai2024MixedNUTS")]
        assert ours.kind == "mixednuts"
        assert [ours.clean_percent, ours.autoattack_percent] == accuracy(dataset, "MixedNUTS").tolist()
    assert (points.groupby("dataset").size() > 25).all()
