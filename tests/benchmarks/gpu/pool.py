"""Step: MMAA on all test images, then rounds of choosing mixes and attacking them.

MMAA drives at the most promising targets alone (`--effort frugal`): the same images stay right, in half the
time. Mixes are chosen on the second half of the images; the figures reported are those of the first half.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.datasets.base import LoadedData
from mnuts_core.demo.best_mixes import all_mixes
from mnuts_core.demo.cifar10 import CLASSES, EPS, NORM, SEED, load_network_of
from mnuts_core.demo.weights import NetworkCard, Role, save_network, weights_path
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import share_of
from mnuts_core.params import BETAS
from mnuts_core.pipeline.build import build_bundle, model_card
from mnuts_core.pipeline.pool import add_points, attack_pool
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.mild import mild_best
from tests.benchmarks.gpu.job import TRAINED, Job

Configs = dict[str, MixConfig]
ROUND = "round-"
"""How the names of rounds' bundles begin; there are fewer than ten."""


def run(job: Job) -> None:
    """Build the bundle, then attack g and the mixes; what is finished is kept, batch by batch."""
    which, std, rob = job.pair()
    folder, test = job.folder(which, "pool"), job.images("test")
    if job.numbers.get("pair", {}).get("value") != which:
        job.numbers.clear()  # they are another pair's
    job.report(pair=which)
    bundle, finished = _mmaa(job, which, std, rob, test), 0
    if path := newest(folder):
        bundle, finished = LogitBundle.load(path), int(path.stem.removeprefix(ROUND))
    for number in range(finished + 1, job.sizes.rounds + 1):
        configs = _choose(job, bundle)
        bundle = _attack(job, which, bundle, configs, number, std, rob, test)
        _report(job, bundle, configs, number)
        _write(folder, bundle, configs, number)


def newest(folder: Path) -> Path | None:
    """The bundle of the last round that was finished."""
    return max(folder.glob(f"{ROUND}*.safetensors"), default=None)


def half_of(bundle: LogitBundle, *, second: bool) -> LogitBundle:
    """The first or the second half of a bundle's clean rows, with their attacked points."""
    middle, attacked = bundle.n_clean // 2, bundle.require_attacked()
    rows = slice(middle, None) if second else slice(middle)
    inside = (attacked.index >= middle) == second
    return LogitBundle.from_arrays(
        clean_labels=bundle.clean_labels[rows],
        clean_std_logits=bundle.clean_std_logits[rows],
        clean_rob_logits=bundle.clean_rob_logits[rows],
        adv_index=attacked.index[inside] - (middle if second else 0),
        adv_source=None if attacked.source is None else attacked.source[inside],
        adv_std_logits=attacked.std_logits[inside],
        adv_rob_logits=attacked.rob_logits[inside],
        adv_margin=attacked.margin[inside],
        manifest=bundle.manifest.model_copy(update={"digest": None}),
    )


def _mmaa(job: Job, which: str, std: nn.Module, rob: nn.Module, test: LoadedData) -> LogitBundle:
    """The bundle with MMAA's points alone."""
    path = job.folder(which, "pool") / "mmaa.safetensors"
    if path.exists():
        bundle = LogitBundle.load(path)
    else:
        attack = Mmaa(
            norm=NORM,
            eps=EPS,
            seed=SEED,
            n_iter=job.sizes.mmaa.steps,
            n_targets=job.sizes.mmaa.targets,
            effort="frugal",
            precision=job.precision(rob, test.images[: job.sizes.batch]),
            channels_last=True,
        )
        bundle = build_bundle(
            std,
            rob,
            test.images,
            test.labels,
            attack=attack,
            name="cifar10",
            classes=CLASSES,
            data=test.card,
            std_card=model_card("demo:cifar10/std", std),
            rob_card=model_card("demo:cifar10/rob", rob),
            command="make gpu",
            batch_size=job.sizes.batch,
            device=job.device,
            work_dir=job.folder("work") / f"{which}-mmaa",
        )
        bundle.save(path)
    attacked = bundle.require_attacked()
    right = attacked.rob_logits.argmax(1) == attacked.labels
    job.report(
        **{
            "g: clean": share_of(bundle.clean_std_logits.argmax(1) == bundle.clean_labels, "clean"),
            "h: clean": share_of(bundle.clean_rob_logits.argmax(1) == bundle.clean_labels, "clean"),
            "h: right at MMAA's points": share_of(right, "attacked"),
        }
    )
    if which == TRAINED:
        _complete_cards(job.folder(which), bundle)
    return bundle


def _complete_cards(folder: Path, bundle: LogitBundle) -> None:
    """Write the trained networks again, with what the attack showed of h in their cards."""
    roles: tuple[Role, ...] = ("std", "rob")
    for role in roles:
        network, card = load_network_of(role, folder)
        kept = {name: getattr(card, name) for name in ("architecture", "recipe", "seed", "training")}
        path = weights_path("cifar10", role, folder)
        save_network(path, network, NetworkCard.measured(bundle, role, **kept), half=True)


def _choose(job: Job, bundle: LogitBundle) -> Configs:
    """The best mild mix of each level by the second half, and its plain mixes: on the whole bundle."""
    seen = half_of(bundle, second=True)
    choices = {}
    for beta in BETAS:
        found = grid_search(seen, job.sizes.grid, beta, device=job.device)
        choices[beta] = mild_best(found, seen).cell.params
    engine = RemixEngine(bundle, device="cpu")
    return {
        name: MixConfig.from_remix(engine, config.params).model_copy(update={"beta": config.beta})
        for name, config in all_mixes(seen, choices).items()
    }


def _attack(
    job: Job,
    which: str,
    bundle: LogitBundle,
    configs: Configs,
    number: int,
    std: nn.Module,
    rob: nn.Module,
    test: LoadedData,
) -> LogitBundle:
    """The bundle with the points of one round: against g in the first, and against each mix."""
    first = () if bundle.manifest.std_attacked else (PoolTarget(),)
    plan = PoolPlan(
        norm=NORM,
        eps=EPS,
        n_iter=job.sizes.pool.steps,
        n_targets=job.sizes.pool.targets,
        seed=SEED + number,
        precision=job.precision(rob, test.images[: job.sizes.batch]),
    )
    sources = attack_pool(
        bundle,
        std,
        rob,
        test.images,
        test.labels,
        targets=(*first, *(PoolTarget.of(config) for config in configs.values())),
        plan=plan,
        batch_size=job.sizes.batch,
        channels_last=True,
        device=job.device,
        work_dir=job.folder("work") / f"{which}-round-{number}",
    )
    return add_points(bundle, sources)


def _report(job: Job, bundle: LogitBundle, configs: Configs, number: int) -> None:
    """The figures of the mixes on the half that they were not chosen on."""
    engine = RemixEngine(half_of(bundle, second=False), device="cpu")
    for name, config in configs.items():
        remix = engine.remix(config.params)
        assert remix.attacked is not None  # the bundle has an attacked part
        mix = Path(name).stem
        job.report(**{f"{mix}: clean": remix.clean, f"{mix}: attacked, round {number}": remix.attacked})


def _write(folder: Path, bundle: LogitBundle, configs: Configs, number: int) -> None:
    """The bundle and its mixes as they stand after a round, in the place of those of the round before."""
    engine = RemixEngine(bundle, device="cpu")
    for path in folder.glob("cifar10-*.json"):
        path.unlink()  # of an earlier round's choices
    for name, config in configs.items():
        now = MixConfig.from_remix(engine, config.params).model_copy(update={"beta": config.beta})
        now.save(folder / name)
    before = newest(folder)
    bundle.save(folder / f"{ROUND}{number}.safetensors")
    if before is not None:
        before.unlink()
