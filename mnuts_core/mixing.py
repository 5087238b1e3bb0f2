"""Mixing two classifiers' probabilities (Eq. 1 and 5), and the mix as a drop-in `torch.nn.Module`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.passes import ask, sound
from mnuts_core.ties import lifted_to_std
from mnuts_core.transform import check_logits, transform_logits

if TYPE_CHECKING:
    from mnuts_core.config import MixConfig

R_D = 0.9
"""Share of the raw robust probabilities in the auxiliary classifier's robust half (B.2.1)."""
BETA_D = 0.95
"""Level β at which Algorithm 1 without a transform gives the auxiliary classifier's α_d."""


def temperature_scale(logits: Tensor, temperature: float) -> Tensor:
    """Temperature scaling `g / T` (section 3.1); T = 0 is the one-hot of the arg max.

    Args:
        logits: Logits of shape (..., K).
        temperature: T ≥ 0. For T = 0 the result is 0 at the arg max and -inf elsewhere, so that its
            softmax is exactly one-hot; it carries no gradient.

    Returns:
        Logits of the same shape and dtype.

    Raises:
        ParameterError: If T is negative or not finite, or the logits are not (..., K).

    Example:
        >>> temperature_scale(torch.tensor([[1.0, 3.0]]), 0.0).softmax(-1)
        tensor([[0., 1.]])
    """
    logits = check_logits(logits)
    temperature = PARAMS["temperature"].check(temperature)
    if temperature > 0:
        return logits / temperature
    hard = torch.full_like(logits, -torch.inf)
    return hard.scatter(-1, logits.argmax(dim=-1, keepdim=True), 0.0)


def mix_probabilities(std_probabilities: Tensor, rob_probabilities: Tensor, alpha: float) -> Tensor:
    """The convex combination `(1-α)·p_std + α·p_rob` inside the logarithm of Eq. 1.

    Args:
        std_probabilities: Probabilities (not logits) of the standard model, shape (..., K).
        rob_probabilities: Probabilities of the (transformed) robust model, the same shape.
        alpha: Weight of the robust model in [1/2, 1].

    Returns:
        Probabilities of the mix, shape (..., K), in the wider of the two dtypes.

    Raises:
        ParameterError: If the shapes differ or α lies outside [1/2, 1].

    Example:
        >>> mix_probabilities(torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.75]), 0.5)
        tensor([0.6250, 0.3750])
    """
    alpha = PARAMS["alpha"].check(alpha)
    if std_probabilities.shape != rob_probabilities.shape:
        raise ParameterError(
            "std_probabilities and rob_probabilities must have the same shape, got "
            f"{tuple(std_probabilities.shape)} and {tuple(rob_probabilities.shape)}"
        )
    return (1.0 - alpha) * std_probabilities + alpha * rob_probabilities


def mixed_logits(std_logits: Tensor, rob_logits: Tensor, params: MixParams) -> Tensor:
    """The mixed classifier's logits `log((1-α)·σ(g/T) + α·σ(M(h)))` (Eq. 5), in float64.

    Ties for the largest go to the standard model's class, by one bit (`mnuts_core.ties`). A row of either
    model that is not finite gives NaN throughout: at T = 0, and through the clamp, it would look like a sound
    answer.

    Args:
        std_logits: Raw logits g(x), shape (..., K).
        rob_logits: Raw logits h(x), shape (..., K).
        params: Transform, temperature and α (which must be set).

    Returns:
        Log-probabilities of shape (..., K), float64; they serve as logits, since σ(log p) = p.

    Raises:
        ParameterError: If α is None, or the shapes differ.
    """
    std = temperature_scale(std_logits.double(), params.temperature).softmax(dim=-1)
    rob = transform_with(rob_logits, params).softmax(dim=-1)
    mixed = mix_probabilities(std, rob, required_alpha(params)).clamp_min(_TINY)
    logits = lifted_to_std(mixed.log(), mixed, std_logits.argmax(dim=-1, keepdim=True))
    return logits.where((sound(std_logits) & sound(rob_logits)).unsqueeze(-1), torch.nan)


def transform_with(rob_logits: Tensor, params: MixParams) -> Tensor:
    """`transform_logits` with the fields of a `MixParams`."""
    return transform_logits(
        rob_logits, s=params.s, p=params.p, c=params.c, clamp=params.clamp, ln_k=params.ln_k
    )


def required_alpha(params: MixParams) -> float:
    """α, if it is set.

    Raises:
        ParameterError: If α is None, that is, still to be found from β on a bundle.
    """
    if params.alpha is None:
        raise ParameterError(
            "alpha must be a number in [0.5, 1] here, got None: take it from a search or a remix "
            "(their result carries α), or set it with params.with_(alpha=...)"
        )
    return params.alpha


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
        from mnuts_core.config import MixConfig  # config describes mixes; mixing must not need it

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
        return _narrowed(exact, rob_logits.dtype)

    def auxiliary_logits(self, std_logits: Tensor, rob_logits: Tensor) -> Tensor:
        """f̃ of Eq. 8: `log((1-α_d)σ(g) + α_d·r_d·σ(h) + α_d(1-r_d)·σ(M(h)))`, in float64.

        Args:
            std_logits: Raw logits g(x), shape (N, K).
            rob_logits: Raw logits h(x), shape (N, K).
        """
        std = std_logits.double().softmax(dim=-1)
        raw = rob_logits.double().softmax(dim=-1)
        transformed = transform_with(rob_logits, self.params).softmax(dim=-1)
        robust = self.r_d * raw + (1.0 - self.r_d) * transformed
        return mix_probabilities(std, robust, self.alpha_d).clamp_min(_TINY).log()

    def extra_repr(self) -> str:
        """The parameters, for `print(model)`."""
        return f"{self.params}, alpha_d={self.alpha_d:g}, r_d={self.r_d:g}"


_TINY = torch.finfo(torch.float64).tiny
"""Stands in for a probability of exactly 0: its logarithm, -708, keeps attack losses finite."""


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
