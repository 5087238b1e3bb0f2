"""Whatever a bundle, a file or an error says is shown as text."""

import pytest

from mnuts_dashboards.text import messages

HOSTILE = "<img src=x onerror='alert(1)'>\" & \u202e"
SHOWN = "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&#34; &amp; \\u202e"


@pytest.mark.parametrize(
    "html",
    [
        messages.banner_html(HOSTILE),
        messages.remark_html(HOSTILE),
        messages.found_html([HOSTILE]),
        messages.found_html([], [HOSTILE]),
        messages.lines_html([HOSTILE]),
        messages.notes_html([HOSTILE]),
        messages.notes_html(["a", "b", HOSTILE]),
    ],
)
def test_text_is_escaped_once(html):
    assert SHOWN in html
    assert "<img" not in html
    assert "&amp;lt;" not in html


def test_notes_are_folded_once_there_are_many():
    few, many = messages.notes_html(["n: small", "b"]), messages.notes_html(["n: small", "b.", "c"])
    assert "<details" not in few
    assert "Read with care: n · b · c</summary>" in many
    assert many.count("<p class='mnuts-words'>") == 3


def test_no_message_is_no_banner():
    assert messages.banner_html(None) == ""
