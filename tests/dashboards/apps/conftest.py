"""The explorer without a page: what it would send is kept, and calls come as from a page."""

from __future__ import annotations

import pytest

from mnuts_dashboards.apps.explorer import Explorer
from mnuts_dashboards.explorer.view import view_json
from mnuts_dashboards.page.widget import PageApp
from tests.conftest import DIGITS


def assert_a_page_writes_nothing_else(app: PageApp) -> None:
    """A page cannot write traits but those that it may."""
    for name in set(app.trait_names(sync=True)) - app.from_page - {"layout"}:
        before = getattr(app, name)
        app.set_state({name: "evil"})
        assert getattr(app, name) == before, name


class FakePage:
    """Calls an explorer's kernel and reads its answers; without an event loop work is done at once."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.sent = explorer, []
        explorer.send = lambda content, buffers=None: self.sent.append((content, buffers or []))

    def call(self, name, /, buffers=(), **args):
        """The answer's value and buffers; the message of an error."""
        args = {"view": view_json(self.explorer.state)} | args
        content = {"type": "call", "id": f"{len(self.sent)}", "name": name, "args": args}
        self.explorer._handle_custom_msg(content, list(buffers))
        message, arrays = self.sent[-1]
        assert message["id"] == content["id"]
        return message["message"] if message["type"] == "error" else (message["value"], arrays)

    def show(self, **changes):
        """The page shows another state."""
        view = view_json(self.explorer.state) | changes
        self.explorer.set_state({"view": view})

    def verify(self, **args):
        """Verify what is shown, and show the very mix that was verified, as a page does."""
        value, arrays = self.call("verify", **args)
        settings = value["settings"]
        by_hand = settings["alpha"] is not None
        changes = {name: one for name, one in settings.items() if one is not None}
        self.show(**changes, by_hand=by_hand)
        return value, arrays


@pytest.fixture
def explorer():
    return Explorer(DIGITS)


@pytest.fixture
def page(explorer):
    return FakePage(explorer)
