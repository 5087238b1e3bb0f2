"""Headless Firefox through WebDriver BiDi, which it speaks by itself: no driver program stands between.

Playwright drives only a Firefox of its own build, which is not in any package registry.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

TIMEOUT = 60  # seconds
ARROW_LEFT, ENTER = "\ue012", "\ue007"
"""Keys, as WebDriver numbers them."""
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.download.folderList": 2,  # into the folder that is named
    "browser.download.useDownloadDir": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
}


def find_firefox() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A running browser with one page.

    Attributes:
        asked: The addresses that the page asked for.
        complaints: Errors and warnings of its console, and what its scripts threw.
        downloads: The folder where it saves files.
    """

    def __init__(self, address: str, downloads: Path) -> None:
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.downloads = downloads
        self._number = 0
        self._socket = websocket.create_connection(f"{address}/session", TIMEOUT, suppress_origin=True)
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        # a tab of our own: without a screen the first one never has the focus, and keys press no button
        self._context = self.call("browsingContext.create", type="tab")["context"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result; events on the way are taken down."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("type") == "event":
                self._on_event(message["method"], message["params"])
            elif message.get("id") == self._number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _on_event(self, name: str, params: dict[str, Any]) -> None:
        if name == "network.beforeRequestSent":
            self.asked.append(params["request"]["url"])
        elif params["level"] in ("error", "warn"):
            self.complaints.append(str(params["text"]))

    def size(self, width: int, height: int) -> None:
        """Give the page so many pixels."""
        self.call(
            "browsingContext.setViewport", context=self._context, viewport={"width": width, "height": height}
        )

    def offline(self) -> None:
        """Take the network away."""
        conditions = {"type": "offline"}
        self.call("emulation.setNetworkConditions", networkConditions=conditions, contexts=[self._context])

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.call("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, of what JSON has; a promise is awaited."""
        code = f"(async () => JSON.stringify(await ({expression})))()"
        found = self.call(
            "script.evaluate", expression=code, target={"context": self._context}, awaitPromise=True
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"].get("value", "null"))

    def becomes(self, expression: str, expected: Any) -> None:
        """Wait until an expression in the page has a value."""
        end = time.monotonic() + TIMEOUT
        while (found := self.evaluate(expression)) != expected and time.monotonic() < end:
            time.sleep(0.05)
        assert found == expected, f"{expression} is {found!r}, not {expected!r}"

    def press(self, *keys: str) -> None:
        """Press and release keys, one after the other."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.call("input.performActions", context=self._context, actions=[source])

    def close(self) -> None:
        """End the browser."""
        self.call("browser.close")
        self._socket.close()


@contextmanager
def running_firefox(program: str, folder: Path) -> Iterator[Firefox]:
    """A Firefox with a profile of its own.

    Args:
        program: As `find_firefox` finds it.
        folder: For the profile and for what it saves.
    """
    profile, downloads = folder / "profile", folder / "downloads"
    profile.mkdir()
    downloads.mkdir()
    preferences = PREFERENCES | {"browser.download.dir": str(downloads)}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    options = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    log = folder / "firefox.log"
    with log.open("w") as output:
        process = subprocess.Popen([program, *options], stdout=output, stderr=output)
    try:
        firefox = Firefox(_address(log, process), downloads)
        yield firefox
        firefox.close()
        process.wait(TIMEOUT)
    finally:
        process.kill()
        process.wait()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens, once it does."""
    end = time.monotonic() + TIMEOUT
    while not (found := LISTENS.search(log.read_text())):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Firefox did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)
    return found[1]
