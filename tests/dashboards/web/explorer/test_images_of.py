"""What is brushed on a plot: the images that it stands for, against a loop over Python's view of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views import classes
from mnuts_core.views.images import Images, images
from mnuts_core.views.margins import base_histograms, mix_histograms
from tests.dashboards.web.test_figures import plain
from tests.synthetic import make_pool

IMAGES_OF = "charts/images_of.js"
PARAMS = MixParams(s=1.5, p=2.0, c=-0.3, beta=0.9)
NAMES = [f"name {k}" for k in range(4)]


@pytest.fixture(scope="module")
def found() -> tuple[RemixEngine, Any, Images]:
    engine = RemixEngine(make_pool(n=300, m=120, k=4, sources=2), device="cpu")
    remix = engine.remix(PARAMS)
    return engine, remix, images(engine, remix)


def fields(view: Images, **more: Any) -> dict[str, Any]:
    return plain({"images": view, "meta": {"classes": NAMES}, "options": {}} | more)


def pick(page, panel: str, points: list[Any], given: dict[str, Any], box: Any = None) -> Any:
    return page.call(IMAGES_OF, "imagesOf", [panel, points, given, box])[0]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("of", ["g", "h", "LN h", "M(h)"])
@pytest.mark.parametrize("part", ["clean", "attacked"])
def test_bins_of_a_histogram(page, found, of, part, log):
    """As many images as the bars count, right and wrong; of an attack on g, h or LN∘h none is known."""
    engine, remix, view = found
    columns = {**base_histograms(engine), "M(h)": mix_histograms(remix)}
    histogram = getattr(columns[of], part)
    bars = (histogram.log_right, histogram.log_wrong) if log else (histogram.right, histogram.wrong)
    panel = "mix_margins" if of == "M(h)" else "margins"
    given = fields(view, options={"log_margins": log})
    for side, counts in zip(("right", "wrong"), bars, strict=True):
        first = int(np.argmax(counts))
        points = [
            {"trace": side, "point": point, "meta": {"of": of, "part": part}} for point in (first, first + 1)
        ]
        picked = pick(page, panel, points, given)
        if part == "attacked" and of != "M(h)":
            assert picked is None
            continue
        assert len(picked["rows"]) == counts[first : first + 2].sum() > 0
        assert picked["rows"] == sorted(set(picked["rows"]))
        assert picked["words"].startswith(f"{of} {side}, margin ")
        right = np.zeros(engine.n_clean, bool)
        right[:] = {"g": view.std_right, "M(h)": view.mapped_right}.get(of, view.rob_right)
        if part == "clean":
            assert set(right[picked["rows"]]) == {side == "right"}
        else:
            assert set(picked["rows"]) <= set(view.attacked.row.tolist())


@pytest.mark.parametrize("part", ["clean", "attacked"])
def test_a_bar_of_a_class_and_a_cell_of_mistakes(page, found, part):
    engine, remix, view = found
    results, counts = classes.class_results(engine, remix, part), classes.confusion(engine, remix, part)
    for label in range(4):
        drawn = {"classes": [3, 2, 1, 0], "part": part}  # in the plot's order
        place = drawn["classes"].index(label)
        bar = {"trace": "this mix", "point": place, "meta": {"part": part}}
        picked = pick(page, "classes", [bar], fields(view, drawn=drawn))
        assert (len(picked["rows"]), picked["words"][:12]) == (results.n[label], f"class {NAMES[label]}")
        assert set(view.label[picked["rows"]]) == {label}
        for other in range(4):
            cell = {"point": [place, drawn["classes"].index(other)], "meta": {"part": part}}
            picked = pick(page, "confusion", [cell], fields(view, drawn=drawn))
            assert len(picked["rows"]) == counts[label, other]
            assert picked["words"].startswith(f"{NAMES[label]} taken for {NAMES[other]}")
            assert picked["words"].endswith("attacked") == (part == "attacked")


@pytest.mark.parametrize("log", [False, True])
def test_a_box_over_the_scatter_takes_all_images_of_its_range(page, found, log):
    """The plot shows a sample: not only the points in it, but all between its ends of the same kind."""
    _, _, view = found
    rows = np.flatnonzero(view.std_right & view.mapped_right)[:2]
    points = [{"customdata": int(row), "trace": "M(h) right"} for row in rows]
    low, high = (-6.0, -0.3) if log else (0.1, 0.6)
    given = fields(view, options={"log_margins": log})
    picked = pick(page, "margin_scatter", points, given, {"x": [high, low], "y": [0.5, 1.5]})
    ends = (0.0, 10**high) if log else (low, high)
    inside = (view.margin >= ends[0]) & (view.margin <= ends[1]) & view.std_right & view.mapped_right
    assert picked["rows"] == np.flatnonzero(inside).tolist()
    assert picked["words"].endswith(": g right, M(h) right")
    assert pick(page, "margin_scatter", points[:1], given) == {"rows": [rows[0]], "words": f"image {rows[0]}"}


def test_what_stands_for_no_image(page, found):
    given = fields(found[2])
    assert pick(page, "plane", [{"trace": "this mix", "point": 0}], given) is None
    assert pick(page, "margins", [], given) is None
    assert pick(page, "mix_margins", [{"trace": "(1−α)/α", "point": 0}], given) is None
    assert pick(page, "mix_margins", [{"trace": "right", "point": 0}], given | {"images": None}) is None
