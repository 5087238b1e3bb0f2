"""``serve``: one app in the browser, from one command, with nothing from outside this machine."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mnuts_dashboards.server.tokens import TokenError, given_token
from mnuts_dashboards.widgets.visit import BUNDLES_VARIABLE

APPS = Path(__file__).resolve().parents[1]  # the notebooks
FIRST_PORT = 8866
PORTS_TO_TRY = 50


class ServeError(ValueError):
    """Why an app cannot be served, in one line."""


def serve(
    app: str = "explorer",
    *,
    bundles: Sequence[Path] = (),
    images: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    base_url: str = "/",
    open_browser: bool = True,
    preheat: bool = True,
    token_file: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    max_visitors: int | None = None,
    count_class: bool = False,
) -> int:
    """Serve `app` until Ctrl-C or SIGTERM; call it from the main thread.

    Args:
        app: One of :func:`app_names`, or the path of any notebook.
        bundles: Logit bundles to open, the first one first; `visit.served_bundles` tells the app.
        images: Data spec of the images behind them; the app finds it in ``MNUTS_IMAGES``.
        host: Address to listen on.
        port: Port to listen on; by default the first free one from 8866.
        token: What a visitor must bring in ``?token=``. By default what ``MNUTS_TOKEN`` says; else none on
            this machine's own addresses and a fresh one on any other; ``""`` asks nobody for one.
        base_url: Path that all addresses begin with, for a proxy that hands it on: ``/user/ann/mnuts/``.
        open_browser: Open the page in the default browser.
        preheat: Keep one started kernel in reserve, so that the page comes at once.
        token_file: A file with the token, which a list of processes does not show.
        jobs: How many verifications may run at once; the others wait in a line.
        max_visitors: How many visitors may be here at once; by default as many as the memory holds, see
            `machine.default_visitors`.
        count_class: Count what the visitors of a lesson predict, for who has the teacher's link, which is
            printed.

    Returns:
        The exit code: 0 after an orderly end.

    Raises:
        ServeError: The app, the bundle, the token or the port is not available; the message is one line.
    """
    try:
        given = given_token(token, token_file)
    except TokenError as error:
        raise ServeError(str(error)) from None
    for name, value in (("jobs", jobs), ("max_visitors", max_visitors)):
        if value is not None and not 1 <= value <= 1000:
            raise ServeError(f"{name} must be 1 to 1000, got {value}.")
    notebook = find_notebook(app)
    for bundle in bundles:
        if not Path(bundle).is_file():
            raise ServeError(f"bundle: no such file: {bundle}. 'mnuts build' makes one.")
    if bundles:
        os.environ[BUNDLES_VARIABLE] = os.pathsep.join(str(Path(bundle).resolve()) for bundle in bundles)
    if images is not None:
        os.environ["MNUTS_IMAGES"] = images
    sockets = listen(host, port)
    with _without_iri_grammar():
        from mnuts_dashboards.server.voila_app import (
            run,
        )  # slow to import: the errors above need not wait for it

    base = "/".join(["", *filter(None, base_url.split("/")), ""])
    return run(
        notebook,
        sockets,
        host=host,
        given=given,
        base_url=base,
        open_browser=open_browser,
        preheat=preheat,
        jobs=jobs,
        max_visitors=max_visitors,
        count_class=count_class,
    )


def app_names() -> list[str]:
    """The apps: the notebooks of the package."""
    return sorted(path.stem for path in APPS.glob("*.ipynb"))


def find_notebook(app: str) -> Path:
    """The notebook of an app's name, or the one that a path ending in ``.ipynb`` means."""
    path = Path(app) if app.endswith(".ipynb") else APPS / f"{app}.ipynb"
    if path.is_file():
        return path.resolve()
    if app.endswith(".ipynb"):
        raise ServeError(f"app: no such notebook: {app}")
    allowed = ", ".join(app_names()) or "(none is installed)"
    raise ServeError(f"app must be one of {allowed}, or an .ipynb path; got {app!r}.")


def listen(host: str, port: int | None) -> list[socket.socket]:
    """Sockets that are already listening, so that no other program can take the port in between."""
    from tornado.netutil import bind_sockets

    if port is not None and not 0 <= port <= 65535:
        raise ServeError(f"port must be 0 to 65535, got {port}.")
    tries = [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TO_TRY)
    for candidate in tries:
        try:
            return bind_sockets(candidate, host)
        except OSError as error:
            if port is None and error.errno == errno.EADDRINUSE:
                continue
            raise ServeError(_why(error, host, candidate)) from None
    raise ServeError(f"port: {tries[0]} to {tries[-1]} are all taken on {host}. Name a free one with --port.")


@contextmanager
def _without_iri_grammar() -> Iterator[None]:
    """Spare the server a second: jsonschema builds a grammar on import, for IRIs that nothing here checks."""
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # "not installed", which jsonschema takes in its stride
    try:
        yield
    finally:
        del sys.modules[name]


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken. End the program that holds it, or choose another with --port."
        )
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed to you. Choose one above 1023 with --port."
    return f"host: cannot listen on {host}: {error.strerror or error}."
