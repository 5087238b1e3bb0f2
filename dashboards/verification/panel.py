"""The page's verification: its controls, and the run in the background."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import ipywidgets as w

from mnuts_core.attacks.plan import STANDARD_STEPS
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.export.config import MixConfig
from mnuts_core.remix.engine import RemixEngine
from mnuts_dashboards.bundles.verified import VerifiedMixes
from mnuts_dashboards.text import cards, messages, numbers
from mnuts_dashboards.verification.run import (
    IMAGES_VARIABLE,
    Outcome,
    Request,
    Verification,
    command,
    plan_for,
    why_not,
)
from mnuts_dashboards.widgets.background import Cancelled, Job
from mnuts_dashboards.widgets.inputs import LABEL, WIDE, button
from mnuts_dashboards.widgets.visit import shared

DEFAULT_N = 100


class Verifier(w.VBox):
    """Controls of the verification, with the results at hand.

    Attributes:
        results: The open bundle's.

    Args:
        config: Gives the current configuration.
        join: Called with the bundle that holds the points of a verification and with its result; shows that
            bundle, and gives its engine.
        changed: Called when there is a result, or another bundle.
        refuse: Called with what went wrong.
    """

    def __init__(
        self,
        config: Callable[[], MixConfig],
        join: Callable[[LogitBundle, MixConfig], RemixEngine],
        changed: Callable[[], None],
        refuse: Callable[[str], None],
    ) -> None:
        self._config, self._join, self._changed, self._refuse = config, join, changed, refuse
        self._before = 0  # places in the line before this one, as they are shown
        self._bundle: LogitBundle | None = None
        self._engine: RemixEngine | None = None
        self._job: Job[Outcome] | None = None
        self._run: Verification | None = None
        self._reason: str | None = "there is no bundle"
        self.results = VerifiedMixes()
        style = {"description_width": LABEL}
        self.n = w.BoundedIntText(
            value=DEFAULT_N, min=1, description="images", layout=WIDE, style=style, tooltip="How many"
        )
        self.steps = w.BoundedIntText(
            value=STANDARD_STEPS, min=1, max=STANDARD_STEPS, description="steps", layout=WIDE, style=style,
            tooltip="Of APGD and FAB; 100 as in AutoAttack, fewer are weaker",
        )  # fmt: skip
        self.data = w.Text(
            value=os.environ.get(IMAGES_VARIABLE, ""),
            placeholder="cifar10-jpeg:/path/to/folder",
            description="images from",
            tooltip="Data spec of the images that the bundle was built from",
            continuous_update=False,
            layout=WIDE,
            style=style,
        )
        self.start = button("Verify this mix", "Attack it adaptively (B.2.1); takes a minute or more")
        self.cancel = button("Cancel", "Stop the attack")
        self.progress = w.FloatProgress(min=0, max=1, layout={"width": "auto"})
        self.status = w.HTML()
        self.start.on_click(self._on_start)
        self.cancel.on_click(self._on_cancel)
        super().__init__([self.n, self.steps, self.data, self.start, self.progress, self.cancel, self.status])
        self._show_running(False)

    @property
    def running(self) -> bool:
        """Whether an attack is under way."""
        return self._job is not None

    def use(self, engine: RemixEngine, configs: Iterable[MixConfig] = (), *, trusted: bool) -> None:
        """Take another bundle; results of the last one are forgotten, a run is cancelled.

        Args:
            engine: The engine of the bundle.
            configs: Configurations that are at hand for it, perhaps verified.
            trusted: Whether it lies on this machine, see `run.why_not`.
        """
        self._on_cancel()
        bundle = engine.bundle
        self._engine, self._bundle, self.results = engine, bundle, VerifiedMixes(bundle, configs)
        self._reason = reason = why_not(bundle, trusted=trusted)
        for control in (self.n, self.steps, self.start, self.data):
            control.disabled = reason is not None
        self.n.max = max(1, bundle.n_adv)
        self.n.value = min(DEFAULT_N, self.n.max)
        self.data.layout.display = "none" if bundle.clean_images is not None or shared() else None
        self.status.value = (
            "" if reason is None else messages.remark_html(f"Verification is not available here: {reason}.")
        )

    def _on_start(self, _: object) -> None:
        # A page can send a click of a button that it shows as disabled, and numbers beyond a box's ends.
        if self._bundle is None or self._reason is not None or self.running:
            return
        try:
            config = self._config()
        except MnutsError as error:
            self._refuse(str(error))
            return
        data = None if self._bundle.clean_images is not None else self._images()
        if data == "":
            self._refuse(
                "This bundle contains no images, and this server was started without --images."
                if shared()
                else "This bundle contains no images. Enter where they are, "
                "e.g. cifar10-jpeg:/path/to/folder."
            )
            return
        n = max(1, min(self.n.value, self._bundle.n_adv))
        plan = plan_for(self._bundle, max(1, min(self.steps.value, STANDARD_STEPS)))
        request = Request(config, self._bundle, n, plan, data)
        self._run = Verification(request)
        self._show_running(True)
        self._before = 0
        self.status.value = messages.remark_html(self._attacking(request))
        self._job = Job(
            self._run.work, done=self._on_done, failed=self._on_failed, progress=self._on_progress, alone=True
        )
        self._job.start()

    def _images(self) -> str:
        """The data spec of the images; on a server that others visit, what it was started with alone."""
        return os.environ.get(IMAGES_VARIABLE, "") if shared() else self.data.value.strip()

    def _on_progress(self, share: float) -> None:
        self.progress.value = share
        run = self._run
        if run is None or run.before == self._before:
            return
        self._before = run.before
        self.status.value = messages.remark_html(
            self._attacking(run.request) if not run.before else waiting(run.before)
        )

    def _attacking(self, request: Request) -> str:
        settings = numbers.settings_text(request.config.params)
        return f"Attacking {request.n} images at {settings} … You can keep exploring meanwhile."

    def _on_done(self, outcome: Outcome) -> None:
        run, config = self._run, outcome.config
        self._end()
        if run is None or run.request.bundle is not self._bundle:
            return
        self.results.take(config)
        self._engine = engine = self._join(outcome.bundle, config)
        self._bundle, self.results = engine.bundle, self.results.on(engine)
        self.status.value = cards.verified_html(config, command(run.request), self._beside(config))
        self._changed()

    def _beside(self, config: MixConfig) -> str:
        """The estimates on the very images that were attacked."""
        card, engine = config.verified, self._engine
        if card is None or engine is None:
            return ""
        n, remix = card.accuracy.n, engine.remix(config.params)
        images, right = remix.on_images, engine.rob_right_on_images
        if images is None or right is None:
            return ""
        held, attacked = images.held(remix.threshold)[:n].mean(), images.mix_right[:n].mean()
        robust = right[:n].mean()
        figures = f"attacked {100 * attacked:.1f} %, right by margin {100 * held:.1f} %"
        return f"on the same images: {figures}, robust model under its own attack {100 * robust:.1f} %"

    def _on_failed(self, error: Exception) -> None:
        self._end()
        if isinstance(error, Cancelled):
            self.status.value = messages.remark_html("Cancelled: nothing was verified.")
            return
        self.status.value = ""
        reason = str(error) if isinstance(error, MnutsError) else f"something went wrong: {error}"
        self._refuse(f"Verification: {reason}")

    def _on_cancel(self, _: object = None) -> None:
        if self._run is not None:
            self._run.cancel()
        if self._job is not None:
            self._job.cancel()

    def _end(self) -> None:
        self._job = self._run = None
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        self.progress.value = 0.0
        self.start.disabled = running or (self._bundle is not None and self.n.disabled)
        for shown in (self.progress, self.cancel):
            shown.layout.display = None if running else "none"

    def close(self) -> None:
        """End a run with the widget."""
        self._on_cancel()
        super().close()


def waiting(before: int) -> str:
    """What stands there while others are attacked first."""
    others = "1 verification" if before == 1 else f"{before} verifications"
    return f"Waiting: {others} of other visitors before yours. Keep exploring; Cancel gives up your place."
