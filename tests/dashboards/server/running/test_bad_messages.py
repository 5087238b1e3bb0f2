"""Damaged and forbidden messages on a real server: they reach no kernel, and nobody else waits."""

import asyncio
import json
import struct
import time
from pathlib import Path

import pytest

from mnuts_dashboards.server.messages import V1
from tests.dashboards.server.running.client import (
    TOKEN,
    channels,
    encoded,
    end_kernel,
    header,
    new_kernel,
    talk,
)


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


def test_a_bad_message_closes_its_connection_and_nobody_else_waits(served, kernel):
    async def run(name, message, protocol):
        async with channels(served, kernel, protocol) as connection:
            await connection.write_message(message, isinstance(message, bytes))
            begun = time.monotonic()
            while await asyncio.wait_for(connection.read_message(), 20) is not None:
                pass
            assert time.monotonic() - begun < 10, name
        async with channels(served, kernel, protocol) as connection:
            assert await talk(connection, protocol, {"after": name})

    for name, message in BAD.items():
        asyncio.run(run(name, message, None if "legacy" in name else V1))


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
