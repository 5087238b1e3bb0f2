"""A real server for all tests of this folder, and a kernel of it. No browser is needed."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.dashboards.server.running.client import TOKEN, new_kernel, plain_websocket
from tests.serving import Server, serving

CODE = """
import os, time
from pathlib import Path
from mnuts_dashboards.widgets.visit import query_string
query = query_string()
from ipykernel.comm import Comm
def opened(comm, message):
    def answer(message):
        data = message["content"]["data"]
        if "flood" in data:
            for _ in range(data["flood"]):
                comm.send({}, buffers=[bytes(2**20)])
        if "part" in data:
            (Path(os.environ["TMPDIR"]) / "file.part").write_bytes(bytes(2**20))
        if "die" in data:
            os._exit(1)
        comm.send({"echo": data, "query": query, "token": os.environ.get("MNUTS_TOKEN")})
    comm.on_msg(answer)
get_ipython().kernel.comm_manager.register_target("test", opened)
"""
SOONER = """
from mnuts_dashboards.server import visits
visits.CONNECT_WITHIN, visits.LOOK_EVERY = 5.0, 0.5
"""


@pytest.fixture(scope="session")
def notebook(tmp_path_factory) -> Path:
    """A notebook that needs no PyTorch, with a comm to talk to."""
    cell = {"cell_type": "code", "source": CODE, "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    book = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    path = tmp_path_factory.mktemp("served") / "app.ipynb"
    path.write_text(json.dumps(book))
    return path


@pytest.fixture(scope="session")
def temporary(tmp_path_factory) -> Path:
    """The server's temporary folder."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def served(notebook, temporary) -> Iterator[Server]:
    """A server with a token, for six visitors, its temporary files in a folder of ours."""
    environment = os.environ | {"TMPDIR": str(temporary), "MNUTS_TOKEN": TOKEN}
    with serving(
        notebook, before=SOONER, environment=environment, max_visitors=6, count_class=True
    ) as server:
        yield server


@pytest.fixture(scope="session")
def teacher_key(served) -> str:
    """What the server's second line lets the teacher see."""
    return re.search(r"class=([\w-]+)&present", served.process.stdout.readline())[1]


@pytest.fixture(scope="session")
def kernel(served) -> Iterator[str]:
    """A visitor's kernel that stays."""
    name = new_kernel(served)
    with closing(plain_websocket(served, name)):
        yield name
