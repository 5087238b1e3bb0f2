"""Templates: what is filled in is escaped, and a missing value is an error."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from mnuts_dashboards.text.templates import ENVIRONMENT, Texts
from tests import ROOT

MESSAGES = Texts("text/templates/messages.html")
TEMPLATES = sorted(
    str(file.relative_to(ROOT / "dashboards"))
    for file in (ROOT / "dashboards" / "text" / "templates").rglob("*.html")
)


def test_text_is_escaped_and_html_is_not():
    assert "&lt;b&gt;" in MESSAGES.html("found", lines=["<b>"])
    assert "<b>x</b>" in MESSAGES.html("found", lines=[Markup("<b>x</b>")])


def test_a_missing_value_and_one_too_many_are_errors():
    with pytest.raises(UndefinedError, match="lines"):
        MESSAGES.html("found")
    with pytest.raises(TypeError, match="other"):
        MESSAGES.html("found", lines=[], other="")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles_and_none_switches_escaping_off(name):
    ENVIRONMENT.get_template(name)
    source = Path(ROOT / "dashboards" / name).read_text("utf-8")
    assert "safe }}" not in source
    assert "autoescape" not in source
