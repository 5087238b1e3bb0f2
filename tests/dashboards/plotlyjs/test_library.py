"""Plotly's browser library: the file that npm publishes, and all that our figures need."""

import hashlib
import re

import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from mnuts_dashboards.plotlyjs.library import FILE, VERSION, plotly_source, plotly_url

SHA256 = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"


def test_it_is_the_published_file_with_its_licence():
    assert hashlib.sha256(plotly_source()).hexdigest() == SHA256
    assert f"plotly.js (cartesian - minified) v{VERSION}".encode() in plotly_source()[:100]
    assert VERSION in plotly_url()
    assert "MIT" in (FILE.parent / "LICENSE").read_text()
    assert f"plotly.js-cartesian-dist-min@{VERSION}" in (FILE.parent / "README.md").read_text()


def test_no_figure_has_a_trace_that_it_lacks():
    kinds = [kind for kind in (getattr(go, name) for name in go.__all__) if isinstance(kind, type)]
    known = {kind.__name__.lower() for kind in kinds if issubclass(kind, BaseTraceType)}
    source = "".join(path.read_text() for path in FILE.parents[2].rglob("figures/**/*.py"))
    used = set(re.findall(r'"type": "(\w+)"', source)) & known
    assert used == {"scatter", "bar", "heatmap"}
    bundled = plotly_source().decode()
    assert all(f'name:"{name}"' in bundled for name in used)
    assert 'name:"scatter3d"' not in bundled
