"""Text of strangers on the page: as `mnuts_core.text` shows it."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.text import one_line, visible

VISIBLE = "controls/visible.js"
KNOWN = [
    chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cn", "Cs")
]
"""All characters that Python's Unicode names: the browser's may be newer."""


def test_every_character_is_escaped_alike(page):
    texts = ["a".join(KNOWN[start : start + 5000]) for start in range(0, len(KNOWN), 5000)]
    assert page.call(VISIBLE, "visible", *([text] for text in texts)) == [visible(text) for text in texts]


@given(st.text("ab \n\t\u202e\u2028é😀", max_size=40), st.integers(20, 60))
def test_one_line(page, text, limit):
    assert page.call(VISIBLE, "oneLine", [text, limit]) == [one_line(text, limit)]
    assert page.call(VISIBLE, "visible", [text, "\n"]) == [visible(text, "\n")]
