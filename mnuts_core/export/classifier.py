"""The mix as one classifier, exact in its answers and differentiable for attacks (Eq. 5 and 8, B.2.2)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mnuts_core.devices import at_home
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import (
    _TINY,
    mix_probabilities,
    mixed_logits,
    required_alpha,
    transform_with,
)
from mnuts_core.models.predict import ask
from mnuts_core.params import PARAMS, R_D, MixParams

if TYPE_CHECKING:
    from mnuts_core.export.config import MixConfig


class MixedClassifier(nn.Module):
    """A standard and a robust classifier mixed as in Eq. 5, for any code that expects one classifier.

    The forward pass gives the exact logits of the mix, float64 inside. Backward goes straight through
    (B.2.2), `f̃ + (f - f̃).detach()`, to the differentiable auxiliary classifier f̃ of Eq. 8, because
    the mix itself has no useful gradient at T = 0 and would look more robust than it is.

    Args:
        std_model: Accurate classifier: images (N, C, H, W) in [0, 1] → logits (N, K).
        rob_model: Robust classifier, likewise.
        params: Transform, temperature and α (which must be set).
        alpha_d: Mixing weight of the auxiliary classifier, in [1/2, 1]; α itself if None.
        r_d: Share of σ(h) against σ(M(h)) in the auxiliary classifier, in [0, 1].

    Raises:
        ParameterError: If α is None or a weight lies outside its interval.
    """

    def __init__(
        self,
        std_model: nn.Module,
        rob_model: nn.Module,
        params: MixParams,
        *,
        alpha_d: float | None = None,
        r_d: float = R_D,
    ) -> None:
        super().__init__()
        required_alpha(params)
        if not 0.0 <= r_d <= 1.0:
            raise ParameterError(f"r_d must lie in [0, 1], got {r_d:g}")
        self.std_model, self.rob_model = std_model, rob_model
        self.params = params
        self.alpha_d = PARAMS["alpha"].check(alpha_d) if alpha_d is not None else required_alpha(params)
        self.r_d = float(r_d)

    @classmethod
    def from_config(
        cls, config: str | os.PathLike[str] | MixConfig, std_model: nn.Module, rob_model: nn.Module
    ) -> MixedClassifier:
        """The classifier that an exported configuration describes, on your two models.

        Args:
            config: A configuration, or the path of a `mnuts-config/1` JSON file.
            std_model: The accurate classifier.
            rob_model: The robust classifier.

        Raises:
            ConfigError: If the file is missing, broken or of an unknown version.
        """
        from mnuts_core.export.config import MixConfig  # config describes mixes; mixing must not need it

        loaded = config if isinstance(config, MixConfig) else MixConfig.load(config)
        return cls(
            std_model,
            rob_model,
            loaded.params,
            alpha_d=loaded.auxiliary.alpha_d if loaded.auxiliary else None,
            r_d=loaded.auxiliary.r_d if loaded.auxiliary else R_D,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the mix, shape (N, K), in the robust model's dtype: log-probabilities.

        Where rounding to that dtype would change the predicted class, the row is shifted so that its
        largest logit is 0, where numbers are densest; its probabilities stay the same.

        Args:
            images: Inputs as the base models take them.

        Raises:
            ParameterError: If a base model fails, or answers anything but logits of these images.
        """
        return self.mix_logits(*self.base_logits(images))

    def base_logits(self, images: Tensor, classes: int | None = None) -> tuple[Tensor, Tensor]:
        """Both models' raw logits g(x) and h(x), each of shape (N, K).

        Args:
            images: Inputs as the base models take them.
            classes: K; the standard model's if None.

        Raises:
            ParameterError: As `forward` does.
        """
        std = ask("std_model", self.std_model, images, classes)
        return std, ask("rob_model", self.rob_model, images, std.shape[1])

    def mix_logits(self, std_logits: Tensor, rob_logits: Tensor) -> Tensor:
        """What `forward` makes of both models' raw logits, shape (N, K): all that mixing adds to their work.

        Args:
            std_logits: Raw logits g(x), shape (N, K).
            rob_logits: Raw logits h(x), shape (N, K).
        """
        exact = mixed_logits(std_logits, rob_logits, self.params)
        if torch.is_grad_enabled() and (std_logits.requires_grad or rob_logits.requires_grad):
            auxiliary = self.auxiliary_logits(std_logits, rob_logits)
            exact = straight_through(exact, auxiliary)
        return _narrowed(exact, rob_logits.dtype).to(rob_logits.device)

    def auxiliary_logits(self, std_logits: Tensor, rob_logits: Tensor) -> Tensor:
        """f̃ of Eq. 8: `log((1-α_d)σ(g) + α_d·r_d·σ(h) + α_d(1-r_d)·σ(M(h)))`, in float64.

        Args:
            std_logits: Raw logits g(x), shape (N, K).
            rob_logits: Raw logits h(x), shape (N, K).
        """
        std_logits, rob_logits = at_home(std_logits), at_home(rob_logits)
        std = std_logits.double().softmax(dim=-1)
        raw = rob_logits.double().softmax(dim=-1)
        transformed = transform_with(rob_logits, self.params).softmax(dim=-1)
        robust = self.r_d * raw + (1.0 - self.r_d) * transformed
        return mix_probabilities(std, robust, self.alpha_d).clamp_min(_TINY).log()

    def extra_repr(self) -> str:
        """The parameters, for `print(model)`."""
        return f"{self.params}, alpha_d={self.alpha_d:g}, r_d={self.r_d:g}"


def _narrowed(logits: Tensor, dtype: torch.dtype) -> Tensor:
    """The logits in another dtype, with the same arg max in every row."""
    narrow = logits.to(dtype)
    if dtype == logits.dtype:
        return narrow
    first = logits.argmax(dim=-1, keepdim=True)
    changed = narrow.argmax(dim=-1, keepdim=True) != first
    shifted = (logits - logits.detach().amax(dim=-1, keepdim=True)).to(dtype)
    tied = (shifted == 0).scatter(-1, first, False)  # float16 has no numbers between 0 and -6e-8
    return torch.where(changed, shifted - torch.finfo(dtype).smallest_normal * tied.to(dtype), narrow)


def straight_through(value: Tensor, surrogate: Tensor) -> Tensor:
    """`f̃ + (f - f̃).detach()` (B.2.2): the value of f with the gradient of f̃."""
    return surrogate + (value - surrogate).detach()
