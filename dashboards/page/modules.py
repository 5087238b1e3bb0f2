"""ES modules packed into one script without a bundler: each becomes a function that returns what it exports.

From `file://` no module can import another, so the page carries them in one inline script, and those of its
worker in another. What makes that simple is a discipline that is kept in `dashboards/web`, and refused here
where it is not: each import is one line at the top that names what it takes from a relative path; only
functions, classes and single constants are exported, where they are declared; there are no circles.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mnuts_dashboards.page.javascript import ModuleError, code_only, spans, stripped

WEB = Path(__file__).parents[1] / "web"
_IMPORT = re.compile(r'import \{ ([^{}]+) \} from "(\.{1,2}/[\w./-]+\.js)";')
_IMPORTED = re.compile(r"[\w$]+(?: as [\w$]+)?")
_EXPORT = re.compile(r"export ((?:async )?function\*? ?|class |const )([\w$]+)")
_KEYWORD = re.compile(r"(?<![\w$.#])(import|export|await)(?![\w$])")
_NAME = re.compile(r"[\w/]+\.js")
_BRACKET = re.compile(r"[][(){},;]")


class Module(NamedTuple):
    """One module, read.

    Attributes:
        name: Its path from the folder of all, such as `engine/views/all.js`.
        imports: What it takes from others: their names, and the words between the braces.
        exports: The names that it exports.
        body: What is left of its source once imports, the word `export` and comments are gone.
    """

    name: str
    imports: tuple[tuple[str, str], ...]
    exports: tuple[str, ...]
    body: str


def pack(entry: str, call: str, folder: Path = WEB) -> str:
    """One script with a module and all that it needs, which ends by calling one of its exports.

    Args:
        entry: The module, by its path from the folder.
        call: The export to call, without arguments; empty where loading the module does all.
        folder: Where the modules are.

    Raises:
        ModuleError: If a module is missing, breaks the discipline, or imports itself by a detour; if the
            entry does not export what is to be called.
    """
    parts = _functions(entry, [call] if call else [], folder)
    end = [f"{_variable(entry)}.{call}();"] if call else []
    return "\n".join(["(function () {", '"use strict";', *parts, *end, "})();"]) + "\n"


def pack_widget(entry: str, folder: Path = WEB) -> str:
    """The same as one ES module, for anywidget: its default export has the entry's `render`.

    Args:
        entry: The module, by its path from the folder.
        folder: Where the modules are.

    Raises:
        ModuleError: See `pack`.
    """
    parts = _functions(entry, ["render"], folder)
    return "\n".join([*parts, f"export default {{ render: {_variable(entry)}.render }};"]) + "\n"


def reachable(entry: str, folder: Path = WEB) -> list[Module]:
    """A module and all that it imports, each after those that it needs.

    Args:
        entry: The module, by its path from the folder.
        folder: Where the modules are.

    Raises:
        ModuleError: See `pack`.
    """
    done: dict[str, Module] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            raise ModuleError(f"{name} imports itself: {' → '.join((*way[way.index(name) :], name))}")
        if name in done:
            return
        module = read_module(name, folder)
        for other, words in module.imports:
            visit(other, (*way, name))
            _check_offered(module, done[other], words)
        done[name] = module

    visit(entry, ())
    return list(done.values())


@cache
def read_module(name: str, folder: Path = WEB) -> Module:
    """One module, its source checked; it is read once in a process.

    Args:
        name: Its path from the folder.
        folder: Where the modules are.

    Raises:
        ModuleError: See `pack`.
    """
    if not _NAME.fullmatch(name):
        raise ModuleError(f"{name}: a module's path has letters, digits, _ and / alone, and ends in .js")
    try:
        source = (folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModuleError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _Reader(name, source).read()


class _Reader:
    """Finds the statements of one module that are no code of its own."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source
        self.found = spans(source, name)
        self.code = code_only(source, self.found)

    def read(self) -> Module:
        imports, begin = self._imports()
        exports, cuts = self._exports(begin)
        source = "\0" * begin + self.source[begin:]  # what goes keeps its place till the end
        for at in cuts:
            source = source[:at] + "\0" * len("export ") + source[at + len("export ") :]
        body = stripped(source, self.found, self.name).replace("\0", "").strip()
        return Module(self.name, tuple(imports), tuple(exports), body)

    def _imports(self) -> tuple[list[tuple[str, str]], int]:
        """What is imported, and where the code begins."""
        imports: list[tuple[str, str]] = []
        begin = 0
        while re.match(r"\s*import\b(?!\s*[(.])", self.code[begin:]):
            start = begin + self.code[begin:].index("import")
            end = self.source.find("\n", start)
            end = len(self.source) if end < 0 else end
            line = self._uncommented(start, end).rstrip()
            found = _IMPORT.fullmatch(line)
            words = [word.strip() for word in found[1].split(",")] if found else []
            if found is None or not all(map(_IMPORTED.fullmatch, words)):
                raise self._wrong(start, 'an import is one line such as import { a, b as c } from "./x.js";')
            imports.append((self._resolved(found[2], start), ", ".join(words)))
            begin = end
        return imports, begin

    def _uncommented(self, start: int, end: int) -> str:
        kept = (s for s in self.found if s.kind != "comment" and s.start < end and s.end > start)
        return "".join(self.source[max(s.start, start) : min(s.end, end)] for s in kept)

    def _resolved(self, path: str, at: int) -> str:
        parts = list(Path(self.name).parent.parts)
        for part in path.split("/"):
            if part == "..":
                if not parts:
                    raise self._wrong(at, f"{path} lies outside the folder of the page's modules")
                parts.pop()
            elif part != ".":
                parts.append(part)
        return "/".join(parts)

    def _exports(self, begin: int) -> tuple[list[str], list[int]]:
        """The names exported, and where the word `export` stands."""
        exports, cuts = [], []
        depth = _Depth(self.code, begin)
        for found in _KEYWORD.finditer(self.code, begin):
            at, top = found.start(), depth.at(found.start()) == 0
            if found[1] == "export" and top:
                exports.append(self._exported(at))
                cuts.append(at)
            elif found[1] == "import" and top and not re.match(r"import\s*[(.]", self.code[at:]):
                raise self._wrong(at, "imports stand at the top, before all else")
            elif found[1] == "import" and re.match(r"import\s*[(.]", self.code[at:]):
                raise self._wrong(at, "import(...) and import.meta are not there in a packed script")
            elif found[1] == "await" and top and "async" not in self.code[depth.statement : at]:
                raise self._wrong(at, "a module must not wait at its top level")
        return exports, cuts

    def _exported(self, at: int) -> str:
        found = _EXPORT.match(self.code, at)
        if found is None:
            form = "export function NAME, export async function NAME, export class NAME or export const NAME"
            raise self._wrong(at, f"write {form}")
        if found[1] == "const " and _declares_more(self.code, found.end()):
            raise self._wrong(at, "export one constant at a time")
        return found[2]

    def _wrong(self, at: int, what: str) -> ModuleError:
        line = self.source.count("\n", 0, at) + 1
        return ModuleError(f"{self.name}, line {line}: {what}")


class _Depth:
    """How deep in brackets places are, asked for in ascending order.

    Attributes:
        statement: Where the statement of the last place begins, if it is at the top.
    """

    def __init__(self, code: str, begin: int) -> None:
        self._code, self._at, self._depth, self.statement = code, begin, 0, begin

    def at(self, place: int) -> int:
        """The depth of a place."""
        for found in _BRACKET.finditer(self._code, self._at, place):
            self._depth += 1 if found[0] in "([{" else -1 if found[0] in ")]}" else 0
            if self._depth == 0 and found[0] in ";}":
                self.statement = found.end()
        self._at = place
        return self._depth


def _declares_more(code: str, at: int) -> bool:
    """Whether a declaration goes on after a comma."""
    depth = 0
    for found in _BRACKET.finditer(code, at):
        depth += 1 if found[0] in "([{" else -1 if found[0] in ")]}" else 0
        if depth == 0 and found[0] in ",;":
            return found[0] == ","
    return False


def _check_offered(module: Module, other: Module, words: str) -> None:
    for word in words.split(", "):
        if (name := word.partition(" as ")[0]) not in other.exports:
            raise ModuleError(f"{module.name} imports {name}, which {other.name} does not export")


def _variable(name: str) -> str:
    """What a module's exports are called in the script; no module's name holds a dollar."""
    return "$" + name.removesuffix(".js").replace("/", "$")


def _functions(entry: str, needed: list[str], folder: Path) -> list[str]:
    """A module and all that it imports as functions; the module exports what is needed of it."""
    modules = reachable(entry, folder)
    for name in needed:
        if name not in modules[-1].exports:
            raise ModuleError(f"{entry} does not export {name}, with which the script ends")
    return [_function(module) for module in modules]


def _function(module: Module) -> str:
    """A module as a function, called at once, that returns its exports."""
    imports = (f"const {{ {words.replace(' as ', ': ')} }} = {_variable(o)};" for o, words in module.imports)
    end = f"return {{ {', '.join(module.exports)} }};"
    return "\n".join([f"const {_variable(module.name)} = (() => {{", *imports, module.body, end, "})();"])
