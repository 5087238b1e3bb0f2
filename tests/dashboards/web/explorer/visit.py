"""A whole app in node, without drawing: what a visitor does, and what there is to see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.page_file import explorer_app
from mnuts_dashboards.page.data import embedded, engine_record, page_meta
from mnuts_dashboards.page.one_file import App
from tests.dashboards.web.node import Ask
from tests.synthetic import verified_by

DRIVER = Path(__file__).with_name("visit.mjs")
Configs = Iterable[tuple[Path, MixConfig]]


def opened(name: str, bundle: LogitBundle, configs: Configs = ()) -> dict[str, Any]:
    """A bundle as the page's host gives it."""
    return {
        "name": name,
        "record": embedded(engine_record(bundle)),
        "meta": page_meta(bundle, list(configs), name=name),
        "images": None,
    }


def verified(engine: RemixEngine, params: MixParams, n: int = 20) -> MixConfig:
    """A configuration of a mix with what an attack on it would have left, had it found the first points."""
    part, config = engine.bundle.require_attacked(), MixConfig.from_remix(engine, params)
    labels = engine.bundle.clean_labels[part.index[:n]]
    return verified_by(config.params, labels, part.std_logits[:n], part.rob_logits[:n]).into(config)


class Visit:
    """A page that is open; each act is followed by rest, until nothing is left to be done.

    Acts are functions of `visit.mjs`: `visit.press("Undo")`.
    """

    def __init__(self, ask: Ask, app: App | None = None) -> None:
        self._ask = ask
        self._page = (app or explorer_app()).record([]) | {"paper": []}

    def open(self, *bundles: Mapping[str, Any], query: str = "", slow: Iterable[str] = ()) -> Visit:
        """Open the page anew.

        Args:
            *bundles: What `opened` gave; the first is opened.
            query: Of its address.
            slow: Names of bundles that do not come until `comes`.
        """
        request = {"page": self._page, "bundles": bundles, "query": query, "slow": list(slow)}
        self.do(["start", request])
        return self

    def do(self, *acts: list[Any]) -> list[Any]:
        """Answers to acts, one after the other."""
        found = self._ask(acts)
        assert "error" not in found, found["error"]
        return found["answers"]

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self.do([name, *given])[0]

    @property
    def seen(self) -> dict[str, Any]:
        """What there is to see."""
        return self.do(["look"])[0]

    @property
    def state(self) -> dict[str, Any]:
        """The state of the page."""
        return self.seen["state"]

    @property
    def params(self) -> MixParams:
        """The mix that it shows."""
        return params_of(self.state)

    @property
    def address(self) -> str:
        """The query in the address."""
        return self.seen["address"]

    @property
    def errors(self) -> list[str]:
        """What the banner lists."""
        return self.seen["errors"]


class Visitor:
    """A visitor of one app: acts of `visit.mjs`, and what there is to see.

    Attributes:
        look: The act that tells what there is to see of the app.
    """

    look: str

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def __getattr__(self, name: str) -> Any:
        return getattr(self.visit, name)

    @property
    def sees(self) -> dict[str, Any]:
        """What there is to see."""
        return self.visit.do([self.look])[0]


def params_of(state: Mapping[str, Any]) -> MixParams:
    """The mix of a page's state."""
    names = (*PARAMS, "clamp", "ln_k")
    values = {name: state[name] for name in names}
    return MixParams(**values | {"alpha": state["alpha"] if state["by_hand"] else None})
