"""The bundles at hand and those that are open."""

import pytest

from mnuts_core import BundleError
from mnuts_dashboards.bundles.open_bundles import Session


@pytest.fixture
def paths(bundle, tmp_path):
    return [bundle.save(tmp_path / f"b{i}.safetensors") for i in range(5)]


def test_few_stay_open(paths):
    session = Session(*paths)
    for path in paths:
        session.open(path.stem)
    assert [name for name in session.names if session.is_open(name)] == ["b2", "b3", "b4"]
    with pytest.raises(BundleError, match="no bundle 'nothing'"):
        session.open("nothing")


def test_one_with_other_points_is_not_closed_for_others(paths):
    session = Session(*paths)
    opened = session.open("b0")
    session.replace("b0", opened)
    for path in paths:
        session.open(path.stem)
    assert session.open("b0") is opened


def test_one_that_was_brought_has_a_name_of_its_own_and_is_not_trusted(paths):
    session = Session(paths[0])
    name = session.add(paths[0], session.open("b0"))
    assert name == "b0 (2)"
    assert (session.trusted(name), session.trusted("b0")) == (False, True)
