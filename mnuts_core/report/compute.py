"""From a bundle and configurations to a report: rows, comparisons, statements, provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import library_versions, now
from mnuts_core.errors import ParameterError
from mnuts_core.export.config import MixConfig
from mnuts_core.params import BETAS, PARAMS
from mnuts_core.remix.certified import certificate_warnings, reference_threat, refusal
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.report.matched import Trial, try_mix
from mnuts_core.report.rows import Mix, ReportRow, other_rows, report_base_rows
from mnuts_core.search.algorithm1 import grid_search, searchable
from mnuts_core.search.grids import PAPER_RANGES, GridSpec
from mnuts_core.text import counted
from mnuts_core.views.adaptive_alpha import CAUTION
from mnuts_core.views.certified import certified_meaning
from mnuts_core.views.margins import base_histograms, mix_histograms
from mnuts_core.views.sources import settled_words, sources


@dataclass(frozen=True)
class Report:
    """Everything the report says, as numbers; `wording` puts it into words.

    Attributes:
        name: The bundle's name.
        paper: Which of the paper's data sets stands beside it: `cifar10`, `cifar100` or `imagenet`.
        base: ABC and RBC.
        others: Other methods whose answers follow from the bundle.
        trials: One for each MixedNUTS.
        given: Mixed as configurations give it, where no trial has that very mix already.
        gaps: Margin gap (Fig. 6) of g, h, LN h, and M(h) of each trial by its key; empty without an
            attacked part.
        provenance: What the numbers rest on, in words, by heading.
        missing: What the bundle does not allow to say.
        warnings: What puts the figures in doubt.
        optimistic: Whether no attack on a mix is among the attacked points; None without any.
        certified: What certified accuracies mean and rest on; empty where nothing is certified of h.
    """

    name: str
    paper: str
    base: tuple[ReportRow, ReportRow]
    others: tuple[ReportRow, ...]
    trials: tuple[Trial, ...]
    given: tuple[ReportRow, ...]
    gaps: Mapping[str, float]
    provenance: Mapping[str, str]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    optimistic: bool | None
    certified: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[ReportRow, ...]:
        """All rows in the order of the table: base classifiers, other methods, Mixed, MixedNUTS."""
        pairs = [row for trial in self.trials for row in (*trial.mixed, trial.mix)]
        return (*self.base, *self.others, *self.given, *pairs)

    def row(self, key: str) -> ReportRow:
        """The row of that key."""
        return next(row for row in self.rows if row.key == key)


def make_report(
    bundle: LogitBundle,
    configs: Sequence[tuple[str, MixConfig]] = (),
    *,
    betas: Sequence[float] = BETAS,
    paper: str = "cifar10",
    command: str = "",
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> Report:
    """The table of Fig. 5 and Table 1 on a bundle, with all that it takes to judge it.

    Args:
        bundle: The bundle.
        configs: Configurations to report on, each with what to call its origin (its file, say). A
            configuration that transforms nothing is a row of Mixed. None: the best of Algorithm 1 at each
            of `betas` on the paper's grid.
        betas: Levels β for Algorithm 1, in [0, 1].
        paper: Whose numbers stand beside ours, and whose grid is searched.
        command: The command line that makes the report again.
        device: `auto`, `cpu`, `cuda`, ...
        progress: Called with the share of the search that is done.

    Raises:
        ParameterError: If `paper` is unknown or a level lies outside [0, 1].
    """
    if paper not in PAPER_RANGES:
        raise ParameterError(f"paper must be one of {', '.join(PAPER_RANGES)}, got {paper!r}")
    engine = RemixEngine(bundle, device=device)
    mixes = [Mix.of(config, origin, bundle) for origin, config in configs]
    if not configs and searchable(engine.bundle):
        for beta in betas:
            mixes.append(_searched(bundle, paper, PARAMS["beta"].check(beta), device, progress))
    plain = [mix for mix in mixes if mix.params.plain]
    labels = _labels(plain, "Mixed") + _labels([m for m in mixes if m not in plain], "MixedNUTS")
    given = [
        mix.row(engine, f"mixed-{number}", label)[0]
        for number, (mix, label) in enumerate(zip(plain, labels, strict=False), 1)
    ]
    trials, gaps = _trials(engine, mixes, plain, labels[len(plain) :], given)
    twins = frozenset[str]().union(*(trial.twins for trial in trials))
    return Report(
        name=bundle.name,
        paper=paper,
        base=report_base_rows(engine),
        others=other_rows(bundle),
        trials=trials,
        given=tuple(row for row in given if row.key not in twins),
        gaps=gaps,
        provenance=_provenance(bundle, mixes, command),
        missing=_missing(engine, bool(trials)),
        warnings=(
            *(CAUTION for _ in other_rows(bundle)),
            *(
                f"{label}: {warning}"
                for mix, label in zip(plain, labels, strict=False)
                for warning in mix.warnings
            ),
            *certificate_warnings(engine),
        ),
        optimistic=bundle.manifest.optimistic if bundle.n_adv else None,
        certified=_certified(bundle, mixes),
    )


def _searched(
    bundle: LogitBundle, paper: str, beta: float, device: str, progress: Callable[[float], None] | None
) -> Mix:
    result = grid_search(bundle, GridSpec.paper(paper), beta, device=device, progress=progress)
    source = f"Algorithm 1 at β = {beta:g} on the paper's {paper} grid, {counted(result.n_clean, 'image')}"
    return Mix(result.best.params, source, beta, warnings=result.warnings)


def _trials(
    engine: RemixEngine,
    mixes: list[Mix],
    plain: list[Mix],
    labels: list[str],
    given: list[ReportRow],
) -> tuple[tuple[Trial, ...], dict[str, float]]:
    attacked = engine.bundle.n_adv > 0
    gaps = {name: both.gap for name, both in base_histograms(engine).items()} if attacked else {}
    trials = []
    tried = [mix for mix in mixes if mix not in plain]
    for mix, label, key in zip(tried, labels, _keys(tried), strict=True):
        trial = try_mix(engine, mix, key, label, given)
        if attacked:
            gaps[trial.mix.key] = mix_histograms(engine.remix(mix.params)).gap
        trials.append(trial)
    return tuple(trials), gaps


def _labels(mixes: Sequence[Mix], what: str) -> list[str]:
    """A name for each mix; by its level or weight, and by its source where that is not enough."""
    words = [f"β = {mix.beta:g}" if mix.beta is not None else f"α = {mix.params.alpha:.6g}" for mix in mixes]
    if what == "Mixed":
        words = [f"T = {mix.params.temperature:g}, {word}" for mix, word in zip(mixes, words, strict=True)]
    short = [f"{what}, {word}" for word in words]
    return [
        label if short.count(label) == 1 else f"{label} ({mix.source})"
        for mix, label in zip(mixes, short, strict=True)
    ]


def _keys(mixes: Sequence[Mix]) -> list[str]:
    """A short name for each MixedNUTS, fit for a file: by its level or weight, numbered where not unique."""
    words = [f"beta-{m.beta:g}" if m.beta is not None else f"alpha-{m.params.alpha:.6g}" for m in mixes]
    return [
        f"mixednuts-{word}" + (f"-{number}" if words.count(word) > 1 else "")
        for number, word in enumerate(words, 1)
    ]


def _missing(engine: RemixEngine, any_trial: bool) -> tuple[str, ...]:
    lines = []
    if not engine.bundle.n_adv:
        lines.append(
            "The bundle has no attacked part: there are no figures under attack, no Mixed at the same "
            "accuracy by margin, and no search. Build it with an attack (`mnuts build --n-adv`)."
        )
    elif not any_trial and not searchable(engine.bundle):
        lines.append(
            "Algorithm 1 has nothing to work on: it needs attacked images that h gets right and clean ones "
            "that it gets wrong."
        )
    if not any_trial:
        lines.append("There is no MixedNUTS to report on: give --config FILE.")
    return tuple(lines)


def _certified(bundle: LogitBundle, mixes: Sequence[Mix]) -> tuple[str, ...]:
    card = bundle.manifest.certificate
    if card is None:
        return ()
    within, of_threat = reference_threat(bundle, card)
    reasons = dict.fromkeys(filter(None, (refusal(card, mix.params) for mix in mixes)))
    without = (f"Of a mix without such a figure nothing is certified: {reason}." for reason in reasons)
    return (*certified_meaning(str(within), str(card), of_threat), *without)


def _provenance(bundle: LogitBundle, mixes: Sequence[Mix], command: str) -> dict[str, str]:
    manifest = bundle.manifest
    data = manifest.data
    words = {
        "bundle": f"{bundle.name}, {bundle.digest}",
        "images": f"{bundle.n_clean:,} clean, {bundle.n_adv:,} attacked, {bundle.num_classes} classes",
        "data": "; ".join(part for part in (data.name, data.split, data.source) if part),
        "accurate classifier g": _model(manifest.std_model.spec, manifest.std_model.parameters),
        "robust classifier h": _model(manifest.rob_model.spec, manifest.rob_model.parameters),
        "threat model": str(manifest.threat) if manifest.threat else "not recorded",
        "attacked points": "; ".join([*map(str, sources(bundle)), settled_words(bundle)]) or "none",
        "bundle made with": manifest.command or "not recorded",
    }
    words |= {f"mix: {mix.source}": mix.attack for mix in mixes if mix.attack}
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    return words | {"report made with": command or "mnuts_core.report", "versions": versions, "time": now()}


def _model(spec: str, parameters: int | None) -> str:
    return spec if parameters is None else f"{spec}, {parameters:,} parameters"


def made_configs(report: Report, bundle: LogitBundle, *, device: str = "auto") -> dict[str, MixConfig]:
    """The mixes that the report chose itself, by row key, as configurations ready for `mnuts evaluate`.

    Args:
        report: A report of this bundle.
        bundle: The bundle.
        device: As for `make_report`.
    """
    engine, made = RemixEngine(bundle, device=device), {}
    for row in report.rows:
        if row.params is not None and row.made:
            made[row.key] = MixConfig.from_remix(engine, row.params).model_copy(update={"beta": row.beta})
    return made
