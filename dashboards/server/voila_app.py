"""Voilà as this project runs it: our template, nothing from outside, this interpreter's kernel, no leaks.

Imported by :mod:`.serve` only when a server starts: Voilà is slow to import.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import webbrowser
from functools import partial
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError
from traitlets import default
from traitlets.config import Config
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from mnuts_dashboards.board.plotlyjs import plotly_source, plotly_url

SHARE = Path(__file__).resolve().parent / "share" / "jupyter"
MAX_BYTES = 64 * 1024 * 1024  # of one message or upload
CSP = (
    "default-src 'self' blob: data: ws: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    "frame-ancestors 'self'"
)
# The extensions that the apps need; every other one that happens to be installed only costs time to load.
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]


def run(
    notebook: Path,
    sockets: list[socket.socket],
    *,
    host: str,
    token: str | None,
    base_url: str,
    open_browser: bool,
    preheat: bool,
) -> int:
    """Serve `notebook` on `sockets` until Ctrl-C or SIGTERM; returns the exit code.

    See :func:`.serve.serve`; `base_url` begins and ends with a slash.
    """
    title = _title(notebook)
    local = _is_local(host)
    if token is None:
        token = "" if local else secrets.token_urlsafe(18)
    port = sockets[0].getsockname()[1]
    _prepare_environment(host)
    for name in ("tornado.general", "asyncio"):
        logging.getLogger(name).addFilter(_is_worth_telling)
    app = ExplorerServer(config=_config(title, base_url + plotly_url(), local=local, preheat=preheat))
    app.sockets, app.heading, app.open_browser = sockets, title, open_browser
    app.ip, app.port, app.token, app.notebook_path = host, port, token, str(notebook)
    app.base_url = base_url
    app.initialize([])
    app.start()
    return 0


class ThisInterpreter(KernelSpecManager):
    """Only the kernel of the running interpreter, whatever kernels the user has installed."""

    @default("kernel_dirs")
    def _no_dirs(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The native kernel, told to keep its start-up remarks to itself."""
        spec = super().get_kernel_spec(kernel_name)
        spec.argv = [*spec.argv, "--log-level=40"]
        return spec


class PageHandler(TornadoVoilaHandler):
    """The app's page. The theme is chosen in the browser, so any theme may use the kernel in reserve."""

    def should_use_rendered_notebook(self, data, pool_size, template, theme, arguments):  # noqa: D102
        return super().should_use_rendered_notebook(data, pool_size, template, None, arguments)


class EndHandler(VoilaShutdownKernelHandler):
    """A closed tab's request to end its kernel: it can carry no `_xsrf`, but it names its origin."""

    def check_xsrf_cookie(self) -> None:
        """Refuse a request that another site's page sent."""
        if not self.request.headers.get("Origin") or not self.check_origin():
            raise HTTPError(403)


class ChannelsHandler(VoilaKernelWebsocketHandler):
    """The page's websocket, without Nagle's algorithm.

    A slider's answer is a burst of small messages: with it all but the first would wait for the browser's
    delayed acknowledgement, 40 ms.
    """

    async def open(self, kernel_id: str) -> None:
        """Connect the kernel; messages leave as they come."""
        self.set_nodelay(True)
        await super().open(kernel_id)

    def write_error(self, status_code: int, **_: object) -> None:
        """The status alone, as to a tab that outlived its server: Jupyter's page for it is not served."""
        self.finish()


class PlotlyHandler(RequestHandler):
    """Plotly's browser library; its URL has the version, so a browser may keep it for ever."""

    def get(self) -> None:
        """Send it, or say that the browser's copy is still good."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(plotly_source())


class ExplorerServer(Voila):
    """Voilà on sockets that listen already, with one more handler and one line of output."""

    sockets: list[socket.socket]
    heading: str

    @default("config_file_paths")
    def _no_config_files(self) -> list[str]:
        return []  # a stray voila.json in the working directory must not change the app

    @default("log_level")
    def _quiet(self) -> int:
        return logging.ERROR

    def init_handlers(self) -> list:
        """Voilà's handlers, with ours for the page and for Plotly."""
        own = {
            TornadoVoilaHandler: PageHandler,
            VoilaShutdownKernelHandler: EndHandler,
            VoilaKernelWebsocketHandler: ChannelsHandler,
        }
        handlers = [(rule[0], own.get(rule[1], rule[1]), *rule[2:]) for rule in super().init_handlers()]
        return [(self.base_url + plotly_url(), PlotlyHandler), *handlers]

    def listen(self) -> None:
        """Serve until told to stop."""
        server = HTTPServer(self.app, max_buffer_size=MAX_BYTES, max_body_size=MAX_BYTES)
        server.add_sockets(self.sockets)
        self.ioloop = IOLoop.current()
        url = self.page_url
        print(f"{self.heading}: {url}  (Ctrl-C stops it)", flush=True)
        if self.open_browser:
            threading.Thread(target=partial(_open, url), daemon=True).start()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            print(file=sys.stderr)
        finally:
            server.stop()
            self.stop()

    def stop(self) -> None:
        """End every kernel and remove their connection files."""
        for number in (signal.SIGINT, signal.SIGTERM):  # a second one, such as make's, would cut this short
            signal.signal(number, signal.SIG_IGN)
        loop = self.ioloop.asyncio_loop
        with contextlib.suppress(asyncio.TimeoutError):
            loop.run_until_complete(asyncio.wait_for(self.kernel_manager.shutdown_all(now=True), 20))
        shutil.rmtree(self.connection_dir, ignore_errors=True)

    @property
    def page_url(self) -> str:
        """Where a browser on this machine finds the page, token included."""
        host = {"": "127.0.0.1", "0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(
            self.ip, self.ip
        )
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{self.base_url}" + (f"?token={self.token}" if self.token else "")


def _config(title: str, plotly: str, *, local: bool, preheat: bool) -> Config:
    tornado = {
        "headers": {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"},
        "websocket_max_message_size": MAX_BYTES,
        # No other site's page may reach a server on this machine through a name of its own (DNS rebinding).
        "allow_remote_access": not local,
        "local_hostnames": ["localhost"],
        "compress_response": not local,
    }
    voila = {
        "template": "mnuts",
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "strip_sources": True,
        "show_tracebacks": False,
        "preheat_kernel": preheat,
        "default_pool_size": 1,
        "kernel_spec_manager_class": ThisInterpreter,
        "language_kernel_mapping": {"": "python3", "python": "python3"},
        "extension_allowlist": EXTENSIONS,
        "resources": {"mnuts": {"plotly": plotly, "title": title}},
    }
    return Config(
        {
            "Voila": {"tornado_settings": tornado},
            "VoilaConfiguration": voila,
            # For tabs that went without a word, as in a crash; an open one counts as connected.
            "MappingKernelManager": {"cull_idle_timeout": 300, "cull_interval": 30, "cull_connected": False},
            "VoilaKernelManager": {"fill_delay": 3.0},  # the first page paints before the next kernel starts
        }
    )


def _prepare_environment(host: str) -> None:
    """What the template search and the kernels in reserve read from the environment."""
    paths = [str(SHARE), *filter(None, os.environ.get("JUPYTER_PATH", "").split(os.pathsep))]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(dict.fromkeys(paths))
    address = "127.0.0.1" if host in ("", "0.0.0.0", "::", "localhost") else host
    os.environ["VOILA_APP_IP"] = f"[{address}]" if ":" in address else address


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Not that a page went while something was sent to it, as at every reload, and not pings' times.

    Those are Jupyter's milliseconds between pings, read by Tornado as seconds, which are too many.
    """
    gone = record.exc_info is not None and isinstance(record.exc_info[1], WebSocketClosedError)
    return not gone and "websocket_ping_timeout" not in record.getMessage()


def _title(notebook: Path) -> str:
    """The notebook's own title, else its file name."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        title = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {}).get("title")
        if isinstance(title, str) and title:
            return title
    return notebook.stem.replace("_", " ").capitalize()


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
