"""What came of the steps: kept as JSON, shown as Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically

FILE = "summary.json"


class State(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    NOT_BEGUN = "not begun"


@dataclass(frozen=True)
class Outcome:
    """One step's end.

    Attributes:
        state: How it ended.
        seconds: How long it took, in its last call.
        at: When it ended, in seconds since 1970.
        lines: The last lines of its log, where it did not end well.
        earlier: Seconds that it took in calls before.
    """

    state: State
    seconds: float = 0.0
    at: float = 0.0
    lines: tuple[str, ...] = ()
    earlier: float = 0.0

    def __str__(self) -> str:
        before = f" after {self.earlier:.0f} s in earlier calls" if self.earlier else ""
        return f"{self.state}, {self.seconds:.0f} s{before}" if self.at else str(self.state)


class Summary:
    """All steps that a folder knows of.

    Args:
        out: The folder of results.
        outcomes: By the step's name.
    """

    def __init__(self, out: Path, outcomes: dict[str, Outcome]) -> None:
        self.out, self.outcomes = out, outcomes

    @classmethod
    def load(cls, out: Path) -> Summary:
        """What earlier calls have left in the folder.

        Raises:
            MnutsError: If the file is damaged.
        """
        path = out / FILE
        if not path.exists():
            return cls(out, {})
        try:
            steps = json.loads(path.read_text("utf-8"))["steps"]
            outcomes = {
                name: Outcome(
                    State(step["state"]), step["seconds"], step["at"], tuple(step["lines"]), step["earlier"]
                )
                for name, step in steps.items()
            }
        except (ValueError, KeyError, TypeError) as error:
            raise MnutsError(f"{path} is damaged: {error!r}: delete it, and all steps run again") from None
        return cls(out, outcomes)

    def is_done(self, name: str, after: tuple[str, ...] = ()) -> bool:
        """Whether a step is done, and none of those that it uses ended later."""
        own = self.outcomes.get(name)
        if own is None or own.state is not State.DONE:
            return False
        return all(self.outcomes[other].at <= own.at for other in after if other in self.outcomes)

    def note(self, name: str, outcome: Outcome) -> None:
        """Take in how a step ended; one that had no time keeps what earlier calls say of it."""
        before = self.outcomes.get(name)
        if before is not None and outcome.state is State.NOT_BEGUN:
            return
        spent = 0.0 if before is None else before.earlier + before.seconds
        fields = (outcome.state, outcome.seconds, outcome.at, outcome.lines)
        self.outcomes[name] = Outcome(*fields, earlier=spent)

    @property
    def ended_well(self) -> bool:
        """Whether all steps are done."""
        return all(outcome.state is State.DONE for outcome in self.outcomes.values())

    def save(self) -> None:
        """Write `summary.json` and `summary.md`."""
        steps = {
            name: asdict(outcome) | {"numbers": self._result(name).get("numbers", {})}
            for name, outcome in self.outcomes.items()
        }
        content = {"environment": self._environment(), "steps": steps}
        text = json.dumps(content, indent=2, ensure_ascii=False)
        write_atomically(self.out / FILE, text.encode(), MnutsError)
        write_atomically(self.out / "summary.md", self.markdown().encode(), MnutsError)

    def markdown(self) -> str:
        """The same to read."""
        there = self._environment()
        parts = ["# What the GPU gave", ", ".join(f"{name}: {value}" for name, value in there.items())]
        rows = [f"| {name} | {outcome} |" for name, outcome in self.outcomes.items()]
        parts.append("\n".join(["| step | outcome |", "|---|---|", *rows]))
        for name, outcome in self.outcomes.items():
            numbers = self._result(name).get("numbers", {})
            if numbers or outcome.lines:
                parts.append(f"## {name}")
            if numbers:
                rows = [f"| {what} | {_shown(number)} |" for what, number in numbers.items()]
                parts.append("\n".join(["| what | value |", "|---|---|", *rows]))
            if outcome.lines:
                parts.append("\n".join(["```", *outcome.lines, "```"]))
        return "\n\n".join(part for part in parts if part) + "\n"

    def _result(self, name: str) -> dict[str, Any]:
        path = self.out / "results" / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return found

    def _environment(self) -> dict[str, str]:
        """The card and the versions of the first step that says."""
        every = (self._result(name).get("environment") for name in self.outcomes)
        return next((there for there in every if there), {})


def _shown(number: dict[str, Any]) -> str:
    """A number with its interval and n.

    Example:
        >>> _shown({"kind": "clean", "value": 0.5, "n": 4, "ci95": [0.15, 0.85]}), _shown({"value": 3})
        ('0.5000 [0.1500, 0.8500], n = 4', '3')
    """
    value, ends = number["value"], number.get("ci95")
    if ends is None:
        return str(value)
    parts = ["–" if part is None else f"{part:.4f}" for part in (value, *ends)]
    return f"{parts[0]} [{parts[1]}, {parts[2]}], n = {number['n']:,}"
