"""What strangers try on a real server: addresses, other sites' pages, tokens, cookies."""

import time
from itertools import product
from pathlib import Path

import psutil
import pytest

from tests.dashboards.server.running.client import TOKEN, ask, kernels, port

ADDRESSES = {
    "the page": "/",
    "the REST API": "/api/kernels/KERNEL",
    "the websocket": "/api/kernels/KERNEL/channels",
    "what a kernel asks for": "/voila/query/KERNEL",
    "a template's file": "/voila/templates/lab/static/voila.js",
    "a static file": "/voila/static/voila-style.js",
    "a theme": "/voila/api/themes/@jupyterlab/theme-light-extension/index.css",
    "an extension": "/voila/labextensions/x.js",
    "a file": "/voila/files/x.png",
    "logout": "/logout",
    "nothing": "/nothing",
}
STRANGERS = [
    {"token": None},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec_WebSocket_Origin": "http://evil.example"},
    {"Origin": "http://evil.example", "Sec_Fetch_Site": "same-origin"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
]
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
NOTHING = (
    "/logout", "/login", "/voila/templates/", "/voila/templates/lab", "/voila/templates/lab/x/y", "/%00",
    "/voila/templates/x/static/", "/voila/templates/lab/static/../../x", "/voila/templates/lab/static/%00",
    "/voila/files/%00.png", "/voila/files/..%2fx.png", "/nothing/at/all", "/api/kernels",
    "/api/kernels/a-b-c-d-e", "/api/kernels/a-b-c-d-e/channels", "/voila/labextensions/",
    "/voila/api/themes/",
)  # fmt: skip
METHODS = ("POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD")


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_strangers_get_403_everywhere(served, kernel, stranger):
    for name, address in ADDRESSES.items():
        for headers in ({}, UPGRADE):
            answer = ask(served, address.replace("KERNEL", kernel), **stranger, **headers)
            assert answer.status == 403, name
            assert "Access-Control-Allow-Origin" not in answer.headers, name


def test_a_link_from_another_site_is_followed(served):
    followed = ask(served, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    assert followed.status == 200


def test_nobody_without_a_token_ends_a_kernel(served, kernel):
    own = f"http://127.0.0.1:{port(served)}"
    for method, address in product(METHODS, (f"/voila/api/shutdown/{kernel}", f"/api/kernels/{kernel}")):
        assert ask(served, address, method=method, token=None, Origin=own).status == 403, method
        assert ask(served, address, method=method, Origin="http://evil.example").status == 403, method
    assert ask(served, f"/voila/api/shutdown/{kernel}", method="POST").status == 403  # it names no origin
    assert ask(served, f"/api/kernels/{kernel}").status == 200


def test_wrong_tokens_are_refused_and_take_longer_each_time(served, kernel):
    times = []
    for _ in range(4):
        begun = time.monotonic()
        assert ask(served, f"/api/kernels/{kernel}", token="wrong").status == 403
        times.append(time.monotonic() - begun)
    assert times[3] > times[0] + 0.3
    begun = time.monotonic()
    assert ask(served, f"/api/kernels/{kernel}").status == 200
    assert time.monotonic() - begun < times[3]


def test_the_cookie_is_for_this_site_alone_and_stands_for_the_token(served, kernel):
    address = f"/api/kernels/{kernel}"
    plain = ask(served, address).headers.get_all("Set-Cookie")
    secure = ask(served, address, X_Forwarded_Proto="https").headers.get_all("Set-Cookie")
    assert all("SameSite=Lax" in cookie and "HttpOnly" in cookie for cookie in plain)
    assert all("Secure" in cookie for cookie in secure)
    name_and_value = plain[0].partition(";")[0]
    assert ask(served, address, token=None, Cookie=name_and_value).status == 200
    assert ask(served, address, token=None, Cookie=name_and_value[:-4] + "AAAA").status == 403


def test_an_address_of_nothing_is_404_and_never_500(served):
    for address in NOTHING:
        assert ask(served, address).status == 404, address
        for method in METHODS:
            assert ask(served, address, method=method).status < 500, (method, address)


def test_the_token_is_nowhere_to_be_read(served):
    command = " ".join(psutil.Process(served.process.pid).cmdline())
    assert TOKEN not in command
    assert TOKEN not in served.line
    assert TOKEN not in Path(served.log).read_text()
    for process in kernels(served):
        assert TOKEN not in " ".join(process.environ().values())
