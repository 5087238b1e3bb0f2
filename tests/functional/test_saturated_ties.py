"""Ties at T > 0 where both models are next to certain, each of its own class, and α is about 1/2.

The mix's two largest sums are then equal but for some 1e-16, the step of float64 there, and what decides is
what the models leave to their other classes. Expected answers are computed with 60 decimals.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixParams, RemixEngine, alpha_curve
from mnuts_core.functional.mixing import lead_over_std, mixed_logits
from mnuts_core.functional.quantiles import TIE
from mnuts_core.params import IDENTITY
from mnuts_core.views.stretches import right_between
from tests import reference

LEADS = (-1e-14, -1e-15, 1e-17, 1e-16, 5e-16, 0.95e-15, 0.999e-15, 1.001e-15, 1.05e-15, 2e-15, 1e-14, 1e-13)
"""Of h's class over g's at α = 1/2."""
LEFT = (1e-30, 1e-18, 1.1e-16, 7e-16, 3e-15, 1e-13)
"""What the more certain of the two leaves to others."""
ALPHAS = tuple(0.5 + step * 2**-53 for step in (0, 1, 2, 4, 100))
MIX = IDENTITY.with_(temperature=0.01)


def saturated(temperature: float = MIX.temperature) -> LogitBundle:
    """Rows of four classes, one for each lead, each rest, and each of two labels: g's class and h's."""
    std, rob, labels = [], [], []
    for place, (lead, left, of_std) in enumerate(product(LEADS, LEFT, (True, False))):
        own, other, *further = np.roll(np.arange(4), place)
        g, h = np.zeros(4), np.zeros(4)
        for logits, short, second in ((g, left + max(lead, 0), other), (h, left - min(lead, 0), own)):
            odds = short / 2.5  # twice for the second class, half for the others together
            logits[second], logits[further] = np.log(odds), np.log(odds / 4)
        std.append(temperature * g)
        rob.append(h)
        labels.append(own if of_std else other)
    return LogitBundle.from_arrays(clean_labels=labels, clean_std_logits=std, clean_rob_logits=rob)


def softmax(logits: np.ndarray, temperature: float = 1.0) -> list[Decimal]:
    odds = [(Decimal(x) / Decimal(temperature)).exp() for x in logits.tolist()]
    return [x / sum(odds) for x in odds]


def leads(bundle: LogitBundle, odds: float, temperature: float = MIX.temperature) -> np.ndarray:
    """Of h's class over g's in `odds·σ(g/T) + σ(h)`."""
    found = []
    with localcontext() as context:
        context.prec = 60
        for g, h in zip(bundle.clean_std_logits, bundle.clean_rob_logits, strict=True):
            mixed = [Decimal(odds) * a + b for a, b in zip(softmax(g, temperature), softmax(h), strict=True)]
            found.append(float(mixed[h.argmax()] - mixed[g.argmax()]))
    return np.array(found)


def expected(bundle: LogitBundle, alpha: float) -> np.ndarray:
    """The classes that the mix predicts."""
    tied = leads(bundle, (1 - alpha) / alpha) <= TIE
    return np.where(tied, bundle.clean_std_logits.argmax(1), bundle.clean_rob_logits.argmax(1))


@pytest.fixture(scope="module")
def rows() -> LogitBundle:
    return saturated()


def test_the_lead_has_all_its_digits(rows):
    std, rob = (torch.from_numpy(x) for x in (rows.clean_std_logits, rows.clean_rob_logits))
    own, other = std.argmax(1, keepdim=True), rob.argmax(1, keepdim=True)
    a, b = (std / MIX.temperature).softmax(1), rob.softmax(1)
    for odds in (1.0, 1 - 2**-53, 1 - 2**-40, 0.5):
        found = lead_over_std(a, b, (odds, 1.0), other, own).squeeze(1)
        reckoned = leads(rows, odds)
        # both parts are some 1e-13 at most, and 1 - odds is exact
        np.testing.assert_allclose(found, reckoned, rtol=1e-13, atol=1e-26)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_engine_obeys_the_rule(rows, alpha):
    engine, params = RemixEngine(rows, device="cpu"), MIX.with_(alpha=alpha)
    answers = expected(rows, alpha)
    assert len(set(answers == rows.clean_std_logits.argmax(1))) == (2 if alpha < ALPHAS[-1] else 1)
    np.testing.assert_array_equal(engine.remix(params).on_clean.mix_class, answers)
    odds, found = (1 - alpha) / alpha, right_between(engine, params)
    right = answers == rows.clean_labels
    np.testing.assert_array_equal((found.low <= odds) & (odds <= found.high), right)
    assert alpha_curve(engine, params, alpha).clean[0] == right.mean()


def test_the_module_obeys_it_with_the_mix_itself(rows):
    """There the lead is that of probabilities, which are half of the engine's sums."""
    std, rob = (torch.from_numpy(x) for x in (rows.clean_std_logits, rows.clean_rob_logits))
    answers = mixed_logits(std, rob, MIX.with_(alpha=0.5)).argmax(1).numpy()
    tied = 0.5 * leads(rows, 1.0) <= TIE
    np.testing.assert_array_equal(
        answers, np.where(tied, rows.clean_std_logits.argmax(1), rows.clean_rob_logits.argmax(1))
    )


@pytest.mark.parametrize("alpha", [0.5, 0.6, 0.9])
def test_the_plain_sums_elsewhere(bundle, alpha):
    """Where neither model is certain, the loop over exact sums says the same."""
    params = MixParams(s=1.0, p=1.0, c=0.0, clamp="linear", alpha=alpha, temperature=1.0)
    std = reference.std_probabilities(bundle.clean_std_logits, 1.0)
    rob = reference.softmax(reference.transform(bundle.clean_rob_logits, 1.0, 1.0, 0.0, "linear"))
    answers = reference.soft_rule(std, rob, (1 - alpha) / alpha)
    found = RemixEngine(bundle, device="cpu").remix(params).on_clean.mix_class
    assert (answers != -1).all()
    np.testing.assert_array_equal(found, answers)
