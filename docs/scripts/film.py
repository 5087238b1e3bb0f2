"""The moving picture of README.md: the page file, and sliders under a hand (`make film`).

Each picture is the page itself after a real drag of the mouse, scaled down; only the arrow is painted in.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from mnuts_core import LogitBundle
from mnuts_core.bundles.library import find_bundle
from mnuts_dashboards.explorer.page_file import explorer_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT = Path(__file__).parents[1] / "explorer.webp"
START = "s=2.59&p=1&c=-0.157&beta=0.985"
"""The mix that the film begins with: no power yet."""
SIZE, WIDTH = {"width": 1280, "height": 756}, 1100
"""The window, and the picture's width, in pixels."""
STILL, STEP = 1400, 70
"""How long a picture is shown at rest and in a drag, in milliseconds."""
QUALITY = 72
ARROW = """
const arrow = document.createElement("div");
arrow.textContent = "⬉";
Object.assign(arrow.style, {
  position: "fixed", zIndex: 9999, pointerEvents: "none", transform: "translate(-3px, -6px)",
  font: "bold 26px sans-serif", color: "#111", textShadow: "0 0 3px #fff, 0 0 3px #fff",
});
document.body.append(arrow);
addEventListener("pointermove", (event) => {
  arrow.style.left = `${event.clientX}px`;
  arrow.style.top = `${event.clientY}px`;
}, true);
"""
DRAWN = (
    "new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 60))"
)


class Drag(NamedTuple):
    """One drag of a slider: its label, its values on the way, the pictures from each to the next."""

    slider: str
    way: tuple[float, ...]
    steps: int


DRAGS = (
    Drag("power p", (1, 5, 3.57), 14),
    Drag("robustness kept, β", (0.985, 0.85, 0.95), 14),
)


class Shot(NamedTuple):
    """A picture, and for how many milliseconds it is shown."""

    picture: Image.Image
    duration: int


def main() -> None:
    """Film a bundle's page, as the command line asks."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="digits")
    parser.add_argument("--start", default=START, help="the mix to begin with, as in a link")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    bundle = LogitBundle.load(find_bundle(asked.bundle))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        file = Path(folder, "explorer.html")
        file.write_text(explorer_page([(asked.bundle, bundle)]), "utf-8")
        page.goto(f"{file.as_uri()}?bundle={asked.bundle}&{asked.start}")
        page.locator(".main-svg").nth(1).wait_for(timeout=90_000)
        page.evaluate(ARROW)
        shots = list(film(page))
        browser.close()
    first, *others = (shot.picture for shot in shots)
    first.save(
        asked.out,
        save_all=True,
        append_images=others,
        duration=[shot.duration for shot in shots],
        loop=0,
        quality=QUALITY,
        method=6,
    )
    print(f"{asked.out}: {len(shots)} pictures, {asked.out.stat().st_size / 1e6:.2f} MB")


def film(page: Page) -> Iterator[Shot]:
    """All pictures, one after the other.

    Args:
        page: The explorer, open and drawn.
    """
    for drag in DRAGS:
        slider = page.get_by_label(drag.slider, exact=True)
        page.mouse.move(*place(slider, drag.way[0]))
        yield shot(page, STILL)
        page.mouse.down()
        for begin, end in zip(drag.way, drag.way[1:], strict=False):
            for value in np.linspace(begin, end, drag.steps + 1)[1:]:
                page.mouse.move(*place(slider, value))
                yield shot(page, STEP)
        page.mouse.up()
        page.wait_for_timeout(600)  # Plotly draws what stays
        yield shot(page, STILL)


def place(slider, value: float) -> tuple[float, float]:
    """Where on the screen a slider's thumb has a value."""
    box = slider.bounding_box()
    low, high = (float(slider.get_attribute(name)) for name in ("min", "max"))
    thumb = box["height"]  # about as wide as the slider is high
    return (
        box["x"] + thumb / 2 + (value - low) / (high - low) * (box["width"] - thumb),
        box["y"] + box["height"] / 2,
    )


def shot(page: Page, duration: int) -> Shot:
    """The page as it stands once all of it is drawn."""
    page.evaluate(DRAWN)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    return Shot(picture.resize((WIDTH, height), Image.Resampling.LANCZOS), duration)


if __name__ == "__main__":
    main()
