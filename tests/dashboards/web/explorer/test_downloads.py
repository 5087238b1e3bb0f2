"""Numbers of the plots as tables and CSV, and what their files are called."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views.registry import Moment, views_of
from mnuts_dashboards.figures.plots import PLOTS, figure_of
from mnuts_dashboards.theme import CLASSIFIER
from tests.dashboards.web.engine import WEB
from tests.dashboards.web.test_figures import facts, plain
from tests.synthetic import make_pool

DATA_TABLE = "charts/data_table.js"
PARAMS = MixParams(s=1.5, p=2.0, c=-0.3, beta=0.9)


@pytest.fixture(scope="module")
def moment() -> Moment:
    engine = RemixEngine(make_pool(n=200, m=80, k=25, sources=2), device="cpu")
    return Moment(engine, PARAMS, snapshots=(PARAMS.with_(s=4.0),))


@pytest.fixture(scope="module")
def fields(moment) -> dict[str, Any]:
    star = {"params": PARAMS.with_(s=3.0, alpha=0.75), "clean": moment.remix.clean}
    star |= {"verified": moment.remix.attacked}
    meta = facts(moment.engine.bundle) | {"configs": [star], "name": "a pool", "digest": "sha256:0"}
    return views_of(moment) | {
        "meta": meta,
        "options": {},
        "selected": [],
        "remix": moment.remix,
        "state": {"example": {"where": "clean", "row": 3}, "grid": "cifar10"},
    }


def table(page, fields: dict[str, Any], name: str) -> list[dict[str, str]]:
    """A panel's CSV, row by row."""
    spec = {"name": name, "columns": PLOTS[name].columns}
    counts = [view for view in PLOTS[name].views if view.startswith(("classes", "confusion"))]
    given = plain({key: fields[key] for key in (*counts, "meta", "options", "state")})
    given |= {view: np.ravel(fields[view]).tolist() for view in counts if view.startswith("confusion")}
    [found] = page.call(DATA_TABLE, "tableOf", [spec, plain(figure_of(name, fields)), given])
    [settings] = page.call(
        DATA_TABLE, "settingsOf", [given | {"remix": {"params": plain(fields["remix"].params)}}]
    )
    [text] = page.call(DATA_TABLE, "csvOf", [found, settings])
    return list(csv.DictReader(io.StringIO(text)))


def numbers(rows: list[dict[str, str]], column: str) -> list[float]:
    return [float(row[column]) for row in rows]


def test_every_row_says_what_it_was_made_with(page, fields, moment):
    for name in ("plane", "transform", "mix_margins", "bars", "classes"):
        rows = table(page, fields, name)
        assert len(rows) > 1
        for row in rows:
            assert (row["bundle"], row["mix_s"], row["mix_clamp"]) == ("a pool", "1.5", "gelu")
            assert float(row["mix_alpha"]) == moment.remix.alpha
            assert (row["grid"], row["chosen_image"]) == ("cifar10", "clean 3")


def test_a_curve_can_be_plotted_again(page, fields):
    rows = [row for row in table(page, fields, "plane") if row["trace"] == "this transform, attacked"]
    curve = fields["curve"]
    for column, values in (
        ("clean_percent", 100 * curve.clean),
        ("attacked_percent", 100 * curve.attacked),
        ("point_alpha", curve.alpha),
    ):
        np.testing.assert_allclose(numbers(rows, column), values, rtol=1e-12)
    rows = [row for row in table(page, fields, "transform") if row["trace"] == "M"]
    np.testing.assert_allclose(numbers(rows, "value"), fields["transform"].m, rtol=1e-12)


def test_other_mixes_bring_their_own_settings(page, fields):
    [star] = [row for row in table(page, fields, "plane") if row["trace"] == "other verified mixes"]
    assert [star[f"point_{name}"] for name in ("s", "p", "c", "alpha")] == ["3", "2", "-0.3", "0.75"]


def test_a_name_stands_in_a_table_as_it_is(page):
    names = ["a<br>b", "R&D", "<i>"]
    bars = {"type": "bar", "x": [0, 1, 2], "y": [1, 2, 3], "meta": {"name": "h", "x": names}}
    marked = {"type": "bar", "name": "gaps", "x": ["LN h<br>not attacked"], "y": [1], "text": ["&lt;i&gt;"]}
    spec = {"name": "bars", "columns": {"x": "class", "text": "gap"}}
    [found] = page.call(DATA_TABLE, "tableOf", [spec, {"data": [bars, marked]}, {}])
    [text] = page.call(DATA_TABLE, "csvOf", [found, {}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["class"] for row in rows] == [*names, "LN h not attacked"]
    assert rows[-1]["gap"] == "<i>"


def test_classes_and_mistakes_have_all_classes(page, fields):
    """Of 25 classes the plots show 20; the table has all, and its counts are the view's."""
    results = fields["classes_attacked"]
    rows = [row for row in table(page, fields, "classes") if row["images_of"] == "attacked"]
    assert [row["class"] for row in rows] == list(fields["meta"]["classes"])
    np.testing.assert_array_equal(numbers(rows, "images"), results.n)
    known = [(row, k) for k, row in enumerate(rows) if results.n[k]]
    for row, k in known:
        assert float(row["mix_percent"]) == pytest.approx(100 * results.mix[k] / results.n[k])
        gain = 100 * (int(results.mix[k]) - int(results.rob[k])) / results.n[k]
        assert float(row["mix_minus_h_points"]) == pytest.approx(gain)
    counts = np.zeros((25, 25), int)
    names = list(fields["meta"]["classes"])
    rows = table(page, fields, "confusion")
    for row in rows:
        place = names.index(row["true"]), names.index(row["predicted"])
        counts[place] = int(row["images"])
        assert (row["mix_is"] == "right") == (place[0] == place[1])
    np.testing.assert_array_equal(counts, fields["confusion_clean"])
    assert numbers(rows, "images") == sorted(numbers(rows, "images"), reverse=True)


@pytest.mark.parametrize(
    ("name", "changes", "stem"),
    [
        ("digits", {}, "digits-plane-s1.5-p2-c-0.3-alpha0.9"),
        ("a/b: <i>é", {"alpha": 1 - 1e-7}, "a-b-i-plane-s1.5-p2-c-0.3-alpha1"),
        ("", {"clamp": "relu", "ln_k": 0}, "bundle-plane-s1.5-p2-c-0.3-alpha0.9-relu-k0"),
        ("x", {"temperature": 0.5}, "x-plane-s1.5-p2-c-0.3-alpha0.9-T0.5"),
    ],
)
def test_a_file_s_name_has_the_bundle_and_the_settings(page, name, changes, stem):
    params = plain(PARAMS.with_(**({"alpha": 0.9} | changes)))
    assert page.call("charts/filename.js", "mixStem", [{"name": name}, params, "plane"]) == [stem]


def test_a_classifier_has_one_colour_in_tables_and_plots():
    """On light and on dark paper: the style sheet's are those of the figures."""
    styles = (WEB / "controls" / "controls.css").read_text("utf-8").lower()
    words = {"std": "--g", "rob": "--h", "mapped": "--m", "plain": "--plain", "mix": "--mix"}
    for key, word in words.items():
        assert styles.count(f"{word}: ") == 1, word
        assert f"{word}: {CLASSIFIER[key].lower()};" in styles
