"""Whether mixes of a bundle can be attacked from the page: what is said before anybody asks for an attack."""

from __future__ import annotations

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import BundleError
from mnuts_core.text import one_line

DIGITS_SPECS = ("demo:digits/std", "demo:digits/rob")
DEMO_SPECS = (*DIGITS_SPECS, "demo:cifar10/std", "demo:cifar10/rob")
"""The shipped models: these very specs, and none that only begin so."""
IMAGES_VARIABLE = "MNUTS_IMAGES"
"""The environment variable with the data spec of the images behind the bundle (`dashboard --images`)."""
NO_THREAT = "the bundle names no threat model"


def why_not(bundle: LogitBundle, *, trusted: bool = True) -> str | None:
    """Why a bundle's mixes cannot be attacked from the page; None if they can.

    Args:
        bundle: The bundle.
        trusted: Whether it lies on this machine; an uploaded one may name the shipped models alone, since
            loading another spec may run code.
    """
    manifest = bundle.manifest
    if manifest.threat is None:
        return NO_THREAT
    if not bundle.n_adv:
        return "the bundle has no attacked part to compare with"
    try:
        bundle.require_room()
    except BundleError as full:
        return str(full)
    for spec in (manifest.std_model.spec, manifest.rob_model.spec):
        family = spec.partition(":")[0]
        at_hand = spec in DEMO_SPECS or (trusted and family in ("timm", "torchvision") and "@" in spec)
        if not at_hand:
            return (
                f"the model {one_line(spec, 100)} is not at hand here: export the JSON and run mnuts evaluate"
            )
    return None
