"""Verification from the page: an adaptive attack (B.2.1) on the current mix, in a process of its own.

A process, since an attack keeps Python's lock for long stretches: the page would stutter beside a thread.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.params import STANDARD_STEPS
from mnuts_core.pipeline.verified_points import VerifiedPoints, add_verified
from mnuts_dashboards.verification.available import DIGITS_SPECS, IMAGES_VARIABLE, NO_THREAT
from mnuts_dashboards.verification.points import read_points
from mnuts_dashboards.verification.queue import Place
from mnuts_dashboards.widgets.background import Cancelled, Progress

BATCH = 50
"""Images at a time: few, so that the progress bar moves."""
MAX_HOURS = 2.0
"""How long an attack may take, so that the next in the line gets its turn."""
LOOK_EVERY = 0.25
"""Seconds between two looks at the line."""


class Request(NamedTuple):
    """What to attack.

    Attributes:
        config: The configuration, with its threat model.
        bundle: The bundle whose models and images are meant.
        n: How many images: the first of the attacked ones.
        plan: Which attack, and how hard; see `plan_for`.
        data: Data spec of the images; None for those in the bundle.
    """

    config: MixConfig
    bundle: LogitBundle
    n: int
    plan: Plan
    data: str | None = None


class Outcome(NamedTuple):
    """What a verification ends with.

    Attributes:
        config: The configuration with its `verified`.
        bundle: The request's with the points that were found.
        points: These points.
    """

    config: MixConfig
    bundle: LogitBundle
    points: VerifiedPoints


def plan_for(bundle: LogitBundle, n_iter: int = STANDARD_STEPS) -> Plan:
    """The attack on a mix of the bundle: B.2.1 under its threat model, with so many steps.

    Raises:
        MnutsError: If the bundle names no threat model.
    """
    threat = bundle.manifest.threat
    if threat is None:
        raise MnutsError(NO_THREAT)
    return Plan(norm=threat.norm, eps=threat.eps, n_iter=n_iter)


def rows_of(bundle: LogitBundle, n: int) -> np.ndarray:
    """The clean rows of the first n attacked examples, int64."""
    return bundle.require_attacked().index[:n]


def command(request: Request, *, config: str = "CONFIG.json") -> str:
    """The command that does the same outside the page, on the first n images of the data."""
    manifest = request.bundle.manifest
    own = "digits" if manifest.std_model.spec in DIGITS_SPECS else "DATA"
    data = request.data or os.environ.get(IMAGES_VARIABLE) or own
    words = ["mnuts", "evaluate", config, "--std", manifest.std_model.spec, "--rob", manifest.rob_model.spec]
    words += [
        "--data",
        data,
        "--n",
        str(request.n),
        "--n-iter",
        str(request.plan.n_iter),
        "--batch-size",
        str(BATCH),
    ]
    return shlex.join(words)


class Verification:
    """One run; `work` goes into a `Job`, `cancel` may be called from anywhere.

    Args:
        request: What to attack.
        place: Where it waits for its turn; by default in the line of the server.

    Attributes:
        before: How many others have to finish before its turn.
        right: How many images no part of the attack has broken so far; None before the first has ended.
    """

    def __init__(self, request: Request, place: Place | None = None) -> None:
        self.request, self.before = request, 0
        self.right: int | None = None
        self._place = Place.of_server() if place is None else place
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the attack at once."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def work(self, progress: Progress) -> Outcome:
        """Wait for the turn, run the attack, and add its points to the bundle.

        Args:
            progress: Called with the share done, and with 0 while it waits.

        Raises:
            MnutsError: If models or images are not available, or the attack failed.
            Cancelled: If it was cancelled.
        """
        with self._place, tempfile.TemporaryDirectory(prefix="mnuts-verify-") as name:
            self._wait_for_turn(progress)
            folder = Path(name)
            self._prepare(folder)
            with (folder / "log").open("w+") as log:
                error = self._run(folder, log, progress)
                if error is not None:
                    log.seek(0)
                    last = (log.read().strip().splitlines() or ["it ended without a word"])[-1]
                    raise MnutsError(error or f"the attack failed: {last[:300]}")
            config, bundle = MixConfig.load(folder / "verified.json"), self.request.bundle
            points = read_points(folder, rows_of(bundle, self.request.n), bundle.num_classes)
            return Outcome(config, add_verified(bundle, config, points), points)

    def _wait_for_turn(self, progress: Progress) -> None:
        while before := self._place.before():
            if self._cancelled:
                raise Cancelled
            self.before = before
            progress(0.0)
            time.sleep(LOOK_EVERY)
        self.before = 0

    def _prepare(self, folder: Path) -> None:
        """Write down the job: configuration, images, rows and expected labels."""
        bundle = self.request.bundle
        rows, data = rows_of(bundle, self.request.n), self.request.data
        labels = bundle.clean_labels[rows]
        taken = rows
        if data is None:
            if bundle.clean_images is None:
                raise MnutsError("the bundle holds no images: name them, such as cifar10-jpeg:FOLDER")
            np.savez(folder / "images.npz", images=bundle.clean_images[rows], labels=labels)
            data, taken = f"npz:{folder / 'images.npz'}", np.arange(len(rows))
        self.request.config.save(folder / "config.json")
        manifest = bundle.manifest
        job: dict[str, Any] = {
            "std": manifest.std_model.spec,
            "rob": manifest.rob_model.spec,
            "data": data,
            "rows": taken.tolist(),
            "clean_rows": rows.tolist(),
            "labels": labels.tolist(),
            "plan": asdict(self.request.plan),
            "batch_size": BATCH,
            "cards": [model.model_dump() for model in (manifest.std_model, manifest.rob_model)],
        }
        (folder / "job.json").write_text(json.dumps(job), "utf-8")

    def _run(self, folder: Path, log: Any, progress: Progress) -> str | None:
        """Let the process work; None if it did, else what it reported, which may be nothing."""
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "mnuts_dashboards.verification.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        error, share, late = "", 0.0, threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(MAX_HOURS * 3600, give_up)
        timer.daemon = True
        timer.start()
        try:
            if self._cancelled:
                raise Cancelled
            for line in process.stdout or ():
                message = _message(line)
                error, self.right = message.get("error", error), message.get("right", self.right)
                share = float(message.get("share", share))
                progress(share)
            if self._cancelled:
                raise Cancelled
            if late.is_set():
                return f"it took more than {MAX_HOURS:g} hours: fewer images or steps, or run mnuts evaluate"
            return None if process.wait() == 0 else error
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _message(line: str) -> dict[str, Any]:
    """A report of the worker; anything else that was printed says nothing."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
