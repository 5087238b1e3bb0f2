"""The mathematics once more, in plain float64 NumPy, written from the paper and from no code of ours.

Slow and obvious: loops where the paper has loops, full softmaxes, sorted copies.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnuts_core import LogitBundle
from tests.test_clamps import FORMULAS

Array = NDArray[np.float64]


def layer_norm(logits: ArrayLike, k: int = 250) -> Array:
    """Section 4.2, D.7: mean and unbiased variance of each row's k largest logits, 1e-8 under the root."""
    rows = []
    for row in np.asarray(logits, np.float64):
        if k == 0:
            rows.append(row)
            continue
        top = sorted(row.tolist(), reverse=True)[:k]
        mean = math.fsum(top) / len(top)
        variance = math.fsum((value - mean) ** 2 for value in top) / (len(top) - 1)
        rows.append((row - mean) / math.sqrt(variance + 1e-8))
    return np.array(rows)


def transform(logits: ArrayLike, s: float, p: float, c: float, name: str = "gelu", ln_k: int = 250) -> Array:
    """Eq. 4."""
    v = FORMULAS[name].numpy(layer_norm(logits, ln_k) + c)
    return s * np.abs(v) ** p * np.sign(v)


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def margins(probabilities: Array) -> Array:
    """Definition 2.1: first minus second largest probability."""
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def std_probabilities(logits: ArrayLike, temperature: float) -> Array:
    """Section 3.1: σ(g/T), and for T = 0 the one-hot of the arg max."""
    g = np.asarray(logits, np.float64)
    return np.eye(g.shape[1])[g.argmax(axis=1)] if temperature == 0 else softmax(g / temperature)


def mixed_probabilities(std: Array, rob: Array, alpha: float) -> Array:
    """Inside the logarithm of Eq. 5."""
    return (1.0 - alpha) * std + alpha * rob


def hard_rule(std_logits: ArrayLike, rob: Array, alpha: float) -> NDArray[np.int64]:
    """The T = 0 mix example by example: ŷ_std iff (1-α)/α ≥ p₁ - p[ŷ_std]."""
    chosen = []
    for g, p in zip(np.asarray(std_logits), rob, strict=True):
        voted, strongest = int(np.argmax(g)), int(np.argmax(p))
        chosen.append(voted if (1.0 - alpha) / alpha >= p[strongest] - p[voted] else strongest)
    return np.array(chosen)


def soft_rule(std: ArrayLike, rob: ArrayLike, odds: float, tie: float = 1e-15) -> NDArray[np.int64]:
    """The mix at T > 0 row by row, its sums in exact arithmetic: of the most probable classes the first.

    But ŷ_std, the first of g's largest, if none exceeds it by more than `tie`; -1 where rounding may decide.
    """
    chosen = []
    for a, b in zip(np.asarray(std), np.asarray(rob), strict=True):
        mixed = [
            Fraction(odds) * Fraction(x) + Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True)
        ]
        voted, strongest = int(np.argmax(a)), mixed.index(max(mixed))
        behind = [float(mixed[strongest] - one) for one in mixed]
        close = any(0 < d < 1e-11 and b[i] != b[strongest] for i, d in enumerate(behind) if i != voted)
        if behind[voted] <= tie / 10:
            chosen.append(voted)
        else:
            chosen.append(-1 if close or behind[voted] < 1e-11 else strongest)
    return np.array(chosen)


class Rows(NamedTuple):
    """Lines 1 and 2 of Algorithm 1: logits of wrong clean and of right attacked examples."""

    wrong: Array
    right: Array


def rows_of(bundle: LogitBundle, clean: str = "attacked", conditional: bool = False) -> Rows:
    wrong, right = [], []
    visited = bundle.attacked.index if clean == "attacked" else range(bundle.n_clean)
    for row in visited:
        label, h = bundle.clean_labels[row], bundle.clean_rob_logits[row]
        if layer_norm([h])[0].argmax() != label and (
            not conditional or bundle.clean_std_logits[row].argmax() == label
        ):
            wrong.append(h)
    for row, h in zip(bundle.attacked.index, bundle.attacked.rob_logits, strict=True):
        if layer_norm([h])[0].argmax() == bundle.clean_labels[row]:
            right.append(h)
    return Rows(np.array(wrong, np.float64), np.array(right, np.float64))


class Table(NamedTuple):
    objective: Array
    quantile: Array


def bottom_quantile(values: Array, beta: float, method: str) -> float:
    """Line 9. `linear` as the authors' script does it, `lower` in exact arithmetic."""
    if method == "linear":
        return float(np.percentile(values, 100.0 - 100.0 * beta))
    place = math.floor((1 - Fraction(str(beta))) * (len(values) - 1))
    return sorted(values.tolist())[place]


def algorithm_one(
    rows: Rows,
    s_values: ArrayLike,
    p_values: ArrayLike,
    c_values: ArrayLike,
    beta: float,
    *,
    name: str = "gelu",
    ln_k: int = 250,
    method: str = "linear",
) -> Table:
    """Algorithm 1, lines 4 to 13: the triple loop."""
    s_values, p_values, c_values = (list(np.atleast_1d(v)) for v in (s_values, p_values, c_values))
    shape = len(s_values), len(p_values), len(c_values)
    objective, quantile = np.empty(shape), np.empty(shape)
    for (i, s), (j, p), (k, c) in product(enumerate(s_values), enumerate(p_values), enumerate(c_values)):
        attacked = margins(softmax(transform(rows.right, s, p, c, name, ln_k)))
        clean = margins(softmax(transform(rows.wrong, s, p, c, name, ln_k)))
        q = bottom_quantile(attacked, beta, method)
        quantile[i, j, k] = q
        objective[i, j, k] = np.mean(clean >= min(q, 1.0 - 1e-9))
    return Table(objective, quantile)
