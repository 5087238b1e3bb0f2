"""What a page needs to know, as plain records: a bundle's arrays, what it says of itself, the settings."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as tr
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.leaderboard import not_comparable
from mnuts_core.bundles.logit_warnings import logit_warnings
from mnuts_core.bundles.paper import paper_rows
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import ParamSpec
from mnuts_core.remix.certified import reference_threat
from mnuts_core.search.grids import PAPER_RANGES, GridSpec
from mnuts_core.text import visible
from mnuts_core.views.found_by import found_by
from mnuts_core.views.sources import kinds, sources
from mnuts_dashboards.bundles.configs import label_of
from mnuts_dashboards.bundles.verified import VerifiedMixes
from mnuts_dashboards.widgets.settings import Line, Setting, Whole
from mnuts_dashboards.widgets.settings import settings_of as declared_of

_CODES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1"}
MOST_PIXELS = 2**20
"""Bytes of images that a page carries at most; larger ones are left out."""


def engine_record(bundle: LogitBundle) -> dict[str, Any]:
    """A bundle as the page's engine takes it, see `Bundle` in `web/engine/engine.js`; arrays as NumPy's.

    Args:
        bundle: The bundle; logits keep their precision, so that figures are those of Python.
    """
    part = bundle.attacked
    attacked = part and {
        "index": part.index.astype(np.int32),
        "images": part.n_images,
        "source": np.zeros(len(part), np.int32) if part.source is None else part.source.astype(np.int32),
        "sources": [str(card) for card in bundle.manifest.sources],
        "std": _flat(part.std_logits),
        "rob": _flat(part.rob_logits),
    }
    return {
        "name": bundle.name,
        "classes": list(bundle.manifest.classes),
        "labels": bundle.clean_labels.astype(np.int32),
        "std": _flat(bundle.clean_std_logits),
        "rob": _flat(bundle.clean_rob_logits),
        "attacked": attacked,
        "certificate": _certificate(bundle),
        "optimistic": bundle.manifest.optimistic,
        "std_attacked": bundle.manifest.std_attacked,
        "warnings": [str(warning) for warning in logit_warnings(bundle)],
    }


def _certificate(bundle: LogitBundle) -> dict[str, Any] | None:
    """What is certified of h, with the radius that the page looks at; None where nothing is."""
    card = bundle.manifest.certificate
    if card is None:
        return None
    threat, of_threat = reference_threat(bundle, card)
    words = {"within": str(threat), "basis": str(card)}
    return {
        **card.model_dump(),
        **{"radius": threat.eps, "of_threat": of_threat, **words},
        "radii": bundle.clean_certified_radius,
    }


def images_record(bundle: LogitBundle) -> dict[str, Any] | None:
    """A bundle's clean images as bytes with their shape; None if it has none, or too many for a page.

    Args:
        bundle: The bundle.
    """
    images = bundle.clean_images
    if images is None or images.nbytes > MOST_PIXELS:
        return None
    return {"shape": list(images.shape), "pixels": images.ravel()}


def page_meta(
    bundle: LogitBundle,
    configs: Sequence[tuple[Path, MixConfig]] = (),
    *,
    name: str | None = None,
) -> dict[str, Any]:
    """What a page says of a bundle, and the configurations that were made on it, as plain JSON.

    What takes the transform of all rows is not here: the page's engine adds it as it takes the bundle, see
    `web/app/open_bundle.js`.

    Args:
        bundle: The bundle.
        configs: Configurations of this very bundle, with their files.
        name: What the page calls the bundle in links; its own name if None.
    """
    card, first = bundle.manifest, found_by(bundle)
    found = zip(sources(bundle), kinds(card), strict=False)
    return {
        "name": visible(name or bundle.name),
        "digest": bundle.digest,
        "clean_digest": bundle.clean_digest,
        "title": bundle.name,
        "n_clean": bundle.n_clean,
        "n_adv": bundle.n_adv,
        "n_points": bundle.n_points,
        "by_level": _survives(bundle),  # whether α can follow from β
        "settled": None if bundle.attacked is None else int(bundle.attacked.settled.sum()),
        "classes": list(card.classes),
        "norm": card.threat and card.threat.norm,
        "eps": card.threat and card.threat.eps,
        "threat": card.threat and str(card.threat),
        "dataset": card.data.name,
        "split": card.data.split,
        "pixels": card.data.source,
        "incomparable": "; ".join(not_comparable(card.data, card.threat)),
        "models": {"std": card.std_model.spec, "rob": card.rob_model.spec},
        "created": card.created,
        "command": card.command,
        "found_by": first._asdict(),
        "sources": [{**source.to_json(), "text": str(source), "kind": kind} for source, kind in found],
        "optimistic": card.optimistic,
        "std_attacked": card.std_attacked,
        "warnings": [str(warning) for warning in logit_warnings(bundle)],
        "configs": [_config(bundle, path, config) for path, config in configs],
        "methods": methods_of(bundle),
        "grids": {grid: _axes(GridSpec.paper(grid)) for grid in PAPER_RANGES},
    }


def methods_of(bundle: LogitBundle) -> list[dict[str, Any]]:
    """Other methods on the same images: what they are called, their accuracies, and how to take these."""
    if bundle.clean_alpha is None:
        return []
    from mnuts_core.views.adaptive_alpha import (  # late for torch, which few bundles need here
        CAUTION,
        adaptive_row,
    )

    row = adaptive_row(bundle)
    assert row is not None  # it has its weights
    figures = {"clean": _estimate(row.clean), "attacked": row.attacked and _estimate(row.attacked)}
    return [{"key": row.key, "label": row.label, "caution": CAUTION, **figures}]


def settings(
    state: type[tr.HasTraits], others: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """The settings that are declared in a state, as plain JSON, in their order.

    Args:
        state: The class of the state.
        others: Fields of those settings of whose values the declaration says nothing.
    """
    default = state()
    return [
        _setting(name, setting, getattr(default, name)) | dict((others or {}).get(name, {}))
        for name, setting in declared_of(state).items()
    ]


def paper_points() -> list[dict[str, Any]]:
    """The models of Fig. 2, a record each: RobustBench's leaderboard, and the paper's own pairs."""
    return [{key: _cell(key, cell) for key, cell in row.items()} for row in paper_rows("fig02")]


def _cell(key: str, cell: str) -> str | float | None:
    if cell in ("", "N/A"):
        return None
    return float(cell) if key.endswith("_percent") else cell


def embedded(value: Any) -> Any:
    """A record as JSON: each array as `{"$array": TYPE, "data": BASE64}`, little-endian.

    Args:
        value: Mappings, lists, plain values, and arrays of float32, float64, int32 or uint8.

    Example:
        >>> embedded({"a": np.array([1.0], np.float32)})
        {'a': {'$array': 'f4', 'data': 'AACAPw=='}}
    """
    if isinstance(value, np.ndarray):
        code = _code(value)
        content = np.ascontiguousarray(value, _CODES[code]).tobytes()
        return {"$array": code, "data": base64.b64encode(content).decode("ascii")}
    if isinstance(value, Mapping):
        return {key: embedded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [embedded(one) for one in value]
    return value


def with_buffers(value: Any) -> tuple[Any, list[bytes]]:
    """A record as JSON and buffers: each array as `{"$array": TYPE, "at": NUMBER}`, little-endian.

    Args:
        value: As `embedded` takes it; bytes count as an array of them.

    Example:
        >>> with_buffers({"a": np.array([1.0], np.float32), "b": b"text"})[0]
        {'a': {'$array': 'f4', 'at': 0}, 'b': {'$array': 'u1', 'at': 1}}
    """
    buffers: list[bytes] = []

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            buffers.append(value)
            return {"$array": "u1", "at": len(buffers) - 1}
        if isinstance(value, np.ndarray):
            code = _code(value)
            buffers.append(np.ascontiguousarray(value, _CODES[code]).tobytes())
            return {"$array": code, "at": len(buffers) - 1}
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return plain(value), buffers


def _code(array: NDArray[Any]) -> str:
    return next(code for code, dtype in _CODES.items() if array.dtype == np.dtype(dtype))


def _flat(logits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return np.ascontiguousarray(logits).ravel()


def _axes(grid: GridSpec) -> dict[str, list[float]]:
    return {axis: values.tolist() for axis, values in grid.axes().items()}


def _survives(bundle: LogitBundle) -> bool:
    """Whether h gets an attacked image right at all of its points, the clean one too."""
    part = bundle.attacked
    if part is None:
        return False
    on_clean = bundle.clean_rob_logits.argmax(axis=1) == bundle.clean_labels
    broken = at_any_point(part.rob_logits.argmax(axis=1) != part.labels, part.of, part.n_images)
    return bool((on_clean[part.index[: part.n_images]] & ~broken).any())


def _config(bundle: LogitBundle, path: Path, config: MixConfig) -> dict[str, Any]:
    """A configuration on the page: its mix, whether α came from a β, and what is known of it."""
    known = VerifiedMixes(bundle, [config]).of(config.params)
    clean = config.estimates and config.estimates.clean.estimate
    return {
        "file": visible(path.name),
        "label": label_of(path, config),
        "params": dataclasses.asdict(config.params),
        "by_level": config.beta is not None,
        "alpha": config.alpha,
        "plain": config.params.plain,
        "verified": known and _estimate(known.verified),
        "card": known and known.config.model_dump(mode="json", exclude_none=True)["verified"],
        "clean": clean and _estimate(clean),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    """As the page's engine makes them, see `web/engine/statistics.js`."""
    fields = dataclasses.asdict(estimate)
    return {key: None if isinstance(x, float) and math.isnan(x) else x for key, x in fields.items()}


def _setting(name: str, setting: Setting, default: Any) -> dict[str, Any]:
    fields = {
        "name": name,
        "word": setting.word,
        "label": setting.label,
        "symbol": "",
        "help": setting.help,
        "group": setting.group,
        "default": default,
    }
    match setting.values:
        case ParamSpec() as spec:
            return fields | {"kind": "number", **_range(spec)}
        case Whole() as whole:
            return fields | {"kind": "whole", **whole._asdict()}
        case Line() as line:
            return fields | {"kind": "line", **line._asdict()}
        case tuple(choices):
            return fields | {"kind": "choice", "choices": [list(choice) for choice in choices]}
    return fields


def _range(spec: ParamSpec) -> dict[str, Any]:
    names = ("symbol", "low", "high", "low_open", "slider_low", "slider_high", "step", "scale")
    values = {name: getattr(spec, name) for name in names}
    return {name: None if value == math.inf else value for name, value in values.items()}
