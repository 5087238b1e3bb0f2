"""The bundles of a page: opened in a thread, each with its configurations and what was verified on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnuts_core.attacks.plan import STANDARD_STEPS
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.export.belonging import configs_of
from mnuts_core.export.config import MixConfig
from mnuts_core.pipeline.verified_points import on_bundle
from mnuts_dashboards.bundles.open_bundles import Opened, Session, renewed
from mnuts_dashboards.bundles.verified import VerifiedMixes, key_of
from mnuts_dashboards.page.data import engine_record, images_record, page_meta
from mnuts_dashboards.plotlyjs.library import plotly_source
from mnuts_dashboards.services.calls import Call
from mnuts_dashboards.services.receipts import add_receipts
from mnuts_dashboards.verification.run import IMAGES_VARIABLE, why_not
from mnuts_dashboards.widgets.visit import shared

HERE = "verified here"
"""What a configuration is called that was verified on the page, or brought to it."""
Configs = list[tuple[Path, MixConfig]]


class Bundles:
    """The bundles at hand; the first sound one is open.

    Args:
        *files: Bundle files to offer beside the shipped ones.

    Attributes:
        session: The bundles themselves.
        first: Name of the one to open.

    Raises:
        BundleError: If none can be opened.
    """

    def __init__(self, *files: str | os.PathLike[str]) -> None:
        self.session = Session(*files)
        self._configs: dict[str, Configs] = {}
        refused: list[str] = []
        for name in self.session.names:
            try:
                self.session.open(name)
            except MnutsError as error:
                refused.append(str(error))
            else:
                self.first = name
                return
        raise BundleError(" ".join(refused))

    @property
    def services(self) -> dict[str, Callable[[Call], None]]:
        """What every page asks of its kernel: whether it is there, Plotly, a bundle."""
        return {
            "here": Call.answer,
            "library": lambda call: call.answer(plotly_source()),
            "open": self.serve_open,
        }

    @property
    def offered(self) -> list[dict[str, str]]:
        """Their names, as a page takes them."""
        return [{"name": name, "title": name} for name in self.session.names]

    def opened(self, name: str) -> Opened:
        """The open bundle of a name.

        Raises:
            BundleError: If there is none, or it is broken.
        """
        return self.session.open(name)

    def configs(self, name: str) -> Configs:
        """The configurations at hand for a bundle, with their files."""
        if name not in self._configs:
            self._configs[name] = configs_of(self.opened(name).bundle)
        return self._configs[name]

    def results(self, name: str) -> VerifiedMixes:
        """What adaptive attacks have left of mixes on a bundle."""
        return VerifiedMixes(self.opened(name).bundle, [config for _, config in self.configs(name)])

    def take(self, name: str, config: MixConfig) -> None:
        """Keep a configuration of a bundle, in the place of an earlier one of the same mix."""
        key = key_of(config.params)
        others = [each for each in self.configs(name) if key_of(each[1].params) != key]
        number = 1 + sum(path.name.startswith(HERE) for path, _ in others)
        self._configs[name] = [*others, (Path(f"{HERE} {number}.json"), config)]

    def keep(self, name: str, config: MixConfig) -> None:
        """Keep a configuration that was brought, if it was verified on this bundle."""
        here = self.opened(name).bundle.digest
        if config.verified is not None and config.bundle is not None and config.bundle.digest == here:
            self.take(name, config)

    def serve_keep(self, call: Call, name: str) -> None:
        """Keep a configuration whose `text` the page has read: it belongs into reports and exports."""
        self.keep(name, MixConfig.from_json(str(call.args.get("text"))))
        call.answer()

    def renew(self, name: str, bundle: LogitBundle, config: MixConfig) -> None:
        """Have a bundle with the points of a verification in its place; all results stay.

        Args:
            name: The bundle's name.
            bundle: The same bundle with more points.
            config: The configuration whose verification found them.
        """
        self.take(name, config)
        before, opened = self.configs(name), renewed(self.opened(name), bundle)
        self.session.replace(name, opened)
        self._configs[name] = [(path, on_bundle(config, opened.engine)) for path, config in before]

    def record(self, name: str) -> dict[str, Any]:
        """An open bundle as the page's engine takes it, and what the page says of it."""
        bundle = self.opened(name).bundle
        meta = page_meta(bundle, self.configs(name), name=name)
        meta["attack"] = self._attack(name)
        return {"record": engine_record(bundle), "meta": meta, "images": images_record(bundle)}

    def _attack(self, name: str) -> dict[str, Any]:
        """Whether a mix on a bundle can be attacked from the page, and what the page has to ask for."""
        bundle = self.opened(name).bundle
        asks = bundle.clean_images is None and not shared()
        return {
            "reason": why_not(bundle, trusted=self.session.trusted(name)),
            "n": bundle.n_adv,
            "steps": STANDARD_STEPS,
            "images": os.environ.get(IMAGES_VARIABLE, "") if asks else None,
        }

    def serve_open(self, call: Call) -> None:
        """Open a bundle; points that the page has kept from a verification join it once more."""
        name, receipts = call.args.get("name"), call.args.get("receipts")
        if not isinstance(name, str) or name not in self.session.names:
            raise BundleError(f"there is no such bundle: there are {', '.join(self.session.names)}")
        known = self.session.open(name) if self.session.is_open(name) else None

        def done(opened: Opened) -> dict[str, Any]:
            if known is None:
                self.session.keep(name, opened)
            for bundle, config in add_receipts(opened.bundle, receipts, call.buffers):
                self.renew(name, bundle, config)
            return self.record(name)

        call.work(lambda _: known or self.session.load(name), done)
