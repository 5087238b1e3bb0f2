"""The card of images that the mix fixes or breaks, and what becomes of the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w
import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.examples import Examples, Where, changed_examples, story
from mnuts_dashboards.text import cards
from mnuts_dashboards.text.images import data_url
from mnuts_dashboards.theme import RIGHT, WRONG
from mnuts_dashboards.widgets.table import Column, Table

MAX_ROWS = 300
"""The table shows no more; whoever has more of them wants a script."""
PICTURE = 128
"""Pixels that a small image's side is brought to."""

COLUMNS = (
    Column("image", "image", numeric=True, help="Which clean image of the bundle"),
    Column("what", "the mix", help="Against the robust model h by itself"),
    Column("label", "true class"),
    Column("std", "standard g"),
    Column("rob", "robust h"),
    Column("mix", "this mix"),
    Column("margin", "margin", numeric=True, digits=4, help="Of M(h): below (1−α)/α g can overrule it"),
)
SHOWN = [("fixed and broken", "both"), ("fixed", "fixed"), ("broken", "broken")]
PARTS = [("clean images", "clean"), ("attacked images", "attacked")]

NOTHING = "The mix fixes and breaks no image here."
CHOOSE = "<p class='mnuts-words'>Select a row to show that image in the two plots above.</p>"


class ExamplesCard(w.VBox):
    """Table, filters and story; it is filled when it is on the screen.

    Args:
        choose: Called with part and row when the visitor chooses an example.
        wanted: Called when the card needs to be filled: it came into view, or a filter was moved.
    """

    def __init__(self, choose: Callable[[Where, int], None], wanted: Callable[[], None]) -> None:
        self._choose, self._wanted = choose, wanted
        self.part = w.Dropdown(options=PARTS, description="of the", tooltip="Which part of the bundle")
        self.what = w.Dropdown(options=SHOWN, description="show", tooltip="Which of them")
        for box in (self.part, self.what):
            box.layout, box.style = {"width": "230px"}, {"description_width": "52px"}
            box.observe(lambda _: wanted(), names="value")
        self.table = Table(
            COLUMNS, label="Images the mix fixes or breaks", filtered=True, height=280,
            empty="Loading examples …",
        )  # fmt: skip
        self.table.on_choose = lambda row: self._choose(self.part.value, row)
        self.table.observe(self._on_visible, names="visible")
        self.story = w.HTML().add_class("mnuts-story-box")
        head = w.HBox(
            [
                w.HTML("<h3>Images the mix fixes or breaks, relative to the robust model h</h3>"),
                self.what,
                self.part,
            ]
        )
        body = w.HBox([self.table.add_class("mnuts-grow"), self.story]).add_class("mnuts-examples")
        super().__init__([head.add_class("mnuts-card-head"), body])
        self.add_class("mnuts-card")

    def fill(self, engine: RemixEngine, remix: Remix, example: tuple[Where, int] | None) -> None:
        """Show the examples of the current mix, if the card is on the screen, and the chosen one's story.

        Args:
            engine: The engine of the bundle.
            remix: The mix.
            example: Part and row of the chosen example, or None.
        """
        self.show_story(engine, remix, example)
        if not self.table.visible:
            return
        if not engine.bundle.n_adv:
            self.part.value = "clean"
        self.part.disabled = not engine.bundle.n_adv
        found = changed_examples(engine, remix, self.part.value)
        fixed = int(found.fixed.sum())
        rows = _rows(found, engine.bundle.manifest.classes, self.what.value)
        n = engine.n_clean if self.part.value == "clean" else engine.bundle.n_adv
        note = f"{fixed:,} of {n:,} {self.part.value} images fixed, {len(found.row) - fixed:,} broken "
        note += "(relative to h)"
        if len(rows) > MAX_ROWS:
            note += f"; first {MAX_ROWS} shown"
        with self.table.hold_sync():
            self.table.empty = NOTHING
            self.table.note, self.table.rows = note, rows[:MAX_ROWS]
            self.table.chosen = example[1] if example and example[0] == self.part.value else -1

    def show_story(self, engine: RemixEngine, remix: Remix, example: tuple[Where, int] | None) -> None:
        """Tell the chosen example's story."""
        if example is None:
            self.story.value = CHOOSE
            return
        shown = story(engine, remix, *example)
        self.story.value = cards.story_html(shown, picture(engine.bundle, shown.row))

    def _on_visible(self, change: Mapping[str, Any]) -> None:
        if change["new"]:
            self._wanted()


def _rows(found: Examples, names: tuple[str, ...], what: str) -> list[dict[str, Any]]:
    wanted = np.ones(len(found.row), bool) if what == "both" else found.fixed == (what == "fixed")
    return [
        {
            "key": int(found.row[i]),
            "image": int(found.number[i]),
            "what": "fixes" if found.fixed[i] else "breaks",
            "label": names[found.label[i]],
            "std": names[found.std[i]],
            "rob": names[found.rob[i]],
            "mix": names[found.mix[i]],
            "margin": float(found.margin[i]),
            "dot": RIGHT if found.fixed[i] else WRONG,
        }
        for i in np.flatnonzero(wanted)
    ]


def picture(bundle: LogitBundle, row: int) -> str | None:
    """One image as a data URL of a PNG; None if the bundle has none: it keeps none of further points.

    Args:
        bundle: The bundle.
        row: Its row of the engine: clean ones first, then the first attacked points, then all others.
    """
    images, place = bundle.clean_images, row
    if row >= bundle.n_clean:
        images, place = bundle.require_attacked().images, row - bundle.n_clean
    if images is None or place >= len(images) or images.shape[-1] not in (1, 3):
        return None
    return data_url(images[place], PICTURE)
