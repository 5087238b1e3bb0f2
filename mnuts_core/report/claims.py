"""The paper's claims held against a report's numbers: each statement and its verdict follow from a rule."""

from __future__ import annotations

import math
from typing import NamedTuple

from mnuts_core.bundles.paper import paper_table
from mnuts_core.functional.paired import Paired
from mnuts_core.report.compute import Report
from mnuts_core.report.matched import COMPARED, UNSEEN, Match, Trial
from mnuts_core.report.matched import WORDS as MATCHED
from mnuts_core.report.paper import PaperResult, paper_result
from mnuts_core.report.rows import ReportRow
from mnuts_core.text import counted
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
    mix, pair = trial.mix, trial.paired["rbc"]["clean"]
    change = error_change(mix.clean, report.base[1].clean)
    if change is None:
        return None
    verdict = change < 0 if pair.clear else None
    counts = f"{counted(pair.only_first, 'image')} fixed, {pair.only_second:,} broken"
    numbers = f"{moved(change)} ({counts}): {pair}{_unseen(trial, 'rbc')}"
    return Statement(mix.label, f"Clean error below RBC's: {_yes(verdict)}; {numbers}.", verdict)


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
    for name in ("verified", _from_the_bundle(report)):
        change = robust_change(trial.mix, report.base[1], name)
        if change is not None:
            verdict = change <= paper.robust_change
            text = (
                f"Error under attack up by no more than the paper's, {_measured(trial.mix, name)}: "
                f"{_yes(verdict)}; {moved(change)} relative to RBC{_where(trial, name)} (paper, "
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
    name = "verified" if trial.mix.verified is not None else _from_the_bundle(report)
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
    """Fig. 5: with one figure as good as Mixed's, is another better? In pairs, whatever α Mixed takes."""
    return [_match_statement(trial, match) for match in trial.matches]


def _match_statement(trial: Trial, match: Match) -> Statement:
    wanted, same = COMPARED[match.by], MATCHED[match.by]
    better = "more robust" if wanted == "attacked" else "more accurate"
    start = f"At the same {same} {better} than Mixed (T = {match.temperature:g})"
    figure = trial.mix.figure(match.by)
    assert figure is not None  # Mixed is matched by it
    if match.key is None:
        text = f"{start}: yes; no α of Mixed has {share(figure.value)} {WORDS[match.by]}."
        return Statement(trial.mix.label, text, True)
    pair = trial.paired[match.key][wanted]
    verdict = pair.difference.value > 0 if pair.clear else None
    unseen = _unseen(trial, match.key) if wanted == "clean" else ""
    return Statement(trial.mix.label, f"{start}: {_yes(verdict)}; {WORDS[wanted]} {pair}{unseen}.", verdict)


def _verified_against_mixed(report: Report, trial: Trial) -> list[Statement]:
    """Fig. 5 with attacked mixes on both sides: no worse than Mixed on either axis, better on one?

    In pairs: on the images of the bundle, and on those that both attacks met. A Mixed of a configuration that
    is better on one axis and worse on the other lies elsewhere on the plane: no claim is made.
    """
    mix = trial.mix
    claims: list[Statement] = []
    for other in (*report.given, *trial.mixed):
        if mix.verified is None or other.verified is None:
            continue
        clean, firm = trial.paired[other.key]["clean"], trial.paired[other.key].get("verified")
        start = f"No worse than {other.label} and better on one, clean or verified"
        if firm is None:
            figures = f"under adaptive attack {mix.verified} against {other.verified}"
            why = trial.unpaired.get(other.key, "not on the same images")
            claims.append(
                Statement(mix.label, f"{start}: not in pairs ({why}). Clean {clean}; {figures}.", None)
            )
            continue
        signs = [_sign(pair) for pair in (clean, firm)]
        if other in report.given and sum(signs) == 0 and any(signs):
            continue
        verdict = False if min(signs) < 0 else True if max(signs) > 0 else None
        text = f"{start}: {_yes(verdict)}. Clean {clean}{_unseen(trial, other.key)}; verified {firm}."
        claims.append(Statement(mix.label, text, verdict))
    return claims


def _sign(pair: Paired) -> int:
    """1 or -1 where a difference is beyond the noise, else 0."""
    return 0 if not pair.clear else 1 if pair.difference.value > 0 else -1


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


def _from_the_bundle(report: Report) -> str:
    """The figure under attack from the bundle's points; where they are MMAA's alone, attacked is too high."""
    return "by_margin" if report.optimistic else "attacked"


def _measured(mix: ReportRow, name: str) -> str:
    figure = mix.figure(name)
    assert figure is not None  # callers have looked
    kind = "by margin" if name == "by_margin" else WORDS[name]
    return f"{kind} (n = {figure.n:,})"


def _where(trial: Trial, name: str) -> str:
    """On which images RBC was attacked, if that is not plain, and the paired difference."""
    pair = trial.paired["rbc"].get(name)
    difference = f"; {pair}" if pair is not None else ""
    if name != "verified":
        return difference
    if trial.mix.rbc_same is not None:
        return f" on the same images, {trial.mix.rbc_same}{difference}"
    return " on all its attacked images"


def _unseen(trial: Trial, key: str) -> str:
    """The clean pair on the images that no search saw, where there are such."""
    pair = trial.paired[key].get(UNSEEN)
    return f"; on the unseen images {pair}" if pair is not None else ""


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
