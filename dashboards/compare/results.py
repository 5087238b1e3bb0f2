"""The comparison's results: plots and tables of one `Comparison`, and what is highlighted in them."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import ipywidgets as w
from markupsafe import Markup

from mnuts_dashboards.board.board import Board
from mnuts_dashboards.board.events import BoardEvent
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.compare import tables
from mnuts_dashboards.compare.session import Comparison
from mnuts_dashboards.figures.comparison import gaps_figure, medians_figure
from mnuts_dashboards.figures.transfer_matrix import transfers_figure
from mnuts_dashboards.text import messages
from mnuts_dashboards.widgets.table import Table

PANELS = (
    Panel("medians", "Median confidence margins", span=8, height=440, level=2),
    Panel("gaps", "Margin gaps", span=4, height=440, level=2),
)
MATRIX = (Panel("transfers", "How best parameters carry over", span=12, height=330, level=2),)


class Results(w.VBox):
    """Everything right of the controls.

    Args:
        banner: What stands on top.
        save: Called with a file's name and the name of a table, to download it.
        on_error: Called with the error of plots that could not be drawn.

    Attributes:
        shown: What is on the page; None until there is something.
        focus: The bundle that is highlighted; None where all stand alike.
        pair: Source and target of the transfer that is marked; None for none.
        board, matrix: The plots: the margins', and the transfer matrix.
        facts, best, transfers: The tables.
        notes: What must be read with care, as HTML.
    """

    def __init__(
        self, banner: w.HTML, *, save: Callable[[str, str], None], on_error: Callable[[Exception], None]
    ) -> None:
        self._save = save
        self.shown: Comparison | None = None
        self.focus: str | None = None
        self.pair: tuple[str, str] | None = None
        self.board, self.matrix = Board(PANELS, on_error=on_error), Board(MATRIX, on_error=on_error)
        self.notes = w.HTML()
        self.remarks = {name: w.HTML() for name in ("facts", "best", "transfers")}
        self.facts = Table(tables.FACTS, label="Models and attacks")
        self.best = Table(tables.BEST, label="Best parameters", empty="No bundle here has been attacked.")
        self.best.add_class("mnuts-remarked")
        self.transfers = Table(
            tables.TRANSFERS, label="Transfer of best parameters", empty="Nothing to carry over."
        )
        self.transfers.add_class("mnuts-pairs")
        for board in (self.board, self.matrix):
            board.on_event(self.click, kinds=["click"])
        self.facts.on_choose = self._on_fact
        self.transfers.on_choose = self._on_transfer
        super().__init__(
            [
                banner,
                self.notes,
                self._box("Models and attacks", "models-and-attacks", self.facts, "facts"),
                self.board,
                self._box("Best parameters (Algorithm 1)", "best-parameters", self.best, "best"),
                self.matrix,
                self._box("Transfer, pair by pair", "transfer", self.transfers, "transfers"),
            ]
        )
        self.add_class("mnuts-main")

    def _box(self, title: str, filename: str, table: Table, name: str) -> w.VBox:
        """A table with its heading and its download."""
        save = w.Button(description="CSV", tooltip=f"Save this table: {title}", layout={"width": "56px"})
        save.on_click(lambda _: self._save(f"{filename}.csv", name))
        head = w.HBox([w.HTML(Markup("<h2>{}</h2>").format(title)), save]).add_class("mnuts-box-head")
        return w.VBox([head, self.remarks[name], table]).add_class("mnuts-box")

    def show(self, result: Comparison) -> None:
        """Put numbers on the page."""
        self.shown = result
        names = result.settings.bundles
        self.focus = self.focus if self.focus in names else None
        self.notes.value = messages.notes_html(tables.words(result))
        remarks = tables.remarks(result)
        for name, remark in self.remarks.items():
            remark.value = messages.notes_html([remarks[name]])
        self.facts.rows = tables.fact_rows(result.summaries)
        self.best.rows = tables.best_rows(names, result.best)
        self.transfers.rows = tables.transfer_rows(result.transfers)
        self._draw()

    def _draw(self) -> None:
        result = self.shown
        if result is None:
            return
        names = result.settings.bundles
        self.facts.chosen = names.index(self.focus) if self.focus else -1
        pairs = [(cell.source, cell.target) for cell in result.transfers]
        self.pair = self.pair if self.pair in pairs else None
        self.transfers.chosen = pairs.index(self.pair) if self.pair else -1
        self.board.draw(
            {
                "medians": medians_figure(result.medians, self.focus),
                "gaps": gaps_figure(result.medians, tables.paper_gaps(), self.focus),
            },
            tables.NOTES,
        )
        matrix = transfers_figure(result.transfers, names, self.pair)
        self.matrix.draw({"transfers": matrix}, {"transfers": tables.matrix_note(result)})

    def _on_fact(self, number: int) -> None:
        if self.shown is not None:
            self._focus_on(self.shown.settings.bundles[number])

    def _on_transfer(self, number: int) -> None:
        if self.shown is not None:
            cell = self.shown.transfers[number]
            self._mark((cell.source, cell.target))

    def click(self, event: BoardEvent) -> None:
        """Bring out what was clicked on."""
        if not event.points:
            return
        point = event.points[0]
        if event.panel == "transfers":
            self._mark((unescape(str(point["y"])), unescape(str(point["x"]))))
        elif point.get("customdata") is not None:
            self._focus_on(str(point["customdata"]))

    def _focus_on(self, name: str) -> None:
        """Highlight a bundle; the same one again highlights none."""
        self.focus = None if self.focus == name else name
        self._draw()

    def _mark(self, pair: tuple[str, str]) -> None:
        self.pair = None if self.pair == pair else pair
        self._draw()
