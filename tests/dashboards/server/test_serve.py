"""Serving, as far as it goes without a server: names, ports, and one-line complaints."""

import logging
import os
import socket
import subprocess
import sys

import pytest

from mnuts_dashboards.server.serve import ServeError, app_names, find_notebook, listen, serve
from mnuts_dashboards.widgets.visit import BUNDLES_VARIABLE, served_bundles


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "some.ipynb"
    path.write_text("{}")
    return path


def complaint(**options) -> str:
    with pytest.raises(ServeError) as caught:
        serve(**{"open_browser": False, **options})
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_an_unknown_app_is_answered_with_the_allowed_names():
    text = complaint(app="exploder")
    assert "'exploder'" in text
    assert all(name in text for name in app_names())


def test_a_missing_notebook_or_bundle_is_named(notebook, tmp_path):
    assert "no such notebook: /nowhere/x.ipynb" in complaint(app="/nowhere/x.ipynb")
    missing = tmp_path / "missing.safetensors"
    assert f"no such file: {missing}" in complaint(app=str(notebook), bundles=[missing])


def test_a_path_serves_any_notebook(notebook):
    assert find_notebook(str(notebook)) == notebook.resolve()


def test_a_taken_port_is_named_with_the_way_out(notebook):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert complaint(app=str(notebook), port=port) == (
            f"port {port} on 127.0.0.1 is taken. "
            "End the program that holds it, or choose another with --port."
        )


def test_a_port_out_of_range_is_refused(notebook):
    assert complaint(app=str(notebook), port=99999) == "port must be 0 to 65535, got 99999."


def test_without_a_port_the_first_free_one_is_taken():
    first = listen("127.0.0.1", None)
    second = listen("127.0.0.1", None)
    ports = [sockets[0].getsockname()[1] for sockets in (first, second)]
    for held in [*first, *second]:
        held.close()
    assert 8866 <= ports[0] < ports[1]


def test_importing_serve_imports_neither_voila_nor_torch():
    code = (
        "import sys, mnuts_dashboards.server.serve; "
        "print(sorted({'voila', 'torch', 'ipywidgets', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_several_bundles_reach_the_app(monkeypatch, tmp_path):
    monkeypatch.delenv(BUNDLES_VARIABLE, raising=False)
    assert served_bundles() == []
    paths = [str(tmp_path / name) for name in ("a.safetensors", "b c.safetensors")]
    monkeypatch.setenv(BUNDLES_VARIABLE, os.pathsep.join(paths))
    assert served_bundles() == paths


def test_a_page_that_went_while_it_was_sent_something_is_no_error():
    from tornado.websocket import WebSocketClosedError

    from mnuts_dashboards.server.voila_app import _is_worth_logging

    def record(error):
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, "never retrieved", (), (None, error, None))

    assert not _is_worth_logging(record(WebSocketClosedError()))
    assert _is_worth_logging(record(RuntimeError()))


@pytest.mark.parametrize(
    ("prefix", "base_url", "hub"),
    [
        ("/user/ann/", "/user/ann/mnuts-teaching/", True),
        ("/user/ann/", "/", False),
        (None, "/user/ann/x/", False),
    ],
)
def test_only_in_a_hub_other_names_than_this_machines_are_taken(monkeypatch, prefix, base_url, hub):
    from mnuts_dashboards.server.voila_app import _in_hub

    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    if prefix:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", prefix)
    assert _in_hub(base_url) == hub


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"max_visitors": 0}, {"token_file": "/nowhere/token"}])
def test_bounds_and_tokens_are_checked_before_anything_starts(notebook, wrong):
    (name,) = wrong
    assert name.replace("token_file", "token file") in complaint(app=str(notebook), **wrong)


def test_a_secret_token_goes_to_the_browser_in_a_file(tmp_path):
    from mnuts_dashboards.server.voila_app import _door

    door = _door(tmp_path, 'http://127.0.0.1:1/?token=a"b')
    assert "?token" not in door
    assert "?token=a&quot;b" in (tmp_path / "open.html").read_text()
