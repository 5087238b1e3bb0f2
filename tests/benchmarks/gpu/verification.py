"""Step: the full adaptive attack on each mix of the step `pool`, one after another in the order of value."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.demo.best_mixes import config_names
from mnuts_core.demo.cifar10 import EPS, NORM
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import share_of
from mnuts_core.io.files import write_atomically
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.verified_points import on_bundle
from mnuts_core.pipeline.verify_mixes import verify_mixes
from mnuts_core.pipeline.workfolder import discard
from mnuts_core.remix.engine import RemixEngine
from tests.benchmarks.gpu.job import Job
from tests.benchmarks.gpu.pool import newest

BUNDLE = "cifar10.safetensors"
"""The bundle with the points of all verifications."""


def run(job: Job) -> None:
    """Verify the choices of both levels first, then their plain mixes; each batch is reported.

    Raises:
        MnutsError: If there are no mixes yet.
    """
    which, std, rob = job.pair()
    folder, out = job.folder(which, "pool"), job.folder(which, "verified")
    names = sorted(filter(lambda name: (folder / name).exists(), config_names("cifar10")), key=_value)
    if not names:
        raise MnutsError(f"{folder} holds no mixes: the step pool has to come first")
    test, (n, steps, batch) = job.images("test"), job.sizes.verified
    attack = Run(
        std,
        rob,
        test.images,
        test.labels,
        batch_size=batch,
        channels_last=True,
        device=job.device,
        work_dir=job.folder("work", f"{which}-verification"),
    )
    bundle = _begun(job, folder, out)
    plan = Plan(norm=NORM, eps=EPS, n_iter=steps, precision=job.precision(rob, test.images[:batch]))
    for name in names:
        if (out / name).exists():
            continue
        mix = {name: MixConfig.load(folder / name)}
        bundle, made = verify_mixes(bundle, mix, attack, plan=plan, n=n, so_far=partial(_report, job))
        bundle.save(out / BUNDLE)
        made[name].save(out / name)
        discard(attack.folder(f"verify-{name}"))
    engine = RemixEngine(bundle, device="cpu")
    for name in names:
        on_bundle(MixConfig.load(out / name), engine).save(out / name)


def _report(job: Job, name: str, right: NDArray[np.bool_]) -> None:
    """The upper bound on the images that are done so far."""
    job.report(**{f"{name.removesuffix('.json')}: verified": share_of(right, "verified")})


def _begun(job: Job, folder: Path, out: Path) -> LogitBundle:
    """The bundle to go on with: with the points of mixes verified before, if the pool is still the same."""
    path = newest(folder)
    assert path is not None  # where there are mixes, there is their bundle
    pool, mark = LogitBundle.load(path), out / "pool.txt"
    if not mark.exists() or mark.read_text("utf-8") != pool.digest:
        for old in (*out.glob("*.json"), *out.glob("*.safetensors")):
            old.unlink()
        job.numbers.clear()
        write_atomically(mark, pool.digest.encode(), MnutsError)
    return LogitBundle.load(out / BUNDLE) if (out / BUNDLE).exists() else pool


def _value(name: str) -> tuple[bool, int]:
    """The choices before the plain mixes, else as they are listed."""
    return "plain" in name, config_names("cifar10").index(name)
