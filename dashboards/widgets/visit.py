"""What the server was started with, and what a visitor asked for in the URL.

The kernel may have been started before there was a visitor.

``voila.utils.get_query_string`` does the same, but importing it costs a kernel 1.7 s.
"""

from __future__ import annotations

import json
import os
import threading

BUNDLES_VARIABLE = "MNUTS_BUNDLE"
"""The environment variable with the bundle files to open, joined as in PATH."""
KEY_VARIABLE = "MNUTS_KERNEL_KEY"
"""The environment variable with the key by which a server's kernels identify themselves to it."""
SHARED_VARIABLE = "MNUTS_SHARED"
"""The environment variable that says that others than the owner of this machine visit the server."""
CLASS_VARIABLE = "MNUTS_CLASS"
"""The environment variable that says that the server counts what a class predicts."""
CONNECT_TIMEOUT = 5.0  # seconds


def served_bundles() -> list[str]:
    """The bundle files that the server was started with; none means the shipped ones."""
    return [path for path in os.environ.get(BUNDLES_VARIABLE, "").split(os.pathsep) if path]


def shared() -> bool:
    """Whether visitors may be others than the owner of this machine, who may name any file of it."""
    return os.environ.get(SHARED_VARIABLE) == "1"


def class_counted() -> bool:
    """Whether the server counts what a class predicts."""
    return os.environ.get(CLASS_VARIABLE) == "1"


def query_string() -> str:
    """The query of the page's URL, without the question mark; empty where there is none, as in JupyterLab.

    In a kernel that Voilà keeps in reserve this waits for the visitor: import and prepare everything first.
    """
    if os.environ.get("VOILA_PREHEAT") == "True":
        # In a thread, since this one runs the kernel's own event loop.
        thread = threading.Thread(target=_wait_for_visitor, daemon=True)
        thread.start()
        thread.join()
    return os.environ.get("QUERY_STRING", "")


def _wait_for_visitor() -> None:
    """Ask the server for the visitor's request and put it into the environment, as Voilà does."""
    import asyncio

    from tornado.httpclient import HTTPClientError, HTTPRequest
    from tornado.websocket import websocket_connect

    env = os.environ.get
    root = env("VOILA_WS_BASE_URL") or env("VOILA_SERVER_URL") or "/"
    host = f"{env('VOILA_APP_IP', '127.0.0.1')}:{env('VOILA_APP_PORT', '8866')}"
    url = f"{env('VOILA_WS_PROTOCOL', 'ws')}://{host}{root}voila/query/{env('VOILA_KERNEL_ID', '')}"

    request = HTTPRequest(url, headers={"Authorization": f"Bearer {env(KEY_VARIABLE, '')}"})

    async def ask() -> str | bytes | None:
        connection = await asyncio.wait_for(websocket_connect(request), CONNECT_TIMEOUT)
        try:
            return await connection.read_message()
        finally:
            connection.close()

    try:
        answer = asyncio.run(ask())
    except (HTTPClientError, OSError, TimeoutError):
        return  # no server to ask: the app opens with its defaults
    if answer:
        os.environ.update({str(key): str(value) for key, value in json.loads(answer).items()})
