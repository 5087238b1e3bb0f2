"""Visitors who send too much, too slowly, or read nothing: a real server goes on answering the others."""

import asyncio
import json
import socket
import time
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from mnuts_dashboards.server.messages import V1
from tests.dashboards.server.running.client import (
    ask,
    channels,
    encoded,
    end_kernel,
    frame,
    new_kernel,
    plain_websocket,
    port,
    wait_until,
)


def test_a_flood_is_slowed_down_and_nobody_else_waits(served, kernel):
    async def flood(connection):
        big = json.dumps({"comm_id": "none", "data": {"x": "y" * 900_000}})
        for _ in range(300):
            await connection.write_message(encoded(V1, "comm_msg", json.loads(big)), True)

    async def run():
        async with channels(served, kernel) as loud, channels(served, kernel) as calm:
            comm = asyncio.create_task(flood(loud))
            await asyncio.sleep(0.5)
            for turn in range(5):
                begun = time.monotonic()
                assert await asyncio.to_thread(ask, served, "/voila/static/voila-style.js")
                assert time.monotonic() - begun < 2, turn
            comm.cancel()
            calm.close()

    asyncio.run(run())
    assert psutil.Process(served.process.pid).memory_info().rss < 600 * 2**20


def test_slow_requests_do_not_keep_others_waiting(served):
    slow = [socket.create_connection(("127.0.0.1", port(served))) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        begun = time.monotonic()
        assert ask(served, "/nothing").status == 404
        assert time.monotonic() - begun < 5
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("protocol", [V1, None], ids=["v1", "legacy"])
def test_a_page_that_reads_nothing_is_cut_off(served, protocol):
    """Also over the legacy protocol, whose binary messages froze the server."""
    comm, kernel = uuid.uuid4().hex, new_kernel(served)
    logged = Path(served.log).read_text().count("fetches nothing")
    with closing(plain_websocket(served, kernel, protocol)) as deaf:
        for kind, content in (
            ("comm_open", {"comm_id": comm, "target_name": "test", "data": {}}),
            ("comm_msg", {"comm_id": comm, "data": {"flood": 200}}),
        ):
            deaf.sendall(frame(encoded(protocol, kind, content)))
        log = Path(served.log)
        assert wait_until(lambda: log.read_text().count("fetches nothing") > logged, 30)
    assert psutil.Process(served.process.pid).memory_info().rss < 600 * 2**20
    assert end_kernel(served, kernel) == 204
