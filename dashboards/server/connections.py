"""Connections to the server: how many, how long one may take to ask, and how long to read the answer."""

from __future__ import annotations

import contextlib
import socket

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application

from mnuts_dashboards.server.messages import MAX_MESSAGE

MAX_HEADER, MAX_BODY = 2**16, 2**20  # bytes of a request
SLOW = 30  # seconds that a request may take to come in
NOT_READ = 120  # seconds that a visitor may read nothing of what is sent
FILES_PER_VISITOR = 32  # file descriptors: the kernel's sockets, and some connections
FILES, CONNECTIONS = 2**16, 4096


class BoundedServer(HTTPServer):
    """An HTTP server on which a slow visitor keeps no other waiting.

    Args:
        application: What answers.
        visitors: How many visitors may be here, whose kernels need file descriptors, too.
    """

    def initialize(self, application: Application, *, visitors: int) -> None:  # type: ignore[override]
        """See `HTTPServer.initialize`, which the constructor calls."""
        super().initialize(
            application,
            max_buffer_size=2 * MAX_MESSAGE,
            max_body_size=MAX_BODY,
            max_header_size=MAX_HEADER,
            idle_connection_timeout=SLOW,  # for a request's head, too
            body_timeout=SLOW,
        )
        self._most = _connections(visitors)

    def handle_stream(self, stream: IOStream, address: tuple[object, ...]) -> None:
        """Close what is too much, and in time what is not read, so that the others are served."""
        if len(self._connections) >= self._most:
            stream.close()
            return
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * NOT_READ)
        super().handle_stream(stream, address)


def _connections(visitors: int) -> int:
    """How many connections the limit of open files allows, after that is as high as we may make it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if soft == resource.RLIM_INFINITY else soft
    return max(64, min(CONNECTIONS, most - FILES_PER_VISITOR * visitors))
