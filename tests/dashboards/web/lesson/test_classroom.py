"""The way of a pupil's predictions to the server that counts them."""

from pathlib import Path

from tests.dashboards.web.node import check


def test_what_the_server_does_not_take_waits_or_is_said():
    check(Path(__file__).with_name("classroom_check.mjs"))
