"""*Preset*: the grid's best, configurations made on the open bundle, and the paper's transforms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w

from mnuts_core.export.config import MixConfig
from mnuts_dashboards.bundles.configs import label_of
from mnuts_dashboards.explorer.state import PRESETS, TRANSFORM, ExplorerState
from mnuts_dashboards.widgets.inputs import LABEL, WIDE

NO_PRESET = "choose …"
BEST = "Best of the grid for this β"


class Presets(w.Dropdown):
    """The choice; it names what is in force, where that has a name.

    Args:
        state: What the paper's transforms are put into.
        best: Called when the grid's best is asked for.
        take: Takes the file of a configuration, as if the visitor had brought it.
    """

    def __init__(self, state: ExplorerState, best: Callable[[], None], take: Callable[[Path], None]) -> None:
        self._state, self._best, self._take = state, best, take
        self._configs: dict[str, tuple[Path, MixConfig]] = {}
        self._naming = False
        super().__init__(
            options=[NO_PRESET, BEST, *PRESETS],
            description="Preset",
            tooltip="A whole mix that was chosen for this bundle, or a transform: the paper's, or none",
            style={"description_width": LABEL},
            layout=WIDE,
        )
        self.observe(self._chosen, names="value")
        state.observe(self._show, names=list(ExplorerState.MIX_TRAITS))
        self._show()

    def offer(self, configs: Sequence[tuple[Path, MixConfig]]) -> None:
        """Offer configurations that were made on the bundle that is open now.

        Args:
            configs: Their files and what these hold, as `mnuts_core.export.config.configs_of` gives them.
        """
        self._configs = {}
        for path, config in configs:
            label = label_of(path, config)
            self._configs[label if label not in self._configs else f"{label}, {path.stem}"] = path, config
        self._naming = True  # a dropdown first falls back to its first option
        self.options = [NO_PRESET, BEST, *self._configs, *PRESETS]
        self._show()

    def _chosen(self, change: Mapping[str, Any]) -> None:
        name = change["new"]
        if self._naming or name == NO_PRESET:
            return
        if name == BEST:
            self._best()
            return
        if name in self._configs:
            self._take(self._configs[name][0])
        else:
            self._state.take(PRESETS[name], level=name.startswith("Paper"))
        self._show()  # a file may have been refused

    def _show(self, _: object = None) -> None:
        """Name what is in force: a configuration by its α or β too, others by the transform alone."""
        state = self._state
        here = [getattr(state, name) for name in TRANSFORM]
        names = [name for name, (_, config) in self._configs.items() if _in_force(state, config)]
        names += [n for n, preset in PRESETS.items() if [getattr(preset, name) for name in TRANSFORM] == here]
        self._naming = True
        self.value = names[0] if names else NO_PRESET
        self._naming = False


def _in_force(state: ExplorerState, config: MixConfig) -> bool:
    same = all(getattr(state, name) == getattr(config.transform, name) for name in TRANSFORM)
    level = state.alpha == config.alpha if state.by_hand else state.beta == config.beta
    return same and level and state.temperature == config.temperature
