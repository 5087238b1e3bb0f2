"""Figures as plain JSON: whatever stands in one."""

import json

import numpy as np

from mnuts_dashboards.plotlyjs.plain import plain_json


def test_what_stands_in_a_figure_is_plain_json():
    given = {
        "name": np.str_("cells"),
        "text": np.array(["a", "b"]),
        "visible": np.array([True, False]),
        "x": np.array(["2024-01-01"], dtype="datetime64[D]"),
        "z": np.array([[1, 2], [3, 4]], np.int64),
        "size": np.float32(2.5),
        "hole": float("nan"),
        "customdata": np.array([1, "x", None, np.inf], dtype=object),
        "range": (0, np.float64("inf")),
    }
    assert json.loads(json.dumps(plain_json(given), allow_nan=False)) == {
        "name": "cells",
        "text": ["a", "b"],
        "visible": [True, False],
        "x": ["2024-01-01"],
        "z": [[1, 2], [3, 4]],
        "size": 2.5,
        "hole": None,
        "customdata": [1, "x", None, None],
        "range": [0, None],
    }
