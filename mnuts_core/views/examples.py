"""Single examples: which ones the mix fixes or breaks, and one example's probabilities (Fig. 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import mix_probabilities, temperature_scale, transform_with
from mnuts_core.functional.simplex import PAPER_CASES, Trajectory, top_three, trajectory
from mnuts_core.params import MixParams
from mnuts_core.remix.engine import Remix, RemixEngine
from mnuts_core.remix.rows import Part
from mnuts_core.views.margins import Array

NO_CLASS = "none (a tie)"
"""What M(h) predicts where the transform makes classes equally likely (`mnuts_core.functional.mixing`)."""
Rows = NDArray[np.int64]
Outcome = Literal["fixed", "broken", "right", "wrong"]
Where = Literal["clean", "attacked"]


class Examples(NamedTuple):
    """Some examples of one part of a bundle; arrays of shape (n,).

    Attributes:
        row: Place in the part, from 0.
        number: Which image of the bundle it is (the clean row).
        label, std, rob, mix: True class, and what g, h and the mix predict at the row shown, int64.
        margin: Confidence margin of M(h) there.
        fixed: True where h is wrong and the mix right, False where it is the other way round; of an attacked
            image, wrong at some point and right at all.
    """

    row: Rows
    number: Rows
    label: Rows
    std: Rows
    rob: Rows
    mix: Rows
    margin: Array
    fixed: NDArray[np.bool_]


def changed_examples(engine: RemixEngine, remix: Remix, where: Where = "clean") -> Examples:
    """The examples that the mix fixes or breaks: where it and the robust model h are not both right or wrong.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    before, after = _right(engine, remix, where)
    picked = np.flatnonzero(before != after)
    rows, part = _shown(engine, remix, where, picked)
    return Examples(
        row=picked,
        number=image_numbers(engine, where)[picked],
        label=engine.on_all_rows("labels")[rows],
        std=engine.on_all_rows("std_class")[rows],
        rob=engine.on_all_rows("plain_class")[rows],
        mix=part.mix_class,
        margin=part.margin,
        fixed=after[picked],
    )


def image_numbers(engine: RemixEngine, where: Where) -> Rows:
    """Which image of the bundle each example of a part is.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    if where == "clean":
        return np.arange(engine.n_clean)
    return engine.bundle.require_attacked().first.index


def _right(engine: RemixEngine, remix: Remix, where: Where) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which examples of a part h gets right, and which the mix does; attacked ones at all of their points."""
    if where == "clean":
        return engine.rob_right[: engine.n_clean], remix.on_clean.mix_right
    engine.bundle.require_attacked()  # which names the bundle
    before = engine.rob_right_on_images
    assert before is not None  # there are attacked images
    return before, remix.require_images().mix_right


def shown_rows(engine: RemixEngine, remix: Remix, where: Where) -> Rows:
    """The row of the engine at which each example of a part is shown, see `AttackedResults.row`.

    Of an attacked image it is one at which the mix is wrong, if it is so at any of its points.

    Raises:
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    return np.arange(engine.n_clean) if where == "clean" else remix.require_images().row


def _shown(engine: RemixEngine, remix: Remix, where: Where, chosen: Rows) -> tuple[Rows, Part]:
    """The rows at which some examples are shown, and what becomes of them there."""
    rows = shown_rows(engine, remix, where)[chosen]
    part = remix.on_clean if where == "clean" else engine.everywhere(remix.params, remix.threshold)
    return rows, part.rows(rows)


class Bars(NamedTuple):
    """One example's probabilities.

    Attributes:
        name: What the example is.
        classes: Names of the classes shown, the robust model's likeliest first.
        label: Place of the true class among them; None if it is not shown, or there is none.
        values: By the classifier's name (`g`, `h`, `M(h)`, `mix`) its probabilities of these classes,
            of all K: they need not sum to 1. Shape (len(classes),) each.
        margin: Confidence margin by the classifier's name.
    """

    name: str
    classes: tuple[str, ...]
    label: int | None
    values: dict[str, Array]
    margin: dict[str, float]


class Story(NamedTuple):
    """What becomes of one example.

    Attributes:
        where: The part of the bundle.
        number: Which image of the bundle it is.
        row: The row of the engine at which it is shown.
        point: Which point of an attacked image that is, in words; empty for a clean example.
        label, std, rob, mapped, mix: Names of the true class and of what g, h, M(h) and the mix predict
            there; `NO_CLASS` where M(h) ties.
        outcome: `fixed` or `broken` by the mix, against h; or `right` or `wrong` before and after; of an
            attacked image over all of its points.
        margin: Confidence margin of M(h) there.
        threshold: (1-α)/α, from which on M(h) outvotes g.
    """

    where: Where
    number: int
    row: int
    point: str
    label: str
    std: str
    rob: str
    mapped: str
    mix: str
    outcome: Outcome
    margin: float
    threshold: float


def story(engine: RemixEngine, remix: Remix, where: Where, row: int) -> Story:
    """What the four classifiers make of one example.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle.
        row: Place in the part.

    Raises:
        ParameterError: If there is no such row.
        BundleError: If the part is the attacked one, and the bundle has none.
    """
    before, after = _right(engine, remix, where)
    numbers, names = image_numbers(engine, where), engine.bundle.manifest.classes
    if not 0 <= row < len(numbers):
        raise ParameterError(f"row must lie in [0, {len(numbers)}) for {where} images, got {row}")
    same: Outcome = "right" if after[row] else "wrong"
    changed: Outcome = "fixed" if after[row] else "broken"
    (shown,), part = _shown(engine, remix, where, np.array([row]))
    rows, place = engine.at(shown)
    return Story(
        where=where,
        number=int(numbers[row]),
        row=int(shown),
        point="" if where == "clean" else _point_words(engine, shown),
        label=names[int(rows.labels[place])],
        std=names[int(rows.std_class[place])],
        rob=names[int(rows.plain_class[place])],
        mapped=NO_CLASS if part.tied[0] else names[int(part.rob_class[0])],
        mix=names[int(part.mix_class[0])],
        outcome=same if before[row] == after[row] else changed,
        margin=float(part.margin[0]),
        threshold=remix.threshold,
    )


def _point_words(engine: RemixEngine, row: int) -> str:
    """Which point of an attacked image a row is."""
    attacked = engine.bundle.require_attacked()
    if row < engine.n_clean:
        return "the image without an attack"
    source = 0 if attacked.source is None else int(attacked.source[row - engine.n_clean])
    return f"the point found by {engine.bundle.manifest.sources[source]}"


def paper_bars(params: MixParams) -> tuple[Bars, ...]:
    """The paper's two logit vectors (Fig. 3): probabilities of h and M(h)."""
    return tuple(
        _paper_bars(name, torch.tensor(h, dtype=torch.float64), params) for name, h in PAPER_CASES.items()
    )


def _paper_bars(name: str, h: torch.Tensor, params: MixParams) -> Bars:
    values = {"h": h.softmax(0), "M(h)": transform_with(h.unsqueeze(0), params)[0].softmax(0)}
    return _bars(name, ("A", "B", "C"), None, values, torch.arange(3))


def example_bars(engine: RemixEngine, remix: Remix, where: Where, row: int) -> Bars:
    """One example's probabilities of its top three classes under g, h, M(h) and the mix.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
        where: Which part of the bundle.
        row: Place in the part.
    """
    case = story(engine, remix, where, row)
    params, names = remix.params, engine.bundle.manifest.classes
    rows, place = engine.at(case.row)
    g, h = rows.std_logits[place].double().cpu(), rows.rob_logits[place].double().cpu()
    mapped = transform_with(h.unsqueeze(0), params)[0].softmax(0)
    scaled = temperature_scale(g, params.temperature).softmax(0)
    values = {"g": g.softmax(0), "h": h.softmax(0), "M(h)": mapped}
    values["mix"] = mix_probabilities(scaled, mapped, remix.alpha)
    shown = top_three(h)
    label = (shown == int(rows.labels[place])).nonzero().flatten().tolist()
    title = f"{where} image {case.number}, labelled {case.label}"
    return _bars(title, tuple(names[i] for i in shown.tolist()), label[0] if label else None, values, shown)


def _bars(
    name: str,
    classes: tuple[str, ...],
    label: int | None,
    values: dict[str, torch.Tensor],
    shown: torch.Tensor,
) -> Bars:
    tops = {key: p.topk(2).values for key, p in values.items()}
    return Bars(
        name,
        classes,
        label,
        {key: p[shown].numpy() for key, p in values.items()},
        {key: float(top[0] - top[1]) for key, top in tops.items()},
    )


class SimplexCase(NamedTuple):
    """One example's two paths on the simplex.

    Attributes:
        name: What the example is.
        corners: Names of the three classes.
        raw: Path of σ(h/τ).
        transformed: Path of σ(M(h)/τ).
        at: Transformed point at τ = 1, shape (2,); the mix uses this one.
        raw_at: Raw point at τ = 1, shape (2,).
    """

    name: str
    corners: tuple[str, ...]
    raw: Trajectory
    transformed: Trajectory
    at: Array
    raw_at: Array


def paper_cases(params: MixParams) -> tuple[SimplexCase, ...]:
    """The paper's two logit vectors (Fig. 3 and 4) under the current transform."""
    return tuple(_case(name, ("A", "B", "C"), np.array(h), params) for name, h in PAPER_CASES.items())


def example_case(engine: RemixEngine, row: int, params: MixParams) -> SimplexCase:
    """One row of the bundle with its top three classes.

    Args:
        engine: The engine of the bundle (of three classes at least).
        row: Clean rows first, then the first attacked points, then all others.
        params: The transform.
    """
    rows, place = engine.at(row)
    h, names = rows.rob_logits[place].double().cpu(), engine.bundle.manifest.classes
    corners = tuple(names[i] for i in top_three(h).tolist())
    kind = "clean" if row < engine.n_clean else "attacked"
    number = row if kind == "clean" else int(engine.bundle.require_attacked().index[row - engine.n_clean])
    label = names[int(rows.labels[place])]
    return _case(f"{kind} image {number}, labelled {label}", corners, h.numpy(), params)


def _case(name: str, corners: Iterable[str], h: Array, params: MixParams) -> SimplexCase:
    return SimplexCase(
        name,
        tuple(corners),
        trajectory(h),
        trajectory(h, params),
        at=trajectory(h, params, [1.0]).xy[0],
        raw_at=trajectory(h, None, [1.0]).xy[0],
    )
