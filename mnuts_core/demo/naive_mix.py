"""The mix as a careless attacker sees it: a demonstration of gradient masking, not for use."""

from __future__ import annotations

from torch import Tensor

from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import mixed_logits


class NaiveMix(MixedClassifier):
    """The same classifier, with the gradients that autograd finds by itself.

    The outputs are those of `MixedClassifier`. At T = 0 no gradient reaches the standard model and M's
    flat parts stop that of the robust one, so an attack that follows these gradients finds less, and the
    mix looks more robust than it is (B.2).
    """

    def mix_logits(self, std_logits: Tensor, rob_logits: Tensor) -> Tensor:
        """Logits of the mix (Eq. 5), differentiated as they are, shape (N, K).

        Args:
            std_logits: Raw logits g(x), shape (N, K).
            rob_logits: Raw logits h(x), shape (N, K).
        """
        return mixed_logits(std_logits, rob_logits, self.params).to(rob_logits.dtype)
