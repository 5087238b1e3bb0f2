"""The page's engine against `mnuts_core`: every figure and every row, on bundles and settings by Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixParams, ParameterError, RemixEngine
from mnuts_core.clamps import CLAMPS
from mnuts_core.functional.mixing import transform_with
from mnuts_core.remix.rows import Part
from tests.dashboards.web.engine import Engine, assert_same, packed
from tests.synthetic import clean_only, make_bundle, make_pool

SETTINGS = st.builds(
    MixParams,
    s=st.one_of(st.sampled_from([1.0, 5.0, 5000.0, 1e6]), st.floats(0.005, 50.0)),
    p=st.one_of(st.sampled_from([1.0, 2.0, 3.0, 10.0, 100.0]), st.floats(0.3, 8.0)),
    c=st.one_of(st.sampled_from([0.0, -1.0, -4.0, -10.0, 20.0]), st.floats(-4.0, 2.0)),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 4, 250]),
    beta=st.one_of(st.sampled_from([0.0, 0.5, 0.95, 0.985, 1.0]), st.floats(0.0, 1.0)),
    alpha=st.one_of(st.none(), st.sampled_from([0.5, 1.0]), st.floats(0.5, 1.0)),
    temperature=st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0]),
)


RECIPES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["plain", "pool", "mixes", "ties", "clean"]),
        "n": st.integers(3, 40),
        "share": st.floats(0.05, 1.0),
        "k": st.sampled_from([2, 3, 10, 10, 100]),
        "seed": st.integers(0, 10**6),
        "dtype": st.sampled_from([np.float32, np.float64]),
    }
)
"""Bundles to be made: pools, none attacked, ties, rows that repeat, few and many classes."""


LARGEST = 1e5
"""Beyond this the rounding of s·t, which differs between one vector instruction and the next, shows."""


def made(kind: str, n: int, share: float, k: int, seed: int, dtype: Any) -> LogitBundle:
    options = {"n": n, "m": max(1, int(share * n)), "k": k, "seed": seed, "dtype": dtype}
    if kind in ("pool", "mixes"):
        return make_pool(**options, mixes=kind == "mixes")
    bundle = make_bundle(**options)
    if kind == "clean":
        return clean_only(bundle)
    if kind == "ties":  # whole numbers, few of them
        whole = {name: np.round(logits) for name, logits in bundle.tensors().items() if "logits" in name}
        return LogitBundle.from_arrays(
            clean_labels=bundle.clean_labels,
            adv_index=bundle.require_attacked().index,
            **{name.replace(".", "_"): logits for name, logits in whole.items()},
        )
    return bundle


def exponent(bundle: LogitBundle, params: MixParams) -> float:
    """The largest exponent s·t that M has on the bundle's clean rows."""
    return float(transform_with(torch.from_numpy(bundle.clean_rob_logits), params).abs().max())


def check_remix(engine: Engine, bundle: LogitBundle, params: MixParams, **options: Any) -> None:
    """The two engines' answers, field by field."""
    quantile = options.pop("quantile", "linear")
    assume(exponent(bundle, params) < LARGEST)
    reference = RemixEngine(bundle, device="cpu", points=options.get("points", "pool"))
    try:
        remix = reference.remix(params, quantile=quantile)
    except ParameterError:  # nothing that α could follow from
        assume(False)
    calls = ["remix"], ["base"]
    request = {"bundle": packed(bundle), "params": params, "options": options, "quantile": quantile}
    ours, base = engine.ask(*calls, **request)
    assert_same(base, reference.base, "base")
    columns = {name: getattr(remix, name) for name in vars(remix) if not name.startswith("on_")}
    assert_same(ours, columns, "remix")
    assert_same(ours["on_images"], remix.on_images, "on_images")
    every = reference.everywhere(params, remix.threshold)
    assert_same(ours["part"], {name: getattr(every, name) for name in Part.__dataclass_fields__}, "part")


OPTIONS = st.fixed_dictionaries(
    {
        "points": st.sampled_from(["pool", "mmaa"]),
        "quantile": st.sampled_from(["linear", "lower"]),
        "seriesFrom": st.sampled_from([0, 20_000]),
    }
)


@given(recipe=RECIPES, params=SETTINGS, options=OPTIONS)
@settings(max_examples=800, phases=[Phase.generate])
def test_every_figure_and_row(engine, recipe, params, options):
    bundle = made(**recipe)
    if bundle.attacked is None and params.alpha is None:
        params = params.with_(alpha=0.8)
    check_remix(engine, bundle, params, **options)


@pytest.fixture(scope="module")
def wide() -> LogitBundle:
    return make_bundle(n=60, m=40, k=1000, seed=3)


@given(params=SETTINGS)
@settings(max_examples=60, phases=[Phase.generate])
def test_a_thousand_classes(engine, wide, params):
    check_remix(engine, wide, params, seriesFrom=0)
