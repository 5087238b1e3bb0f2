"""The page's engine against `mnuts_core`: every figure and row, on bundles and settings by Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixConfig, MixParams, ParameterError, RemixEngine
from mnuts_core.bundles.attacked import AttackedPart
from mnuts_core.clamps import CLAMPS
from mnuts_core.functional.mixing import transform_with
from mnuts_core.params import IDENTITY, LN_ONLY
from mnuts_core.remix.engine import Remix
from mnuts_core.remix.pooled import AttackedResults
from mnuts_core.remix.rows import Part
from tests.dashboards.web.engine import Engine, assert_same, packed
from tests.synthetic import clean_only, make_bundle, make_pool, make_tied

SETTINGS = st.builds(
    MixParams,
    s=st.one_of(st.sampled_from([1.0, 5.0, 5000.0, 1e6]), st.floats(0.005, 50.0)),
    p=st.one_of(st.sampled_from([1.0, 2.0, 3.0, 10.0, 100.0]), st.floats(0.5, 8.0)),
    c=st.one_of(st.sampled_from([0.0, -1.0, -4.0, -10.0, 20.0]), st.floats(-4.0, 2.0)),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 4, 250]),
    beta=st.one_of(st.sampled_from([0.0, 0.5, 0.95, 0.985, 1.0]), st.floats(0.0, 1.0)),
    alpha=st.one_of(st.none(), st.sampled_from([0.5, 1.0]), st.floats(0.5, 1.0)),
    temperature=st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0]),
)

TIED = {
    "tied g": {"std": True, "rob": False},
    "tied h": {"std": False, "rob": True},
    "tied g and h": {"std": True, "rob": True},
}
"""Whose largest logits are exactly tied, see `make_tied`."""

RECIPES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["plain", "pool", "mixes", "ties", "clean", *TIED]),
        "n": st.integers(3, 40),
        "share": st.floats(0.05, 1.0),
        "k": st.sampled_from([2, 3, 10, 10, 50, 100]),
        "seed": st.integers(0, 10**6),
        "dtype": st.sampled_from([np.float32, np.float64]),
    }
)
"""Bundles to be made: pools, none attacked, ties, rows that repeat, few and many classes."""


LARGEST, SMALLEST = 1e5, 1e-13
"""Beyond these the rounding of exponents s·t, and of margins, shows."""


def made(kind: str, n: int, share: float, k: int, seed: int, dtype: Any) -> LogitBundle:
    options = {"n": n, "m": max(1, int(share * n)), "k": k, "seed": seed, "dtype": dtype}
    if kind in ("pool", "mixes"):
        return make_pool(**options, mixes=kind == "mixes")
    if kind in TIED:
        return make_tied(**options, **TIED[kind])
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


def resolved(reference: RemixEngine, remix: Remix) -> bool:
    """Whether rounding, which differs between one vector instruction and the next, decides nothing."""
    params = remix.params
    exponents = transform_with(torch.from_numpy(reference.bundle.clean_rob_logits), params)
    if float(exponents.abs().max()) > LARGEST:
        return False
    for rows in (reference, reference.further):
        if rows is None:
            continue
        found = rows.margins(params)
        small = [found.margin, found.deficit.ravel()]
        if params.temperature > 0:
            of_std = remix.threshold * rows.std_probabilities(params.temperature)
            odds = of_std + rows.rob_probabilities(params)
            tied = odds == odds.amax(dim=1, keepdim=True)
            if (of_std.where(tied, torch.inf).amin(dim=1) < of_std.where(tied, 0.0).amax(dim=1)).any():
                return False  # a sum has swallowed what g says
            top = odds.topk(2, dim=1).values
            own = odds.gather(1, rows.std_class.unsqueeze(1)).squeeze(1)
            small += [top[:, 0] - own, top[:, 0] - top[:, 1]]
        numbers = torch.cat(small)
        if ((numbers > 0) & (numbers < SMALLEST)).any():
            return False
    return True


def check_images(
    ours: dict[str, Any], reference: AttackedResults, every: Part, attacked: AttackedPart
) -> None:
    """Results by image; which of several points is shown is left open where their margins hardly differ."""
    values = {name: getattr(reference, name) for name in vars(reference)}
    numbers = {name: values[name] for name in ("margin", "signed", "right", "mix_right")}
    assert_same(ours, numbers, "on_images")
    apart = np.ones(attacked.n_images, bool)
    shown = every.signed - 4.0 * ~every.mix_right
    n_clean = len(every.signed) - len(attacked)
    for image in range(attacked.n_images):
        points = n_clean + np.flatnonzero(attacked.of == image)
        for rows, of in ((points, every.signed), (np.append(points, attacked.index[image]), shown)):
            least = np.sort(of[rows])[:2]
            apart[image] &= len(least) < 2 or least[1] - least[0] > 1e-12
    for name in values.keys() - numbers.keys():
        np.testing.assert_array_equal(ours[name][apart], values[name][apart], err_msg=name)


def check_remix(engine: Engine, bundle: LogitBundle, params: MixParams, **options: Any) -> None:
    """The two engines' answers, field by field."""
    quantile = options.pop("quantile", "linear")
    reference = RemixEngine(bundle, device="cpu", points=options.get("points", "pool"))
    try:
        remix = reference.remix(params, quantile=quantile)
    except ParameterError:  # nothing that α could follow from
        assume(False)
    assume(resolved(reference, remix))
    calls = ["remix"], ["base"]
    request = {"bundle": packed(bundle), "params": params, "options": options, "quantile": quantile}
    ours, base = engine.ask(*calls, **request)
    assert_same(base, reference.base, "base")
    columns = {name: getattr(remix, name) for name in vars(remix) if not name.startswith("on_")}
    assert_same(ours, columns, "remix")
    every = reference.everywhere(params, remix.threshold)
    assert_same(ours["part"], {name: getattr(every, name) for name in Part.__dataclass_fields__}, "part")
    assert (ours["on_images"] is None) == (remix.on_images is None)
    if remix.on_images is not None:
        check_images(ours["on_images"], remix.on_images, every, bundle.require_attacked())


OPTIONS = st.fixed_dictionaries(
    {
        "points": st.sampled_from(["pool", "mmaa"]),
        "quantile": st.sampled_from(["linear", "lower"]),
        "seriesFrom": st.sampled_from([0, 20_000]),
    }
)


@given(recipe=RECIPES, params=SETTINGS, options=OPTIONS)
@settings(max_examples=100, phases=[Phase.generate])
def test_every_figure_and_row(engine, recipe, params, options):
    bundle = made(**recipe)
    if bundle.attacked is None and params.alpha is None:
        params = params.with_(alpha=0.8)
    check_remix(engine, bundle, params, **options)


@pytest.fixture(scope="module")
def wide() -> dict[str, LogitBundle]:
    tied = {kind: make_tied(n=30, m=20, k=600, seed=3, **whose) for kind, whose in TIED.items()}
    return {"plain": make_bundle(n=60, m=40, k=1000, seed=3), **tied}


@pytest.mark.parametrize("kind", ["plain", *TIED])
@given(params=SETTINGS, moved=st.booleans())
@settings(max_examples=20, phases=[Phase.generate])
def test_many_classes(engine, wide, kind, params, moved):
    """From the second transform on, the powers of logits have been summed beforehand."""
    before = {"before": params.with_(s=0.7, alpha=0.8)} if moved else {}
    check_remix(engine, wide[kind], params, seriesFrom=0, **before)


@pytest.mark.parametrize("beta", [0.95, 0.985])
@pytest.mark.parametrize("params", [MixParams(s=5000.0, p=10.0, c=-2.0), MixParams(), IDENTITY, LN_ONLY])
def test_the_shipped_digits(engine, digits, params, beta):
    """Real logits, with the default of where series begin."""
    [ours] = engine.ask(["frame", {"params": params.with_(beta=beta)}], bundle=packed(digits))
    remix = RemixEngine(digits, device="cpu").remix(params.with_(beta=beta))
    columns = {name: getattr(remix, name) for name in vars(remix) if not name.startswith("on_")}
    assert_same(ours["remix"], columns)


@pytest.mark.parametrize(
    "bundle", [make_pool(n=60, m=40), make_bundle(n=50, m=20, k=4)], ids=["pool", "MMAA"]
)
def test_what_is_known_as_a_bundle_is_taken(engine, bundle):
    reference = RemixEngine(bundle)
    mixes = [MixParams(s=2, p=2, c=-0.3, beta=0.9), MixParams(alpha=0.6), IDENTITY.with_(beta=0.5)]
    [found] = engine.ask(["loaded", mixes], bundle=packed(bundle))
    assert_same(found, reference.base)
    np.testing.assert_allclose(found["alphas"], [reference.remix(mix).alpha for mix in mixes], atol=1e-12)
    assert_same(found["auxiliary"], MixConfig.from_remix(reference, mixes[0]).auxiliary.model_dump())


def test_no_auxiliary_weight_without_attacked_images(engine):
    [found] = engine.ask(["loaded", []], bundle=packed(clean_only(make_bundle(n=30, m=10))))
    assert (found["auxiliary"], found["alphas"]) == (None, [])
