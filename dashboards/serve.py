"""``serve``: one app in the browser, from one command, with nothing from outside this machine."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST_PORT = 8866
PORTS_TO_TRY = 50


class ServeError(ValueError):
    """Why an app cannot be served, in one line."""


def serve(
    app: str = "explorer",
    *,
    bundle: Path | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    open_browser: bool = True,
    preheat: bool = True,
) -> int:
    """Serve `app` until Ctrl-C or SIGTERM; call it from the main thread.

    Args:
        app: One of :func:`app_names`, or the path of any notebook.
        bundle: Logit bundle to open; the app finds it in ``MNUTS_BUNDLE``.
        host: Address to listen on.
        port: Port to listen on; by default the first free one from 8866.
        token: What a visitor must bring in ``?token=``. By default none on this machine's own addresses and a
            fresh one on any other; ``""`` asks nobody for one.
        open_browser: Open the page in the default browser.
        preheat: Keep one started kernel in reserve, so that the page comes at once.

    Returns:
        The exit code: 0 after an orderly end.

    Raises:
        ServeError: The app, the bundle or the port is not to be had; the message is one line.
    """
    notebook = find_notebook(app)
    if bundle is not None:
        if not Path(bundle).is_file():
            raise ServeError(f"bundle: no such file: {bundle}. 'mnuts build' makes one.")
        os.environ["MNUTS_BUNDLE"] = str(Path(bundle).resolve())
    sockets = listen(host, port)
    from .voila_app import run  # Voilà takes half a second to import: errors above need not wait for it

    return run(notebook, sockets, host=host, token=token, open_browser=open_browser, preheat=preheat)


def app_names() -> list[str]:
    """The apps: the notebooks beside this module."""
    return sorted(path.stem for path in HERE.glob("*.ipynb"))


def find_notebook(app: str) -> Path:
    """The notebook of an app's name, or the one that a path ending in ``.ipynb`` means."""
    path = Path(app) if app.endswith(".ipynb") else HERE / f"{app}.ipynb"
    if path.is_file():
        return path.resolve()
    if app.endswith(".ipynb"):
        raise ServeError(f"app: no such notebook: {app}")
    raise ServeError(
        f"app must be one of {', '.join(app_names()) or '(none is installed)'}, or an .ipynb path; got {app!r}."
    )


def listen(host: str, port: int | None) -> list[socket.socket]:
    """Sockets that are already listening, so that no other program can take the port in between."""
    from tornado.netutil import bind_sockets

    tries = [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TO_TRY)
    for candidate in tries:
        try:
            return bind_sockets(candidate, host)
        except (OSError, OverflowError) as error:
            if port is None and getattr(error, "errno", None) == errno.EADDRINUSE:
                continue
            raise ServeError(_why(error, host, candidate)) from None
    raise ServeError(f"port: {tries[0]} to {tries[-1]} are all taken on {host}. Name a free one with --port.")


def _why(error: OSError | OverflowError, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken. End the program that holds it, or choose another with --port."
        )
    if number == errno.EACCES:
        return f"port {port} on {host} is not allowed to you. Choose one above 1023 with --port."
    if isinstance(error, OverflowError):
        return f"port must be 0 to 65535, got {port}."
    return f"host: cannot listen on {host}: {error.strerror or error}."
