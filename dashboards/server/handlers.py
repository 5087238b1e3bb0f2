"""What the server answers with: the page, a kernel's end, Plotly, and what kernels in reserve ask for."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from jupyter_server.auth.identity import User
from tornado.web import HTTPError, authenticated
from voila.request_info_handler import RequestInfoSocketHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from mnuts_dashboards.plotlyjs.library import plotly_source
from mnuts_dashboards.server.gate import Gate, RefusalError, is_kernel
from mnuts_dashboards.server.kernels import Arrival

WAIT_FOR_TURN = 20.0  # seconds that an arriving visitor waits for those ahead before the page says so
RETRY = 5
FULL = (
    "{most} visitors are here, as many as this server takes. "
    "This page tries again by itself every few seconds until somebody has left."
)
CROWDED = "Many visitors are arriving at once. This page tries again by itself in a few seconds."


class PageHandler(Gate, TornadoVoilaHandler):
    """The app's page, with a kernel of its own, as long as there is room for another visitor."""

    gone = False

    def should_use_rendered_notebook(  # noqa: D102
        self, data: Any, pool_size: int, template: str, theme: str | None, arguments: Any
    ) -> bool:
        # The theme is chosen in the browser, so any theme may use the kernel in reserve.
        return bool(super().should_use_rendered_notebook(data, pool_size, template, None, arguments))

    @property
    def kernel_manager(self) -> Any:
        """Notes which kernel this request takes."""
        return self._arrival

    def initialize(self, **options: Any) -> None:
        """See `tornado.web.RequestHandler`."""
        super().initialize(**options)
        self._arrival = Arrival(self.settings["kernel_manager"])

    @authenticated
    async def get(self, path: str | None = None) -> None:
        """Send the page, or what a notebook of one's own shows beside it, or say that there is no room.

        Raises:
            RefusalError: 503 where the server is full.
        """
        if path:
            self._send_to_file(path)
            return
        self._forget_token()
        kernels, visits = self.settings["kernel_manager"], self.settings["kernel_manager"].visits
        await self._wait_for_turn()
        visits.arrive()
        try:
            await cast(Awaitable[None], super().get())
        finally:
            kernel_id = self._arrival.kernel_id
            if kernel_id is None:
                visits.give_up()
            elif self.gone:
                await kernels.end(kernel_id, "its visitor left while the page was made")
            else:
                visits.send(kernel_id)

    async def _wait_for_turn(self) -> None:
        kernels, until = self.settings["kernel_manager"], time.monotonic() + WAIT_FOR_TURN
        while True:
            await kernels.make_room()
            if kernels.visits.full:
                raise RefusalError(503, FULL.format(most=kernels.visits.most), retry=3 * RETRY)
            if not kernels.visits.crowded:
                return
            if self.gone or time.monotonic() > until:
                raise RefusalError(503, CROWDED, retry=RETRY)
            await asyncio.sleep(0.2)

    def _send_to_file(self, path: str) -> None:
        allowed = self.voila_configuration.file_allowlist
        if not any(re.fullmatch(pattern, path, re.IGNORECASE) for pattern in allowed):
            raise HTTPError(404)
        self.redirect_to_file(path)

    def _forget_token(self) -> None:
        """What goes on to the kernel has no token in it."""
        pairs = parse_qsl(self.request.query, keep_blank_values=True)
        if any(name == "token" for name, _ in pairs):
            self.request.query = urlencode([pair for pair in pairs if pair[0] != "token"])
            self.request.uri = self.request.path + (f"?{self.request.query}" if self.request.query else "")

    def on_connection_close(self) -> None:
        """The visitor did not wait."""
        self.gone = True
        super().on_connection_close()


class EndHandler(Gate, VoilaShutdownKernelHandler):
    """A closed tab's request to end its kernel: it can carry no `_xsrf`, but it names its origin."""

    def check_xsrf_cookie(self) -> None:
        """Refuse a request without an origin; the gate has refused those of other sites."""
        if "Origin" not in self.request.headers:
            raise HTTPError(403)


class QueryHandler(Gate, RequestInfoSocketHandler):
    """Tells a kernel in reserve what its visitor asked for; none but this server's kernels may ask."""

    async def known(self) -> User | None:
        """The kernel, by its key."""
        return User("kernel") if is_kernel(self) else None

    def on_close(self) -> None:
        """Forget the connection."""
        for kernel_id, waiter in list(self._waiters.items()):
            if waiter is self:
                del self._waiters[kernel_id]


class TemplateFileHandler(Gate, TemplateStaticFileHandler):
    """The templates' files; Voilà's own handler fails where an address is not that of one."""

    def parse_url_path(self, url_path: str) -> str:
        """The file's path.

        Raises:
            HTTPError: 404 for anything but TEMPLATE/static/FILE.
        """
        if not re.fullmatch(r"[\w-]+/static/.+", url_path):
            raise HTTPError(404)
        return str(super().parse_url_path(url_path))


class PlotlyHandler(Gate):
    """Plotly's browser library; its URL has the version, so a browser may keep it for ever."""

    def get(self) -> None:
        """Send it, or say that the browser's copy is still good."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(plotly_source())
