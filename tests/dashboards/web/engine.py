"""The page's engine for tests: bundles packed for it, a process that answers, a comparison of records."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mnuts_core import MixParams
from mnuts_dashboards.page.data import engine_record
from tests import ROOT
from tests.dashboards.web.node import Ask

WEB = ROOT / "dashboards" / "web"
ENGINE = WEB / "engine"
DRIVER = Path(__file__).with_name("driver.mjs")
TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1", "u2": "<u2"}
TOLERANCE = 1e-9
packed = engine_record
"""A bundle as the page's engine takes it."""


class Engine:
    """The engine in a process of its own."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def ask(self, *calls: list[Any], **request: Any) -> Any:
        """Its answers to calls, each a name and arguments (see `driver.mjs`)."""
        return answers(self._ask(encoded({"calls": list(calls), **request})))


def answers(found: Any) -> Any:
    """What an engine has answered, decoded; its error fails the test."""
    assert not isinstance(found, dict), found["error"]
    return decoded(found)


def encoded(value: Any) -> Any:
    """A value as JSON for the driver."""
    if isinstance(value, np.ndarray):
        code = next(code for code, dtype in TYPES.items() if value.dtype == np.dtype(dtype))
        return {"$array": code, "data": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()}
    if isinstance(value, MixParams):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {key: encoded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(one) for one in value]
    return value


def decoded(value: Any) -> Any:
    """A value from the driver's JSON."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if isinstance(value, dict):
        if "$array" in value:
            return np.frombuffer(base64.b64decode(value["data"]), TYPES[value["$array"]])
        if "$number" in value:
            return float(value["$number"].replace("Infinity", "inf"))
        return {key: decoded(one) for key, one in value.items()}
    return value


def assert_same(ours: Any, reference: Any, at: str = "") -> None:
    """Every field of Python's record stands in the engine's: counts and words equal, numbers within 1e-9."""
    if reference is None or isinstance(reference, str | bool | int | np.integer | np.bool_):
        assert ours == reference, f"{at}: {ours!r}, not {reference!r}"
    elif isinstance(reference, float | np.floating):
        assert close(ours, float(reference)), f"{at}: {ours!r}, not {reference!r}"
    elif isinstance(reference, np.ndarray):
        assert_same_array(np.asarray(ours), reference, at)
    elif isinstance(reference, Mapping):
        assert set(ours) >= set(reference), f"{at}: {sorted(ours)} lacks some of {sorted(reference)}"
        for name, value in reference.items():
            assert_same(ours[name], value, f"{at}.{name}")
    elif isinstance(reference, tuple) and hasattr(reference, "_fields"):
        assert_same(ours, reference._asdict(), at)
    elif isinstance(reference, list | tuple):
        assert len(ours) == len(reference), f"{at}: {len(ours)}, not {len(reference)}"
        for place, (one, other) in enumerate(zip(ours, reference, strict=True)):
            assert_same(one, other, f"{at}[{place}]")
    else:
        columns = {field.name: getattr(reference, field.name) for field in dataclasses.fields(reference)}
        assert_same(ours, columns, at)


def close(one: float | None, other: float) -> bool:
    if one is None:
        return False
    return one == other or (math.isnan(one) and math.isnan(other)) or abs(one - other) <= TOLERANCE


def assert_same_array(ours: np.ndarray, reference: np.ndarray, at: str) -> None:
    assert ours.size == reference.size, f"{at}: shape {ours.shape}, not {reference.shape}"
    ours = ours.reshape(reference.shape)
    if reference.dtype.kind in "biu":
        np.testing.assert_array_equal(ours.astype(reference.dtype), reference, err_msg=at)
    else:
        np.testing.assert_allclose(ours, reference, rtol=0, atol=TOLERANCE, err_msg=at)
