"""Undo, redo and the browser's history: a drag is one step; both lists stay in step."""

import asyncio

import pytest

from mnuts_dashboards.widgets import undo
from mnuts_dashboards.widgets.undo import History, Navigator


class FakeBrowser:
    """A list of addresses and a place in it, as a browser keeps them."""

    def __init__(self):
        self.entries, self.place = [("", 0)], 0

    def push(self, link, place):
        self.entries[self.place + 1 :] = [(link, place)]
        self.place += 1

    def replace(self, link, place):
        self.entries[self.place] = (link, place)

    def go(self, steps):
        self.place += steps


class App:
    """A state that is one word."""

    def __init__(self):
        self.view, self.browser, self.announced = "a", FakeBrowser(), 0
        self.navigator = Navigator(self.browser, lambda: self.view, self.show, self.changed)
        self.navigator.restart()

    def show(self, link):
        self.set(link)

    def changed(self):
        self.announced += 1

    def set(self, view):
        self.view = view
        self.navigator.note()

    def addresses(self):
        return [link for link, _ in self.browser.entries]


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(undo, "REST", 0.0)  # each change is a step of its own
    return App()


def test_history_forgets_what_was_undone_when_something_new_comes():
    past = History("a")
    past.add("b")
    past.add("c")
    assert past.go(0) == "a"
    assert (past.can_undo, past.can_redo) == (False, True)
    past.add("d")
    assert past.links == ["a", "d"]
    assert past.go(5) is None
    assert past.go(1) is None  # it is there already


def test_undo_and_redo_move_the_state_and_the_browser(app):
    for view in "bcd":
        app.set(view)
    assert app.addresses() == ["a", "b", "c", "d"]
    app.navigator.undo()
    app.navigator.undo()
    assert (app.view, app.browser.place) == ("b", 1)
    app.navigator.redo()
    assert (app.view, app.browser.place) == ("c", 2)
    assert app.addresses() == ["a", "b", "c", "d"], "moving is no step of its own"
    app.set("e")
    assert app.addresses() == ["a", "b", "c", "e"]
    assert not app.navigator.history.can_redo


def test_nothing_happens_at_the_ends(app):
    app.navigator.undo()
    app.navigator.redo()
    assert (app.view, app.browser.place) == ("a", 0)


def test_the_browsers_back_moves_the_state(app):
    app.set("b")
    app.browser.go(-1)
    app.navigator.arrive(0, "a")
    assert app.view == "a"
    app.navigator.arrive(0, "a")  # the echo of our own move
    assert app.navigator.history.links == ["a", "b"]


def test_an_entry_of_an_earlier_visit_is_shown_and_becomes_the_beginning(app):
    app.set("b")
    app.navigator.arrive(None, "old")
    assert app.view == "old"
    assert app.navigator.history.links == ["old"]
    assert app.browser.entries[app.browser.place] == ("old", 0)


def test_a_change_that_changes_no_link_is_no_step(app):
    app.set("a")
    assert app.addresses() == ["a"]


def test_a_drag_is_one_step_and_updates_the_browser_rarely(monkeypatch):
    monkeypatch.setattr(undo, "REST", 0.15)
    monkeypatch.setattr(undo, "WRITE_EVERY", 0.03)

    async def drag():
        app = App()
        calls = []
        for name in ("push", "replace"):
            kept = getattr(app.browser, name)
            monkeypatch.setattr(
                app.browser, name, lambda link, place, kept=kept: (calls.append(link), kept(link, place))
            )
        for i in range(40):
            app.set(f"s{i}")
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.2)
        app.set("later")
        return app, calls

    app, calls = asyncio.run(drag())
    assert app.addresses() == ["a", "s39", "later"]
    assert len(calls) < 20
    app.navigator.undo()
    app.navigator.undo()
    assert app.view == "a"


def test_undo_in_the_middle_of_a_drag_goes_to_before_it(monkeypatch):
    monkeypatch.setattr(undo, "REST", 5.0)

    async def drag():
        app = App()
        app.set("b")
        app.set("c")  # waits for its turn
        app.navigator.undo()
        return app

    app = asyncio.run(drag())
    assert app.view == "a"
    app.navigator.redo()
    assert app.view == "c"
