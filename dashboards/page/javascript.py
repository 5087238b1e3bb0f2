"""JavaScript as code, comments and literals: enough to tell a statement from the text of a string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from mnuts_core.errors import MnutsError

Kind = Literal["code", "comment", "literal"]
_WORDS = re.compile(r"[\w$\s]+")
_COMMENT = re.compile(r"//[^\n\u2028\u2029]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
_CHUNK = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(`|\$\{)", re.DOTALL)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
_BEFORE_REGEX = frozenset(
    ("return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else")
)
"""After these words a slash begins a regular expression; after any other it divides."""
_HEADS = frozenset({"if", "while", "for", "with"})
"""Words whose parenthesis is followed by a statement, not by an operator."""
_BLANKED = re.compile(r"[^\n]")
_MARKUP = re.compile(r"<(?:!--|/?script)", re.IGNORECASE)
_ESCAPABLE = re.compile(r"(\\[^<])|\\?<(?=!--|/?script)", re.IGNORECASE | re.DOTALL)


class ModuleError(MnutsError):
    """A module of the page cannot be packed; the message names the file and what is wrong with it."""


class Span(NamedTuple):
    """A stretch of source; an expression in a template literal is code, the braces around it are literal."""

    kind: Kind
    start: int
    end: int


def spans(source: str, name: str) -> list[Span]:
    """A module's source, stretch by stretch, without a gap.

    Args:
        source: The source.
        name: How to call the file in messages.

    Raises:
        ModuleError: If a string, template, comment or regular expression does not end.

    Example:
        >>> [source[s.start:s.end] for source in ["a = /'/ / b; // c"] for s in spans(source, "x.js")]
        ['a = ', "/'/", ' / b; ', '// c']
    """
    return list(_Scanner(source, name).scan())


def code_only(source: str, found: list[Span]) -> str:
    """The source with comments and literals blanked: every place and every line stays where it was.

    Args:
        source: The source.
        found: Its `spans`.
    """
    texts = ((span.kind, source[span.start : span.end]) for span in found)
    return "".join(text if kind == "code" else _BLANKED.sub(" ", text) for kind, text in texts)


def stripped(source: str, found: list[Span], name: str) -> str:
    """The source without comments and blank lines, fit to stand inside a script element.

    Args:
        source: The source.
        found: Its `spans`.
        name: How to call the file in messages.

    Raises:
        ModuleError: If code, and no literal, looks like the end of a script element.
    """
    parts: list[str] = []
    code = ""
    for span in [*found, Span("literal", len(source), len(source))]:
        text = source[span.start : span.end]
        if span.kind == "code":
            code += text
        elif span.kind == "comment":
            code += "\n" if "\n" in text else " "
        else:
            parts += [re.sub(r"[ \t]*\n(?:[ \t]*\n)*", "\n", code), harmless(text)]
            code = ""
    result = "".join(parts).strip()
    if _MARKUP.search(result):
        raise ModuleError(f"{name}: write a space between < and what follows: it reads as markup")
    return result


def harmless(literal: str) -> str:
    r"""A literal of the same meaning in which no HTML parser finds a script's end.

    A template whose tag reads `raw` would see the escape: the page has none.

    Example:
        >>> harmless('"</script>"'), harmless(r"/<\/script/")
        ('"\\x3c/script>"', '/<\\/script/')
    """
    return _ESCAPABLE.sub(lambda found: found[1] or r"\x3c", literal)


class _Scanner:
    """Walks through the source once."""

    def __init__(self, source: str, name: str) -> None:
        self.source, self.name, self.at = source, name, 0
        self.before = ""  # the token before, as far as it decides what a slash is
        self.opened: list[str] = []  # braces that are open: "{", or "${" of a template
        self.heads: list[bool] = []  # parentheses that are open: whether a statement follows

    def scan(self) -> Iterator[Span]:
        """Every stretch; code as far as it goes."""
        code = 0  # where the code before begins
        while self.at < len(self.source):
            start, kind = self.at, self._step()
            if kind != "code":
                if code < start:
                    yield Span("code", code, start)
                yield Span(kind, start, self.at)
                code = self.at
        if code < self.at:
            yield Span("code", code, self.at)
        if self.opened:
            raise self._wrong("a brace is never closed")

    def _step(self) -> Kind:
        source, at = self.source, self.at
        if found := _WORDS.match(source, at):
            self.at = found.end()
            if words := found[0].split():
                self.before = "x" if self.before == "." and len(words) == 1 else words[-1]
        elif source.startswith(("//", "/*"), at):
            return self._take(_COMMENT, "comment", "a comment")
        elif source[at] in "\"'":
            self.before = "x"
            return self._take(_STRING, "literal", "a string")
        elif source[at] == "`":
            self.at += 1
            return self._chunk()
        elif source[at] == "}" and self.opened and self.opened[-1] == "${":
            self.opened.pop()
            self.at += 1
            return self._chunk()
        elif source[at] == "/" and self._regex_comes():
            self.before = "x"
            return self._take(_REGEX, "literal", "a regular expression")
        else:
            self._punctuation(source[at])
        return "code"

    def _take(self, pattern: re.Pattern[str], kind: Kind, what: str) -> Kind:
        if (found := pattern.match(self.source, self.at)) is None:
            raise self._wrong(f"{what} does not end")
        self.at = found.end()
        return kind

    def _chunk(self) -> Kind:
        """A template's text, up to its end or to an expression in it."""
        self._take(_CHUNK, "literal", "a template literal")
        if self.source[self.at - 1] == "{":
            self.opened.append("${")
            self.before = ""
        else:
            self.before = "x"
        return "literal"

    def _regex_comes(self) -> bool:
        before = self.before
        return before in _BEFORE_REGEX or before in ("", "head)") or before in "(,=:[!&|?{};+-*%<>~^/."

    def _punctuation(self, char: str) -> None:
        self.at += 1
        if char == "(":
            self.heads.append(self.before in _HEADS)
        elif char == ")":
            self.before = "head)" if self.heads and self.heads.pop() else "x"
            return
        elif char == "{":
            self.opened.append("{")
        elif char == "}":
            if not self.opened:
                raise self._wrong("a brace is closed that was never opened")
            self.opened.pop()
        elif char == "]":
            char = "x"
        elif char in "+-" and self.source[self.at : self.at + 1] == char:  # i++ / 2
            self.at, char = self.at + 1, "x"
        self.before = char

    def _wrong(self, what: str) -> ModuleError:
        line = self.source.count("\n", 0, self.at) + 1
        return ModuleError(f"{self.name}, line {line}: {what}")
