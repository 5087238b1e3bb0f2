"""Templates: what is filled in is escaped, plain text is plain, and a missing value is an error."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from mnuts_dashboards.lesson.numbers import HELPERS
from mnuts_dashboards.text.templates import ENVIRONMENT, Texts
from tests import ROOT

PAGE = Texts("lesson/templates/page.html", **HELPERS)
TEMPLATES = sorted(
    str(file.relative_to(ROOT / "dashboards"))
    for folder in ("lesson", "text/templates")
    for file in (ROOT / "dashboards" / folder).rglob("*.html")
)


def test_text_is_escaped_and_html_is_not():
    assert PAGE.html("fair", text="<b>") == '<p class="mnuts-fair">&lt;b&gt;</p>'
    assert PAGE.html("fair", text=Markup("<b>x</b>")) == '<p class="mnuts-fair"><b>x</b></p>'


def test_plain_text_has_neither_tags_nor_escapes_nor_line_breaks():
    assert PAGE.plain("fair", text="a < b &\n c") == "a < b & c"


def test_a_missing_value_and_one_too_many_are_errors():
    with pytest.raises(UndefinedError, match="text"):
        PAGE.html("fair")
    with pytest.raises(TypeError, match="other"):
        PAGE.html("fair", text="", other="")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles_and_none_switches_escaping_off(name):
    ENVIRONMENT.get_template(name, globals=HELPERS)
    source = Path(ROOT / "dashboards" / name).read_text("utf-8")
    assert "safe }}" not in source
    assert "autoescape" not in source
