"""One MixedNUTS held against RBC, and against Mixed brought to the same accuracy by margin."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mnuts_core.functional.paired import Paired
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.report.rows import Mix, ReportRow
from mnuts_core.views.tradeoff import best_bound, best_clean, plateau_curve

MIXED_TEMPERATURES = (1.0, 0.0)
"""Mixed is shown with σ(g) as in Eq. 1 (the paper's baseline), and with g's one-hot, as in MixedNUTS."""


@dataclass(frozen=True)
class Reach:
    """What Mixed can do at one temperature, over every α in [1/2, 1], against one MixedNUTS.

    Attributes:
        temperature: T of the accurate classifier.
        clean: Its highest clean accuracy at which its accuracy by margin is at least MixedNUTS's; None if no
            α keeps it.
        bound: Its highest accuracy by margin at which its clean accuracy is at least MixedNUTS's; None if no
            α reaches that accuracy.
    """

    temperature: float
    clean: float | None
    bound: float | None


@dataclass(frozen=True)
class Trial:
    """One MixedNUTS and what it is held against.

    Attributes:
        mix: MixedNUTS.
        mixed: Mixed at the same accuracy by margin, one row for each temperature that reaches it.
        reach: What Mixed can do at any α, one for each temperature; empty without an attacked part.
        paired: By row key, MixedNUTS against that row on the clean images.
        warnings: What puts the figures in doubt.
    """

    mix: ReportRow
    mixed: tuple[ReportRow, ...]
    reach: tuple[Reach, ...]
    paired: dict[str, Paired]
    warnings: tuple[str, ...]


def try_mix(
    engine: RemixEngine, mix: Mix, key: str, label: str, given: list[tuple[ReportRow, Remix]]
) -> Trial:
    """One MixedNUTS held against RBC, against Mixed at the same accuracy by margin, and against given mixes.

    Mixed's α: of all α in [1/2, 1] at which Mixed's accuracy by margin is at least MixedNUTS's, one at which
    its clean accuracy is highest; among equals with the higher bound, then the larger α.

    Args:
        engine: The engine of the bundle.
        mix: MixedNUTS.
        key: Its row's key.
        label: Its row's label.
        given: Mixed as configurations give it, for comparison; where one is the matched mix itself, its
            verified accuracy goes into the matched row.
    """
    row, remix = mix.row(engine, key, label)
    matched, reach = [], []
    if remix.by_margin is not None:
        for temperature in MIXED_TEMPERATURES:
            alpha, extent = _match(engine, remix.clean.value, remix.by_margin.value, temperature)
            reach.append(extent)
            if alpha is not None:
                matched.append(_matched(engine, row, temperature, alpha, [own for own, _ in given]))
    ours = remix.on_clean.mix_right
    paired = {"rbc": Paired.of(ours, engine.rob_right[: engine.n_clean])}
    others = [*matched, *given]
    paired |= {other.key: Paired.of(ours, theirs.on_clean.mix_right) for other, theirs in others}
    warnings = (*mix.warnings, *remix.warnings)
    return Trial(row, tuple(other for other, _ in matched), tuple(reach), paired, warnings)


def _match(
    engine: RemixEngine, clean: float, by_margin: float, temperature: float
) -> tuple[float | None, Reach]:
    """Mixed's α at the accuracy by margin of a mix, and how far Mixed reaches at all."""
    curve = plateau_curve(engine, IDENTITY.with_(temperature=temperature))
    at = best_clean(curve, by_margin)
    held = best_bound(curve, clean)
    reach = Reach(
        temperature,
        None if at is None else float(curve.clean[at]),
        None if held is None else float(curve.by_margin[held]),
    )
    return (None if at is None else float(curve.alpha[at])), reach


def _matched(
    engine: RemixEngine, row: ReportRow, temperature: float, alpha: float, given: list[ReportRow]
) -> tuple[ReportRow, Remix]:
    params = IDENTITY.with_(temperature=temperature, alpha=alpha)
    mix = Mix(
        params, f"α at which its accuracy by margin is that of {row.label} or more, clean accuracy highest"
    )
    label = f"Mixed, T = {temperature:g}, matched to {row.label.removeprefix('MixedNUTS, ')}"
    matched, remix = mix.row(engine, f"{row.key}-mixed-t{temperature:g}", label)
    twin = next((own for own in given if own.params and _same_mix(own.params, params)), None)
    if twin is not None:
        matched = replace(matched, verified=twin.verified, attack=twin.attack, rbc_same=twin.rbc_same)
    return matched, remix


def _same_mix(one: MixParams, other: MixParams) -> bool:
    assert one.alpha is not None  # rows carry α
    assert other.alpha is not None
    return one.temperature == other.temperature and abs(one.alpha - other.alpha) < 1e-12
