"""Figures of configurations, those from before there were pools of points included."""

from mnuts_core import MixConfig


def figures(config: MixConfig) -> list[tuple[float, int]]:
    """Value and n of the estimates; before there were pools of points, two of them had other names."""
    known = config.estimates
    assert known is not None
    cards = known.clean, known.attacked or known.transfer, known.by_margin or known.margin_bound
    return [(card.value, card.n) for card in cards if card is not None]
