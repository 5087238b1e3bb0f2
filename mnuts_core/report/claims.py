"""The paper's claims held against a report's numbers: each statement and its verdict follow from a rule."""

from __future__ import annotations

import math
from typing import NamedTuple

from mnuts_core.bundles.paper import paper_table
from mnuts_core.report.compute import Report
from mnuts_core.report.matched import Reach, Trial
from mnuts_core.report.paper import PaperResult, paper_result
from mnuts_core.report.rows import ReportRow
from mnuts_core.views.headline import error_change

UNDER_ATTACK = ("verified", "attacked", "by_margin")
"""Figures under attack, the measured one first."""
WORDS = {"attacked": "attacked", "by_margin": "right by margin", "verified": "verified", "clean": "clean"}


class Statement(NamedTuple):
    """One statement.

    Attributes:
        subject: Which MixedNUTS it is about.
        text: The statement, with its numbers.
        holds: Whether the paper's claim holds here; None where the numbers at hand cannot tell.
    """

    subject: str
    text: str
    holds: bool | None


def robust_change(mix: ReportRow, other: ReportRow, name: str) -> float | None:
    """The relative change of the error under attack, by one of `UNDER_ATTACK` (Table 1).

    Against RBC it is taken to RBC's accuracy under the bundle's attack, for a verified figure on the same
    images where these are known; against a mix to its same figure.
    """
    same = mix.rbc_same if other.role == "rbc" and name == "verified" else None
    return error_change(mix.figure(name), same or other.comparable(name))


def statements(report: Report) -> list[Statement]:
    """Every claim of the paper that the numbers bear on, for each MixedNUTS of the report."""
    paper = paper_result(report.paper)
    claims: list[Statement] = []
    for trial in report.trials:
        own = [
            _clean_against_rbc(report, trial),
            _as_far_as_the_paper(report, trial, paper),
            *_robust_against_rbc(report, trial, paper),
            _worth_its_price(report, trial, paper),
            *_against_mixed(trial),
            *_verified_against_mixed(report, trial),
            _bound_against_verified(trial),
            _margin_gap(report, trial),
        ]
        claims += [statement for statement in own if statement is not None]
    return claims


def _clean_against_rbc(report: Report, trial: Trial) -> Statement | None:
    mix, pair = trial.mix, trial.paired["rbc"]
    change = error_change(mix.clean, report.base[1].clean)
    if change is None:
        return None
    verdict = change < 0 if pair.clear else None
    counts = f"{pair.only_first:,} images fixed, {pair.only_second:,} broken, n = {mix.clean.n:,}"
    return Statement(
        mix.label, f"Clean error below RBC's: {_yes(verdict)}; {moved(change)} ({counts}).", verdict
    )


def _as_far_as_the_paper(report: Report, trial: Trial, paper: PaperResult) -> Statement | None:
    change = error_change(trial.mix.clean, report.base[1].clean)
    if change is None:
        return None
    verdict = change <= paper.clean_change
    numbers = f"{moved(change)} (paper, {report.paper}: {moved(paper.clean_change)})"
    return Statement(
        trial.mix.label, f"Clean error down as far as the paper's: {_yes(verdict)}; {numbers}.", verdict
    )


def _robust_against_rbc(report: Report, trial: Trial, paper: PaperResult) -> list[Statement]:
    claims = []
    for name in ("verified", "by_margin"):
        change = robust_change(trial.mix, report.base[1], name)
        if change is not None:
            verdict = change <= paper.robust_change
            text = (
                f"Error under attack up by no more than the paper's, {_measured(trial.mix, name)}: "
                f"{_yes(verdict)}; {moved(change)} relative to RBC{_where(trial.mix, name)} (paper, "
                f"{report.paper}: {moved(paper.robust_change)}, verified)."
            )
            claims.append(Statement(trial.mix.label, text, verdict))
    if trial.mix.verified is None and report.base[1].attacked is not None:
        text = (
            "Error under an adaptive attack on the mix: not known. Run `mnuts evaluate` on its configuration."
        )
        claims.append(Statement(trial.mix.label, text, None))
    return claims


def _worth_its_price(report: Report, trial: Trial, paper: PaperResult) -> Statement | None:
    """Section 5.1: the clean error improves far more, relatively, than the robust error grows."""
    name = "verified" if trial.mix.verified is not None else "by_margin"
    gain = error_change(trial.mix.clean, report.base[1].clean)
    price = robust_change(trial.mix, report.base[1], name)
    if gain is None or price is None:
        return None
    verdict = -gain > max(price, 0.0)
    ratio = f"{-gain / price:.1f} times" if price > 0 and gain < 0 else f"{moved(gain)} for {moved(price)}"
    text = (
        f"Relative gain in clean error larger than the price in error under attack, "
        f"{_measured(trial.mix, name)}: {_yes(verdict)}; {ratio} (paper, {report.paper}: "
        f"{-paper.clean_change / paper.robust_change:.1f} times)."
    )
    return Statement(trial.mix.label, text, verdict)


def _against_mixed(trial: Trial) -> list[Statement]:
    """Fig. 5: better than Mixed on both, whatever α Mixed takes (by the accuracy by margin)."""
    mix = trial.mix
    claims: list[Statement] = []
    if mix.by_margin is None:
        return claims
    matched = {row.params.temperature: row for row in trial.mixed if row.params is not None}
    for reach in trial.reach:
        clean_better = reach.clean is None or mix.clean.value > reach.clean
        bound_better = reach.bound is None or mix.by_margin.value > reach.bound
        verdict: bool | None = clean_better and bound_better
        noise = ""
        if verdict and reach.temperature in matched:
            pair = trial.paired[matched[reach.temperature].key]
            counts = f"{pair.only_first:,} fixed, {pair.only_second:,} broken"
            noise = f" Clean, against Mixed at that bound: {counts}."
            verdict = True if pair.clear else None
        text = (
            f"Better than Mixed (T = {reach.temperature:g}) on both, by margin: {_yes(verdict)}. "
            f"{_reach_words(mix, reach)}{noise}"
        )
        claims.append(Statement(mix.label, text, verdict))
    return claims


def _reach_words(mix: ReportRow, reach: Reach) -> str:
    assert mix.by_margin is not None  # the caller has looked
    held = "no α of Mixed" if reach.clean is None else f"Mixed at most {share(reach.clean)}"
    reached = "no α of Mixed" if reach.bound is None else f"Mixed at most {share(reach.bound)}"
    return (
        f"With a bound of {share(mix.by_margin.value)} or more it has {share(mix.clean.value)} clean, "
        f"{held}; with {share(mix.clean.value)} clean or more a bound of {share(mix.by_margin.value)}, "
        f"{reached}."
    )


def _verified_against_mixed(report: Report, trial: Trial) -> list[Statement]:
    """Fig. 5 with attacked mixes on both sides: no worse than Mixed on either axis, better on one?

    At the same accuracy by margin MixedNUTS is expected to be the more accurate, at the same clean accuracy
    the more robust one. A Mixed of a configuration that is better on one axis and worse on the other lies
    elsewhere on the plane: no claim is made.
    """
    mix = trial.mix
    claims: list[Statement] = []
    for other in (*report.given, *trial.mixed):
        if mix.verified is None or other.verified is None:
            continue
        cleaner, clear = mix.clean.value - other.clean.value, trial.paired[other.key].clear
        firmer, apart = mix.verified.value - other.verified.value, mix.verified.over(other.verified) != "open"
        if other in report.given and cleaner * firmer < 0 and clear:
            continue
        verdict: bool | None = None
        if (cleaner < 0 and clear) or (firmer < 0 and apart):
            verdict = False
        elif min(cleaner, firmer) >= 0 and ((cleaner > 0 and clear) or (firmer > 0 and apart)):
            verdict = True
        text = (
            f"No worse than {other.label} and better on one, clean or verified: {_yes(verdict)}. Clean "
            f"{share(mix.clean.value)} against {share(other.clean.value)} ({_noise(clear)}); under adaptive "
            f"attack {mix.verified} against {other.verified} ({_noise(apart)})."
        )
        claims.append(Statement(mix.label, text, verdict))
    return claims


def _bound_against_verified(trial: Trial) -> Statement | None:
    """Theorem 4.3 in practice: does the estimate keep what it promises under an adaptive attack?"""
    mix = trial.mix
    if mix.verified is None or mix.by_margin is None:
        return None
    off = 100 * (mix.by_margin.value - mix.verified.value)
    verdict = mix.by_margin.value <= mix.verified.interval[1]
    text = (
        f"Right by margin confirmed by the adaptive attack, within its interval: {_yes(verdict)}. It reads "
        f"{abs(off):.2f} points {'high' if off > 0 else 'low'}: {mix.by_margin}; verified {mix.verified}."
    )
    return Statement(mix.label, text, verdict)


def _margin_gap(report: Report, trial: Trial) -> Statement | None:
    before, after = report.gaps.get("LN h"), report.gaps.get(trial.mix.key)
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        return None
    printed = paper_table("fig06").query("dataset == @report.paper").set_index("model")["margin_gap"]
    verdict = after > before
    text = (
        f"Margin gap enlarged by the transform (Fig. 6): {_yes(verdict)}; from {before:.3f} (LN h) to "
        f"{after:.3f} (paper, {report.paper}: from {printed['h_rob_ln']:.3f} to "
        f"{printed['h_rob_transformed']:.3f})."
    )
    return Statement(trial.mix.label, text, verdict)


def _measured(mix: ReportRow, name: str) -> str:
    figure = mix.figure(name)
    assert figure is not None  # callers have looked
    kind = "by margin" if name == "by_margin" else WORDS[name]
    return f"{kind} (n = {figure.n:,})"


def _where(mix: ReportRow, name: str) -> str:
    """On which images RBC was attacked, if that is not plain."""
    if name != "verified":
        return ""
    if mix.rbc_same is not None:
        return f" on the same images, {mix.rbc_same}"
    return " on all its attacked images"


def _noise(clear: bool) -> str:
    return "beyond the noise" if clear else "within the noise"


def _yes(verdict: bool | None) -> str:
    return "within the noise" if verdict is None else "yes" if verdict else "no"


def moved(change: float) -> str:
    """A relative change in words.

    Example:
        >>> moved(-0.2853), moved(0.047)
        ('down by 28.53 %', 'up by 4.70 %')
    """
    return f"{'down' if change < 0 else 'up'} by {100 * abs(change):.2f} %"


def share(value: float) -> str:
    """A share in percent.

    Example:
        >>> share(0.9519)
        '95.19 %'
    """
    return f"{100 * value:.2f} %"
