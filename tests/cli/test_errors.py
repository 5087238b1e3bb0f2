"""Bad input to each command: one line on standard error, exit code 2, nothing on standard output."""

import os
import subprocess
import sys

import numpy as np
import pytest
import typer
from safetensors.numpy import save_file

from mnuts_core.bundles import library
from mnuts_core.cli.console import plain

POINT = ("--s", 1, "--p", 1, "--c", 0)

BAD = {
    "no such command": (("nope",), "nope"),
    "no such option": (("info", "--jsn"), "--jsn"),
    "info: missing bundle": (("info", "no-such-bundle"), "'no-such-bundle'"),
    "info: a folder": (("info", "{folder}"), "is a folder"),
    "info: not a bundle": (("info", "{text}"), "not a readable safetensors file"),
    "info: weights": (("info", "{weights}"), "no MixedNUTS bundle manifest"),
    "search: no bundle": (("search",), "issing argument"),
    "search: percentage": (("search", "{toy}", "--beta", 98.5), "give 0.985 for 98.5 %"),
    "search: beta 1.2": (("search", "{toy}", "--beta", 1.2), "--beta must lie in [0, 1], got 1.2"),
    "search: beta nan": (("search", "{toy}", "--beta", "nan"), "beta must lie in [0, 1], got nan"),
    "search: grid": (
        ("search", "{toy}", "--grid", "mnist"),
        "cifar10, cifar100, imagenet, or a .yaml or .json file, got 'mnist'",
    ),
    "search: clamp": (("search", "{toy}", "--clamp", "tanh"), "clamp must be one of gelu"),
    "search: quantile": (("search", "{toy}", "--quantile", "upper"), "quantile must be"),
    "search: clean": (("search", "{toy}", "--clean", "none"), "clean must be"),
    "search: range": (("search", "{toy}", "--s", 2, 1), "must ascend"),
    "search: infinite range": (("search", "{toy}", "--p", 1, "inf"), "p must lie in (0, 100], got inf"),
    "search: steps": (("search", "{toy}", "--steps", 0), "steps must be"),
    "search: too large": (("search", "{toy}", "--steps", 200), "at most 100,000 cells"),
    "search: top": (("search", "{toy}", "--top", 0), "--top"),
    "search: loss nan": (("search", "{toy}", "--max-accuracy-loss", "nan"), "max_accuracy_loss"),
    "search: two rules": (("search", "{toy}", "--plain", "--max-accuracy-loss", 0.1), "not both"),
    "search: unattacked": (("search", "{clean}"), "holds no attacked examples"),
    "search: two on stdout": (("search", "{toy}", "--json", "--csv", "-"), "cannot both"),
    "search: json folder": (("search", "{toy}", "--json", "/no-such/x.json"), "--json must name a file"),
    "search: csv folder": (("search", "{toy}", "--csv", "{folder}"), "--csv must name a file"),
    "remix: no s": (("remix", "{toy}", "--p", 1, "--c", 0), "--s"),
    "remix: s = 0": (("remix", "{toy}", "--s", 0, "--p", 1, "--c", 0), "s must lie in (0, 1e+06], got 0"),
    "remix: word": (("remix", "{toy}", "--s", "big", "--p", 1, "--c", 0), "--s"),
    "remix: alpha": (("remix", "{toy}", *POINT, "--alpha", 0.3), "alpha must lie in [0.5, 1], got 0.3"),
    "remix: both": (("remix", "{toy}", *POINT, "--alpha", 0.6, "--beta", 0.9), "not both"),
    "remix: clamp": (("remix", "{toy}", *POINT, "--clamp", "tanh"), "got 'tanh'"),
    "remix: ln_k": (("remix", "{toy}", *POINT, "--ln-k", 1), "ln_k must be 0"),
    "remix: temperature": (("remix", "{toy}", *POINT, "--temperature", -1), "temperature must lie in"),
    "remix: device": (("remix", "{toy}", *POINT, "--device", "abacus"), "device must be"),
    "remix: unattacked": (("remix", "{clean}", *POINT), "holds no attacked examples"),
    "export: no out": (("export", "{toy}", *POINT), "--out"),
    "export: folder": (("export", "{toy}", *POINT, "--out", "/no-such/x.json"), "existing folder"),
    "export: no point": (("export", "{toy}", "--s", 1, "--out", "{new}"), "--p, --c missing"),
    "export: both": (("export", "{toy}", *POINT, "--best", "--out", "{new}"), "not both"),
    "export: grid": (("export", "{toy}", *POINT, "--grid", "cifar10", "--out", "{new}"), "add --best"),
    "export: alpha": (("export", "{toy}", *POINT, "--alpha", 0.3, "--out", "{new}"), "alpha must lie"),
    "export: beta-d": (
        ("export", "{toy}", *POINT, "--beta-d", 93.5, "--out", "{new}"),
        "--beta-d must lie in [0, 1], got 93.5: give",
    ),
    "export: beta-d nan": (
        ("export", "{toy}", *POINT, "--beta-d", "nan", "--out", "{new}"),
        "--beta-d must lie in [0, 1], got nan",
    ),
    "export: beta-d, unattacked": (
        ("export", "{clean}", *POINT, "--alpha", 0.7, "--beta-d", 0.9, "--out", "{new}"),
        "leave --beta-d out",
    ),
    "demo: name": (("demo", "build", "mnist"), "one of digits, cifar10, got 'mnist'"),
    "demo: no images": (("demo", "build", "cifar10"), "--data missing: give cifar10-jpeg:FOLDER or"),
    "demo: other's option": (("demo", "build", "digits", "--n-adv", "5"), "--n-adv belongs to cifar10"),
    "demo: images": (("demo", "build", "cifar10", "--data", "digits"), "has no training images"),
    "demo: folder": (("demo", "build", "digits", "--out", "/dev/null/x"), "cannot be made"),
    "demo: a file": (("demo", "build", "digits", "--out", "/dev/null"), "--out must name a folder"),
    "dashboard: bundle": (("dashboard", "--bundle", "no-such-bundle"), "'no-such-bundle'"),
}


@pytest.fixture
def places(toy, clean_only, tmp_path):

    text, weights = tmp_path / "text.safetensors", tmp_path / "weights.safetensors"
    text.write_text("no bundle at all")
    save_file({"weight": np.zeros(2)}, weights)
    files = {"toy": toy, "clean": clean_only, "text": text, "weights": weights}
    return {**files, "folder": tmp_path, "new": tmp_path / "new.json"}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_reported_in_one_line(mnuts, places, case):
    words, message = BAD[case]
    code, out, err = mnuts(*(str(word).format(**places) for word in words))
    assert (code, out) == (2, "")
    assert err.startswith("mnuts: ")
    assert err.count("\n") == 1
    assert message in err
    assert not places["new"].exists()


def test_debug_before_the_command_shows_where(mnuts):
    code, _, err = mnuts("--debug", "info", "no-such-bundle")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("mnuts: bundle 'no-such-bundle'")


def test_a_fault_of_the_program_exits_1_and_names_debug(mnuts, monkeypatch):
    monkeypatch.setattr(library, "find_bundle", lambda name: 1 / 0)
    code, out, err = mnuts("info", "x")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "ZeroDivisionError" in err
    assert "--debug" in err


def test_ctrl_c_is_quiet(mnuts, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "find_bundle", interrupt)
    code, out, err = mnuts("info", "x")
    assert (code, out, err.strip()) == (130, "", "")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, typer.Abort])
def test_an_interrupt_that_typer_hands_on_is_quiet(mnuts, monkeypatch, stop):
    def interrupted(*_, **__):
        raise stop

    monkeypatch.setattr("mnuts_core.cli.app.app", interrupted)
    assert mnuts("info") == (130, "", "")


def test_no_words_show_the_help(mnuts):
    code, out, _ = mnuts()
    assert code == 2
    for command in ("info", "search", "remix", "export", "dashboard", "demo"):
        assert command in out


def test_numbers_that_json_lacks_become_null():
    nan, inf = float("nan"), float("inf")
    assert plain({"a": [nan, 1.5], "b": np.array([inf, 2.0])}) == {"a": [None, 1.5], "b": [None, 2.0]}


def process(*words, **options):
    command = [sys.executable, "-m", "mnuts_core.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_the_program_exits_2_with_one_line(tmp_path):
    done = process("search", tmp_path / "none.safetensors")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mnuts: bundle ")
    assert done.stderr.count("\n") == 1


def test_the_program_prints_on_a_terminal_without_greek(toy):
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = process("remix", toy, *POINT, env=env)
    assert done.returncode == 0
    assert "this mix" in done.stdout


def test_a_reader_that_goes_away_is_no_error(toy):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mnuts_core.cli", "info", str(toy), "--json"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


WITHOUT_TORCH = """
import importlib.util, sys, types
# The package's own __init__ is not the command line's to answer for: leave it out.
package = types.ModuleType("mnuts_core")
package.__path__ = importlib.util.find_spec("mnuts_core").submodule_search_locations
sys.modules["mnuts_core"] = package
from mnuts_core.cli.app import run
codes = [run(["--help"]), run(["search", "--help"]), run(["search"]), run(["remix", "x", "--s", "y"])]
print(codes, sorted({"torch", "numpy", "pandas", "plotly"} & set(sys.modules)))
"""


def test_help_and_bad_usage_do_not_import_torch():
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[0, 0, 2, 2] []"
