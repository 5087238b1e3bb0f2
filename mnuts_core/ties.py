"""What counts as the prediction where two classes are equally likely. One rule, here and nowhere else.

**M(h)** predicts nothing where the transform makes another logit equal to the largest, as ReLU does with all
of them where c is low: such a row counts as wrong, and as a changed prediction. A tie that the two largest
of h's own logits have (rounded to bfloat16, say) is not M's doing, as long as M leaves that class on top:
there the first class stands, for h and for M(h) alike, as `argmax` takes it.

**The mix** gives a tie for its top to the standard model's class where that is among the tied, at every T and
α: any weight of the standard model, however small, would decide between classes that M(h) does not tell
apart, and α = 1 is the limit. Else the first of the tied stands, as `argmax` takes it. Probabilities count as
tied within `TIE`: α = 1/(1+q) is stored, and with T = 0 a margin may equal (1-α)/α but for rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.quantiles import TIE


def predictions(probabilities: Tensor, std_class: Tensor) -> Tensor:
    """The classes that a mix predicts, int64, shape (R,).

    Args:
        probabilities: Those of the mix, or a positive multiple of about 1 to 2, shape (R, K).
        std_class: Class that g predicts, int64, shape (R,).
    """
    top, first = probabilities.max(dim=1)
    own = probabilities.gather(1, std_class.unsqueeze(1)).squeeze(1)
    return torch.where(top - own <= TIE, std_class, first)


def lifted_to_std(logits: Tensor, probabilities: Tensor, std_class: Tensor) -> Tensor:
    """A mix's logits, ŷ_std one bit above the others where it ties with them: its arg max obeys the rule.

    The bit is added after the logarithm, which would round it away.

    Args:
        logits: The logarithm of the probabilities, shape (..., K).
        probabilities: Those of the mix.
        std_class: Class that g predicts, int64, shape (..., 1).
    """
    top, first = logits.max(dim=-1, keepdim=True)
    tied = probabilities.amax(dim=-1, keepdim=True) - probabilities.gather(-1, std_class) <= TIE
    above = torch.nextafter(top.detach(), torch.full_like(top, torch.inf))
    lift = torch.where(tied & (first != std_class), above - logits.detach().gather(-1, std_class), 0.0)
    return logits.scatter_add(-1, std_class, lift.to(logits.dtype))
