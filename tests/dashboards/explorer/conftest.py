"""An explorer on a made-up bundle, whose messages to the page are kept."""

import pytest

from mnuts_dashboards.explorer.app import Explorer


@pytest.fixture(scope="module")
def path(bundle, tmp_path_factory):
    return bundle.save(tmp_path_factory.mktemp("bundles") / "made-up.safetensors")


@pytest.fixture
def explorer(path):
    made = Explorer(path)
    made.sent = []
    made.board.send = lambda content, buffers=None: made.sent.append((content, buffers))
    return made


@pytest.fixture
def click():
    """Clicks on a point of a trace of the plane, as the page sends it."""

    def send(explorer, trace, point, **more):
        points = [{"trace": trace, "point": point, "x": 0, "y": 0, **more}]
        event = {"type": "event", "panel": "plane", "kind": "click", "points": points}
        explorer.board._receive(None, event, [])

    return send
