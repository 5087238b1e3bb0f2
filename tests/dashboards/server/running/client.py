"""A client for tests of the server: requests, websockets of both protocols, and what is sent over them."""

import asyncio
import http.client
import json
import re
import socket
import struct
import time
import uuid
from contextlib import asynccontextmanager, closing
from urllib.parse import urlsplit

import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from mnuts_dashboards.server.messages import V1

TOKEN = "a-token-of-this-test"


def port(served) -> int:
    return urlsplit(served.url).port


def ask(served, path="/", *, method="GET", token=TOKEN, body=None, **headers) -> http.client.HTTPResponse:
    """One request; its answer, read to the end, with the text as `text`."""
    if token is not None:
        headers.setdefault("Authorization", f"token {token}")
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port(served), timeout=60)) as connection:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
    return answer


def new_kernel(served) -> str:
    """A visitor comes: the page's kernel."""
    page = ask(served)
    assert page.status == 200, page.text
    return re.search(r'"kernelId":\s*"([^"]+)"', page.text)[1]


def end_kernel(served, kernel: str) -> int:
    own = f"http://127.0.0.1:{port(served)}"
    return ask(served, f"/voila/api/shutdown/{kernel}", method="POST", Origin=own).status


def kernels(served) -> list[psutil.Process]:
    """The kernels that run."""
    return psutil.Process(served.process.pid).children()


def wait_until(condition, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


@asynccontextmanager
async def channels(served, kernel, protocol=V1, **headers):
    """The websocket of a page."""
    headers = {"Authorization": f"token {TOKEN}", **headers}
    url = f"ws://127.0.0.1:{port(served)}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
    request = HTTPRequest(url, headers=headers, request_timeout=60, connect_timeout=60)
    connection = await websocket_connect(request, subprotocols=[protocol] if protocol else None)
    try:
        yield connection
    finally:
        connection.close()


def header(kind: str, **more) -> dict:
    now = "2026-01-01T00:00:00Z"
    return {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "s", "date": now,
            "version": "5.3"} | more  # fmt: skip


def encoded(protocol, kind: str, content: dict, channel="shell", *, head: bytes | None = None) -> str | bytes:
    """A message of one of the two protocols."""
    head = head or json.dumps(header(kind)).encode()
    parts = [head, b"{}", b"{}", json.dumps(content).encode()]
    if protocol is None:
        names = ("header", "parent_header", "metadata", "content")
        whole = ",".join(f'"{name}":{part.decode()}' for name, part in zip(names, parts, strict=True))
        return f'{{"channel":"{channel}","buffers":[],{whole}}}'
    parts = [channel.encode(), *parts]
    ends = [8 * (len(parts) + 2)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return struct.pack(f"<{len(ends) + 1}Q", len(ends), *ends) + b"".join(parts)


async def talk(connection, protocol, data: dict, comm: str = "") -> dict:
    """Say something over a comm, a new one if none is named; the kernel's answer."""
    if not comm:
        comm = uuid.uuid4().hex
        opening = {"comm_id": comm, "target_name": "test", "data": {}}
        await connection.write_message(encoded(protocol, "comm_open", opening), protocol is not None)
    content = {"comm_id": comm, "data": data}
    await connection.write_message(encoded(protocol, "comm_msg", content), protocol is not None)
    while True:
        message = await asyncio.wait_for(connection.read_message(), 30)
        assert message is not None, "closed"
        text = message if isinstance(message, str) else message.decode("utf-8", "ignore")
        if '"echo"' in text and json.dumps(data)[1:-1] in text:
            return json.loads(text[text.rindex('{"data"') if protocol else 0 :].partition("\0")[0])


def plain_websocket(served, kernel: str, protocol: str | None = V1) -> socket.socket:
    """A websocket whose client reads and answers nothing by itself."""
    connection = socket.create_connection(("127.0.0.1", port(served)), timeout=60)
    lines = [
        f"GET /api/kernels/{kernel}/channels?token={TOKEN} HTTP/1.1",
        f"Host: 127.0.0.1:{port(served)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    assert b" 101 " in connection.recv(64)
    return connection


def frame(message: str | bytes) -> bytes:
    """A websocket frame, masked with zeros."""
    kind, data = (0x81, message.encode()) if isinstance(message, str) else (0x82, message)
    return struct.pack("!BBH", kind, 0x80 | 126, len(data)) + bytes(4) + data
