"""Voilà as this project runs it: our template, nothing from outside, this interpreter's kernel, no leaks.

Imported by :mod:`.serve` only when a server starts: Voilà is slow to import.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from functools import partial
from pathlib import Path
from typing import Any, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import BaseAsyncIOLoop
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError
from traitlets import default
from traitlets.config import Config
from voila.app import Voila
from voila.request_info_handler import RequestInfoSocketHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from mnuts_core.text import escape
from mnuts_dashboards.server.channels import ChannelsHandler
from mnuts_dashboards.server.class_counts import ClassCounts, ClassHandler
from mnuts_dashboards.server.connections import BoundedServer
from mnuts_dashboards.server.gate import TokenProvider, gated, new_kernel_key
from mnuts_dashboards.server.handlers import (
    EndHandler,
    LibraryHandler,
    PageHandler,
    QueryHandler,
    TemplateFileHandler,
)
from mnuts_dashboards.server.kernels import VisitorKernels
from mnuts_dashboards.server.messages import ALLOWED, MAX_MESSAGE
from mnuts_dashboards.server.pages import ServedNotebook
from mnuts_dashboards.server.tokens import Given
from mnuts_dashboards.verification.machine import default_visitors
from mnuts_dashboards.widgets.folders import ServerFolder
from mnuts_dashboards.widgets.visit import CLASS_VARIABLE, SHARED_VARIABLE

Rule = tuple[Any, ...]  # of Tornado's: a path, a handler, perhaps its options
SHARE = Path(__file__).resolve().parent / "share" / "jupyter"
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
    given: Given,
    base_url: str,
    open_browser: bool,
    preheat: bool,
    jobs: int = 1,
    max_visitors: int | None = None,
    count_class: bool = False,
) -> int:
    """Serve `notebook` on `sockets` until Ctrl-C or SIGTERM; returns the exit code.

    See :func:`.serve.serve`; `base_url` begins and ends with a slash.
    """
    served, local, token = ServedNotebook.read(notebook), _is_local(host), given.token
    if token is None:
        token = "" if local else secrets.token_urlsafe(18)
    port = sockets[0].getsockname()[1]
    _prepare_environment(host)
    os.environ[SHARED_VARIABLE] = "1" if token or not local else "0"
    os.environ[CLASS_VARIABLE] = "1" if count_class else "0"
    new_kernel_key()
    _prepare_logs()
    config = _config(served, base_url, local=local, hub=_in_hub(base_url), preheat=preheat)
    config.VisitorKernels = Config({"jobs": jobs, "max_visitors": max_visitors or default_visitors()})
    app = ExplorerServer(config=config)
    app.sockets, app.served, app.open_browser, app.secret = sockets, served, open_browser, given.secret
    app.ip, app.port, app.token, app.notebook_path = host, port, token, str(notebook)
    app.base_url, app.folder = base_url, ServerFolder()
    app.class_key = secrets.token_urlsafe(12) if count_class else ""
    app.connection_dir_root = str(app.folder.path)
    app.initialize([])
    app.start()
    return 0


class ThisInterpreter(KernelSpecManager):
    """Only the kernel of the running interpreter, whatever kernels the user has installed."""

    @default("kernel_dirs")
    def _no_dirs(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The native kernel, without its start-up remarks."""
        spec = super().get_kernel_spec(kernel_name)
        spec.argv = [*spec.argv, "--log-level=40"]
        return spec


class ExplorerServer(Voila):
    """Voilà on sockets that listen already, with one more handler and one line of output."""

    sockets: list[socket.socket]
    served: ServedNotebook
    secret: bool
    class_key: str
    folder: ServerFolder

    @default("config_file_paths")
    def _no_config_files(self) -> list[str]:
        return []  # a stray voila.json in the working directory must not change the app

    @default("log_level")
    def _quiet(self) -> int:
        return logging.ERROR

    def init_settings(self) -> dict[str, Any]:
        """Voilà's settings; a page's messages are of the few kinds that it needs."""
        settings: dict[str, Any] = super().init_settings()
        self.kernel_manager.allowed_message_types = sorted(ALLOWED)
        return settings

    def init_handlers(self) -> list[Rule]:
        """Voilà's handlers, with ours for some of them, and all behind the gate."""
        own = {
            TornadoVoilaHandler: PageHandler,
            VoilaShutdownKernelHandler: EndHandler,
            VoilaKernelWebsocketHandler: ChannelsHandler,
            RequestInfoSocketHandler: QueryHandler,
            TemplateStaticFileHandler: TemplateFileHandler,
        }
        libraries = self.served.libraries.items()
        rules: list[Any] = [
            (self.base_url + url, LibraryHandler, {"source": source}) for url, source in libraries
        ]
        if self.class_key:
            counts = ClassCounts(self.kernel_manager.visits)
            rules.append((f"{self.base_url}class", ClassHandler, {"counts": counts, "key": self.class_key}))
        rules += super().init_handlers()
        return [(rule[0], gated(own.get(rule[1], rule[1])), *rule[2:]) for rule in rules]

    def listen(self) -> None:
        """Serve until asked to stop."""
        server = BoundedServer(self.app, visitors=self.kernel_manager.visits.most)
        server.add_sockets(self.sockets)
        self.ioloop = IOLoop.current()
        url = self.page_url
        shown = url.replace(f"token={self.token}", "token=...") if self.secret else url
        print(f"{self.served.title}: {shown}  (Ctrl-C stops it)", flush=True)
        if self.class_key:
            teacher = f"class={self.class_key}&present"
            url, shown = (f"{one}{'&' if '?' in one else '?'}{teacher}" for one in (url, shown))
            print(f"For the teacher, who sees what the class predicts: {shown}", flush=True)
        if self.open_browser:
            door = _door(self.folder.path, url) if self.secret else url
            threading.Thread(target=partial(_open, door), daemon=True).start()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            print(file=sys.stderr)
        finally:
            server.stop()
            self.stop()

    def stop(self) -> None:
        """End every kernel and remove all that they put down."""
        for number in (signal.SIGINT, signal.SIGTERM):  # a second one, such as make's, would cut this short
            signal.signal(number, signal.SIG_IGN)
        loop = cast(BaseAsyncIOLoop, self.ioloop).asyncio_loop
        with contextlib.suppress(asyncio.TimeoutError):
            loop.run_until_complete(asyncio.wait_for(self.kernel_manager.shutdown_all(now=True), 20))
        self.kernel_manager.close()
        self.folder.close()

    @property
    def page_url(self) -> str:
        """Where a browser on this machine finds the page, token included."""
        host: str = self.ip
        host = {"": "127.0.0.1", "0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{self.base_url}" + (f"?token={self.token}" if self.token else "")


def _config(served: ServedNotebook, base_url: str, *, local: bool, hub: bool, preheat: bool) -> Config:
    tornado = {
        "headers": {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"},
        "websocket_max_message_size": MAX_MESSAGE,
        "log_function": _log_failure,
        "xsrf_cookie_kwargs": {"samesite": "Lax"},
        # No other site's page may reach a server on this machine through a name of its own (DNS rebinding).
        "allow_remote_access": hub or not local,
        "local_hostnames": ["localhost"],
        "compress_response": not local,
    }
    voila = {
        "template": served.template,
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "strip_sources": True,
        "show_tracebacks": False,
        "preheat_kernel": preheat,
        "default_pool_size": 1,
        "kernel_spec_manager_class": ThisInterpreter,
        "multi_kernel_manager_class": VisitorKernels,
        "language_kernel_mapping": {"": "python3", "python": "python3"},
        "extension_allowlist": EXTENSIONS,
        "resources": {"mnuts": served.resources(base_url)},
    }
    return Config(
        {
            "Voila": {"tornado_settings": tornado, "identity_provider_class": TokenProvider},
            "KernelManager": {"autorestart": False},  # another kernel would know nothing of its page
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


def _prepare_logs() -> None:
    """One line for what somebody should see who looks after the server; nothing for what is normal."""
    for name in ("tornado.general", "asyncio"):
        logging.getLogger(name).addFilter(_is_worth_logging)
    own, handler = logging.getLogger("mnuts.server"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    own.handlers, own.propagate = [handler], False
    own.setLevel(logging.WARNING)


def _log_failure(handler: RequestHandler) -> None:
    """A line for what failed here, not for what visitors did wrong; no query, which may hold a token."""
    if handler.get_status() >= 500 and handler.get_status() != 503:
        request = handler.request
        line = "%d for %s %.100r from %s"
        logging.getLogger("mnuts.server").error(
            line, handler.get_status(), request.method, request.path, request.remote_ip
        )


def _in_hub(base_url: str) -> bool:
    """Whether JupyterHub's proxy hands on what comes here, with the hub's own name as that of the host."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return bool(prefix) and base_url.startswith(prefix)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """Not that a page went while something was sent to it, as at every reload, and not pings' times.

    Those are Jupyter's milliseconds between pings, read by Tornado as seconds, which are too many.
    """
    gone = record.exc_info is not None and isinstance(record.exc_info[1], WebSocketClosedError)
    return not gone and "websocket_ping_timeout" not in record.getMessage()


def _door(folder: Path, url: str) -> str:
    """A file of this user's alone that leads to the page: the browser's command line would show the token."""
    path = folder / "open.html"
    path.write_text(f'<meta http-equiv="refresh" content="0; url={escape(url)}">', "utf-8")
    return path.as_uri()


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
