"""Which images of a bundle show best what a mix does: the rule by which those of the lesson were picked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.text import visible
from mnuts_dashboards.page.thread import CHANNELS, Kind, example_record

SURE = 0.9
"""The probability from which on g counts as sure of its class."""

Bools = NDArray[np.bool_]


def thread_record(bundle: LogitBundle, params: MixParams) -> dict[str, Any]:
    """The images of a bundle that show best what a mix does, as `web/lesson/thread` takes them.

    Only images with a picture of their first attacked point come into question. Two are looked for:

    - `held`: the attack fools g, which is right on the clean image, wrong at the attacked point, and sure of
      it (`SURE`). h is right at both, and the mix at every point of the pool. It is followed attacked.
    - `corrected`: h is wrong on the clean image; g is right and sure, and the mix is right there. It is
      followed clean.

    Of several, those come first where the transform decides: there the plain mix with the same α is wrong.
    Among these the one is taken whose signed margin the transform raises most, from that of h to that of
    M(h); of equal ones the first in the bundle.

    Args:
        bundle: Any bundle.
        params: The mix; without α, that which follows from its β.

    Returns:
        Plain JSON: `examples`, a list of records, see `Example` in `web/lesson/thread/numbers.js`; and
        `missing`, None or, where there is no example, one line that says why.
    """
    try:
        examples = [] if (missing := _missing_images(bundle)) else _examples(bundle, params)
    except MnutsError as error:  # such as: there is nothing that α could follow from
        examples, missing = [], str(error)
    if not examples and missing is None:
        missing = (
            f"no image of bundle {visible(bundle.name)!r} shows what the mix does at these settings, as it "
            "holds and corrects none of which g is sure: choose other settings, or another bundle"
        )
    return {"examples": examples, "missing": missing}


def _missing_images(bundle: LogitBundle) -> str | None:
    """Why no image of a bundle can be shown both clean and attacked, in one line; None if one can."""
    name, part = visible(bundle.name), bundle.attacked
    if part is None:
        return f"bundle {name!r} holds no attacked images, so none can be followed: build it with an attack"
    if bundle.clean_images is None or part.images is None:
        return (
            f"bundle {name!r} holds no pictures, so none can be followed: take one that does, such as digits"
        )
    if (channels := bundle.clean_images.shape[-1]) not in CHANNELS or part.images.shape[-1] != channels:
        return f"images of bundle {name!r} have {channels} channels: those of 1 or 3 can be shown"
    return None


def _examples(bundle: LogitBundle, params: MixParams) -> list[dict[str, Any]]:
    engine = RemixEngine(bundle)
    remix = engine.remix(params)
    right = _Right(engine, remix)
    clean, first = right.clean, right.first
    sure = engine.std_probabilities(1.0).amax(dim=1).cpu().numpy() >= SURE
    held = (
        (right.std[clean] & ~right.std[first] & sure[first])
        & (right.rob[clean] & right.rob[first])
        & right.everywhere
    )
    corrected = right.std[clean] & sure[clean] & ~right.rob[clean] & right.mix[clean]
    found: dict[Kind, int | None] = {
        "held": _best(held, right, first),
        "corrected": _best(corrected, right, clean),
    }
    return [example_record(bundle, kind, place) for kind, place in found.items() if place is not None]


class _Right:
    """Where which classifier is right, bool, of all rows: the clean ones, then the first attacked points.

    Attributes:
        clean: The clean row of each attacked image, shape (m,).
        first: The row of its first point.
        everywhere: Of each attacked image whether the mix is right at all of its points.
    """

    def __init__(self, engine: RemixEngine, remix: Remix) -> None:
        part = engine.bundle.require_attacked()
        self.clean: NDArray[np.int64] = part.index[: part.n_images]
        self.first = engine.n_clean + np.arange(part.n_images)
        plain = IDENTITY.with_(alpha=remix.params.alpha, temperature=remix.params.temperature)
        self.std, self.rob = engine.std_right, engine.plain_right
        self.mix = engine.part(remix.params, remix.threshold).mix_right
        self.plain = engine.part(plain, remix.threshold).mix_right
        signed = (engine.signed(one).cpu().numpy() for one in (remix.params, IDENTITY))
        self.raised: NDArray[np.float64] = np.subtract(*signed)
        self.everywhere: Bools = remix.require_images().mix_right


def _best(fitting: Bools, right: _Right, rows: NDArray[np.int64]) -> int | None:
    """The attacked image, by its place in [0, m), that shows best what the transform does.

    Args:
        fitting: Which ones come into question, shape (m,).
        right: Where which classifier is right.
        rows: At which row each is looked at, shape (m,).
    """
    places = np.flatnonzero(fitting)
    if not len(places):
        return None
    at = rows[places]
    order = np.lexsort((places, -right.raised[at], right.plain[at]))
    return int(places[order[0]])
