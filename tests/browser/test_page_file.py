"""The explorer as one file: opened from a disk or a static server, with no network, it shows Python's figures."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.library import find_bundle
from mnuts_core.cli.app import run
from mnuts_dashboards.page.data import engine_record
from tests.synthetic import make_pool

pytestmark = pytest.mark.browser
SETTINGS = [
    MixParams(),
    MixParams(s=5, p=4, c=-1.1, beta=0.95),
    MixParams(s=0.07, p=2.2, c=-0.35, beta=0.9, clamp="softplus", ln_k=0),
    MixParams(s=5000, p=10, c=-0.9, alpha=0.93, temperature=0.7),
]
EVIL = "</script><img src=x onerror=alert(1)>\u202e{{ 7 * 7 }}&amp;'\""
ASK = """
async (states) => {
  const worker = new Worker(URL.createObjectURL(new Blob([JSON.parse(document.getElementById("mnuts-worker").textContent)])));
  const next = () => new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
  const types = { f4: Float32Array, f8: Float64Array, i4: Int32Array };
  const revived = (key, value) => (value?.$array ? new types[value.$array](bytes(value.data)) : value);
  const { record } = JSON.parse(document.querySelector(".mnuts-bundle").textContent, revived);
  worker.postMessage({ type: "load", bundle: record, options: {} });
  const answers = [(await next()).type];
  for (const params of states) {
    worker.postMessage({ type: "state", number: 1, state: { params }, views: ["headline"] });
    const { remix, views } = await next();
    answers.push([remix.clean, remix.attacked, remix.by_margin, remix.params.alpha, views.headline.plain.attacked]);
  }
  return answers;
}
"""
