"""The import rules of DESIGN section 4: what may know of what, and what must not load with the core."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

CORE = sorted((ROOT / "mnuts_core").rglob("*.py"))
DASHBOARDS = sorted((ROOT / "dashboards").rglob("*.py"))
LATE = ("robustbench", "timm", "torchvision", "autoattack", "pyautoattack")
NEVER = ("plotly", "ipywidgets", "anywidget", "voila", "mnuts_dashboards")


def imported(path: Path) -> set[str]:
    """Every module named in an import statement, at any depth of the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def at_top(path: Path) -> set[str]:
    """Packages that importing the file imports (not those inside functions or `if TYPE_CHECKING`)."""
    names, stack = set(), list(ast.parse(path.read_text("utf-8")).body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack += node.orelse
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return names


def test_importing_the_core_is_light():
    code = (
        "import sys, mnuts_core\n"
        f"print([n for n in {LATE + NEVER + ('pandas', 'sklearn', 'matplotlib')!r} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import mnuts_core

    promised = {
        "MixParams, transform_logits, layer_norm, confidence_margin, signed_margin, temperature_scale",
        "mix_probabilities, MixedClassifier, GridSpec, grid_search, GridSearchResult, beta_frontier",
        "alpha_curve, RemixEngine, LogitBundle, MixConfig, minimum_margin_attack, square_margin_attack",
        "load_model, LoadedModel, load_data, LoadedData, import_logits, build_bundle, evaluate, Verified",
    }
    for name in ", ".join(promised).split(", "):
        assert name in mnuts_core.__all__
        assert getattr(mnuts_core, name).__doc__


def test_no_public_name_is_a_module_of_the_same_name():
    """A module that is imported first would hide the function behind it."""
    import mnuts_core

    modules = {path.stem for path in CORE if path.parent == ROOT / "mnuts_core"}
    assert not modules & set(mnuts_core.__all__)


@pytest.mark.parametrize("path", CORE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_knows_no_widgets_and_no_figures(path):
    forbidden = {"plotly", "ipywidgets", "anywidget"}
    assert not packages(path) & forbidden
    assert not at_top(path) & set(LATE)
    if "cli" not in path.parts:  # the command line may start the dashboard, when asked to
        assert not packages(path) & set(NEVER)


FIGURES = [p for p in DASHBOARDS if p.stem.startswith("figures") or "figures" in p.parent.name]


@pytest.mark.parametrize("path", FIGURES, ids=lambda p: str(p.relative_to(ROOT)))
def test_figures_know_neither_torch_nor_widgets(path):
    assert not packages(path) & {"torch", "ipywidgets", "anywidget"}


@pytest.mark.parametrize("path", [*CORE, *DASHBOARDS], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_imports_a_notebook(path):
    assert not packages(path) & {"notebooks", "nbformat", "import_ipynb", "tests"}


def test_the_reading_of_imports_notices(tmp_path):
    """The checks above rest on `imported` and `at_top`; here they must find what is there."""
    file = tmp_path / "x.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import timm\n"
        "try:\n    import plotly.graph_objects as go\nexcept ImportError:\n    go = None\n"
        "def f():\n    from torchvision import models\n"
    )
    assert packages(file) == {"typing", "timm", "plotly", "torchvision"}
    assert at_top(file) == {"typing", "plotly"}
