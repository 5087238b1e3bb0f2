"""The minimum-margin attacks by name: MMAA (B.1), and Square for models without gradients (D.5)."""

from __future__ import annotations

from mnuts_core.attacks.base import MarginAttack
from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.square import Square

MARGIN_ATTACKS: dict[str, type[MarginAttack]] = {"mmaa": Mmaa, "square": Square}
"""As `mnuts build --attack` calls them."""
