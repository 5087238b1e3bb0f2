"""The page as a widget: its script is one module, and its style sheets hold inside one element."""

from __future__ import annotations

import re
import subprocess

import pytest

from mnuts_dashboards.apps.pages import APPS
from mnuts_dashboards.page.javascript import ModuleError
from mnuts_dashboards.page.modules import pack_widget, reachable
from mnuts_dashboards.page.styles import styles
from mnuts_dashboards.page.widget import scoped
from tests.dashboards.web.node import needed_node

RENDERERS = ["host/widget_playground.js", *(make().renderer for make in APPS.values())]
each_app = pytest.mark.parametrize("renderer", RENDERERS)


@each_app
def test_it_is_a_module_that_exports_render(renderer):
    program = needed_node()
    script = pack_widget(renderer)
    assert re.findall(r"^export .*$", script, re.MULTILINE) == [script.splitlines()[-1]]
    check = f"{script}\n"
    done = subprocess.run(
        [program, "--input-type=module", "--check"], input=check, capture_output=True, text=True
    )
    assert done.stderr == ""


def test_what_renders_nothing_is_refused():
    with pytest.raises(ModuleError, match="does not export render"):
        pack_widget("host/open_explorer.js")


@each_app
def test_nothing_of_a_style_sheet_is_outside(renderer):
    sheet = scoped(styles(reachable(renderer)))
    inside = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    assert inside.count("{") == inside.count("}")
    depth, closed = 0, []
    for place, char in enumerate(inside):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "}" and depth == 0:
            closed.append(place)
    assert closed == [len(inside) - 1], "one rule holds all others"
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)\{", inside)
    for selector in selectors[1:]:
        assert "body" not in re.split(r"[\s,>+~]+", selector.strip())
        assert ":root" not in selector or selector.strip().endswith("&")
    assert "@import" not in sheet
    assert "@keyframes" not in sheet, "which would hold outside"
