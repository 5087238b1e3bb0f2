"""The page's own widgets: what a page may write of them is defined in one place."""

from __future__ import annotations

from typing import Any, ClassVar

import anywidget


class PageWidget(anywidget.AnyWidget):
    """A widget whose traits the kernel alone writes, but for those that it names.

    A page can send any value for any trait that it sees, whatever its own script does.

    Attributes:
        from_page: The traits that a page may write.
    """

    from_page: ClassVar[frozenset[str]] = frozenset()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take over what a page sent, as far as it may write it."""
        super().set_state({name: value for name, value in sync_data.items() if name in self.from_page})
