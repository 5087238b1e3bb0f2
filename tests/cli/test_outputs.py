"""Outputs of every command: a regular file or refused, before any work; nothing is overwritten unasked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from mnuts_core.cli import app as application
from mnuts_core.cli.app import app
from mnuts_core.cli.options import complete_json
from tests.io.test_files import OBSTACLES

POINT = ("--s", 1, "--p", 1, "--c", 0)
MODELS = ("--std", "demo:digits/std", "--rob", "demo:digits/rob")
PAIR = (*MODELS, "--data", "digits", "--norm", "Linf", "--eps", "3/16")
EVALUATE = ("evaluate", "{mix}", *PAIR)
POOL = (*MODELS, "--data", "digits")

FILES = {
    "info, installed": (("info",), "--json="),
    "info": (("info", "{toy}"), "--json="),
    "search": (("search", "{toy}"), "--json="),
    "search, csv": (("search", "{toy}"), "--csv="),
    "remix": (("remix", "{toy}", *POINT), "--json="),
    "export": (("export", "{toy}", *POINT), "--out="),
    "export, json": (("export", "{toy}", *POINT, "--out", "{new}"), "--json="),
    "import": (("import", "{csv}"), "--out="),
    "import, json": (("import", "{csv}", "--out", "{new}"), "--json="),
    "convert": (("convert", "{toy}"), "--out="),
    "convert, json": (("convert", "{toy}", "--out", "{new}"), "--json="),
    "doctor": (("doctor", *PAIR), "--json="),
    "build": (("build", *PAIR), "--out="),
    "build, json": (("build", *PAIR, "--out", "{new}"), "--json="),
    "attack": (("attack", "{toy}", *POOL, "--on", "g"), "--out="),
    "attack, json": (("attack", "{toy}", *POOL, "--on", "g", "--out", "{new}"), "--json="),
    "refine": (("refine", "{toy}", *POOL), "--out="),
    "refine, json": (("refine", "{toy}", *POOL, "--out", "{new}"), "--json="),
    "evaluate": (EVALUATE, "--out="),
    "evaluate, bundle": ((*EVALUATE, "--into", "{toy}"), "--out-bundle="),
    "evaluate, points": (EVALUATE, "--points="),
    "evaluate, json": (EVALUATE, "--json="),
    "compare": (("compare", "{mix}", "{mix}"), "--json="),
    "certify": (("certify", "{toy}", "--alpha", 0.9), "--json="),
    "gain": (("gain", "--rob", "{toy}"), "--json="),
    "submit-check": (("submit-check", "{new}"), "--json="),
    "profile": (("profile", *MODELS), "--json="),
    "ablate": (("ablate", "table4", "{toy}"), "--json="),
    "ablate, csv": (("ablate", "table4", "{toy}"), "--csv="),
    "report, json": (("report", "{toy}", "--out", "{new}"), "--json="),
    "page": (("page", "{toy}"), "--out="),
    "page, json": (("page", "{toy}", "--out", "{new}"), "--json="),
    "demo build, json": (("demo", "build", "digits", "--out", "{new}"), "--json="),
}
FOLDERS = {
    "report": ("report", "{toy}"),
    "demo build": ("demo", "build", "digits"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder as the current one, since a socket must have a short path; nothing in it is read."""
    monkeypatch.chdir(tmp_path)
    Path("precious").write_text("precious")
    return {"toy": "digits", "csv": "logits.csv", "mix": "mix.json", "new": "new"}


@pytest.fixture(autouse=True)
def _no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must be refused is refused before models or bundles are loaded."""

    def work(*_: object, **__: object) -> None:
        pytest.fail("the work has begun")

    for command in ("build", "attack", "verify"):
        monkeypatch.setattr(f"mnuts_core.cli.{command}.load_all", work)


def snapshot() -> dict[str, tuple[int, int]]:
    return {name: (os.lstat(name).st_ino, os.lstat(name).st_mode) for name in os.listdir()}


def refused(mnuts: Callable, words: tuple, here: dict[str, str], *more: str) -> str:
    """Run a command that must be refused and leave everything as it is; its message."""
    before = snapshot()
    code, out, err = mnuts(*(str(word).format(**here) for word in words), *more)
    assert (code, out) == (2, ""), err
    assert err.startswith("mnuts: ")
    assert err.count("\n") == 1
    assert snapshot() == before
    assert Path("precious").read_text() == "precious"
    return err


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("what", [what for what in OBSTACLES if what != "device"])
def test_what_is_no_regular_file_is_refused(mnuts, here, command, what) -> None:
    words, option = FILES[command]
    OBSTACLES[what](Path("target"))
    for force in ((), ("--force",)):
        err = refused(mnuts, words, here, f"{option}target", *force)
        assert "target: it is a " in err or "must name a file, got the folder target" in err


@pytest.mark.parametrize("command", FILES)
def test_nothing_is_overwritten_unasked(mnuts, here, command) -> None:
    words, option = FILES[command]
    err = refused(mnuts, words, here, f"{option}precious")
    assert f"precious exists already: give another {option.strip('=')}, or --force to overwrite it" in err
    Path("precious").chmod(0o444)
    assert "it is read-only" in refused(mnuts, words, here, f"{option}precious", "--force")


@pytest.mark.parametrize("command", FILES)
def test_what_cannot_be_written_is_reported_before_the_work(mnuts, here, command) -> None:
    words, option = FILES[command]
    for target in ("no-folder/x", "precious/x", "n" * 256, "/proc/x"):
        assert target in refused(mnuts, words, here, f"{option}{target}")


@pytest.mark.parametrize("what", [what for what in OBSTACLES if what != "folder"])
@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_for_output_is_a_folder(mnuts, here, command, what) -> None:
    OBSTACLES[what](Path("target"))
    err = refused(mnuts, FOLDERS[command], here, "--out=target", "--force")
    assert "--out must name a folder, got the " in err


@pytest.mark.parametrize(
    ("command", "file"),
    [("report", "report.md"), ("report", "report.png"), ("demo build", "digits-beta95.json")],
)
def test_a_link_in_a_folder_for_output_is_refused(mnuts, here, command, file) -> None:
    Path("target").mkdir()
    (Path("target") / file).symlink_to(Path("precious").absolute())
    for force in ((), ("--force",)):
        assert "it is a symbolic link" in refused(mnuts, FOLDERS[command], here, "--out=target", *force)
    assert os.listdir("target") == [file]


def test_in_place_means_the_file_itself(mnuts, here) -> None:
    Path("mix.json").write_text("{}")
    Path("link.json").symlink_to("mix.json")
    err = refused(mnuts, ("evaluate", "link.json", *PAIR, "--in-place"), here)
    assert "cannot write link.json: it is a symbolic link" in err
    Path("mix.json").chmod(0o444)
    assert "it is read-only" in refused(mnuts, (*EVALUATE, "--in-place"), here)


def test_a_work_folder_is_no_link(mnuts, here) -> None:
    Path("x.safetensors.mnuts-work").symlink_to(Path.cwd())
    assert "is a symbolic link" in refused(mnuts, ("build", *PAIR, "--out", "x.safetensors"), here)


def test_two_outputs_are_two_files(mnuts, here) -> None:
    err = refused(mnuts, ("export", "{toy}", *POINT, "--out=./x.json", "--json=x.json"), here)
    assert "--out and --json must name different files, got x.json for both" in err


@pytest.mark.parametrize("form", [("--json=out.json",), ("--json", "out.json"), ("--json=out",)])
def test_json_into_a_file_in_every_form(mnuts, here, form) -> None:
    path = Path(form[-1].removeprefix("--json="))
    assert mnuts("info", here["toy"], *form).code == 0
    first = json.loads(path.read_text())
    path.write_text("precious")
    assert mnuts("info", here["toy"], *form).code == 2
    assert path.read_text() == "precious"
    assert mnuts("info", here["toy"], *form, "--force").code == 0
    assert json.loads(path.read_text()) == first


def test_nothing_after_two_dashes_is_an_option() -> None:
    assert complete_json(["--json", "--", "--json"]) == ["--json", "-", "--", "--json"]


def commands() -> list[tuple[str, typer.core.TyperCommand]]:
    group = typer.main.get_command(app)
    named = dict(group.commands)  # type: ignore[attr-defined]
    return [*named.items(), *((f"demo {name}", command) for name, command in named["demo"].commands.items())]


def test_every_command_that_writes_takes_force_in_the_same_words() -> None:
    helps = set()
    for name, command in commands():
        options = {option: parameter for parameter in command.params for option in parameter.opts}
        if {"--json", "--csv", "--out", "--points"} & set(options):
            assert "--force" in options, name
            helps.add(options["--force"].help)
            assert any(words[: len(name.split())] == tuple(name.split()) for words, _ in FILES.values()), name
    assert len(helps) == 1
    assert application.USAGE == 2
