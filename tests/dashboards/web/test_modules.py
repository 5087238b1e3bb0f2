"""The page's modules: imports and exports of one form, so that one script can hold all; rooms in order."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.dashboards.web.engine import WEB
from tests.dashboards.web.node import needed_node

MODULES = sorted(WEB.rglob("*.js"))
IMPORT = re.compile(r'import \{ (\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*) \} from "(\.\.?/[\w./]+\.js)";')
EXPORT = re.compile(r"export (?:async function|function\*?|class|const) (\w+)")
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.S | re.M)
FORBIDDEN = re.compile(r"\bimport\(|\bimport\.meta\b|^export (?:default|\*|\{|let|var)", re.M)
APPS = {"explorer", "lesson", "compare"}
LEVELS = ({"engine"}, {"charts", "controls"}, {"app"}, APPS, {"host"})
"""Rooms; each imports from its own level and from those before it."""
ON_A_PAGE = re.compile(r"\b(?:document|window|self|navigator)\.")
OF_THE_PAGE = ("client.js", "worker.js")
"""The two of the engine that know where they run."""
PARSE = """
const modules = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const [name, text] of modules) {
  try { new Function(`"use strict";${text}`); } catch (error) { console.log(`${name}: ${error.message}`); }
}
"""


def lines_of(module: Path) -> list[str]:
    return module.read_text("utf-8").splitlines()


def imports(module: Path) -> dict[Path, set[str]]:
    """By module the names that one imports of it."""
    found: dict[Path, set[str]] = {}
    for names, path in (match.groups() for line in lines_of(module) if (match := IMPORT.fullmatch(line))):
        wanted = {name.split(" as ")[0] for name in names.split(", ")}
        found.setdefault((module.parent / path).resolve(), set()).update(wanted)
    return found


def exports(module: Path) -> set[str]:
    return set(re.findall(rf"^{EXPORT.pattern}", module.read_text("utf-8"), re.M))


def room(module: Path) -> str:
    return module.relative_to(WEB).parts[0]


def level(module: Path) -> int:
    return next(place for place, rooms in enumerate(LEVELS) if room(module) in rooms)


def in_words(module: Path) -> str:
    return module.relative_to(WEB).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=in_words)
def test_imports_and_exports_are_of_one_form(module):
    lines, text = lines_of(module), COMMENT.sub("", module.read_text("utf-8"))
    assert not (found := FORBIDDEN.search(text)), found
    assert all(IMPORT.fullmatch(line) for line in lines if line.startswith("import"))
    assert all(EXPORT.match(line) for line in lines if line.startswith("export"))
    code = [line for line in lines if line and not line.startswith(("//", "/*", " *"))]
    after = [line.startswith("import ") for line in code]
    assert after == sorted(after, reverse=True), "imports stand on top"
    for other, names in imports(module).items():
        assert other in MODULES, f"there is no {other}"
        assert not (missing := names - exports(other)), f"{in_words(other)} exports no {missing}"


def test_each_is_a_script_but_for_imports_and_exports():
    """Which also leaves no room for an await at the top."""
    program = needed_node()
    plain = [
        (in_words(module), re.sub(r"^(?:import .*|export )", "", module.read_text("utf-8"), flags=re.M))
        for module in MODULES
    ]
    run = subprocess.run([program, "-e", PARSE], input=json.dumps(plain), capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_no_circles():
    left = {module: set(imports(module)) for module in MODULES}
    while left:
        free = [module for module, found in left.items() if not found & left.keys()]
        assert free, f"a circle among {sorted(map(in_words, left))}"
        for module in free:
            del left[module]


def test_rooms_import_from_those_before_them():
    wrong = [
        f"{in_words(module)} imports {in_words(other)}"
        for module in MODULES
        for other in imports(module)
        if level(other) > level(module)
    ]
    assert wrong == []


def test_apps_never_import_each_other():
    for module in MODULES:
        if room(module) in APPS:
            assert {room(other) for other in imports(module)} & APPS <= {room(module)}, in_words(module)


@pytest.mark.parametrize("module", MODULES, ids=in_words)
def test_each_is_small_and_the_engine_knows_no_page(module):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) < 300
    if room(module) == "engine" and module.name not in OF_THE_PAGE:
        assert not ON_A_PAGE.search(text)
