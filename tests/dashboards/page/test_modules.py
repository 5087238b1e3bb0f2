"""Packed modules do what the modules do; what a script cannot hold is refused in one line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mnuts_core import MixParams
from mnuts_dashboards.apps.pages import APPS
from mnuts_dashboards.page.data import engine_record
from mnuts_dashboards.page.javascript import ModuleError, harmless
from mnuts_dashboards.page.modules import WEB, pack, read_module
from mnuts_dashboards.page.one_file import WORKER
from tests.dashboards.web.engine import encoded
from tests.dashboards.web.node import node
from tests.synthetic import make_pool

BOTH = """
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
const [entry, packed] = process.argv.slice(2);
const given = readFileSync(0, "utf8");
globalThis.given = given ? JSON.parse(given) : null;
const module = await import(entry);
module.answer();
const first = globalThis.answered;
globalThis.answered = null;
runInThisContext(readFileSync(packed, "utf8"));
console.log(JSON.stringify([first, globalThis.answered]));
"""
STRANGE = Path(__file__).with_name("strange")
"""Modules in syntax that is allowed, and looks as if it were not."""
OTHER = (STRANGE / "deep" / "other.js").read_text("utf-8")


@pytest.fixture(scope="module")
def program() -> str:
    """Node."""
    found = node()
    if found is None:
        pytest.skip("neither node nor Playwright is here")
    return found


def both(program: str, folder: Path, entry: str, given: Any = None) -> tuple[Any, Any]:
    """What a module's `answer` answers, as it is and packed."""
    packed, driver = folder / "packed.txt", folder / "both.mjs"
    packed.write_text(pack(entry, "answer", folder), "utf-8")
    driver.write_text(BOTH)
    done = subprocess.run(
        [program, driver, folder / entry, packed],
        input="" if given is None else json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    return first, second


def write(folder: Path, **modules: str) -> Path:
    (folder / "deep").mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    for name, source in modules.items():
        (folder / f"{name.replace('__', '/')}.js").write_text(source, "utf-8")
    return folder


def test_the_packed_engine_is_the_engine(program, tmp_path):
    (tmp_path / "engine").symlink_to(WEB / "engine")
    (tmp_path / "host").symlink_to(WEB / "host")
    source = """
        import { EngineService } from "./engine/service.js";
        import { VIEWS } from "./engine/views/all.js";
        import { withArrays } from "./host/arrays.js";
        export function answer() {
          const service = new EngineService(withArrays(globalThis.given.bundle), {});
          const frame = (state) => service.frame(state, Object.keys(VIEWS));
          globalThis.answered = globalThis.given.states.map(frame);
        }"""
    (tmp_path / "page.js").write_text("\n".join(line.strip() for line in source.splitlines()))
    params = [MixParams(s=2, p=2.5, c=-0.8, beta=0.95), MixParams(clamp="relu", alpha=0.8, temperature=0.5)]
    states = [{"params": encoded(one)} for one in params]
    given = {"bundle": encoded(engine_record(make_pool(n=60, m=30, k=5))), "states": states}
    first, second = both(program, tmp_path, "page.js", given)
    assert first == second
    assert first[0]["views"]["headline"]["mix"]["clean"]["n"] == 60


def test_strange_syntax_means_the_same(program, tmp_path):
    shutil.copytree(STRANGE, tmp_path, dirs_exist_ok=True)
    first, second = both(program, tmp_path, "strange.js")
    assert first == second
    assert "\n\n// kept, with its blank line above" in first[2]
    packed = pack("strange.js", "answer", STRANGE).lower()
    assert not any(markup in packed for markup in ("</script", "<script", "<!--", "a comment with"))


def test_every_module_of_the_page_can_be_packed(program, tmp_path):
    for module in sorted(WEB.rglob("*.js")):
        read_module(module.relative_to(WEB).as_posix())
    for name, script in (
        *((name, pack(make().opener, "open")) for name, make in APPS.items()),
        ("worker", pack(WORKER, "")),
    ):
        (tmp_path / f"{name}.cjs").write_text(script, "utf-8")
        done = subprocess.run([program, "--check", tmp_path / f"{name}.cjs"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('import x from "./deep/other.js";', "an import is one line"),
        ('import * as x from "./deep/other.js";', "an import is one line"),
        ('import "./deep/other.js";', "an import is one line"),
        ('import {\n  half,\n} from "./deep/other.js";', "an import is one line"),
        ('import { half } from "deep/other.js";', "an import is one line"),
        ('const a = 1;\nimport { half } from "./deep/other.js";', "line 2: imports stand at the top"),
        ('import { third } from "./deep/other.js";', "imports third, which deep/other.js does not export"),
        ('import { a } from "../outside.js";', "outside the folder"),
        ('import { a } from "./missing.js";', "missing.js cannot be read"),
        ("const a = await 1;", "must not wait"),
        ('const a = () => import("./deep/other.js");', "import(...)"),
        ("const a = import.meta.url;", "import.meta"),
        ("export default 1;", "write export function NAME"),
        ("const a = 1;\nexport { a };", "line 2: write export function NAME"),
        ('export * from "./deep/other.js";', "write export function NAME"),
        ("export let a = 1;", "write export function NAME"),
        ("export const { a, b } = {};", "write export function NAME"),
        ("export const a = [1, 2], b = 2;", "one constant at a time"),
        ("const a = 1 <script;", "write a space between <"),
        ('const a = "1;', "a string does not end"),
        ("/* a", "a comment does not end"),
        ("const a = `${1`;", "does not end"),
        ("const a = () => {", "a brace is never closed"),
        ("}", "a brace is closed"),
    ],
)
def test_what_is_refused(tmp_path, source, words):
    folder = write(tmp_path, page=source, deep__other=OTHER)
    with pytest.raises(ModuleError) as error:
        pack("page.js", "", folder)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert ".js" in str(error.value)


def test_circles_and_missing_calls_are_refused(tmp_path):
    folder = write(
        tmp_path,
        a='import { b } from "./b.js";\nexport const a = 1;',
        b='import { c } from "./c.js";\nexport const b = 1;',
        c='import { b } from "./b.js";\nexport const c = 1;',
    )
    with pytest.raises(ModuleError, match=r"b\.js imports itself: b\.js → c\.js → b\.js"):
        pack("a.js", "", folder)
    (folder / "d.js").write_text("export const d = 1;")
    with pytest.raises(ModuleError, match=r"d\.js does not export start"):
        pack("d.js", "start", folder)
    (folder / "my-module.js").write_text("")
    with pytest.raises(ModuleError, match="letters, digits"):
        pack("my-module.js", "", folder)


def test_literals_lose_no_backslash():
    assert harmless(r'"\\</script>\<!--"') == r'"\\\x3c/script>\x3c!--"'
    assert harmless("/a < b/") == "/a < b/"
