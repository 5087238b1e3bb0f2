"""Which way imports go: along the flow of the data, never in a circle; what must not load with the core."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

CORE = (
    {"text", "schemas"},
    {"errors"},
    {"extras"},
    {"clamps", "devices", "io"},
    {"params"},
    {"functional"},
    {"bundles"},
    {"models", "remix"},
    {"datasets", "search", "export"},
    {"attacks", "views"},
    {"pipeline", "report"},
    {"demo", "ablations"},
    {"cli"},
)
"""The core's rooms by floor: a room may import from the floors below it, not from those beside it."""
DASHBOARDS = (
    {"theme", "widgets"},
    {"plotlyjs", "bundles"},
    {"text"},
    {"figures"},
    {"page", "verification"},
    {"explorer", "lesson", "compare"},
    {"services"},
    {"apps"},
    {"server"},
)
"""The same for the apps; apps never import each other."""
LATE = ("robustbench", "timm", "torchvision", "autoattack", "pyautoattack")
NEVER = ("plotly", "ipywidgets", "anywidget", "voila", "mnuts_dashboards")


def imported(path: Path, *, at_top: bool = False) -> set[str]:
    """Every module that a file imports; with `at_top` only those that importing the file imports."""
    names: set[str] = set()
    for node in _at_top(path) if at_top else ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _at_top(path: Path) -> Iterator[ast.stmt]:
    """A file's statements, those inside functions and `if TYPE_CHECKING` left out."""
    stack = list(ast.parse(path.read_text("utf-8")).body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack += node.orelse
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def _holder(name: str, names: set[str]) -> bool:
    """Whether a name is only the package of another, as in `from package import module`."""
    return any(other.startswith(f"{name}.") for other in names)


def packages(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def against_the_flow(folder: str, package: str, floors: tuple[set[str], ...]) -> list[str]:
    """Each import from the same floor or a higher one, and each room that has no floor."""
    floor_of = {room: height for height, rooms in enumerate(floors) for room in rooms}
    found = []
    for path in files(folder):
        room = path.relative_to(ROOT / folder).with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != package or len(parts) < 2 or parts[1] == room:
                continue
            if parts[1] not in floor_of and not (ROOT / folder / parts[1]).exists():
                continue  # a public name, from the package itself
            if floor_of[parts[1]] >= floor_of[room]:
                found.append(f"{path.relative_to(ROOT)} imports {name}")
    return found


def test_imports_follow_the_flow_of_the_data():
    assert against_the_flow("mnuts_core", "mnuts_core", CORE) == []
    assert against_the_flow("dashboards", "mnuts_dashboards", DASHBOARDS) == []


def test_no_module_imports_itself_by_a_detour():
    """Modules at their top, inside the rooms too, form no circle."""
    graph: dict[str, set[str]] = {}
    for folder, package in (("mnuts_core", "mnuts_core"), ("dashboards", "mnuts_dashboards")):
        for path in files(folder):
            parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
            graph[".".join(parts).removesuffix(".__init__")] = imported(path, at_top=True)
    graph.pop("mnuts_core")  # its public names load when they are used
    left = {
        module: {name for name in names & graph.keys() if not _holder(name, names & graph.keys())}
        for module, names in graph.items()
    }
    while ready := [module for module, names in left.items() if not names & left.keys() - {module}]:
        for module in ready:
            del left[module]
    assert sorted(left) == []


def test_heavy_libraries_stay_where_they_belong():
    """The core knows no widgets, figures know neither torch nor widgets, nobody notebooks or tests."""
    wrong = []
    for path in files("mnuts_core"):
        forbidden = {"plotly", "ipywidgets", "anywidget"} & packages(imported(path))
        forbidden |= set(LATE) & packages(imported(path, at_top=True))
        if "cli" not in path.parts:  # the command line may start the dashboard, when asked to
            forbidden |= set(NEVER) & packages(imported(path))
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(forbidden)]
    for path in files("dashboards/figures"):
        forbidden = {"torch", "ipywidgets", "anywidget"} & packages(imported(path))
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(forbidden)]
    for path in [*files("mnuts_core"), *files("dashboards")]:
        forbidden = {"notebooks", "nbformat", "import_ipynb", "tests"} & packages(imported(path))
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(forbidden)]
    assert wrong == []


def test_importing_the_core_is_light():
    heavy = (*LATE, *NEVER, "torch", "pandas", "sklearn", "matplotlib")
    code = f"import sys, mnuts_core\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "start",
    [
        "from mnuts_dashboards.apps.explorer import Explorer as App",
        "from mnuts_dashboards.apps.lesson import Lesson as App",
        "from mnuts_dashboards.apps.compare import Compare as App",
    ],
    ids=["explorer", "lesson", "compare"],
)
def test_a_page_opens_without_torch(start):
    """Which takes longer than all else, and which only attacks, reports and calls from Python need."""
    code = (
        f"{start}\napp = App()\nimport sys\n"
        "record = app._bundles.record('digits')\nassert record['meta']['configs']\n"
        "print([name for name in ('torch', 'pandas', 'scipy', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_page_is_written_without_torch(tmp_path):
    code = (
        "import sys\nfrom mnuts_core.cli.app import run\n"
        "assert run(['page', 'digits', '--out', sys.argv[1]]) == 0\nprint('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "page.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


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
    # a module that is imported first would hide a function of its name
    assert not {path.stem for path in (ROOT / "mnuts_core").iterdir()} & set(mnuts_core.__all__)


def test_the_reading_of_imports_notices(tmp_path):
    """The checks above rest on `imported`; here it must find what is there."""
    file = tmp_path / "x.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import timm\n"
        "try:\n    import plotly.graph_objects as go\nexcept ImportError:\n    go = None\n"
        "def f():\n    from torchvision import models\n"
    )
    assert packages(imported(file)) == {"typing", "timm", "plotly", "torchvision"}
    assert packages(imported(file, at_top=True)) == {"typing", "plotly"}
