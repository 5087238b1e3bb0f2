"""The lesson as a page: what Python hands to it."""

from __future__ import annotations

import json
from typing import Any

from mnuts_core.errors import ParameterError
from mnuts_core.text import one_line
from mnuts_dashboards.figures.themes import theme
from mnuts_dashboards.lesson.formulas import formulas
from mnuts_dashboards.lesson.state import STARTS, LessonState
from mnuts_dashboards.page.data import settings
from mnuts_dashboards.page.modules import WEB
from mnuts_dashboards.page.one_file import App
from mnuts_dashboards.page.thread import shipped_thread
from mnuts_dashboards.theme import CLASSIFIER, MUTED, PAGE, RIGHT, WRONG

TEXTS = WEB / "lesson" / "texts"


def languages() -> list[str]:
    """The languages that the lesson speaks: each is a file of `web/lesson/texts/`, named by its code."""
    return sorted(file.stem for file in TEXTS.glob("*.json"))


def sentences(language: str = "en") -> dict[str, str]:
    """The catalogue of the lesson's sentences.

    Args:
        language: One of `languages()`.

    Raises:
        ParameterError: If the lesson does not speak it.
    """
    if language not in languages():
        allowed = ", ".join(languages())
        raise ParameterError(
            f"the lesson's language must be one of {allowed}, got {one_line(language, 20)!r}"
        )
    texts: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    return texts


def lesson_app(language: str = "en", *, counted: bool = False) -> App:
    """The lesson, for a page.

    Args:
        language: In which it begins; readers may go on in another one.
        counted: Whether the page's server counts what a class predicts, see `server/class_counts.py`.

    Raises:
        ParameterError: If the lesson does not speak it.
    """
    texts = sentences(language)
    content: dict[str, Any] = {
        "controls": settings(LessonState, {name: {"default": start} for name, start in STARTS.items()}),
        "language": language,
        "counted": counted,
        "languages": {name: sentences(name) for name in sorted(languages(), key=lambda one: one != "en")},
        "formulas": formulas(),
        "colours": {**CLASSIFIER, "right": RIGHT, "wrong": WRONG, "muted": MUTED},
        "themes": {name: theme(name) for name in PAGE},
        "thread": shipped_thread(),
    }
    return App("lesson", texts["page.title"], texts["page.sentence"], content, language)
