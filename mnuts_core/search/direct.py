"""Direct search: the paper's problem (2) itself, on the pool of attacked points.

Of all cells of a grid and all α: the highest attacked accuracy at a clean accuracy of at least x, or the
highest clean accuracy at an attacked accuracy of at least y. Attacked means right at the clean image and at
every attacked point, as `RemixEngine.remix(...).attacked` counts it, at T = 0. Sorted switches give both
accuracies of a cell at every α at once (`mnuts_core.search.switches`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.clamps import Clamp, check_clamp
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.errors import ParameterError
from mnuts_core.params import IDENTITY, LN_K_DEFAULT, check_ln_k
from mnuts_core.remix.engine import MAX_ACCURACY_LOSS
from mnuts_core.search.direct_result import DirectSearch
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import CleanRows, check_loss
from mnuts_core.search.stretches import Front, stretches_of
from mnuts_core.search.switches import Seen, Switches


def direct_search(
    bundle: LogitBundle,
    grid: GridSpec,
    *,
    clamp: Clamp = "gelu",
    ln_k: int = LN_K_DEFAULT,
    clean: CleanRows = "attacked",
    max_accuracy_loss: float | None = MAX_ACCURACY_LOSS,
    device: str | torch.device = "auto",
    progress: Callable[[float], None] | None = None,
) -> DirectSearch:
    """Clean and attacked accuracy of every cell at every α, at T = 0, for choices and the frontier.

    Args:
        bundle: Cached logits, with an attacked part.
        grid: The candidates.
        clamp: Clamping function.
        ln_k: Layer norm over the ln_k largest logits.
        clean: `attacked` sees the clean logits of the attacked rows and leaves the others unseen; `all` sees
            every clean row.
        max_accuracy_loss: Leave out cells in which M costs the robust model more than this share of its
            accuracy, clean or attacked; None for no such limit.
        device: Where to compute.
        progress: Called with the share done, in (0, 1].

    Raises:
        BundleError: If the bundle has no attacked part.
        ParameterError: If a parameter is wrong, or no α of any cell is safely inside [1/2, 1].
    """
    check_clamp(clamp), check_ln_k(ln_k)
    check_loss(max_accuracy_loss)
    if not isinstance(grid, GridSpec):
        raise ParameterError(f"grid must be a GridSpec, such as GridSpec.paper('cifar10'), got {grid!r}")
    seen = Seen.select(bundle, clean)
    switches = Switches(seen, grid, clamp, ln_k, home_of(resolve_device(device)), progress)
    limit = np.inf if max_accuracy_loss is None else max_accuracy_loss + 1e-12
    allowed = switches.changes.loss <= limit
    notes: tuple[str, ...] = ()
    left_out = len(grid.s) * int((~allowed).sum())
    if not allowed.any():
        allowed, left_out = np.ones_like(allowed), 0
        notes = ("no cell meets max_accuracy_loss: all were compared, which may cost accuracy",)
    elif left_out:
        notes = (
            f"{left_out} of {grid.size} cells excluded: there M lowers the robust model's accuracy by "
            f"more than {100 * (max_accuracy_loss or 0):g} points",
        )
    front = Front(seen.n_clean, seen.n_images)
    for ends in switches.ends():
        front.add(stretches_of(ends, grid, allowed[:, ends.c]))
    return DirectSearch(
        grid=grid,
        clamp=clamp,
        ln_k=ln_k,
        clean=clean,
        max_accuracy_loss=max_accuracy_loss,
        n_clean=seen.n_clean,
        n_attacked=seen.n_images,
        n_mixes=front.n_mixes,
        left_out=left_out,
        mixes=front.mixes(),
        optimistic=bundle.manifest.optimistic,
        notes=notes,
    )


def direct_plain(bundle: LogitBundle, clean: CleanRows = "attacked") -> DirectSearch:
    """The same for the plain mix, which has no parameter but α.

    Args:
        bundle: Cached logits, with an attacked part.
        clean: See `direct_search`.
    """
    s, p, c = (np.array([value]) for value in (IDENTITY.s, IDENTITY.p, IDENTITY.c))
    grid = GridSpec(s=s, p=p, c=c, name="plain mix")
    return direct_search(
        bundle, grid, clamp=IDENTITY.clamp, ln_k=IDENTITY.ln_k, clean=clean, max_accuracy_loss=None
    )
