"""What the doctor says: a line for each thing that it has looked at, and the name of its entry."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, cast, get_args

from mnuts_core.bundles.logit_warnings import Code as LogitCode
from mnuts_core.pipeline.readings import ReadingCode

Level = Literal["ok", "warning", "error"]
"""`error`: the numbers of a build would be wrong, or it would fail; `warning`: they may mislead."""

OwnCode = Literal[
    "loads",
    "images",
    "labels-sorted",
    "threat-model",
    "answers",
    "logits",
    "constant-answers",
    "changes-images",
    "inputs",
    "input-size",
    "preprocessing",
    "evaluation-mode",
    "state-changes",
    "batch-dependence",
    "class-order",
    "clean-accuracy",
    "same-model",
    "swapped",
    "gradients",
    "attack",
    "gradient-masking",
    "not-robust",
    "reduced-precision",
    "memory",
    "time",
    "disk",
]
"""`docs/doctor.md` has an entry for each."""
SharedCode = Literal[
    "images-outside-0-1",
    "inputs-too-dark",
    "grey-images",
    "not-finite",
    "training-mode",
    "random-model",
    "optimisation-loop",
    "zero-gradients",
    LogitCode,
]
"""What other commands warn of, too: `docs/warnings.md` has an entry for each."""
Code = Literal[OwnCode, SharedCode, ReadingCode]
CODES: tuple[Code, ...] = get_args(Code)
_IN_WARNINGS = {*get_args(SharedCode), "normalised-twice"}


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        code: The name of its entry in the documents.
        level: Whether anything is wrong.
        seen: What was seen, with numbers.
        meaning: What that means; empty where all is well.
        remedy: What to do; likewise.
    """

    code: Code
    level: Level
    seen: str
    meaning: str = ""
    remedy: str = ""

    @property
    def entry(self) -> str:
        """Where more is said of it."""
        page = "warnings" if self.code in _IN_WARNINGS else "doctor"
        return f"docs/{page}.md#{self.code}"

    def __str__(self) -> str:
        text = ": ".join(filter(None, ("; ".join(filter(None, (self.seen, self.meaning))), self.remedy)))
        return text if self.level == "ok" else f"{text} (see {self.entry})"

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        return {**self._asdict(), "entry": self.entry}


def ok(code: Code, seen: str) -> Finding:
    """All is well."""
    return Finding(code, "ok", seen)


def warning(code: str, seen: str, meaning: str = "", remedy: str = "") -> Finding:
    """Numbers may mislead."""
    return Finding(cast(Code, code), "warning", seen, meaning, remedy)


def error(code: str, seen: str, meaning: str = "", remedy: str = "") -> Finding:
    """Numbers would be wrong, or the build would fail."""
    return Finding(cast(Code, code), "error", seen, meaning, remedy)
