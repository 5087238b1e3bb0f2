"""Our server's page and its kernel: the page's messages are Jupyter's, and what is sent arrives."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from mnuts_dashboards.server.messages import V1, Kind, kind_of
from tests.dashboards.web.engine import WEB
from tests.dashboards.web.node import check, needed_node

RETURN = """
const { packed, unpacked, PROTOCOL } = await import(process.argv[1]);
const { buffer } = Uint8Array.from(Buffer.from(process.argv[2], "base64"));
const message = unpacked(buffer);
const bytesOf = ({ byteOffset: start, byteLength: length }) => buffer.slice(start, start + length);
const buffers = message.buffers.map(bytesOf);
console.log(JSON.stringify([PROTOCOL, Buffer.from(packed({ ...message, buffers })).toString("base64")]));
"""


def test_the_page_and_its_kernel_understand_each_other():
    check(Path(__file__).with_name("kernel_check.mjs"))


def test_messages_are_jupyters():
    parts = [b'{"msg_type":"comm_msg"}', b"{}", b"{}", b'{"data":"\xc3\xa9"}', b"\x00\x01", b""]
    sent = serialize_msg_to_ws_v1(parts, "shell")
    words = [needed_node(), "--input-type=module", "-e", RETURN, WEB / "host" / "messages.js"]
    done = subprocess.run([*words, base64.b64encode(sent)], capture_output=True, check=True)
    protocol, returned = json.loads(done.stdout)
    again = base64.b64decode(returned)
    assert protocol == V1
    assert deserialize_msg_from_ws_v1(again) == ("shell", parts)
    assert kind_of(again, V1) == Kind("shell", "comm_msg")
