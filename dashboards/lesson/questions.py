"""The lesson's questions as a class is counted: their names, and in how many parts answers fall."""

from __future__ import annotations

MAX_IMAGES = 24
"""Images for guessing in step 2, each a question of its own; twice `EXAMPLES` of `web/lesson/lab.js`."""
PARTS = 20
"""Of a scale, from its low end to its high one; of a choice the first ones, one for each answer."""
QUESTIONS = frozenset(
    ["failures", "benign", "line", "norm", "clamp", "power", "mix", "price"]
    + [f"margin-{place}" for place in range(1, MAX_IMAGES + 1)]
)
"""Each step's key; of step 2 with the image's place among those for guessing."""
MAX_BUNDLES = 16
"""Bundles whose answers are counted, the first ones that the page offers."""
