"""When a real server's kernels end, and what they leave: nothing."""

import asyncio
import os

import pytest

from mnuts_dashboards.server.messages import V1
from tests.dashboards.server.running.client import (
    ask,
    channels,
    end_kernel,
    kernels,
    new_kernel,
    talk,
    wait_until,
)
from tests.serving import serving


def test_an_unfinished_upload_goes_with_its_connection_and_the_folder_with_its_kernel(served, temporary):
    kernel = new_kernel(served)
    (folder,) = temporary.glob(f"mnuts-server-*/kernels/{kernel}")

    async def run():
        async with channels(served, kernel) as connection:
            await talk(connection, V1, {"part": 1})
            assert list(folder.glob("*.part"))

    asyncio.run(run())
    assert wait_until(lambda: not list(folder.glob("*.part")), 10)
    assert end_kernel(served, kernel) == 204
    assert wait_until(lambda: not folder.exists(), 10)


def test_a_kernel_that_dies_is_forgotten_with_all_it_left(served, temporary):
    kernel = new_kernel(served)
    (folder,) = temporary.glob(f"mnuts-server-*/kernels/{kernel}")

    async def run():
        async with channels(served, kernel) as connection:
            with pytest.raises(AssertionError, match="closed"):  # so that its page waits for no answer
                await asyncio.wait_for(talk(connection, V1, {"die": 1}), 20)

    asyncio.run(run())
    assert wait_until(lambda: not folder.exists(), 20)
    assert ask(served, f"/api/kernels/{kernel}").status == 404


def test_a_full_server_says_so_and_requests_without_a_page_leave_no_kernels(served, kernel):
    """Six fit: one is here. Thirty come at once and none of them connects."""

    async def run():
        return await asyncio.gather(*(asyncio.to_thread(ask, served) for _ in range(30)))

    answers = asyncio.run(run())
    came = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    assert 1 <= len(came) <= 5
    assert len(came) + len(refused) == 30
    assert all(answer.headers["Retry-After"] and "tries again" in answer.text for answer in refused)
    assert len(kernels(served)) <= 7  # with the one in reserve
    assert ask(served, "/voila/static/voila-style.js").status == 200
    assert wait_until(lambda: len(kernels(served)) <= 2, 60)
    assert ask(served, f"/api/kernels/{kernel}").status == 200
    assert end_kernel(served, new_kernel(served)) == 204


def test_a_killed_server_leaves_its_folder_to_the_next_which_removes_it(notebook, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with serving(notebook, preheat=False, environment=environment) as first:
        assert ask(first, token=None).status == 200
        own = kernels(first)
        first.process.kill()
        first.process.wait()
        assert wait_until(lambda: not any(process.is_running() for process in own), 20)
    (left,) = tmp_path.glob("mnuts-server-*")
    assert list(left.glob("voila_*"))  # what the kernels are reached by
    with serving(notebook, preheat=False, environment=environment) as second:
        assert not left.exists()
        assert list(tmp_path.glob("mnuts-server-*"))
        second.process.terminate()
        assert second.process.wait(40) == 0
    assert not list(tmp_path.glob("mnuts-*")) + list(tmp_path.glob("voila_*"))
