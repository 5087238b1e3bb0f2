"""Which example is chosen: a part of the open bundle and a row in it, or the paper's two cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import ParameterError
from mnuts_dashboards.explorer.state import ExplorerState

if TYPE_CHECKING:
    from mnuts_core.views.examples import Where

Example: TypeAlias = "tuple[Where, int]"
"""The part (`clean` or `attacked`), and the row in it."""


class Selection:
    """The chosen example, as the state has it.

    Args:
        state: Its `case` and `row`.
        bundle: Gives the bundle that is open.
    """

    def __init__(self, state: ExplorerState, bundle: Callable[[], LogitBundle]) -> None:
        self._state, self._bundle = state, bundle

    @property
    def example(self) -> Example | None:
        """The example; None for the paper's cases.

        Raises:
            ParameterError: When set: if there is no such row.
        """
        if self._state.case == "paper":
            return None
        where: Where = "clean" if self._state.case == "clean" else "attacked"
        return where, min(self._state.row, self.last_row)

    @example.setter
    def example(self, example: Example | None) -> None:
        if example is None:
            self._state.case = "paper"
            return
        where, row = example
        bundle = self._bundle()
        n = {"clean": bundle.n_clean, "attacked": bundle.n_adv}.get(where, 0)
        if not 0 <= row < n:
            raise ParameterError(f"selection must be ('clean' or 'attacked', row in [0, {n})), got {example}")
        self.choose(where, row)

    def choose(self, where: Where, row: int) -> None:
        """Choose an example that there is."""
        self._state.case = where  # first: it says how many rows there are
        self._state.row = row

    @property
    def last_row(self) -> int:
        """The last row that can be chosen in the part that is shown."""
        bundle = self._bundle()
        return (bundle.n_adv or bundle.n_clean if self._state.case == "attacked" else bundle.n_clean) - 1
