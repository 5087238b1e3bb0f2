"""A real server and what strangers try on it: addresses, tokens, messages, floods. No browser is needed."""

import asyncio
import json
import os
import socket
import struct
import time
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from mnuts_dashboards.server.messages import V1
from tests.browser.conftest import serving
from tests.browser.server_client import (
    TOKEN,
    ask,
    channels,
    encoded,
    end_kernel,
    frame,
    header,
    kernels,
    new_kernel,
    plain_websocket,
    port,
    talk,
    wait_until,
)

CODE = """
import os, time
from pathlib import Path
from mnuts_dashboards.widgets.visit import query_string
query = query_string()
from ipykernel.comm import Comm
def opened(comm, message):
    def answer(message):
        data = message["content"]["data"]
        if "flood" in data:
            for _ in range(data["flood"]):
                comm.send({}, buffers=[bytes(2**20)])
        if "part" in data:
            (Path(os.environ["TMPDIR"]) / "file.part").write_bytes(bytes(2**20))
        if "die" in data:
            os._exit(1)
        comm.send({"echo": data, "query": query, "token": os.environ.get("MNUTS_TOKEN")})
    comm.on_msg(answer)
get_ipython().kernel.comm_manager.register_target("test", opened)
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> Path:
    """A notebook that needs no PyTorch, with a comm to talk to."""
    cell = {"cell_type": "code", "source": CODE, "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    book = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    path = tmp_path_factory.mktemp("served") / "app.ipynb"
    path.write_text(json.dumps(book))
    return path


@pytest.fixture(scope="module")
def temporary(tmp_path_factory) -> Path:
    """The server's temporary folder."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def served(notebook, temporary):
    """A server with a token, for six visitors, its temporary files in a folder of ours."""
    before = {name: os.environ.get(name) for name in ("TMPDIR", "MNUTS_TOKEN")}
    os.environ.update(TMPDIR=str(temporary), MNUTS_TOKEN=TOKEN)
    try:
        sooner = "from mnuts_dashboards.server import visits; visits.CONNECT_WITHIN = 8.0"
        with serving(notebook, before=sooner, max_visitors=6) as server:
            yield server
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_a_page_works_over_both_protocols_and_its_kernel_does_not_know_the_token(served):
    kernel = new_kernel(served)

    async def run():
        for protocol in (V1, None):
            async with channels(served, kernel, protocol) as connection:
                answer = json.dumps(await talk(connection, protocol, {"hello": 1}))
                assert '"token": null' in answer
                assert TOKEN not in answer

    asyncio.run(run())
    assert end_kernel(served, kernel) == 204


ADDRESSES = {
    "the page": "/",
    "the REST API": "/api/kernels/KERNEL",
    "the websocket": "/api/kernels/KERNEL/channels",
    "what a kernel asks for": "/voila/query/KERNEL",
    "a template's file": "/voila/templates/lab/static/voila.js",
    "a static file": "/voila/static/voila-style.js",
    "a theme": "/voila/api/themes/@jupyterlab/theme-light-extension/index.css",
    "an extension": "/voila/labextensions/x.js",
    "a file": "/voila/files/x.png",
    "logout": "/logout",
    "nothing": "/nothing",
}


@pytest.fixture(scope="module")
def kernel(served):
    """A visitor's kernel that stays."""
    name = new_kernel(served)
    with closing(plain_websocket(served, name)):
        yield name


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
@pytest.mark.parametrize(
    "stranger",
    [
        {"token": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_WebSocket_Origin": "http://evil.example"},
        {"Origin": "http://evil.example", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
    ],
    ids=str,
)
def test_strangers_get_403_everywhere(served, kernel, address, stranger):
    address = address.replace("KERNEL", kernel)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    for headers in ({}, upgrade | {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}):
        answer = ask(served, address, **stranger, **headers)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_link_from_another_site_is_followed(served):
    followed = ask(served, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    assert followed.status == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])
def test_nobody_without_a_token_ends_a_kernel(served, kernel, method):
    own = f"http://127.0.0.1:{port(served)}"
    for address in (f"/voila/api/shutdown/{kernel}", f"/api/kernels/{kernel}"):
        assert ask(served, address, method=method, token=None, Origin=own).status == 403
        assert ask(served, address, method=method, Origin="http://evil.example").status == 403
    assert ask(served, f"/voila/api/shutdown/{kernel}", method="POST").status == 403  # it names no origin
    assert ask(served, f"/api/kernels/{kernel}").status == 200


def test_wrong_tokens_are_refused_and_take_longer_each_time(served, kernel):
    times = []
    for _ in range(4):
        begun = time.monotonic()
        assert ask(served, f"/api/kernels/{kernel}", token="wrong").status == 403
        times.append(time.monotonic() - begun)
    assert times[3] > times[0] + 0.3
    begun = time.monotonic()
    assert ask(served, f"/api/kernels/{kernel}").status == 200
    assert time.monotonic() - begun < times[3]


def test_the_cookie_is_for_this_site_alone_and_stands_for_the_token(served, kernel):
    address = f"/api/kernels/{kernel}"
    plain = ask(served, address).headers.get_all("Set-Cookie")
    secure = ask(served, address, X_Forwarded_Proto="https").headers.get_all("Set-Cookie")
    assert all("SameSite=Lax" in cookie and "HttpOnly" in cookie for cookie in plain)
    assert all("Secure" in cookie for cookie in secure)
    name_and_value = plain[0].partition(";")[0]
    assert ask(served, address, token=None, Cookie=name_and_value).status == 200
    assert ask(served, address, token=None, Cookie=name_and_value[:-4] + "AAAA").status == 403


@pytest.mark.parametrize(
    "address",
    ["/logout", "/login", "/voila/templates/", "/voila/templates/lab", "/voila/templates/lab/x/y", "/%00",
     "/voila/templates/x/static/", "/voila/templates/lab/static/../../x", "/voila/templates/lab/static/%00",
     "/voila/files/%00.png", "/voila/files/..%2fx.png", "/nothing/at/all", "/api/kernels",
     "/api/kernels/a-b-c-d-e", "/api/kernels/a-b-c-d-e/channels", "/voila/labextensions/",
     "/voila/api/themes/"],
)  # fmt: skip
def test_an_address_of_nothing_is_404_and_never_500(served, address):
    assert ask(served, address).status == 404
    for method in ("POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"):
        assert ask(served, address, method=method).status < 500


BAD = {
    "the freeze": b"\xff" * 64,
    "nothing": b"",
    "a few bytes": b"\x01\x02",
    "no parts": struct.pack("<Q", 0),
    "more parts than bytes": struct.pack("<QQ", 60, 8),
    "backwards": struct.pack("<7Q", 6, 56, 90, 60, 70, 80, 56) + b"x" * 40,
    "outside": struct.pack("<7Q", 6, 56, 61, 63, 65, 67, 2**63),
    "no JSON": encoded(V1, "comm_msg", {}, head=b"{"),
    "deep": encoded(
        V1, "comm_msg", {}, head=b'{"msg_type":"comm_msg","x":' + b"[" * 9000 + b"]" * 9000 + b"}"
    ),
    "text for binary": encoded(None, "comm_msg", {}),
    "a list": encoded(V1, "comm_msg", {}, head=b"[]"),
    "NaN": encoded(V1, "comm_msg", {}, head=b'{"msg_type":"comm_msg","x":NaN}'),
    "twice": encoded(V1, "", {}, head=b'{"msg_type":"execute_request","msg_type":"comm_msg"}'),
    "a number for a type": encoded(V1, "", {}, head=b'{"msg_type":7}'),
    "legacy: no JSON": "{",
    "legacy: deep": '{"channel":' + "[" * 100_000,
    "legacy: no header": '{"channel":"shell"}',
    "legacy: twice": '{"channel":"shell","channel":"shell"}',
    "legacy: binary": b"\xff" * 64,
    "legacy: a number": "7",
    "legacy: a long number": '{"channel":' + "9" * 10_000 + "}",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_closes_its_connection_and_nobody_else_waits(served, kernel, name):
    protocol = None if "legacy" in name else V1

    async def run():
        async with channels(served, kernel, protocol) as connection:
            await connection.write_message(BAD[name], isinstance(BAD[name], bytes))
            begun = time.monotonic()
            while await asyncio.wait_for(connection.read_message(), 20) is not None:
                pass
            assert time.monotonic() - begun < 10
        async with channels(served, kernel, protocol) as connection:
            assert await talk(connection, protocol, {"after": name})

    asyncio.run(run())


REQUESTS = [
    "execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request",
    "connect_request", "shutdown_request", "interrupt_request", "debug_request", "input_reply",
    "create_subshell_request", "delete_subshell_request", "list_subshell_request", "abort_request",
    "clear_request", "usage_request", "execute_reply", "stream", "display_data", "status", "EXECUTE_REQUEST",
    "execute_request ", "Execute_Request", "comm_msg\u0000", "", "unknown",
]  # fmt: skip


@pytest.mark.parametrize("protocol", [V1, None], ids=["v1", "legacy"])
def test_no_message_but_those_that_a_page_needs_reaches_the_kernel(served, kernel, protocol, tmp_path):
    """On each of the four channels; and the five that it needs on shell alone."""
    trace = tmp_path / "trace"
    content = {
        "code": f"open({str(trace)!r}, 'w')",
        "silent": False,
        "user_expressions": {},
        "restart": False,
    }
    wrong_case = json.dumps(header("comm_info_request") | {"Msg_Type": "execute_request"}).encode()

    async def run():
        async with channels(served, kernel, protocol) as connection:
            for channel in ("shell", "control", "stdin", "iopub", "Shell", ""):
                for kind in REQUESTS:
                    message = encoded(protocol, kind, content, channel)
                    await connection.write_message(message, protocol is not None)
                if channel != "shell":
                    for kind in ("comm_msg", "comm_open", "kernel_info_request"):
                        message = encoded(protocol, kind, content, channel)
                        await connection.write_message(message, protocol is not None)
            message = encoded(protocol, "", content, head=wrong_case)
            await connection.write_message(message, protocol is not None)
            assert await talk(connection, protocol, {"alive": str(protocol)})

    asyncio.run(run())
    assert not trace.exists()
    log = Path(served.log).read_text()
    assert "dropped a message of type 'execute_request' on channel 'shell'" in log


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


def test_an_unfinished_upload_goes_with_its_connection_and_the_folder_with_its_kernel(served, temporary):
    kernel = new_kernel(served)
    (folder,) = temporary.glob(f"mnuts-server-*/kernels/{kernel}")

    async def run():
        async with channels(served, kernel) as connection:
            await talk(connection, V1, {"part": 1})
            assert list(folder.glob("*.part"))

    asyncio.run(run())
    assert wait_until(lambda: not list(folder.glob("*.part")), 10)
    assert end_kernel(served, kernel) == 204
    assert wait_until(lambda: not folder.exists(), 10)


def test_a_kernel_that_dies_is_forgotten_with_all_it_left(served, temporary):
    kernel = new_kernel(served)
    (folder,) = temporary.glob(f"mnuts-server-*/kernels/{kernel}")

    async def run():
        async with channels(served, kernel) as connection:
            with pytest.raises((AssertionError, TimeoutError)):
                await asyncio.wait_for(talk(connection, V1, {"die": 1}), 2)

    asyncio.run(run())
    assert wait_until(lambda: not folder.exists(), 20)
    assert ask(served, f"/api/kernels/{kernel}").status == 404


def test_a_full_server_says_so_and_requests_without_a_page_leave_no_kernels(served, kernel):
    """Six fit: one is here. Thirty come at once and none of them connects."""

    async def run():
        return await asyncio.gather(*(asyncio.to_thread(ask, served) for _ in range(30)))

    answers = asyncio.run(run())
    came = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    assert 1 <= len(came) <= 5
    assert len(came) + len(refused) == 30
    assert all(answer.headers["Retry-After"] and "tries again" in answer.text for answer in refused)
    assert len(kernels(served)) <= 7  # with the one in reserve
    assert ask(served, "/voila/static/voila-style.js").status == 200
    assert wait_until(lambda: len(kernels(served)) <= 2, 60)
    assert ask(served, f"/api/kernels/{kernel}").status == 200
    assert end_kernel(served, new_kernel(served)) == 204


def test_the_token_is_nowhere_to_be_read(served):
    command = " ".join(psutil.Process(served.process.pid).cmdline())
    assert TOKEN not in command
    assert TOKEN not in served.line
    assert TOKEN not in Path(served.log).read_text()
    for process in kernels(served):
        assert TOKEN not in " ".join(process.environ().values())


def test_a_killed_server_leaves_its_folder_to_the_next_which_removes_it(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("MNUTS_TOKEN")
    with serving(notebook, preheat=False) as first:
        assert ask(first, token=None).status == 200
        own = kernels(first)
        first.process.kill()
        first.process.wait()
        assert wait_until(lambda: not any(process.is_running() for process in own), 20)
    (left,) = tmp_path.glob("mnuts-server-*")
    assert list(left.glob("voila_*"))  # what the kernels are reached by
    with serving(notebook, preheat=False) as second:
        assert not left.exists()
        assert list(tmp_path.glob("mnuts-server-*"))
        second.process.terminate()
        assert second.process.wait(40) == 0
    assert not list(tmp_path.glob("mnuts-*")) + list(tmp_path.glob("voila_*"))
