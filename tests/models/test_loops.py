"""Optimisation loops: what a pass without gradients shows of a model."""

import pytest
import torch
from torch import nn

from mnuts_core import MixedClassifier, MixParams, ParameterError, Plan
from mnuts_core.models.loops import MOST_CALLS, Loop, look_for_loops
from mnuts_core.pipeline.verify import evaluate
from tests.loops import Voting, purified

IMAGES = torch.rand(4, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def network(before=lambda images: images):
    torch.manual_seed(0)
    first = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU())
    model = nn.Sequential(first, nn.Linear(8, 3)).eval()
    model.register_forward_pre_hook(lambda _, given: (before(given[0]),))
    return model


def test_a_plain_pass():
    assert look_for_loops("model", network(), IMAGES) == Loop(False, 1, "0.1")
    assert not look_for_loops("model", network(), IMAGES).found
    assert look_for_loops("model", lambda images: images.flatten(1), IMAGES) == Loop(False, 0, "")


def test_gradients_that_are_switched_on():
    with torch.enable_grad():  # whatever surrounds the look
        found = look_for_loops("model", network(purified), IMAGES)
    assert found.found
    assert "switches gradients on in a pass without them" in str(found)


@pytest.mark.parametrize("times", [1, MOST_CALLS, MOST_CALLS + 1, 50])
def test_layers_that_are_called_again_and_again(times):
    found = look_for_loops("model", Voting(network(), times), IMAGES)
    assert (found.calls, found.found) == (times, times > MOST_CALLS)
    assert (f"calls layer base.0.1 {times} times" in str(found)) == found.found


def test_nothing_stays_behind():
    model = network()
    hooks = sum(len(part._forward_pre_hooks) for part in model.modules())
    look_for_loops("model", model, IMAGES)
    with pytest.raises(ParameterError, match="model must return logits"):
        look_for_loops("model", nn.Sequential(model, nn.Unflatten(1, (1, 3))), IMAGES)
    assert sum(len(part._forward_pre_hooks) for part in model.modules()) == hooks
    assert not torch.overrides._get_current_function_mode_stack()


def test_a_verification_says_so():
    def warned(rob):
        mix = MixedClassifier(network(), rob, MixParams(s=1, p=1, c=0, alpha=0.8))
        plan = Plan(norm="Linf", eps=0.01, n_iter=1, effort="frugal")
        result = evaluate(mix, IMAGES, mix(IMAGES).argmax(1), plan=plan)
        return [str(each) for each in result.warnings if each.code == "optimisation-loop"]

    assert warned(network()) == []
    (text,) = warned(Voting(network()))
    assert "the mix: calls layer rob_model.base.0.1 10 times" in text
    assert text.endswith("(see docs/warnings.md#optimisation-loop)")
