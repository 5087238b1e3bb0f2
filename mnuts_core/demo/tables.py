"""The tables of the shipped pairs in README.md and data/README.md, from bundles and configurations.

`make tables` writes them anew. A table stands between `<!-- table: PAIR KIND -->`, KIND being `mixes` or
`pairs` (`truth` in docs/cached-estimates.md, which is `make truth`'s), and `<!-- end of table -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import find_bundle
from mnuts_core.demo.best_mixes import config_name
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate
from mnuts_core.io.files import write_atomically
from mnuts_core.params import BETAS, IDENTITY, MixParams
from mnuts_core.pipeline.refine import BY_CLEAN, BY_MARGIN, CHOICE
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.paired import (
    Right,
    pairs,
    right_of,
    right_of_robust,
    unseen_images,
    verified_pair,
)
from mnuts_core.views.tradeoff import best_place, plateau_curve

TABLE = re.compile(r"(<!-- table: (\w+) (mixes|pairs|truth) -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
NONE = "–"
FIGURES = ("clean", "attacked", "by_margin", "verified")
PLAIN = {BY_CLEAN: "clean accuracy", BY_MARGIN: "accuracy by margin"}
"""By what the shipped plain mixes were matched."""


class Shipped(NamedTuple):
    """What ships of a pair.

    Attributes:
        engine: The engine of its bundle.
        configs: Its configurations, by level and what they are.
    """

    engine: RemixEngine
    configs: Mapping[tuple[float, str], MixConfig]


@cache
def shipped(pair: str) -> Shipped:
    """What ships of a pair: its bundle and those configurations that are there."""
    bundle = find_bundle(pair)
    names = {(beta, kind): config_name(pair, beta, kind) for beta in BETAS for kind in (CHOICE, *PLAIN)}
    paths = {key: bundle.with_name(name) for key, name in names.items()}
    configs = {key: MixConfig.load(path) for key, path in paths.items() if path.is_file()}
    return Shipped(RemixEngine(LogitBundle.load(bundle), device="cpu"), configs)


def refreshed(text: str) -> str:
    """A text with its tables as they ought to be.

    Args:
        text: Markdown.
    """
    return filled(text, lambda pair, kind: MAKERS[kind](shipped(pair)))


def filled(text: str, rows_of: Callable[[str, str], Iterator[Sequence[str]]]) -> str:
    """A text with other tables between its marks.

    Args:
        text: Markdown.
        rows_of: The rows of a pair's table of some kind, its header first.
    """
    return TABLE.sub(lambda found: found[1] + markdown(rows_of(found[2], found[3])), text)


def _mixes(pair: Shipped) -> Iterator[Sequence[str]]:
    """The base models and all mixes, each with its figures on the bundle and by its own verification."""
    base, bundle = pair.engine.base, pair.engine.bundle
    words = (f"{word}, %" for word in _headings(pair))
    yield f"{bundle.n_clean:,} clean and {bundle.n_adv:,} attacked images", *words
    yield "standard model", *map(_figure, (base.std_clean, base.std_attacked, None, None))
    yield "robust model", *map(_figure, (base.rob_clean, base.rob_attacked, None, None))
    for (beta, kind), config in pair.configs.items():
        remix = pair.engine.remix(config.params)
        verified = config.verified.accuracy.estimate if config.verified else None
        figures = remix.clean, remix.attacked, remix.by_margin, verified
        yield _mix_words(config.params, beta, kind), *map(_figure, figures)


def _pairs(pair: Shipped) -> Iterator[Sequence[str]]:
    """Each choice less the robust model and less plain mixes, in points."""
    unseen = unseen_images(pair.engine)
    more = (f"clean, {unseen.sum():,} unseen images",) if unseen.any() else ()
    yield "MixedNUTS less …, in points", *_headings(pair), *more

    def row(name: str, ours: Right, theirs: Right, verified: Paired | None = None) -> Sequence[str]:
        found = [*map(pairs(ours, theirs).get, FIGURES[:3]), verified]
        if more:
            found.append(Paired.of(ours["clean"][unseen], theirs["clean"][unseen]))
        return name, *map(_pair, found)

    for beta in BETAS:
        choice = pair.configs[beta, CHOICE]
        ours = right_of(pair.engine.remix(choice.params))
        yield row(f"β = {beta:g} less the robust model", ours, right_of_robust(pair.engine))
        for kind, words in PLAIN.items():
            if (plain := pair.configs.get((beta, kind))) is not None:
                theirs = right_of(pair.engine.remix(plain.params))
                verified = verified_pair(choice, plain).paired.get("verified")
                yield row(f"β = {beta:g} less the plain mix of its {words}", ours, theirs, verified)
        if not pair.engine.bundle.manifest.optimistic:
            theirs = _of_the_same_attacked(pair.engine, choice.params)
            yield row(f"β = {beta:g} less the plain mix of its attacked accuracy", ours, theirs)


def _headings(pair: Shipped) -> Sequence[str]:
    """The figures in words; where the points are MMAA's alone, attacked is too high."""
    optimistic = pair.engine.bundle.manifest.optimistic
    attacked = "attacked (MMAA points only: optimistic)" if optimistic else "attacked, at most"
    return "clean", attacked, "right by margin", "verified"


MAKERS = {"mixes": _mixes, "pairs": _pairs}


def _of_the_same_attacked(engine: RemixEngine, params: MixParams) -> Right:
    """Of the plain mixes with a mix's attacked accuracy the one of the highest clean accuracy."""
    attacked = engine.remix(params).attacked
    assert attacked is not None  # a pair that ships has attacked images
    curve = plateau_curve(engine, IDENTITY)
    place = best_place(curve, "clean", "attacked", attacked.value)
    assert place is not None  # the robust model's is never lower
    return right_of(engine.remix(IDENTITY.with_(alpha=float(curve.alpha[place]))))


def _pair(pair: Paired | None) -> str:
    if pair is None:
        return NONE
    return f"{pair.points.replace(' points', '')}, p = {pair.p_value:.2g}"


def _mix_words(params: MixParams, beta: float, kind: str) -> str:
    if kind != CHOICE:
        return f"plain mix of the {PLAIN[kind]} of β = {beta:g}: α = {params.alpha:.5g}"
    transform = f"s = {params.s:.4g}, p = {params.p:.4g}, c = {params.c:.4g}"
    return f"**β = {beta:g}**: {transform}, α = {params.alpha:.5g}"


def _figure(figure: Estimate | None) -> str:
    if figure is None:
        return NONE
    low, high = (100 * end for end in figure.interval)
    n = f", n = {figure.n:,}" if figure.kind == "verified" else ""
    return f"{100 * figure.value:.2f} [{low:.1f}, {high:.1f}]{n}"


def markdown(rows: Iterator[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures.

    Args:
        rows: Its header first.
    """
    header, *body = rows
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rule, *body))


def main(paths: Sequence[str]) -> None:
    """Write the tables in these files anew.

    Args:
        paths: Markdown files.
    """
    for path in map(Path, paths):
        write_atomically(path, refreshed(path.read_text("utf-8")).encode(), MnutsError)


if __name__ == "__main__":
    main(sys.argv[1:])
