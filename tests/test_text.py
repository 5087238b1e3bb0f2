"""Text from strangers: what is invisible is escaped, what is long is cut, and the meaning of JSON stays."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.errors import MnutsError
from mnuts_core.text import MESSAGE, escape, one_line, shortened, visible, visible_json

ANY_TEXT = st.text(st.characters(codec=None), max_size=50)


def test_by_hand():
    assert visible("cat\u202etac\x1b[2J\u2028\ud800") == r"cat\u202etac\x1b[2J\u2028\ud800"
    assert visible("ℓ∞, ε = 8/255 日本\u3000語") == "ℓ∞, ε = 8/255 日本\u3000語"
    assert visible("a\nb\tc", keep="\n") == "a\nb\\tc"
    assert one_line("a\r\n b") == "a b"
    assert escape('<b a="\u200f">') == r"&lt;b a=&quot;\u200f&quot;&gt;"


@given(ANY_TEXT)
def test_nothing_invisible_is_left_and_nothing_changes_twice(text):
    shown = visible(text)
    assert all(char.isprintable() or char.isspace() for char in shown)
    assert visible(shown) == shown
    assert not set(escape(text)) & set("<>\"'\u202e")


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_json_means_the_same(value):
    text = visible_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert visible(text, keep="\n") == text


@given(st.text(max_size=3000))
def test_a_message_is_one_short_line(text):
    message = str(MnutsError(f"begin {text} end"))
    assert message.startswith("begin")
    assert message.endswith("end")
    assert len(message) <= MESSAGE
    assert len(message.splitlines()) == 1


def test_values_that_do_not_want_to_be_shown():
    many: object = "x"
    for _ in range(60):
        many = [many, many]  # 2^60 times x, were it written out

    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert len(shortened(many)) <= 80
    assert shortened(10**6000).startswith(("<int instance", "a int"))
    assert "Rude" in shortened(Rude())
    assert shortened("a\u202e" * 100).startswith(r"'a\u202e") or len(shortened("a\u202e" * 100)) <= 80
