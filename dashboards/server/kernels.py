"""The visitors' kernels: each with a folder of its own, bounded, and ended when nobody needs it."""

from __future__ import annotations

import logging
import os
import uuid
from collections import defaultdict
from typing import Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketHandler
from traitlets import Instance, Integer
from voila.request_info_handler import RequestInfoSocketHandler

from mnuts_dashboards.server.visits import LOOK_EVERY, Visits
from mnuts_dashboards.verification.machine import default_visitors, share_of_one, used_by
from mnuts_dashboards.verification.queue import JOBS_VARIABLE, LINE_VARIABLE
from mnuts_dashboards.widgets.folders import ServerFolder, temporary

log = logging.getLogger("mnuts.server")


class VisitorKernels(AsyncMappingKernelManager):
    """Jupyter's kernel manager, with an eye on who uses what.

    Attributes:
        folder: The server's folder.
        visits: Who is here.
        channels: The pages' websockets by their kernel.
    """

    folder = Instance(ServerFolder)
    visits = Instance(Visits)
    max_visitors = Integer(default_visitors(), help="How many visitors may be here at once.", config=True)
    jobs = Integer(1, help="How many verifications may run at once.", config=True)

    def __init__(self, **options: Any) -> None:
        self.folder = options["parent"].folder
        super().__init__(**options)  # type: ignore[no-untyped-call]  # Jupyter's has no types
        self.visits = Visits(self.max_visitors)
        self.channels: defaultdict[str, set[WebSocketHandler]] = defaultdict(set)
        os.environ[LINE_VARIABLE] = str(self.folder.path / "line")
        os.environ[JOBS_VARIABLE] = str(self.jobs)
        self._looking = PeriodicCallback(self.look, 1000 * LOOK_EVERY)

    # Jupyter's asynchronous manager has the types of the synchronous one that it derives from
    async def start_kernel(self, **options: Any) -> str:  # type: ignore[override]
        """Start a kernel whose temporary files lie in the server's folder, with one thread of arithmetic.

        Remixing is milliseconds of work: a second thread only waits for it.
        """
        kernel_id = options.setdefault("kernel_id", str(uuid.uuid4()))
        given = {"OMP_NUM_THREADS": "1", **(options.get("env") or os.environ)}
        options["env"] = given | temporary(self.folder.of_kernel(kernel_id))
        if not self._looking.is_running():
            self._looking.start()
        return await super().start_kernel(**options)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget an ended kernel, remove what it left, and let pages know that may wait for an answer."""
        self.visits.end(kernel_id)
        for channel in self.channels.pop(kernel_id, ()):
            channel.close(1001, "the kernel has ended")
        self.folder.drop(kernel_id)
        RequestInfoSocketHandler._cache.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    async def look(self) -> None:
        """End kernels whose page never connected, that died, or that took more memory than their share."""
        never = set(self.visits.never_connected())
        for kernel_id in list(self._kernels):
            if kernel_id in never:
                await self.end(kernel_id, "its page did not connect")
            elif not await ensure_async(self.is_alive(kernel_id)):
                await self.end(kernel_id, "it died")
            elif used_by(self._process(kernel_id)) > share_of_one():
                await self.end(kernel_id, f"it took more than {share_of_one() // 2**20} MiB")

    async def make_room(self) -> None:
        """Where the server is full, end the kernel that its page left longest ago."""
        if self.visits.full and (kernel_id := self.visits.left()) is not None:
            await self.end(kernel_id, "its page is gone, and another visitor came")

    async def end(self, kernel_id: str, why: str) -> None:
        """End a kernel at once; nothing happens if it has ended."""
        if kernel_id not in self._kernels:
            return
        log.warning("kernel %s is ended: %s", kernel_id, why)
        try:
            untyped = cast(Any, self)  # Jupyter gives this method no types
            await ensure_async(untyped.shutdown_kernel(kernel_id, now=True))
        except (KeyError, RuntimeError) as error:  # it ended by itself meanwhile
            log.debug("kernel %s: %s", kernel_id, error)

    def _process(self, kernel_id: str) -> int:
        return getattr(self.get_kernel(kernel_id).provisioner, "pid", None) or 0

    def close(self) -> None:
        """Look no more."""
        self._looking.stop()


class Arrival:
    """The kernel manager as one visitor's request sees it: it notes which kernel becomes the visitor's.

    Args:
        kernels: The kernel manager, which Voilà has derived from `VisitorKernels`.

    Attributes:
        kernel_id: The visitor's kernel; None until there is one.
    """

    def __init__(self, kernels: Any) -> None:
        self._kernels = kernels
        self.kernel_id: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernels, name)

    async def get_rendered_notebook(self, **options: Any) -> tuple[Any, Any, str]:
        """The kernel in reserve."""
        task, cells, kernel_id = await self._kernels.get_rendered_notebook(**options)
        self._use(kernel_id)
        return task, cells, kernel_id

    async def start_kernel(self, **options: Any) -> str:
        """A new kernel."""
        kernel_id: str = await ensure_async(self._kernels.start_kernel(**options))
        self._use(kernel_id)
        return kernel_id

    def _use(self, kernel_id: str) -> None:
        self.kernel_id = kernel_id
        self._kernels.visits.use(kernel_id)
