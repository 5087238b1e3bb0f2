"""Whatever a bundle, a file or an error says is shown as text."""

import pytest

from mnuts_dashboards.text import messages

HOSTILE = "<img src=x onerror='alert(1)'>\" & \u202e"
SHOWN = "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&#34; &amp; \\u202e"


@pytest.mark.parametrize(
    "html",
    [
        messages.found_html([HOSTILE]),
        messages.found_html([], [HOSTILE]),
    ],
)
def test_text_is_escaped_once(html):
    assert SHOWN in html
    assert "<img" not in html
    assert "&amp;lt;" not in html
