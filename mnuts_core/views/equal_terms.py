"""Pools of several bundles on equal terms: points of those kinds of sources alone that all of them have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.pool import sources_of
from mnuts_core.views.sources import Kind, kinds


def shared_kinds(bundles: Mapping[str, LogitBundle]) -> frozenset[Kind]:
    """The kinds of sources that all bundles with an attacked part have; `first` always is one.

    Args:
        bundles: The bundles by name.
    """
    of_each = [set(kinds(bundle.manifest)) for bundle in bundles.values() if bundle.n_adv]
    return frozenset(set.intersection(*of_each) if of_each else {"first"})


def with_kinds(bundle: LogitBundle, kept: Collection[Kind]) -> LogitBundle:
    """A bundle with the points of some kinds of sources alone.

    Args:
        bundle: The bundle.
        kept: The kinds; each image keeps its first point in any case.
    """
    part, cards = bundle.attacked, bundle.manifest.sources
    stays = np.array([kind == "first" or kind in kept for kind in kinds(bundle.manifest)])
    if part is None or stays.all():
        return bundle
    fewer = part.rows(stays[sources_of(part)])
    renumbered = replace(fewer, source=(np.cumsum(stays) - 1)[sources_of(fewer)])
    attacks = tuple(card for card, stay in zip(cards, stays, strict=True) if stay)
    manifest = bundle.manifest.model_copy(update={"attacks": attacks})
    return replace(bundle, attacked=renumbered, manifest=manifest)


def on_equal_terms(bundles: Mapping[str, LogitBundle]) -> dict[str, LogitBundle]:
    """The bundles with points of those kinds of sources alone that all of them have.

    Args:
        bundles: The bundles by name.
    """
    shared = shared_kinds(bundles)
    return {name: with_kinds(bundle, shared) for name, bundle in bundles.items()}
