"""What the page exports is what Python loads, with the same figures; and the other way round."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mnuts_core import MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.manifest import ThreatModel
from mnuts_core.errors import ConfigError
from mnuts_core.export.belonging import configs_of
from mnuts_core.params import IDENTITY
from mnuts_core.remix.certified import certified
from mnuts_dashboards.page.data import page_meta
from tests.dashboards.web.engine import packed
from tests.synthetic import clean_only, make_pool, with_certificate

MIXES = [
    MixParams(s=5.0, p=4.0, c=-1.1, beta=0.95),
    MixParams(s=0.0235, p=1e2, c=-0.25, clamp="relu", ln_k=0, alpha=0.75, temperature=0.5),
]


def exported(app: Any, engine: Any, bundle: Any, params: MixParams, **more: Any) -> str:
    """The text that the page saves for a mix."""
    asked = ["frames", [{"params": params}], ["certified"]]
    [frame], loaded = engine.ask(asked, ["loaded", []], bundle=packed(bundle))
    given = {"beta": None if params.alpha is not None else params.beta, "created": "", **more}
    given["certified"] = frame["views"]["certified"]
    meta = json.loads(json.dumps(page_meta(bundle, name="its file"))) | {"auxiliary": loaded["auxiliary"]}
    return app("configText", app("configOf", meta, plain(frame["remix"]), given))


def plain(remix: dict[str, Any]) -> dict[str, Any]:
    return {key: remix[key] for key in ("params", "clean", "attacked", "by_margin", "optimistic", "warnings")}


@pytest.mark.parametrize("params", MIXES)
def test_an_export_is_the_one_of_python(app, engine, params):
    bundle = make_pool(n=60, m=40)
    ours = MixConfig.from_json(exported(app, engine, bundle, params))
    reference = MixConfig.from_remix(RemixEngine(bundle), params)
    assert ours.alpha == pytest.approx(reference.alpha, abs=1e-12)
    assert ours.auxiliary is not None
    assert reference.auxiliary is not None
    assert ours.auxiliary.alpha_d == pytest.approx(reference.auxiliary.alpha_d, abs=1e-12)
    same = {"transform", "beta", "temperature", "bundle", "threat", "warnings"}
    assert ours.model_dump(include=same) == reference.model_dump(include=same)
    assert ours.estimates is not None
    assert reference.estimates is not None
    for name in ("clean", "attacked", "by_margin"):
        one, other = getattr(ours.estimates, name), getattr(reference.estimates, name)
        assert (one.kind, one.value, one.n) == (other.kind, other.value, other.n)
        assert one.ci95 == pytest.approx(other.ci95, abs=1e-12)
    assert ours.estimates.optimistic == reference.estimates.optimistic


@pytest.mark.parametrize(
    ("name", "mix", "eps"),
    [("logits", MixParams(), 0.03), ("logits", MixParams(), None), ("margin", IDENTITY, 1e-6)],
)
def test_certified_accuracy_and_its_warning_are_those_of_python(app, engine, name, mix, eps):
    threat = None if eps is None else ThreatModel(norm="Linf", eps=eps)
    bundle, params = with_certificate(name, threat=threat), mix.with_(alpha=0.9)
    ours = MixConfig.from_json(exported(app, engine, bundle, params))
    reference = MixConfig.from_remix(RemixEngine(bundle), params)
    one, other = ours.estimates.certified, reference.estimates.certified
    assert (one.within, one.basis) == (other.within, other.basis)
    wanted = certified(bundle, params).accuracy(other.within.eps)
    assert one.accuracy.estimate == other.accuracy.estimate == wanted
    assert 0 < other.accuracy.value < 1
    assert ours.warnings == reference.warnings
    assert ("The certificate cannot hold" in " ".join(ours.warnings)) == (eps is not None)


def test_of_a_mix_that_nothing_is_certified_of_it_says_nothing(app, engine):
    bundle = with_certificate("smoothing")
    for config in (
        MixConfig.from_json(exported(app, engine, bundle, MIXES[1])),
        MixConfig.from_remix(RemixEngine(bundle), MIXES[1]),
    ):
        assert config.estimates.certified is None
        assert "certified" not in config.to_json()


def test_without_an_attack(app, engine):
    bundle = clean_only(make_pool(n=30, m=20))
    config = MixConfig.from_json(exported(app, engine, bundle, MIXES[1]))
    assert config.estimates is not None
    assert config.estimates.attacked is None


def test_a_shipped_configuration_goes_through_the_page(app, engine, digits):
    path, config = configs_of(digits)[0]
    read = app("readConfig", path.read_text("utf-8"))["value"]
    assert MixParams(**read["params"]) == config.params
    assert read["byLevel"] is (config.beta is not None)
    params = dataclasses.replace(config.params, alpha=config.alpha)
    again = MixConfig.from_json(
        exported(app, engine, digits, params, beta=config.beta, verified=read["verified"])
    )
    assert again.verified == config.verified
    same = ("transform", "alpha", "beta", "temperature", "threat", "estimates")  # α_d is computed anew
    assert [getattr(again, name) for name in same] == [getattr(config, name) for name in same]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: {**raw, "schema": "mnuts-config/9"}, ["must have schema", "mnuts-config/9"]),
        (lambda raw: {**raw, "alpha": 2}, ["alpha must be a number at least 0.5 and at most 1, got 2"]),
        (
            lambda raw: {**raw, "transform": {**raw["transform"], "s": 0}},
            ["s must be", "greater than 0", "got 0"],
        ),
        (lambda raw: {**raw, "transform": {**raw["transform"], "s": "5"}}, ["s must be", 'got "5"']),
        (lambda raw: {**raw, "transform": {**raw["transform"], "ln_k": 1}}, ["ln_k must be 0 or"]),
        (
            lambda raw: {**raw, "transform": {**raw["transform"], "clamp": "tanh"}},
            ["clamp must be one of gelu"],
        ),
        (lambda raw: {**raw, "transform": None}, ["has no transform"]),
        (lambda raw: {**raw, "verified": {"accuracy": {"value": 7}}}, ["wrong at verified.accuracy.kind"]),
        (lambda raw: {**raw, "bundle": [1]}, ["wrong at bundle, got [1]"]),
        (lambda raw: [raw], ["must have schema", "got nothing"]),
    ],
)
def test_a_wrong_configuration_is_refused_in_words(app, change, words):
    raw = json.loads(MixConfig.from_params(MixParams(alpha=0.9)).to_json())
    answer = app("readConfig", json.dumps(change(raw)))
    assert all(word in answer["refused"] for word in words), answer


JUNK = (None, 7, -1.5, True, "abc", "", [], ["x"], {}, {"x": 1}, "sha256:" + "0" * 64)
"""What stands in the place of a value of a damaged configuration."""


def damaged(raw: Any, build: Any = lambda value: value) -> Iterator[Any]:
    """A configuration with one place after the other cut out or replaced, and one entry more."""
    if isinstance(raw, dict):
        yield build({**raw, "zz": 1})
        for name, value in raw.items():
            rest = {other: kept for other, kept in raw.items() if other != name}
            yield build(rest)
            yield from damaged(value, lambda one, name=name: build({**raw, name: one}))
    elif isinstance(raw, list) and raw:
        yield from damaged(raw[0], lambda one: build([one, *raw[1:]]))
        yield build(raw[1:])
    yield from (build(junk) for junk in JUNK)


def accepted_by_python(text: str) -> bool:
    try:
        MixConfig.from_json(text)
    except ConfigError:
        return False
    return True


def test_what_python_refuses_is_refused(app, digits):
    raw = json.loads(configs_of(digits)[0][0].read_text("utf-8"))
    raw["verified"]["settings"] = dict(list(raw["verified"]["settings"].items())[:2])
    raw["verified"].pop("outcomes", None)  # its bits are compared with the figures by Python alone
    raw |= {"versions": {"python": "3"}, "warnings": ["w"]}
    clean = raw["estimates"]["clean"]
    lower = {"accuracy": {**clean, "kind": "certified"}, "within": raw["threat"], "basis": "of h"}
    raw["estimates"] = {"clean": clean, "certified": lower}
    raw["verified"]["warnings"] = ["w"]
    texts = [json.dumps(one) for one in damaged(raw)]
    assert len(texts) > 500
    for text in texts:
        assert ("value" in app("readConfig", text)) == accepted_by_python(text), text


def test_what_is_no_json_is_refused(app):
    assert "is no JSON" in app("readConfig", "PK\x03\x04")["refused"]
