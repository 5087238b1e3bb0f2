"""The bundle whose pool the points of `evaluate --into` join: checked before the attack, written after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from torch import nn

    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.manifest import ThreatModel
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.export.config import MixConfig
    from mnuts_core.pipeline.verified import Verified

PATIENCE = 60.0
"""Seconds to wait for another command that is writing the same bundle."""


class PoolFile:
    """A bundle's file, and where it goes with more points.

    Args:
        source: The bundle's path.
        target: Where to write.
        bundle: What the file holds.

    Attributes:
        added: How many points have joined.
    """

    def __init__(self, source: Path, target: Path, bundle: LogitBundle) -> None:
        self.source, self.target, self.bundle = source, target, bundle
        self.added = 0

    @classmethod
    def of(cls, name_or_path: str, target: Path | None) -> PoolFile:
        """The bundle that `--into` means.

        Args:
            name_or_path: Name or path of a bundle.
            target: `--out-bundle`; in place if None.

        Raises:
            BundleError: If there is none, it is broken, or it has no attacked part or no room for more.
        """
        from mnuts_core.bundles.bundle import LogitBundle
        from mnuts_core.bundles.library import find_bundle

        source = find_bundle(name_or_path)
        bundle = LogitBundle.load(source)
        bundle.require_attacked()
        bundle.require_room()
        return cls(source, target or source, bundle)

    def check(self, config: MixConfig, name: str, threat: ThreatModel) -> None:
        """Check that a configuration is one of this bundle, and that the attack keeps to its threat model.

        Args:
            config: The configuration.
            name: How to call it in messages.
            threat: What the attack may do.

        Raises:
            MnutsError: If not.
        """
        from mnuts_core.export.belonging import Identity
        from mnuts_core.pipeline.verified_points import check_threat

        Identity(self.bundle).check(config, name)
        check_threat(self.bundle, threat.norm, threat.eps)

    def check_images(
        self, models: tuple[nn.Module, nn.Module], data: LoadedData, device: str, batch_size: int
    ) -> None:
        """Check that models and images are the bundle's, and that some of these images are attacked in it.

        Raises:
            MnutsError: If not.
        """
        import numpy as np

        from mnuts_core.pipeline.same_images import check_same_images

        n, bundle = len(data.labels), self.bundle
        if n > bundle.n_clean:
            raise MnutsError(
                f"--data must be the images of bundle {bundle.name!r}, which has {bundle.n_clean:,}, "
                f"got {n:,}: give them, and --n {bundle.n_clean} or fewer"
            )
        first = int(bundle.require_attacked().index.min())
        if first >= n:
            raise MnutsError(
                f"none of the first {n:,} images is among the attacked ones of bundle {bundle.name!r}: "
                f"give --n of more than {first}"
            )
        check_same_images(
            bundle, models, data.images, data.labels, np.arange(n), batch_size=batch_size, device=device
        )

    def add(self, verified: Verified, config: MixConfig) -> MixConfig:
        """Write the bundle with the points; the configuration with its figures on that.

        The file is read again, so that points which another command has added meanwhile are kept.

        Args:
            verified: What was found on the bundle's first clean rows.
            config: The configuration with its verification.

        Raises:
            MnutsError: If the bundle cannot be read or written.
        """
        import numpy as np

        from mnuts_core.bundles.bundle import LogitBundle
        from mnuts_core.export.belonging import belongs
        from mnuts_core.pipeline.locks import held
        from mnuts_core.pipeline.verified_points import add_verified, on_bundle, points_from_last, points_of
        from mnuts_core.pipeline.workfolder import work_folder_of
        from mnuts_core.remix.engine import RemixEngine

        with held(work_folder_of(self.target), patience=PATIENCE):
            now = LogitBundle.load(self.source)
            if not np.array_equal(now.clean_std_logits, self.bundle.clean_std_logits):
                raise MnutsError(
                    f"{self.source} was replaced by another bundle during the attack: run it again"
                )
            bundle = add_verified(now, config, points_of(verified, np.arange(len(verified.labels))))
            bundle.save(self.target)
        self.added = 0 if bundle is now else points_from_last(bundle)
        own = belongs(config, bundle)
        return on_bundle(config, RemixEngine(bundle, device="cpu")) if own else config
