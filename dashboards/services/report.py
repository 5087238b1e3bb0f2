"""What the HTML report says of one moment of the explorer."""

from __future__ import annotations

import shlex

from markupsafe import Markup

from mnuts_core.bundles.library import all_bundles
from mnuts_core.bundles.manifest import now
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import MixParams
from mnuts_core.views.adaptive_alpha import CAUTION, adaptive_row
from mnuts_core.views.assumptions import assumptions
from mnuts_core.views.examples import story
from mnuts_core.views.headline import seen_and_unseen
from mnuts_core.views.sources import sources_words
from mnuts_dashboards.bundles.computed import draw_frontier, search
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.bundles.verified import VerifiedMixes
from mnuts_dashboards.explorer.scene import Scene, look
from mnuts_dashboards.explorer.selection import Example
from mnuts_dashboards.explorer.snapshots import COLUMNS, snapshot_rows
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.explorer.views import ALL, PANELS, draw, notes
from mnuts_dashboards.text import cards, headline, messages, numbers
from mnuts_dashboards.text.images import picture
from mnuts_dashboards.text.report import Report, report_html
from mnuts_dashboards.verification.available import why_not
from mnuts_dashboards.verification.run import Request, command, plan_for


def report_of(
    opened: Opened,
    state: ExplorerState,
    results: VerifiedMixes,
    example: Example | None,
    link: str,
    config: MixConfig,
) -> str:
    """What is shown as one HTML file; the search that its plots rest on is made if need be.

    Args:
        opened: The bundle.
        state: The settings.
        results: What was verified on the bundle.
        example: The chosen example.
        link: The query that opens it.
        config: Its configuration, with what was verified.
    """
    search_for_report(opened, state.params, state.grid)
    bundle = opened.engine.bundle
    kept = tuple(opened.engine.remix(params) for params in state.snapshots)
    scene = look(opened, state, results, example=example, kept=kept)
    facts, details = messages.bundle_facts(bundle)
    return report_html(
        Report(
            title=f"MixedNUTS on {bundle.name}",
            headline_html=_headline(scene),
            cards_html=_cards(scene, config, results),
            panels=PANELS,
            figures=draw(scene, ALL),
            notes=notes(bundle, chosen=example is not None),
            facts=[*facts, numbers.settings_text(scene.remix.params), *details],
            commands=commands(scene, config),
            config=config.to_json(),
            link=link,
            made=now(),
        )
    )


def search_for_report(opened: Opened, params: MixParams, grid: str) -> None:
    """Make the search that the report's plots rest on, where it is not at hand; it may run in a thread.

    Args:
        opened: The bundle.
        params: The current mix.
        grid: Name of the grid; of one that is known on a page alone nothing is drawn.
    """
    if grid in opened.grids and opened.engine.bundle.n_adv:
        search(opened, params, grid)
        draw_frontier(opened, params, grid)


def _headline(scene: Scene) -> Markup:
    """The figures in numbers and in words."""
    bundle, found = scene.opened.engine.bundle, scene.certified
    row = adaptive_row(bundle)
    others, more = ([], []) if row is None else ([row], [CAUTION])
    more += [] if found is None else headline.certified_lines(found)
    warnings = (*scene.remix.warnings, *(found.warnings if found else ()))
    words = headline.words_html(scene.table, warnings, sources_words(bundle), more)
    return headline.headline_html(scene.table, found, others) + words


def _cards(scene: Scene, config: MixConfig, results: VerifiedMixes) -> Markup:
    """The tables below the plots; the verification, snapshots and example where there are any."""

    def verified(params: MixParams) -> Estimate | None:
        known = results.of(params)
        return known and known.verified

    rows = snapshot_rows(scene.remix, scene.kept, verified)
    return cards.titled_html(
        [
            ("Do the paper's assumptions hold here?", _assumptions(scene)),
            ("Verification", cards.verified_html(config) if config.verified else ""),
            ("Snapshots", cards.snapshots_html(COLUMNS, rows) if scene.kept else ""),
            ("Chosen example", _story(scene)),
        ]
    )


def _assumptions(scene: Scene) -> str:
    engine = scene.opened.engine
    return cards.assumptions_html(assumptions(engine, scene.remix), seen_and_unseen(engine, scene.remix))


def _story(scene: Scene) -> str:
    if scene.example is None:
        return ""
    engine = scene.opened.engine
    example = story(engine, scene.remix, *scene.example)
    return cards.story_html(example, picture(engine.bundle, example.row))


def commands(scene: Scene, config: MixConfig) -> list[str]:
    """How to have the same numbers on the command line: remix, export, and verify where models are at hand.

    Args:
        scene: The moment.
        config: Its configuration.
    """
    bundle, params = scene.opened.engine.bundle, scene.remix.params
    options = " ".join(_options(params, config.beta))
    known = all_bundles()  # a name that only the file itself gives is no word for a command
    name = shlex.quote(bundle.name) if bundle.name in known else "BUNDLE.safetensors"
    lines = [
        f"mnuts remix {name} {options}",
        f"mnuts export {name} {options} --out CONFIG.json",
    ]
    if why_not(bundle) is None:
        lines.append(command(Request(config, bundle, bundle.n_adv, plan_for(bundle))))
    return lines


def _options(params: MixParams, beta: float | None) -> list[str]:
    default = MixParams()
    options = [f"--s {params.s!r}", f"--p {params.p!r}", f"--c {params.c!r}"]
    options.append(f"--alpha {params.alpha!r}" if beta is None else f"--beta {beta!r}")
    options += [f"--clamp {params.clamp}"] if params.clamp != default.clamp else []
    options += [f"--ln-k {params.ln_k}"] if params.ln_k != default.ln_k else []
    return options + ([f"--temperature {params.temperature!r}"] if params.temperature else [])
