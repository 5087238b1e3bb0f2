"""The report: everything in one file, nothing from outside, and nothing in it can run that is not ours."""

import json
import re

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams
from mnuts_dashboards.apps.explorer import Explorer
from mnuts_dashboards.explorer.views import ALL
from tests.synthetic import make_arrays

NASTY = "</script><script>alert(1)</script>"
HIDDEN = "\u202e\x1b"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    classes = (NASTY + HIDDEN, *(f"class {i}" for i in range(1, 10)))
    bundle = LogitBundle.from_arrays(**make_arrays(), name=f"SYNTHETIC {NASTY}{HIDDEN}", classes=classes)
    return Explorer(bundle.save(tmp_path_factory.mktemp("bundles") / "made-up.safetensors"))


@pytest.fixture(scope="module")
def html(explorer):
    explorer.state.snapshots = (MixParams(s=0.5, p=2, c=-0.3),)
    explorer.selection = ("clean", 3)
    explorer.state.set(s=2.0, c=-0.4)
    return explorer.report()


def figures_of(html):
    return json.loads(re.search(r"^const figures = (.*);$", html, re.MULTILINE)[1])


def test_it_holds_every_plot_with_its_data(html, explorer):
    figures = figures_of(html)
    assert set(figures) == ALL
    assert all(figure["data"] for figure in figures.values())
    for name in ALL:
        assert html.count(f"id='{name}'") == 1
    point = next(t for t in figures["plane"]["data"] if t["name"] == "this mix")
    assert point["x"] == [100 * explorer.remix.clean.value]


def test_it_asks_nothing_of_the_network(html):
    page = html.replace(re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1], "")  # Plotly knows URLs
    assert not re.search(r"(src|href)\s*=\s*['\"]?(https?:)?//", page)
    assert "default-src 'none'" in page


def test_names_from_a_bundle_cannot_run(html):
    assert html.count("<script>") == html.count("</script>") == 2
    assert NASTY not in html
    assert not set(HIDDEN) & set(html)
    assert r"\u202e\x1b" in html
    assert "mnuts remix BUNDLE.safetensors" in html  # the name is the bundle's own, and no word for a shell


def test_it_shows_how_to_repeat_it(html, explorer):
    assert f"?{explorer.link()}".replace("&", "&amp;") in html
    assert "mnuts remix" in html
    assert "--s 2.0" in html
    text = re.search(r"<pre>(\{.*?\})\s*</pre>", html, re.DOTALL)[1]
    for written, plain in (("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(written, plain)
    assert MixConfig.from_json(text).params == explorer.config.params


def test_snapshot_example_and_assumptions_are_in_it(html, explorer):
    assert "<h2>Snapshots</h2>" in html
    assert "clean image 3" in html
    assert "Theorem 4.4" in html
    assert str(explorer.opened.engine.bundle.digest) in html
