"""What a page carries of a bundle: the very numbers, what the bundle says of itself, harmless text."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.leaderboard import not_comparable
from mnuts_core.bundles.library import find_bundle
from mnuts_core.bundles.paper import paper_table
from mnuts_core.errors import BundleError, ConfigError, MnutsError
from mnuts_core.export.belonging import configs_of
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.page_file import explorer_page, explorer_settings
from mnuts_dashboards.explorer.state import DECLARED, ExplorerState
from mnuts_dashboards.figures.notes import NOT_ALIKE
from mnuts_dashboards.figures.template import fill
from mnuts_dashboards.page import one_file
from mnuts_dashboards.page.data import embedded, engine_record, images_record, page_meta, paper_points
from mnuts_dashboards.page.modules import Module
from mnuts_dashboards.page.styles import styles
from tests.dashboards.web.engine import decoded
from tests.synthetic import clean_only, make_arrays, make_bundle, make_pool


@pytest.fixture(scope="module")
def digits() -> LogitBundle:
    return LogitBundle.load(find_bundle("digits"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_are_the_same_to_the_bit(dtype):
    bundle = make_bundle(n=40, m=20, k=5, dtype=dtype)
    record = decoded(json.loads(json.dumps(embedded(engine_record(bundle)))))
    for ours, theirs in (
        (record["std"], bundle.clean_std_logits),
        (record["rob"], bundle.clean_rob_logits),
        (record["attacked"]["std"], bundle.require_attacked().std_logits),
        (record["attacked"]["index"], bundle.require_attacked().index),
        (record["labels"], bundle.clean_labels),
    ):
        np.testing.assert_array_equal(ours, theirs.ravel())
    assert record["std"].dtype == dtype
    assert engine_record(clean_only(bundle))["attacked"] is None


def test_images_come_along_where_they_are_few(digits, monkeypatch):
    images = images_record(digits)
    assert images is not None
    np.testing.assert_array_equal(images["pixels"].reshape(images["shape"]), digits.clean_images)
    monkeypatch.setattr("mnuts_dashboards.page.data.MOST_PIXELS", 100)
    assert images_record(digits) is None


def test_what_a_bundle_says_of_itself(digits):
    meta = page_meta(digits, configs_of(digits), name="mine")
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta
    assert meta["name"], meta["title"] == ("mine", "digits")
    assert (meta["n_clean"], meta["n_adv"], meta["n_points"]) == (1000, 1000, digits.n_points)
    assert meta["threat"] == str(digits.manifest.threat)
    assert meta["sources"][0]["images"] == 1000
    assert meta["grids"]["cifar10"]["c"][0] == -1.1


def test_every_configuration_shows_its_own_figures(digits):
    configs = configs_of(digits)
    engine = RemixEngine(digits)
    shown = page_meta(digits, configs)["configs"]
    assert {one["by_level"] for one in shown} == {True, False}
    assert [one["file"] for one in shown] == [path.name for path, _ in configs]
    for one, (_, config) in zip(shown, configs, strict=True):
        remix = engine.remix(MixParams(**one["params"]))
        assert (remix.params, one["by_level"]) == (config.params, config.beta is not None)
        assert one["clean"]["value"] == remix.clean.value
        assert one["verified"]["value"] == config.verified.accuracy.value
        assert one["card"]["accuracy"]["n"] == config.verified.accuracy.n


def test_a_verification_of_other_settings_is_none(digits):
    path, config = configs_of(digits)[0]
    changed = config.model_copy(update={"transform": config.transform.model_copy(update={"s": 3.0})})
    [shown] = page_meta(digits, [(path, changed)])["configs"]
    assert shown["verified"] is shown["card"] is None


def test_a_bundle_without_an_attacked_part():
    meta = page_meta(clean_only(make_bundle(n=30, m=10)))
    assert (meta["n_adv"], meta["threat"]) == (0, None)


def test_settings_are_those_declared():
    found = {one["name"]: one for one in explorer_settings()}
    assert list(found) == list(DECLARED)
    for name in ("s", "p", "c", "beta", "alpha", "temperature"):
        spec, one = PARAMS[name], found[name]
        high = None if math.isinf(spec.high) else spec.high
        assert (one["low"], one["high"], one["step"], one["scale"]) == (spec.low, high, spec.step, spec.scale)
        assert one["default"] == getattr(ExplorerState(), name)
    assert [value for _, value in found["find_by"]["choices"]] == ["beta", "clean", "attacked"]
    assert {one["kind"] for one in found.values()} == {"number", "choice", "whole", "line", "images"}
    json.dumps(list(found.values()), allow_nan=False)


def test_the_paper_s_models_come_along():
    points = paper_points()
    assert {"cifar10", "imagenet"} <= {point["dataset"] for point in points}
    json.dumps(points, allow_nan=False)


class TestFile:
    def test_nothing_in_it_ends_a_script_or_is_invisible(self):
        evil = "</script><script>alert(1)</script><!--\u202e\u2028&"
        bundle = make_bundle(n=30, m=10, k=3)
        manifest = bundle.manifest.model_copy(update={"name": evil, "classes": (evil, "b", "c")})
        page = explorer_page([(evil, LogitBundle(**{**vars(bundle), "manifest": manifest}))], title=evil)
        assert "alert(1)</script>" not in page
        assert page.count("<script") == page.count("</script>") == 5
        assert page.count("<!--") == 0
        assert not {"\u202e", "\u2028"} & set(page)
        assert r"\\u202e" in page  # escaped as text, so that no page shows it as what it is

    def test_bundles_have_names_of_their_own(self):
        first, second = make_bundle(n=30, m=10), make_pool(n=40, m=10)
        page = explorer_page([("mine", first), ("mine", second)])
        assert '"bundles":[{"name":"mine",' in page
        assert '{"name":"mine (2)",' in page
        with pytest.raises(BundleError, match="mine and mine are the same bundle: give it once"):
            explorer_page([("mine", first), ("mine", first)])
        with pytest.raises(BundleError, match="a page needs a bundle"):
            explorer_page([])

    def test_configurations_go_to_their_bundle(self, digits, tmp_path):
        engine = RemixEngine(digits)
        config = MixConfig.from_remix(engine, MixParams(s=2.0, p=2.0, c=-0.5))
        assert '"file":"my mix.json"' in explorer_page(
            [("digits", digits)], [(tmp_path / "my mix.json", config)]
        )
        other = [("toy", make_bundle(n=30, m=10))]
        with pytest.raises(ConfigError, match=r"mix\.json was made on bundle 'digits', the page has toy"):
            explorer_page(other, [(Path("mix.json"), config)])
        nowhere = MixConfig.from_params(MixParams(alpha=0.9))
        with pytest.raises(ConfigError, match=r"mix\.json was made on no bundle"):
            explorer_page(other, [(Path("mix.json"), nowhere)])

    def test_configurations_that_ship_are_there_those_of_the_user_are_not(
        self, digits, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("MNUTS_DATA", str(tmp_path))
        MixConfig.from_remix(RemixEngine(digits), MixParams(s=2.0)).save(tmp_path / "private.json")
        page = explorer_page([("digits", digits)])
        assert '"file":"digits-beta95.json"' in page
        assert "private.json" not in page

    @pytest.mark.parametrize("title", ["", " \n", 201 * "x"])
    def test_titles(self, title):
        with pytest.raises(MnutsError, match="the title must have 1 to 200 characters"):
            explorer_page([("toy", make_bundle(n=30, m=10))], title=title)

    def test_a_bundle_that_no_browser_could_read_is_refused(self, monkeypatch):
        monkeypatch.setattr(one_file, "MAX_LOGITS", 1000)
        with pytest.raises(BundleError, match="MiB of logits, a page takes at most"):
            explorer_page([("toy", make_bundle(n=300, m=10))])

    def test_it_is_small_and_asks_for_nothing(self):
        page = explorer_page([("cifar10", LogitBundle.load(find_bundle("cifar10")))])
        assert len(page.encode()) <= 5e6
        for sentence in ("default-src 'none'", "connect-src 'none'", "form-action 'none'"):
            assert sentence in page.split("</head>")[0]


def test_style_sheets_of_shared_rooms_come_first(tmp_path):
    for room in ("explorer", "app", "charts", "lesson"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "x.css").write_text(f".{room} {{ content: '</style>' }}\n")
    names = ["explorer/a.js", "charts/a.js", "app/a.js", "engine/a.js"]
    found = styles([Module(name, (), (), "") for name in names], tmp_path)
    assert [line.split(" ")[0] for line in found.splitlines()] == [".charts", ".app", ".explorer"]
    assert "</style" not in found


@pytest.mark.parametrize(("right", "by_level"), [(0, False), (1, True)])
def test_a_level_needs_an_attacked_image_that_the_robust_model_gets_right(right, by_level):
    arrays = make_arrays(n=40, m=20)
    logits = arrays["adv_rob_logits"]
    logits[np.arange(20), arrays["clean_labels"][arrays["adv_index"]]] = -50  # wrong everywhere
    logits[np.arange(right), arrays["clean_labels"][arrays["adv_index"][:right]]] = 50
    assert page_meta(LogitBundle.from_arrays(**arrays))["by_level"] is by_level
    assert page_meta(clean_only(make_bundle()))["by_level"] is False


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_a_page_says_why_it_is_not_comparable_in_the_words_of_gain(name):
    manifest = LogitBundle.load(find_bundle(name)).manifest
    [reason] = not_comparable(manifest.data, manifest.threat)
    meta = page_meta(LogitBundle.load(find_bundle(name)))
    assert meta["incomparable"] == reason
    drawn = {"leaderboard": {"x": [93.5]}}
    [note] = fill(NOT_ALIKE, {"meta": meta, "drawn": drawn})
    assert note.endswith(f"; {reason}.")
    [note] = fill(NOT_ALIKE, {"meta": meta | {"incomparable": ""}, "drawn": drawn})
    assert reason not in note


def test_the_paper_s_points_are_its_table():
    table = paper_table("fig02").to_dict(orient="records")
    expected = [{key: None if cell != cell else cell for key, cell in row.items()} for row in table]
    assert paper_points() == expected
