"""What a page may send: read within bounds, whatever comes, and never as anything but what a kernel reads."""

import json
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from mnuts_dashboards.server import messages
from mnuts_dashboards.server.messages import V1, BadMessageError, Kind, kind_of, says_idle, sent_type

WHOLE = {
    "header": {"msg_id": "1", "msg_type": "comm_msg"},
    "parent_header": {},
    "metadata": {},
    "content": {"comm_id": "a", "data": {"x": [1, {"y": None}], "text": '"[{\\'}},
}
PARTS = [json.dumps(WHOLE[name]).encode() for name in messages.PARTS]
SOUND = [
    (serialize_msg_to_ws_v1([*PARTS, b"a buffer", b""], "shell"), V1),
    (serialize_binary_message({**WHOLE, "channel": "shell", "buffers": [b"one", b""]}), None),
    (json.dumps({**WHOLE, "channel": "shell", "buffers": []}), None),
]


@pytest.mark.parametrize(("message", "protocol"), SOUND, ids=["v1", "legacy binary", "legacy text"])
def test_what_jupyter_writes_is_read(message, protocol):
    assert kind_of(message, protocol) == Kind("shell", "comm_msg")
    assert kind_of(message, protocol).allowed
    assert sent_type(message, protocol) == "comm_msg"


@pytest.mark.parametrize("kind", sorted(messages.ALLOWED))
def test_what_a_page_needs_is_allowed_on_shell_alone(kind):
    assert Kind("shell", kind).allowed
    assert not any(Kind(channel, kind).allowed for channel in ("control", "stdin", "iopub", "SHELL", ""))


@pytest.mark.parametrize("protocol", [V1, None], ids=["v1", "legacy"])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_noise_is_refused_and_nothing_else_happens(protocol, noise):
    with pytest.raises(BadMessageError) as caught:
        kind_of(noise, protocol)
    assert "\n" not in str(caught.value)
    assert sent_type(noise, protocol) is None


@given(st.data())
def test_a_damaged_message_is_refused_or_read_as_jupyter_reads_it(data):
    message, protocol = data.draw(st.sampled_from([sound for sound in SOUND if isinstance(sound[0], bytes)]))
    damaged = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged))) if data.draw(st.booleans()) else len(damaged)
    damaged = bytes(damaged[:cut])
    try:
        kind = kind_of(damaged, protocol)
    except BadMessageError:
        return
    if protocol == V1:
        channel, parts = deserialize_msg_from_ws_v1(damaged)
        header = json.loads(parts[0])
    else:
        whole = deserialize_binary_message(damaged)
        channel, header = whole["channel"], whole["header"]
    assert (channel, header["msg_type"]) == kind


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\xff" * 64, "number of parts"),
        (struct.pack("<7Q", 6, 56, 60, 58, 60, 60, 60) + b"aaaa", "one after the other"),
        (struct.pack("<7Q", 6, 56, 57, 58, 59, 60, 2**62) + b"aaaa", "one after the other"),
        (struct.pack("<7Q", 6, 0, 0, 0, 0, 0, 0), "one after the other"),
        (SOUND[0][0] + b"x", "end of the message"),
        (bytes(messages.MAX_MESSAGE + 1), "bytes"),
    ],
)
def test_offsets_must_lie_inside(message, reason):
    with pytest.raises(BadMessageError, match=reason):
        kind_of(message, V1)


def legacy(text: str) -> str:
    return text + ',"header":{"msg_type":"comm_msg"},"parent_header":{},"metadata":{},"content":{}}'


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (legacy('{"channel":"shell","x":' + "[" * 65 + "]" * 65), "levels"),
        (legacy('{"channel":"shell","x":' + "[" * 500_000), "levels"),
        (legacy('{"channel":"shell","x":NaN'), "NaN"),
        (legacy('{"channel":"shell","x":-Infinity'), "Infinity"),
        (legacy('{"channel":"shell","x":' + "9" * 5000), "JSON"),
        (legacy('{"channel":"shell","channel":"shell"'), "twice"),
        (legacy('{"channel":"shell","x":{"y":1,"y":2}'), "twice"),
        (legacy('{"channel":7'), "channel must be text"),
        (legacy('{"channel":"shell","buffers":{}'), "buffers"),
        (legacy('{"channel":"shell","x":"' + "y" * messages.MAX_JSON + '"'), "bytes"),
        ('{"channel":"shell","header":{"msg_type":"comm_msg"}}', "parent_header must be an object"),
        ('{"channel":"shell","header":"comm_msg"}', "header must be an object"),
        ("[]", "object"),
        ("\ud800", "JSON"),
    ],
)
def test_json_is_bounded_and_plain(message, reason):
    begun = time.monotonic()
    with pytest.raises(BadMessageError, match=reason):
        kind_of(message, None)
    assert time.monotonic() - begun < 2


def test_deep_text_in_a_string_is_no_depth():
    kind_of(legacy('{"channel":"shell","x":"' + "[{" * 500 + '"'), None)


def test_a_legacy_binary_message_is_no_message_of_the_other_protocol():
    """Read as one of the other it claims billions of offsets."""
    begun = time.monotonic()
    assert sent_type(SOUND[1][0], V1) is None
    assert time.monotonic() - begun < 1


def test_idle_is_heard():
    assert says_idle(json.dumps({"content": {"execution_state": "idle"}}))
    assert not says_idle(json.dumps({"content": {"execution_state": "busy"}}).encode())
