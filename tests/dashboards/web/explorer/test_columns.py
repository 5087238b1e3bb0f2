"""What the page shows of optional columns: certified accuracy, and a method with α by the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.bundles.manifest import ThreatModel
from mnuts_core.views.adaptive_alpha import CAUTION, adaptive_row
from mnuts_core.views.certified import certified_figures
from mnuts_core.views.headline import headline
from mnuts_dashboards.text.headline import certified_lines, headline_html
from tests.dashboards.web.explorer.visit import opened
from tests.synthetic import CERTIFICATES, make_bundle, with_certificate

START = "s=4&p=2&c=-0.5&alpha=0.9"
THREAT = ThreatModel(norm="Linf", eps=8 / 255)
CERTIFIED = 3
"""The column's place."""


def accuracy(cell: str) -> str:
    return cell.partition(" %")[0]


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("threat", [None, THREAT])
def test_what_it_rests_on_in_the_same_words(page, name, threat):
    bundle, params = with_certificate(name, threat=threat), MixParams(alpha=0.9)
    engine = RemixEngine(bundle, device="cpu")
    found = certified_figures(engine, params, engine.remix(params))
    fields = {key: value for key, value in found._asdict().items() if key not in ("rob", "plain", "mix")}
    [lines] = page.call("explorer/sentences.js", "certifiedLines", [fields])
    assert lines == certified_lines(found)
    assert ("customary" in " ".join(lines)) != found.of_threat


def test_certified_accuracy_follows_the_sliders(visit):
    bundle = with_certificate("logits", threat=THREAT)
    engine, shown = RemixEngine(bundle, device="cpu"), []
    visit.open(opened("certified", bundle), query=START)
    for c in ("-0.5", "0.2"):
        visit.type("c", c)
        params = visit.params
        found = certified_figures(engine, params, engine.remix(params))
        rows = visit.seen["rows"]
        for key in ("rob", "plain", "mix"):
            assert accuracy(rows[key][CERTIFIED]) == f"{100 * getattr(found, key).value:.2f}"
        assert rows["std"][CERTIFIED] == rows["mapped"][CERTIFIED] == ""
        shown.append(found.mix.count)
    assert shown[0] != shown[1]
    remarks = visit.text("shows-remarks")
    assert "lower bound" in remarks
    assert "3-Lipschitz" in remarks
    assert "ℓ∞, ε = 8/255" in remarks


def test_where_it_does_not_apply_the_page_says_so(visit):
    visit.open(opened("smoothed", with_certificate("smoothing")), query=START)
    assert visit.seen["rows"]["mix"][CERTIFIED] == "not for this mix"
    assert accuracy(visit.seen["rows"]["plain"][CERTIFIED]) != ""
    assert "does not carry over to this mix" in visit.text("shows-remarks")


def test_alpha_by_the_image_has_its_row(visit):
    bundle = make_bundle(n=60, m=20, k=5)
    weights = np.linspace(0, 1, 60)
    weighted = replace(bundle, clean_alpha=weights)
    visit.open(opened("weighted", weighted), query=START)
    row = visit.seen["rows"]["adaptive"]
    assert accuracy(row[0]) == f"{100 * adaptive_row(weighted).clean.value:.2f}"
    assert row[1] == "not attacked"
    assert CAUTION in visit.text("shows-remarks")
    part = replace(bundle.attacked, alpha=np.full(20, 0.9))
    attacked = replace(weighted, attacked=part)
    visit.open(opened("attacked", attacked), query=START)
    assert accuracy(visit.seen["rows"]["adaptive"][1]) == f"{100 * adaptive_row(attacked).attacked.value:.2f}"


def test_other_bundles_show_nothing_new(visit):
    visit.open(opened("plain", make_bundle(n=60, m=20, k=5)), query=START)
    assert "Certified" not in visit.seen["text"]
    assert "α by the image" not in visit.seen["text"]


def test_the_report_has_both():
    bundle = replace(with_certificate("logits", threat=THREAT), clean_alpha=np.full(80, 0.9))
    engine, params = RemixEngine(bundle, device="cpu"), MixParams(s=4.0, p=2.0, c=-0.5, alpha=0.9)
    remix = engine.remix(params)
    table, found = headline(engine, params, remix), certified_figures(engine, params, remix)
    html = headline_html(table, found, [adaptive_row(bundle)])
    assert f"<b>{100 * found.mix.value:.2f}</b>" in html.partition("data-row='mix'")[2]
    assert "data-row='adaptive'" in html
    assert "Certified" not in headline_html(table)
