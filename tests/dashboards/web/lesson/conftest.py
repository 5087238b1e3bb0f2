"""The lesson in node, and bundles for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_dashboards.lesson.page_file import lesson_app
from tests.dashboards.web.explorer.visit import DRIVER, Visit, Visitor, opened, verified
from tests.dashboards.web.node import running
from tests.synthetic import make_bundle

Open = Callable[..., "Reader"]


class Reader(Visitor):
    """A reader of the lesson."""

    look = "lesson"

    def go(self, step: int) -> dict[str, Any]:
        """What there is to see of a step."""
        state = self.sees["state"]
        while state["step"] != step:
            self.visit.press("← Back" if state["step"] > step else self._on(state["step"]))
            state = self.sees["state"]
        return self.sees

    def _on(self, step: int) -> str:
        return "To the end →" if step == 9 else "Next →"

    def shown(self, step: int) -> dict[str, Any]:
        """What there is to see of a step that the reader asked to be shown."""
        if "Just show me" in self.go(step)["question"]:
            self.visit.press("Just show me")
        return self.sees

    def says(self, step: int, answer: float | str) -> dict[str, Any]:
        """What there is to see of a step with an answer."""
        self.go(step)
        if isinstance(answer, str):
            self.visit.mark(answer)
        else:
            self.visit.type("answer", str(answer))
        self.visit.press("Check")
        return self.sees


@pytest.fixture(scope="package")
def pages() -> Iterator[Visit]:
    """The page in a process of its own."""
    with running(DRIVER) as ask:
        yield Visit(ask, lesson_app())


@pytest.fixture(scope="package")
def bundle() -> LogitBundle:
    """The bundle that most tests read."""
    return make_bundle(n=260, m=150)


@pytest.fixture(scope="package")
def reference(bundle: LogitBundle) -> RemixEngine:
    """Its figures in Python."""
    return RemixEngine(bundle)


@pytest.fixture(scope="package")
def best(bundle: LogitBundle) -> MixParams:
    """What Algorithm 1 chooses on it."""
    return grid_search(bundle, GridSpec.paper("cifar10"), 0.95).best.params.with_(alpha=None)


@pytest.fixture(scope="package")
def made(reference: RemixEngine, best: MixParams) -> dict[str, Any]:
    """It as a page gets it, with a configuration of that mix, so that no search is needed."""
    config = verified(reference, best).model_copy(update={"beta": best.beta})
    return opened("made-1", reference.bundle, [(Path("best.json"), config)])


@pytest.fixture
def read(pages: Visit, made: dict[str, Any]) -> Open:
    """A function that opens the lesson, on the bundle or on others."""

    def make(query: str = "", *others: LogitBundle) -> Reader:
        named = [opened(f"made-{place}", one) for place, one in enumerate(others, 2)]
        return Reader(pages.open(*([made] if not others else named), query=query))

    return make
