"""Packaging: conda and pip name the same set, every requirement is pinned, versions agree."""

import re
import tomllib
from importlib.metadata import version
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import ROOT, dist

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, SETUPTOOLS = SETTINGS["project"], SETTINGS["tool"]["setuptools"]
EXTRAS = PROJECT["optional-dependencies"]
CODE = {".py", ".pyc"}
PINS = {
    canonicalize_name(line.split("==")[0]): line.split("==")[1]
    for line in (ROOT / "constraints.txt").read_text().split()
    if "==" in line
}


def conda_pip() -> list[str]:
    book = yaml.safe_load((ROOT / "environment.yml").read_text())
    nested = next(item for item in book["dependencies"] if isinstance(item, dict))
    return nested["pip"]


def test_environment_yml_names_the_same_set_as_pyproject():
    named = [item for item in conda_pip() if not item.startswith("--")]
    extras = chain(*(EXTRAS[name] for name in ("attack", "hub", "tables")))
    assert sorted(named) == sorted([*PROJECT["dependencies"], *extras])
    assert {"--constraint constraints.txt", "--editable ."} <= set(conda_pip())


def test_conda_asks_for_the_same_python():
    text = (ROOT / "environment.yml").read_text()
    assert f"python{PROJECT['requires-python']}" in text


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *chain(*EXTRAS.values())])
def test_every_requirement_has_a_pin_inside_its_range(requirement):
    parsed = Requirement(requirement)
    if parsed.name == "mnuts":  # its own extras
        assert parsed.extras <= set(EXTRAS)
        return
    pin = PINS[canonicalize_name(parsed.name)]
    assert parsed.specifier.contains(pin)


def test_the_required_versions_are_pinned():
    wanted = {"torch": "2.14.1", "torchvision": "0.29.2", "robustbench": "1.1.1"}
    assert {name: PINS[name] for name in wanted} == wanted
    assert int(PINS["setuptools"].split(".")[0]) < 81


def test_every_folder_with_code_is_a_package_that_ships():
    folders = {"mnuts_data"}
    for folder, name in (("mnuts_core", "mnuts_core"), ("dashboards", "mnuts_dashboards")):
        for file in (ROOT / folder).rglob("__init__.py"):
            folders.add(".".join([name, *file.parent.relative_to(ROOT / folder).parts]))
    assert sorted(SETUPTOOLS["packages"]) == sorted(folders)


def test_every_file_beside_the_code_ships():
    assert (ROOT / "mnuts_core" / "py.typed").is_file()
    for folder, name in (("mnuts_core", "mnuts_core"), ("dashboards", "mnuts_dashboards")):
        shipped = {file for p in SETUPTOOLS["package-data"][name] for file in (ROOT / folder).glob(p)}
        beside = {file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix not in CODE}
        assert beside
        assert beside <= shipped


def test_licences_of_all_that_ships_are_declared():
    """A folder with a library of others has its licence beside it, and the wheel's metadata name it."""
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dashboards").rglob("LICENSE*")}
    assert {"LICENSE", *shipped} == set(PROJECT["license-files"])
    minified = {path.parent for path in (ROOT / "dashboards").rglob("*.min.js")}
    assert minified
    assert all((folder / "LICENSE").is_file() for folder in minified)


class TestDist:
    """`make dist` looks into what it has built; that it sees what is wrong is seen here, without a build."""

    def test_a_whole_wheel(self):
        whole = set(map(dist.installed, dist.tree(*dist.FOLDERS)))
        licences = {f"mnuts-1.dist-info/licenses/{name}" for name in PROJECT["license-files"]}
        assert dist.wheel_faults(whole | licences) == []
        assert dist.wheel_faults(whole | licences | {"tests/x.py"}) == ["not ours: tests/x.py"]
        lacking = whole - {"mnuts_data/digits.safetensors"} | licences
        assert dist.wheel_faults(lacking) == ["missing: mnuts_data/digits.safetensors"]
        assert dist.wheel_faults(whole | set(list(licences)[:1]))[0].startswith("no licence ")

    def test_an_sdist_without_the_tests(self):
        faults = dist.sdist_faults(dist.tree(*dist.FOLDERS) | {"PKG-INFO", "mnuts.egg-info/SOURCES.txt"})
        assert "missing: tests/dist.py" in faults
        assert "missing: pyproject.toml" in faults
        assert not [fault for fault in faults if fault.startswith("not ours")]


def test_the_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", PROJECT["version"])
    assert version("mnuts") == PROJECT["version"]


def test_security_md_names_tests_and_files_that_exist():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for name in re.findall(r"`((?:test_|Test)\w+)`", text):
        assert re.search(rf"(def|class) {name}\b", tests), name
    for path in re.findall(r"`((?:dashboards|mnuts_core|tests)/[\w/]+\.py)`", text):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`(test_\w+\.py)`", text):
        assert list((ROOT / "tests").rglob(path)), path
