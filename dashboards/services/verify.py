"""Verification for a page: one adaptive attack at a time, whose points join the open bundle."""

from __future__ import annotations

import os
from typing import Any

from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.params import STANDARD_STEPS, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.explorer.view import mix_json
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import Call
from mnuts_dashboards.services.receipts import receipt_of
from mnuts_dashboards.verification.available import IMAGES_VARIABLE, why_not
from mnuts_dashboards.verification.run import Outcome, Request, Verification, command, plan_for
from mnuts_dashboards.widgets.background import Job
from mnuts_dashboards.widgets.visit import shared

MAX_SPEC = 1000
"""Characters of a data spec."""


class Verifier:
    """Attacks mixes; a second attack waits until the first has ended.

    Args:
        bundles: The page's bundles, which take the points.
    """

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles
        self._run: Verification | None = None
        self._job: Job[Outcome] | None = None

    def start(self, call: Call, name: str, params: MixParams) -> None:
        """Attack a mix; then the bundle has its points, and the answer says what to show and to keep of it.

        Args:
            call: `n`, `steps` and, where the bundle holds no images, `images` are what the page wants; a page
                can send what its controls do not offer.
            name: The bundle's name.
            params: The mix.

        Raises:
            MnutsError: If it cannot be attacked here, or an attack is under way.
        """
        if self._run is not None and self._job is not None and not self._job.ended:
            raise MnutsError("an attack is under way: wait for it, or cancel it")
        request = self._request(call, name, params)
        self._run = run = Verification(request)
        self._job = call.work(
            run.work,
            lambda outcome: self._join(name, request, outcome),
            progress=lambda share: call.progress(share=share, before=run.before, right=run.right),
            alone=True,
        )

    def serve_cancel(self, call: Call) -> None:
        """End the attack that runs, if any."""
        self.cancel()
        call.answer()

    def cancel(self) -> None:
        """End the attack that runs, if any."""
        if self._run is not None:
            self._run.cancel()
        if self._job is not None:
            self._job.cancel()

    def _request(self, call: Call, name: str, params: MixParams) -> Request:
        opened = self._bundles.opened(name)
        bundle = opened.bundle
        if reason := why_not(bundle, trusted=self._bundles.session.trusted(name)):
            raise MnutsError(f"verification is not available here: {reason}")
        n, steps = (
            _whole(call.args.get(key), most) for key, most in (("n", bundle.n_adv), ("steps", STANDARD_STEPS))
        )
        data = None if bundle.clean_images is not None else _images(call.args.get("images"))
        config = MixConfig.from_remix(opened.engine, params)
        return Request(config, bundle, n, plan_for(bundle, steps), data)

    def _join(self, name: str, request: Request, outcome: Outcome) -> dict[str, Any]:
        receipt = receipt_of(request.bundle, outcome)
        if self._bundles.opened(name).bundle is not request.bundle:
            raise MnutsError("the bundle has other points by now: verify again")
        self._bundles.renew(name, outcome.bundle, outcome.config)
        engine = self._bundles.opened(name).engine
        return {
            "name": name,
            "verified": mix_json(outcome.config.params),
            "settings": mix_json(settings_of(engine, outcome.config)),
            "beside": _beside(engine, outcome.config),
            "command": command(request),
            "receipt": receipt,
        }


def _beside(engine: RemixEngine, config: MixConfig) -> dict[str, float] | None:
    """What is known of the very images that were attacked, as shares of them."""
    remix, robust = engine.remix(config.params), engine.rob_right_on_images
    if config.verified is None or remix.on_images is None or robust is None:
        return None
    n, images = config.verified.accuracy.n, remix.on_images
    right = {"attacked": images.mix_right, "by_margin": images.held(remix.threshold), "robust": robust}
    return {name: float(part[:n].mean()) for name, part in right.items()}


def _whole(value: object, most: int) -> int:
    """A number that a page sent, within its bounds."""
    return max(1, min(value, most)) if type(value) is int else most


def _images(given: object) -> str:
    """The data spec of the images; on a server that others visit, what it was started with alone."""
    if shared():
        spec = os.environ.get(IMAGES_VARIABLE, "")
    else:
        spec = given.strip()[:MAX_SPEC] if isinstance(given, str) else ""
    if spec:
        return spec
    if shared():
        raise MnutsError("this bundle contains no images, and this server was started without --images")
    raise MnutsError(
        "this bundle contains no images: enter where they are, e.g. cifar10-jpeg:/path/to/folder"
    )
