"""How tests use the explorer's page, and what it must show."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from mnuts_core import GridSpec, MixParams, RemixEngine, grid_search

ESTIMATES = 'td:not([data-label^="Certified"], [data-label="Verified"]) b'
"""In a row of the headline table: clean, attacked, right by margin; the last cell is verified."""


def best_of(engine: RemixEngine) -> MixParams:
    """Algorithm 1's mix at the default level, on the default grid; α follows from β."""
    return grid_search(engine.bundle, GridSpec.paper("cifar10")).best.params.with_(alpha=None)


def link_to(bundle: str, params: MixParams) -> str:
    """The link of a mix at the default level."""
    return f"bundle={bundle}&s={params.s!r}&p={params.p!r}&c={params.c!r}"


def expected(engine: RemixEngine, params: MixParams) -> list[str]:
    """The figures of a mix as its row shows them: clean, attacked, right by margin."""
    remix = engine.remix(params)
    return [f"{100 * e.value:.2f}" for e in (remix.clean, remix.attacked, remix.by_margin)]


def shown(page, row: str) -> list[str]:
    """The figures of a row of the headline table."""
    texts = page.locator(f"[data-row={row}] {ESTIMATES}").all_inner_texts()
    return [text.removesuffix("%").strip() for text in texts if text]


def wait_for_mix(page, figures: list[str]) -> None:
    """Wait until the row of this mix shows its figures."""
    page.wait_for_function(
        f"want => JSON.stringify([...document.querySelectorAll('[data-row=mix] {ESTIMATES}')]"
        ".map(e => e.innerText.replace(/\\s*%$/, ''))) === JSON.stringify(want)",
        arg=figures,
    )


def set_slider(page, label: str, value: str) -> None:
    """Type into the box beside a slider, as a person does."""
    fill(page.get_by_label(f"{label}, as a number"), value)


def fill(box, value: str) -> None:
    """Type into a box and leave it by Enter."""
    box.fill(value)
    box.press("Enter")


def query(page) -> dict[str, str]:
    """The words of the address."""
    return dict(parse_qsl(urlsplit(page.url).query))


def wait_for_query(page, **wanted: str | None) -> None:
    """Wait until the address says so; None: the word is not in it."""
    page.wait_for_function(
        "want => Object.entries(want).every(([k, v]) => new URLSearchParams(location.search).get(k) === v)",
        arg=wanted,
    )
