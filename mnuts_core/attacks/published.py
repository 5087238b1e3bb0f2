"""What other attacks are known to take, to set this project's passes beside.

The counts are those that the authors of A3 publish for AutoAttack (standard version) and for A3, with the
robust accuracy that each reports, on CIFAR-10's test set at ℓ∞, ε = 8/255: Y. Liu, Y. Cheng, L. Gao, X. Liu,
Q. Zhang, J. Song, "Practical Evaluation of Adversarial Robustness via Adaptive Auto Attack", CVPR 2022,
arXiv 2203.05154, and the table in the README of github.com/liuye6666/adaptive_auto_attack. There they stand
in millions for all 10,000 images. What an attack takes depends on how many images withstand it, most of all.
"""

from __future__ import annotations

from typing import NamedTuple

from mnuts_core.models.passes import Passes


class Published(NamedTuple):
    """One network, and what the two attacks took on it.

    Attributes:
        network: Whose it is.
        accuracy: Its accuracy under AutoAttack.
        autoattack: Passes for each image.
        a3: Likewise; it leaves 0.1 to 0.4 points fewer right.
    """

    network: str
    accuracy: float
    autoattack: Passes
    a3: Passes

    def __str__(self) -> str:
        """In words."""
        both = (f"{count.forward:,.0f} and {count.backward:,.0f}" for count in (self.autoattack, self.a3))
        autoattack, a3 = both
        return (
            f"published for one network ({self.network}, CIFAR-10, {100 * self.accuracy:.2f} % withstand): "
            f"AutoAttack {autoattack}, A3 {a3} (Liu et al., CVPR 2022)"
        )


PUBLISHED = (
    Published("Gowal et al., 2020, WRN-70-16", 0.6588, Passes(5120, 1290), Passes(449, 220)),
    Published("Carmon et al., 2019, WRN-28-10", 0.5953, Passes(4710, 1170), Passes(410, 201)),
    Published("Zhang et al., 2019b, WRN-34-10", 0.5308, Passes(4200, 1040), Passes(363, 178)),
    Published("Engstrom et al., 2019, RN-50", 0.4925, Passes(3910, 980), Passes(342, 168)),
    Published("Zhang et al., 2019a, WRN-34-10", 0.4483, Passes(3560, 900), Passes(309, 152)),
    Published("Atzmon et al., 2019, RN-18", 0.4022, Passes(3270, 870), Passes(274, 134)),
    Published("Zhang & Wang, 2019, WRN-28-10", 0.3664, Passes(3000, 820), Passes(1102, 544)),
)
"""By falling accuracy."""


def nearest(accuracy: float) -> Published:
    """The published network whose accuracy under attack is nearest.

    Args:
        accuracy: Of a mix, in [0, 1].

    Example:
        >>> nearest(0.42).network
        'Atzmon et al., 2019, RN-18'
    """
    return min(PUBLISHED, key=lambda each: abs(each.accuracy - accuracy))
