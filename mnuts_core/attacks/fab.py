"""Which images the library's targeted FAB still asks about.

FAB looks for the nearest misclassified point, however far: it goes on where one in the ball is found. An
adaptive attack only wants to know whether there is one in the ball.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball
from mnuts_core.models.inputs import Model


class Leaving:
    """Answers one of the library's FAB attacks, for the images of a batch that have not left it.

    An image leaves once a misclassified point lies in its ball. That does not change which images fall.

    Args:
        attack: The library's `FABAttack_PT`, targeted, not run yet; it asks here from now on.
        classifier: Images → logits, through which gradients flow.
        ball: What counts as found.
    """

    def __init__(self, attack: Any, classifier: Model, ball: Ball) -> None:
        self._run, self._classifier, self._ball = attack.attack_single_run, classifier, ball
        self._images: Tensor | None = None
        attack.attack_single_run = self._single_run
        attack._get_predicted_label = self._classes
        attack.get_diff_logits_grads_batch_targeted = self._differences

    def _single_run(self, images: Tensor, labels: Tensor, **how: Any) -> Tensor:
        """One target on all images that still stand."""
        self._images, self._labels = None, labels
        points: Tensor = self._run(images, labels, **how)
        return points

    def _start(self, images: Tensor, labels: Tensor) -> None:
        """What is attacked in this run: images of the batch in their order."""
        self._images, self._labels = images, labels
        self._going = torch.ones_like(labels, dtype=torch.bool)

    def _classes(self, points: Tensor) -> Tensor:
        """The predicted classes; the true one for images that have left."""
        if self._images is None:  # a run's first question is about the clean images, right ones are attacked
            classes = self._ask(points).argmax(dim=1)
            right = classes == self._labels
            self._start(points[right], self._labels[right])
            return classes
        classes = self._labels.clone()
        if self._going.any():
            classes[self._going] = self._ask(points[self._going]).argmax(dim=1)
        radii = self._ball.distance(points, self._images) / self._ball.eps
        self._going &= ~((classes != self._labels) & (radii <= 1.0))
        return classes

    def _ask(self, points: Tensor) -> Tensor:
        with torch.no_grad():
            return self._classifier(points)

    def _differences(self, points: Tensor, labels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """How far the target's logit is behind the true one's, shape (N, 1), and that difference's gradient.

        Those of images that have left are not looked at, but have to be numbers: all ones.
        """
        difference, gradient = points.new_ones(len(points)), torch.ones_like(points)
        if (rows := self._going).any():
            with torch.enable_grad():
                leaf = points[rows].detach().requires_grad_()
                logits = self._classifier(leaf)
                pair = (logits.gather(1, classes[rows].unsqueeze(1)) for classes in (targets, labels))
                behind = torch.cat(list(pair), dim=1).diff(dim=1).neg().squeeze(1)
                (gradient[rows],) = torch.autograd.grad(behind.sum(), leaf)
            difference[rows] = behind.detach().to(difference)
        return difference.unsqueeze(1), gradient.unsqueeze(1)
