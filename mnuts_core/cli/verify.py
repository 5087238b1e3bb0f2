"""A verification as `mnuts evaluate` runs it: what the options name, the attack, and what is written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mnuts_core.cli.anytime import Ending, Rival, Running
from mnuts_core.cli.compare import attacks_differ
from mnuts_core.cli.console import STDOUT, check_outputs, note, progress, show, warn, write_json
from mnuts_core.cli.into import PoolFile
from mnuts_core.cli.loading import load_all
from mnuts_core.cli.options import check_norm, parse_eps
from mnuts_core.cli.precision import before_models, chosen
from mnuts_core.cli.shared_run import note_resuming
from mnuts_core.cli.verification import report, to_json
from mnuts_core.errors import MnutsError
from mnuts_core.params import check_eps
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.attacks.plan import Plan
    from mnuts_core.bundles.manifest import ModelCard, ThreatModel
    from mnuts_core.export.config import MixConfig
    from mnuts_core.pipeline.distributed import World
    from mnuts_core.pipeline.verified import Verified


class Settings(NamedTuple):
    """The options that the figures depend on, as given; what they mean is said at `evaluate`."""

    config: Path
    std: str
    rob: str
    data: str
    attack: str
    n: int | None
    norm: str | None
    eps: str | None
    n_iter: int
    seed: int
    batch_size: int
    precision: str
    effort: str
    channels_last: bool
    dataset: str | None
    data_dir: Path | None
    surrogates: tuple[str, ...] = ()


class Targets(NamedTuple):
    """Where the result goes.

    Attributes:
        config: The configuration with its verification; None for nowhere.
        points: The points found, likewise.
        json: The result as JSON, `-` for standard output.
    """

    config: Path | None
    points: Path | None
    json: str | None

    @property
    def files(self) -> list[str | Path]:
        """All files among them."""
        return [file for file in self if file is not None and file != STDOUT]


class Task(NamedTuple):
    """What the options name, read and checked before anything is attacked."""

    mix: MixConfig
    threat: ThreatModel
    plan: Plan
    targets: Targets
    pool: PoolFile | None
    rival: Rival | None
    work: Path

    @classmethod
    def of(
        cls,
        given: Settings,
        targets: Targets,
        into: str | None,
        out_bundle: Path | None,
        until_different: Path | None,
        work: Path,
    ) -> Task:
        """Read configurations and bundle.

        Raises:
            MnutsError: If one cannot be read, they do not fit, or an option is out of range.
        """
        from mnuts_core.attacks.plan import Plan
        from mnuts_core.export.config import MixConfig

        pool = None if into is None else PoolFile.of(into, out_bundle)
        mix = MixConfig.load(given.config)
        threat = _threat(mix, given.norm, given.eps)
        if pool is not None:
            check_outputs({"--into": pool.target}, force=True)
            pool.check(mix, str(given.config), threat)
        rival = None if until_different is None else Rival.load(until_different)
        strength: dict[str, Any] = {
            "attack": given.attack,
            "n_iter": given.n_iter,
            "seed": given.seed,
            "precision": before_models(given.precision),
            "effort": given.effort,
            "surrogates": given.surrogates,
        }
        plan = Plan(norm=threat.norm, eps=threat.eps, **strength)
        return cls(mix, threat, plan, targets, pool, rival, work)


class Found(NamedTuple):
    """What came of the attack, how it ended, and the cards of both models."""

    verified: Verified
    ending: Ending
    cards: tuple[ModelCard, ...]


def attack_mix(
    given: Settings, task: Task, world: World, device: str, fresh: bool, check: Callable[[], None]
) -> Found:
    """Load models and images, and attack; when it is stopped, write what there is.

    Args:
        given: The options.
        task: What they name.
        world: The processes that share the batches.
        device: Where to compute.
        fresh: Whether to throw away what is in the work folder.
        check: Refuses outputs that may not be written.

    Raises:
        MnutsError: If models or images cannot be loaded, or do not fit.
    """
    from mnuts_core.attacks.plan import ATTACKS
    from mnuts_core.export.classifier import MixedClassifier
    from mnuts_core.pipeline.locks import refuse_held
    from mnuts_core.pipeline.verify import evaluate
    from mnuts_core.pipeline.workfolder import work_folder_of

    if world.is_first:
        for other in ATTACKS:  # they would write into the same target
            if other != given.attack:
                refuse_held(work_folder_of(f"{task.targets.config or given.config}.{other}"))
    where = world.device(device)
    std, rob, data = load_all(
        given.std, given.rob, given.data, n=given.n, norm=task.plan.norm, dataset=given.dataset,
        data_dir=given.data_dir, device=where,
    )  # fmt: skip
    model = MixedClassifier.from_config(task.mix, std.module, rob.module)
    folders = [] if fresh else [task.work]
    pair, cards = (std.module, rob.module), (std.card, rob.card)
    taken = task.plan.precision
    if given.attack != "autoattack":  # which computes as it was published
        taken = chosen(given, pair, data.images, where, folders, world)
    if task.pool is not None:
        task.pool.check_images(pair, data, where, given.batch_size)
    if task.rival is not None:
        task.rival.check_images(data.images, data.labels)
    n = len(data.labels)
    if world.is_first:
        note(f"{given.attack}, {task.threat}: {counted(n, 'image')} on {where}")
    note_resuming([task.work], world, fresh=fresh)
    stdout = sys.stdout
    with progress("attack") as bar, redirect_stdout(sys.stderr):  # a model may print
        running = Running(n, task.rival, lambda words: bar(None, f"attack: {words}"))

        def stop(verified: Verified) -> None:
            check()
            ending = Ending.of(running, len(verified.labels), interrupted=True)
            with redirect_stdout(stdout):
                finish(task, Found(verified, ending, cards))

        verified = evaluate(
            model,
            data.images,
            data.labels,
            plan=replace(task.plan, precision=taken),
            batch_size=given.batch_size,
            channels_last=given.channels_last,
            progress=(lambda done, total: bar(done / total)) if world.is_first else None,
            enough=running,
            on_stop=stop if world.size == 1 else None,
            work_dir=task.work,
            fresh=fresh,
            world=world,
        )
    return Found(verified, Ending.of(running, len(verified.labels), interrupted=False), cards)


def finish(task: Task, found: Found) -> None:
    """Write the result, and say what it is; the work folder stays if there are images left to do.

    Args:
        task: What was to be done.
        found: What came of it.

    Raises:
        MnutsError: If an output cannot be written.
    """
    from mnuts_core.pipeline.diagnostics import diagnostics_of_config
    from mnuts_core.pipeline.partial_outputs import remember
    from mnuts_core.pipeline.workfolder import discard
    from mnuts_core.views.paired import differing_settings

    targets, pool = task.targets, task.pool
    diagnostics = [
        *found.verified.warnings,
        *diagnostics_of_config(
            task.mix, task.threat, found.verified.clean, _bundle_cards(task.mix), found.cards
        ),
    ]
    verified = found.verified._replace(warnings=tuple(diagnostics))
    if targets.points is not None:
        verified.save_points(targets.points)
    result = verified.into(task.mix)
    if pool is not None:
        result = pool.add(verified, result)
    if targets.config is not None:
        result.save(targets.config)
    for diagnostic in diagnostics:
        warn(str(diagnostic))
    if task.rival is not None and (differing := differing_settings(result.verified, task.rival.card)):
        warn(attacks_differ(differing))
    if targets.json is not None:
        write_json(targets.json, to_json(verified, task.threat, targets.config, result, pool, found.ending))
    if targets.json != STDOUT:
        show(*report(verified, task.threat, result, targets.config, pool, found.ending))
    if found.ending.reason is None:
        discard(task.work)  # not before the result is out
    else:
        remember(task.work, targets.files)


def _threat(config: MixConfig, norm: str | None, eps: str | None) -> ThreatModel:
    """The threat model that was given, else the configuration's."""
    from mnuts_core.attacks.norms import make_ball
    from mnuts_core.bundles.manifest import ThreatModel

    known = config.threat
    if known is None and (norm is None or eps is None):
        raise MnutsError("the configuration has no threat model: give --norm and --eps")
    chosen = check_norm(norm) if norm is not None else (known and known.norm)
    radius = parse_eps(eps) if eps is not None else (known and known.eps)
    ball: dict[str, Any] = {"norm": chosen, "eps": radius}
    make_ball(**ball)
    check_eps(ball["norm"], ball["eps"])
    return ThreatModel(**ball)


def _bundle_cards(config: MixConfig) -> tuple[ModelCard, ...]:
    """The cards of the models behind the configuration's bundle, if that very bundle is at hand."""
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.library import all_bundles
    from mnuts_core.export.belonging import belongs

    path = all_bundles().get(config.bundle.name) if config.bundle else None
    if path is None or config.bundle is None:
        return ()
    bundle = LogitBundle.load(path)
    return (bundle.manifest.std_model, bundle.manifest.rob_model) if belongs(config, bundle) else ()
