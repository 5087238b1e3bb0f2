"""What a served page is made of: an app's own script, or Voilà's frontend."""

import json

import pytest

from mnuts_dashboards.apps.pages import APPS as OFFERED
from mnuts_dashboards.plotlyjs.library import plotly_url
from mnuts_dashboards.server.pages import APPS, ServedNotebook
from mnuts_dashboards.server.serve import app_names, find_notebook


def test_every_app_has_a_page_of_its_own_script():
    served = [ServedNotebook.read(find_notebook(name)) for name in app_names()]
    assert {one.app for one in served} == set(APPS) == set(OFFERED)
    for one in served:
        assert one.template == "mnuts"
        assert len(one.libraries) == 2
        content = one.libraries[one.script_url]().decode()
        assert "openServed" in content
        resources = one.resources("/user/ann/")
        assert resources["script"] == f"/user/ann/{one.script_url}"
        assert resources["title"] == one.title
        assert "body {" in resources["styles"]


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("", "My notebook"),
        ("[]", "My notebook"),
        ('{"metadata": []}', "My notebook"),
        (json.dumps({"metadata": {"title": 1, "mnuts_app": ["explorer"]}}), "My notebook"),
        (json.dumps({"metadata": {"title": "Mine", "mnuts_app": "../x"}}), "Mine"),
    ],
)
def test_any_other_notebook_has_voilas_frontend(tmp_path, content, title):
    path = tmp_path / "my_notebook.ipynb"
    path.write_text(content)
    served = ServedNotebook.read(path)
    assert (served.title, served.app, served.template) == (title, None, "mnuts_notebook")
    assert list(served.libraries) == [plotly_url()]
    assert set(served.resources("/")) == {"title", "plotly"}
