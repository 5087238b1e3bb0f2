"""Models that do more than a pass: optimisation loops inside `forward`, such as purification.

Attacks follow a model's gradients. Of a model that optimises while it answers (test-time adaptation,
purification by gradients) or asks a network again and again (purification by diffusion, votes over many
draws) they see the last step at best: what they report is too much robustness, at many times the cost.
RobustBench takes no such models. It shows in a pass without gradients: who optimises has to switch them on
again, and a network that is asked many times has its layers called many times. TorchScript and code outside
of torch hide both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import ask

MOST_CALLS = 3
"""A pass may call a layer so often: a network that averages over an image and its mirror image asks twice."""
N_IMAGES = 2


class Loop(NamedTuple):
    """What a pass without gradients has shown.

    Attributes:
        gradients: Whether the model switched gradients on.
        calls: How often the layer with weights was called that was called most often; 0 without any.
        layer: Its name.
    """

    gradients: bool
    calls: int
    layer: str

    @property
    def found(self) -> bool:
        """Whether it looks like a loop."""
        return self.gradients or self.calls > MOST_CALLS

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(Loop(True, 50, "denoiser.conv"))
            'switches gradients on in a pass without them, calls layer denoiser.conv 50 times in one pass'
        """
        parts = ["switches gradients on in a pass without them"] if self.gradients else []
        parts += (
            [f"calls layer {self.layer} {self.calls} times in one pass"] if self.calls > MOST_CALLS else []
        )
        return ", ".join(parts) or "no optimisation loop was seen in a pass"


def look_for_loops(name: str, model: Model, images: Tensor) -> Loop:
    """Whether a model optimises, or asks itself again and again, in a pass without gradients.

    Args:
        name: What to call it in a message.
        model: Images → logits, in evaluation mode.
        images: Images in [0, 1] where `ask` takes them; the first two are enough.

    Raises:
        ParameterError: If it fails, or answers anything but logits.
    """
    seen = _Gradients()
    with torch.no_grad(), _counted_layers(model) as counts, seen:
        ask(name, model, images[:N_IMAGES])
    layer, calls = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return Loop(seen.on, calls, layer)


class _Gradients(TorchFunctionMode):
    """Sees at each call of torch's whether gradients are on."""

    on = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.on |= torch.is_grad_enabled()
        return found


@contextmanager
def _counted_layers(model: Model) -> Iterator[Counter[str]]:
    """Count the calls of each module that has weights of its own, by its name."""
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        for name, part in model.named_modules() if isinstance(model, nn.Module) else ():
            own = next(iter(part.parameters(recurse=False)), None)
            if own is None or isinstance(part, torch.jit.ScriptModule):
                continue

            def count(*_: object, name: str = name) -> None:
                counts[name or "the model itself"] += 1

            stack.callback(part.register_forward_pre_hook(count).remove)
        yield counts
