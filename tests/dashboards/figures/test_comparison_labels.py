"""Names and signs as the comparison's figures print them."""

import pytest

from mnuts_dashboards.figures.comparison import shortened, signed, wrapped


@pytest.mark.parametrize(
    ("name", "room", "label"),
    [
        ("digits", 8, "digits"),
        ("digits-square", 8, "digits-<br>square"),
        ("synthetic-100-classes", 7, "synthe…<br>100-<br>classes"),
        ("a-very-long-name-of-many-parts", 8, "a-very-<br>long-<br>name-of…"),
    ],
)
def test_labels_fit(name, room, label):
    assert wrapped(name, room) == label
    assert all(len(line) <= room for line in label.split("<br>"))


def test_a_shortened_name_keeps_both_ends():
    assert shortened("digits", 6) == "digits"
    assert shortened("digits-square-seed-3", 8) == "digi…d-3"


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(-0.0004, 3, "+0.000"), (-0.25, 2, "−0.25"), (0.5, 1, "+0.5")]
)
def test_what_rounds_to_zero_has_a_plus(value, digits, text):
    assert signed(value, digits) == text
