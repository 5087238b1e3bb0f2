"""What figures share; and that none of them loads torch or widgets, not even through another module."""

import subprocess
import sys

import numpy as np
import pytest

from mnuts_dashboards.figures.layout import LEGEND_BELOW, above, axis, base_layout, round_up
from tests import ROOT

FOLDER = ROOT / "dashboards"
MODULES = sorted(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts) for path in FOLDER.glob("figures/**/*.py")
)


def test_figures_import_neither_torch_nor_widgets():
    assert {"figures.tradeoff", "figures.margins"} <= set(MODULES)
    imports = ", ".join(f"mnuts_dashboards.{name}" for name in MODULES)
    code = f"import sys, {imports}; print('torch' in sys.modules, 'ipywidgets' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("value", "end"), [(0.2, 0.2), (0.21, 0.3), (1.4, 1.5), (87, 100), (0, 1), (np.inf, 1), (np.nan, 1)]
)
def test_ends_of_axes_are_round(value, end):
    assert round_up(value) == pytest.approx(end)


def test_subplots_count_from_one_as_plotly_does():
    assert [axis("yaxis", number) for number in (1, 2, 10)] == ["yaxis", "yaxis2", "yaxis10"]


def test_two_figures_do_not_share_a_layout():
    first, second = base_layout("a", "b"), base_layout("a", "b")
    first["margin"]["l"] = 0
    assert second["margin"]["l"] == 56


def test_a_title_stands_on_its_point():
    title = above("A", 0.25, 1.0, "left")
    assert (title["xanchor"], title["yanchor"], title["xref"], title["yref"]) == (
        *("left", "bottom"),
        *("paper", "paper"),
    )
    assert LEGEND_BELOW["yref"] == "container"
