"""Step: the full adaptive attack on each mix of the step `pool`, one after another in the order of value."""

from __future__ import annotations

from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.demo.best_mixes import config_names
from mnuts_core.demo.cifar10 import EPS, NORM
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.verify_mixes import verify_mixes
from tests.benchmarks.gpu.job import Job


def run(job: Job) -> None:
    """Verify the choices of both levels first, then their plain mixes; what is verified is written at once.

    Raises:
        MnutsError: If there are no mixes yet.
    """
    which, std, rob = job.pair()
    folder, out = job.folder(which, "pool"), job.folder(which, "verified")
    names = sorted(filter(lambda name: (folder / name).exists(), config_names("cifar10")), key=_value)
    if not names:
        raise MnutsError(f"{folder} holds no mixes: the step pool has to come first")
    test, (n, steps) = job.images("test"), job.sizes.verified
    attack = Run(
        std,
        rob,
        test.images,
        test.labels,
        batch_size=min(n, job.sizes.batch),
        channels_last=True,
        device=job.device,
        work_dir=job.folder("work", f"{which}-verification"),
    )
    plan = Plan(norm=NORM, eps=EPS, n_iter=steps, precision=job.precision)
    bundle = LogitBundle.load(folder / "cifar10.safetensors")
    for name in names:
        bundle, made = verify_mixes(bundle, {name: MixConfig.load(folder / name)}, attack, plan=plan, n=n)
        made[name].save(out / name)
        bundle.save(out / "cifar10.safetensors")
        card = made[name].verified
        assert card is not None  # it has just been verified
        mix = name.removesuffix(".json")
        job.report(**{f"{mix}: clean": card.clean.estimate, f"{mix}: verified": card.accuracy.estimate})


def _value(name: str) -> tuple[bool, int]:
    """The choices before the plain mixes, else as they are listed."""
    return "plain" in name, config_names("cifar10").index(name)
