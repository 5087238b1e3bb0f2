"""The images that the lesson follows from their pixels to the mix's answer, and all that this takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import SUFFIX, require_shipped_folder
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.text import visible

SURE = 0.9
"""The probability from which on g counts as sure of its class."""
GREY = 127
"""By so much a magnified perturbation may depart from a middle grey, in levels of 255."""
CHANNELS = (1, 3)
SHIPPED, MIX = "digits", "beta985"
"""The shipped bundle whose images are followed, and its mix at which the transform decides some of them."""

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


def shipped_thread() -> dict[str, Any]:
    """The digits that are followed in every lesson, with the mix that they were picked for.

    Returns:
        As `thread_record`, with the settings of that mix as `mix`, and the bundle's name as `bundle`.

    Raises:
        BundleError: If the package's data are not installed.
        ConfigError: See `MixConfig.load`.
    """
    folder = require_shipped_folder()
    mix = MixConfig.load(folder / f"{SHIPPED}-{MIX}.json").params
    record = thread_record(LogitBundle.load(folder / f"{SHIPPED}{SUFFIX}"), mix)
    return record | {"mix": dataclasses.asdict(mix), "bundle": SHIPPED}


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
    found = {
        "held": (_best(held, right, first), "attacked"),
        "corrected": (_best(corrected, right, clean), "clean"),
    }
    return [
        _record(engine, kind, place, point) for kind, (place, point) in found.items() if place is not None
    ]


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


def _record(engine: RemixEngine, kind: str, place: int, point: str) -> dict[str, Any]:
    bundle = engine.bundle
    part, threat = bundle.require_attacked(), bundle.manifest.threat
    number = int(part.index[place])
    assert bundle.clean_images is not None  # see _missing_images
    assert part.images is not None
    pixels = bundle.clean_images[number], part.images[place]
    logits = (
        (bundle.clean_std_logits[number], bundle.clean_rob_logits[number]),
        (part.std_logits[place], part.rob_logits[place]),
    )
    points = {
        name: {"pixels": image.ravel().tolist(), "std": std.tolist(), "rob": rob.tolist()}
        for name, image, (std, rob) in zip(("clean", "attacked"), pixels, logits, strict=True)
    }
    rival = engine.std_class[engine.n_clean + place] if kind == "held" else engine.plain_class[number]
    moved = np.abs(np.subtract(*pixels, dtype=np.int64)).max()
    return {
        "kind": kind,
        "number": number,
        "point": point,
        "label": int(bundle.clean_labels[number]),
        "rival": int(rival),
        "classes": [visible(name) for name in bundle.manifest.classes],
        "shape": list(pixels[0].shape),
        "magnify": max(1, GREY // max(1, int(moved))),
        "norm": threat and threat.norm,
        "eps": threat and threat.eps,
        "points": points,
    }
