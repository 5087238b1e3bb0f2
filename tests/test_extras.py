"""Without the extras: all but attacks works, and what does not names the extra that brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mnuts_core.extras import EXTRAS, MissingExtraError, import_extra

WITHOUT = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {{*{sorted(EXTRAS)!r}, "autoattack"}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from mnuts_core.cli.app import run
sys.exit(run(sys.argv[1:]))
"""
THREAT = ("--norm", "Linf", "--eps", "0.1")
PAIR = ("--std", "demo:digits/std", "--rob", "demo:digits/rob")


def without(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_a_missing_package_is_named_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"{name}.*pip install 'mnuts\[{EXTRAS[name]}\]'"):
        import_extra(name)


def test_what_an_installed_package_lacks_itself_is_not_blamed_on_it(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        import_extra("timm")


def test_what_importing_timm_warns_of_is_not_shown(monkeypatch, tmp_path, recwarn):
    words = "`torch.jit.interface` is deprecated. Please use `torch.compile` instead."
    (tmp_path / "as_timm_does.py").write_text(f"import warnings; warnings.warn({words!r}, FutureWarning)")
    monkeypatch.syspath_prepend(tmp_path)
    import_extra("as_timm_does")
    assert not recwarn


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("page", "digits", "--out", "page.html"),
        ("export", "digits", "--s", "5", "--p", "4", "--c", "-1.1", "--beta", "0.95", "--out", "mix.json"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_explorer_and_the_export_need_no_extra(tmp_path, arguments):
    done = without(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert Path(tmp_path, arguments[-1]).stat().st_size > 1000


@pytest.mark.slow
def test_an_attack_names_the_extra_that_it_lacks(tmp_path):
    done = without(tmp_path, "build", *PAIR, "--data", "digits", *THREAT, "--out", "b.safetensors")
    assert done.returncode != 0
    assert "pip install 'mnuts[attack]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.safetensors"))
