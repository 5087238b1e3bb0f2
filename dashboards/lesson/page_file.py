"""The lesson as a page: what Python hands to it."""

from __future__ import annotations

import json
from typing import Any

from mnuts_dashboards.figures.themes import theme
from mnuts_dashboards.lesson.formulas import formulas
from mnuts_dashboards.lesson.state import STARTS, LessonState
from mnuts_dashboards.page.data import settings
from mnuts_dashboards.page.modules import WEB
from mnuts_dashboards.page.one_file import App
from mnuts_dashboards.page.thread import shipped_thread
from mnuts_dashboards.theme import CLASSIFIER, MUTED, PAGE, RIGHT, WRONG

TEXTS = WEB / "lesson" / "texts"


def sentences(language: str = "en") -> dict[str, str]:
    """The catalogue of the lesson's sentences.

    Args:
        language: The file's name.
    """
    texts: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    return texts


def lesson_app() -> App:
    """The lesson, for a page."""
    texts = sentences()
    content: dict[str, Any] = {
        "controls": settings(LessonState, {name: {"default": start} for name, start in STARTS.items()}),
        "sentences": texts,
        "formulas": formulas(),
        "colours": {**CLASSIFIER, "right": RIGHT, "wrong": WRONG, "muted": MUTED},
        "themes": {name: theme(name) for name in PAGE},
        "thread": shipped_thread(),
    }
    return App("lesson", texts["page.title"], texts["page.sentence"], content)
