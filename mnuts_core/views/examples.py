"""Single examples' probabilities, as bars and on the simplex (Fig. 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from mnuts_core.functional.mixing import mix_probabilities, temperature_scale, transform_with
from mnuts_core.functional.quantiles import TIE
from mnuts_core.functional.simplex import PAPER_CASES, Trajectory, top_three, trajectory
from mnuts_core.params import FIG3_MIX, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.margins import Array
from mnuts_core.views.stories import (
    NO_CLASS,
    Examples,
    Outcome,
    Rows,
    Story,
    Where,
    changed_examples,
    image_numbers,
    shown_rows,
    story,
)

__all__ = [
    "NO_CLASS",
    "Bars",
    "Examples",
    "Outcome",
    "Rows",
    "SimplexCase",
    "Story",
    "Where",
    "changed_examples",
    "example_bars",
    "example_case",
    "image_numbers",
    "paper_bars",
    "paper_cases",
    "shown_rows",
    "story",
]


class Bars(NamedTuple):
    """One example's probabilities.

    Attributes:
        name: What the example is.
        classes: Names of the classes shown, the robust model's likeliest first.
        label: Place of the true class among them; None if it is not shown, or there is none.
        values: By the classifier's name (`g`, `h`, `M(h)`, `mix`; `printed` is M(h) as in Fig. 3) its
            probabilities of these classes, of all K: they need not sum to 1. Shape (len(classes),) each.
        margin: Confidence margin by the classifier's name.
        answers: The class that it predicts, by the classifier's name.
    """

    name: str
    classes: tuple[str, ...]
    label: int | None
    values: dict[str, Array]
    margin: dict[str, float]
    answers: dict[str, str]


def paper_bars(params: MixParams) -> tuple[Bars, ...]:
    """The paper's two logit vectors: probabilities of h, of M(h) as in Fig. 3, and of M(h) here."""
    return tuple(
        _paper_bars(name, torch.tensor(h, dtype=torch.float64), params) for name, h in PAPER_CASES.items()
    )


def _paper_bars(name: str, h: torch.Tensor, params: MixParams) -> Bars:
    mapped = {"printed": FIG3_MIX, "M(h)": params}
    values = {key: transform_with(h.unsqueeze(0), mix)[0].softmax(0) for key, mix in mapped.items()}
    values = {"h": h.softmax(0), **values}
    answers = {key: _leader(p, _LETTERS) for key, p in values.items()}
    return _bars(name, _LETTERS, None, values, torch.arange(3), answers)


_LETTERS = ("A", "B", "C")


def _leader(probabilities: torch.Tensor, names: tuple[str, ...]) -> str:
    """The class of the largest probability; none where two are as large."""
    top = probabilities.topk(2)
    return NO_CLASS if float(top.values[0] - top.values[1]) <= TIE else names[int(top.indices[0])]


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
    answers = {"g": case.std, "h": case.rob, "M(h)": case.mapped, "mix": case.mix}
    classes = tuple(names[i] for i in shown.tolist())
    return _bars(title, classes, label[0] if label else None, values, shown, answers)


def _bars(
    name: str,
    classes: tuple[str, ...],
    label: int | None,
    values: dict[str, torch.Tensor],
    shown: torch.Tensor,
    answers: dict[str, str],
) -> Bars:
    tops = {key: p.topk(2).values for key, p in values.items()}
    return Bars(
        name,
        classes,
        label,
        {key: p[shown].numpy() for key, p in values.items()},
        {key: float(top[0] - top[1]) for key, top in tops.items()},
        answers,
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
        printed: Path under `FIG3_MIX`, of the paper's cases alone.
        printed_at: Its point at τ = 1, shape (2,).
    """

    name: str
    corners: tuple[str, ...]
    raw: Trajectory
    transformed: Trajectory
    at: Array
    raw_at: Array
    printed: Trajectory | None = None
    printed_at: Array | None = None


def paper_cases(params: MixParams) -> tuple[SimplexCase, ...]:
    """The paper's two logit vectors (Fig. 4) under the current transform, and as in Fig. 3."""
    return tuple(_paper_case(name, np.array(h), params) for name, h in PAPER_CASES.items())


def _paper_case(name: str, h: Array, params: MixParams) -> SimplexCase:
    printed = trajectory(h, FIG3_MIX)
    printed_at = trajectory(h, FIG3_MIX, [1.0]).xy[0]
    return _case(name, _LETTERS, h, params)._replace(printed=printed, printed_at=printed_at)


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
