"""A hand-in as a folder, its points, and the check that goes through it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from mnuts_core import MixConfig
from mnuts_core.errors import ConfigError
from mnuts_core.export.robustbench.check import check_hand_in
from mnuts_core.export.robustbench.check_points import Ground
from mnuts_core.export.robustbench.folder import prepare, write
from mnuts_core.export.robustbench.texts import TO_FILL
from mnuts_core.params import IDENTITY
from tests.hand_ins import EPS, PAPER, Made, N, on, verified_with
from tests.loops import Voting

ENTRY = f"model_info/cifar10/Linf/{PAPER.id}.json"
MODULE = f"{PAPER.id.lower()}_cifar10_linf.py"
pytestmark = pytest.mark.usefixtures("small_leaderboard")


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    return made.write(tmp_path / "hand-in")


@pytest.fixture
def ground(made: Made) -> Ground:
    return Ground(made.images, made.labels, made.models, device="cpu")


def wrong(folder: Path, ground: Ground | None = None) -> list[str]:
    """What is in the way; an error where not even that can be said."""
    try:
        return [str(each) for each in check_hand_in(folder, ground) if each.kind == "wrong"]
    except ConfigError as error:
        return [str(error)]


class TestWriting:
    def test_what_is_there(self, folder, made):
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        texts = {"mix.json", "hand-in.json", "optimal_spca.yaml", "new-model.md", "new-evaluation.md"}
        assert files == {ENTRY, MODULE, "adversarial.pt", *texts}
        entry = json.loads((folder / ENTRY).read_text())
        figure = made.config.verified.accuracy.value
        assert (entry["reported"], entry["clean_acc"]) == (f"{100 * figure:.2f}", "100.00")
        block = yaml.safe_load((folder / "optimal_spca.yaml").read_text())
        assert block["cifar10"]["Roe2025Linear"]["gelu"][95.0]["alpha"] == 0.9
        issue = (folder / "new-model.md").read_text()
        for words in (
            "[New Model] Doe2026Mixing",
            "**eps**: 8/255",
            "APGD-CE",
            "seed 0",
            "few-steps",
            PAPER.code,
        ):
            assert words in issue
        assert "DRAFT" not in issue
        compile((folder / MODULE).read_text(), MODULE, "exec")

    def test_points(self, folder, made):
        points = torch.load(folder / "adversarial.pt", weights_only=True)
        assert (points.dtype, points.shape) == (torch.float32, made.images.shape)
        moved = (points != made.images).flatten(1).any(dim=1)
        assert torch.equal(~moved, torch.from_numpy(made.config.verified.outcomes.attacked_right))
        assert float((points - made.images).abs().max()) <= EPS + 1e-6

    def test_points_of_another_verification(self, made, tmp_path):
        arrays = dict(np.load(made.points))
        other = tmp_path / "other.npz"
        np.savez(other, **arrays | {"predictions": arrays["predictions"][::-1]})
        with pytest.raises(ConfigError, match="points of another verification"):
            prepare(made.bundle, made.config, PAPER, points=other)
        np.savez(other, images=arrays["images"])
        with pytest.raises(ConfigError, match="must hold images and predictions"):
            prepare(made.bundle, made.config, PAPER, points=other)

    def test_a_draft_says_so_on_top(self, made, tmp_path):
        jpeg = made.bundle.manifest.data.model_copy(update={"name": "CIFAR-10, JPEG quality 75"})
        found = prepare(on(made.bundle, jpeg), verified_with(made.config, n_iter=10), PAPER)
        assert len(found.reasons) == 2
        write(found, tmp_path / "draft", force=False)
        for name in ("new-model.md", MODULE, "optimal_spca.yaml"):
            head = (tmp_path / "draft" / name).read_text().splitlines()[:3]
            assert "DRAFT, not to be handed in" in head[0]
            assert [reason in line for reason, line in zip(found.reasons, head[1:], strict=True)] == [
                True,
                True,
            ]
        entry = json.loads((tmp_path / "draft" / ENTRY).read_text())
        assert entry["footnote"].startswith("DRAFT")
        assert len([line for line in wrong(tmp_path / "draft") if "JPEG" in line or "10 steps" in line]) == 2

    def test_what_cannot_even_be_drafted(self, made):
        digits = made.bundle.manifest.data.model_copy(update={"name": "digits"})
        assert not prepare(on(made.bundle, digits), made.config, PAPER).contents
        bare = made.config.model_copy(update={"verified": None})
        found = prepare(made.bundle, bare, PAPER)
        assert (found.contents, len(found.reasons)) == ({}, 1)

    def test_a_name_that_is_taken(self, made, monkeypatch):
        taken = dataclasses.replace(PAPER, id="Peng2023Robust")
        with pytest.raises(ConfigError, match="Peng2023Robust is on RobustBench's leaderboard cifar10"):
            prepare(made.bundle, made.config, taken)

    def test_another_bundle(self, made, bundle):
        with pytest.raises(ConfigError, match="was made on bundle"):
            prepare(bundle, made.config, PAPER)

    def test_a_mix_that_the_yaml_cannot_say(self, made, tmp_path):
        by_hand = made.config.model_copy(update={"beta": None})
        by_hand = verified_with(by_hand, mix=str(by_hand.params))
        found = prepare(made.bundle, by_hand, PAPER)
        assert "no optimal_spca.yaml: optimal_spca.yaml names a mix by its level" in found.notes[0]
        write(found, tmp_path / "x", force=False)
        assert wrong(tmp_path / "x") == []

    def test_autoattack_s_own_figure_beside_it(self, made, tmp_path):
        standard = verified_with(made.config, attack="autoattack")
        write(prepare(made.bundle, made.config, PAPER, standard=standard), tmp_path / "x", force=False)
        assert "; AutoAttack itself left " in (tmp_path / "x" / "new-model.md").read_text()
        assert wrong(tmp_path / "x") == []
        (tmp_path / "x" / "mix-autoattack.json").write_text(made.config.to_json())
        assert any("--attack autoattack" in line for line in wrong(tmp_path / "x"))

    def test_of_an_earlier_one_nothing_is_left(self, folder, made):
        write(prepare(made.bundle, made.config, PAPER), folder, force=True)
        assert not (folder / "adversarial.pt").exists()
        assert not (folder / "new-evaluation.md").exists()

    def test_nothing_is_overwritten_unasked(self, folder, made):
        found = prepare(made.bundle, made.config, PAPER)
        (folder / "mix.json").write_text("precious")
        with pytest.raises(ConfigError, match="exists already"):
            write(found, folder, force=False)
        assert (folder / "mix.json").read_text() == "precious"
        write(found, folder, force=True)
        assert wrong(folder) == []


class TestCheck:
    def test_a_sound_one(self, folder, ground):
        assert wrong(folder) == wrong(folder, ground) == []
        notes = [str(each) for each in check_hand_in(folder, ground)]
        recomputed = [text for text in notes if "recomputed" in text]
        assert len(recomputed) == 2
        assert f"of {N}" in recomputed[0]
        assert any(TO_FILL in text for text in notes)
        assert any("few-steps" in text for text in notes)
        assert any("file:g.pt@nets:g is a file of yours" in text for text in notes)
        assert "give --data" in str(check_hand_in(folder)[-1])

    @pytest.mark.parametrize(
        ("name", "before", "after", "words"),
        [
            (ENTRY, '"100.00"', '"99.00"', "clean_acc is '99.00', but '100.00' by mix.json"),
            (ENTRY, '"8/255"', '"0.031"', 'eps must be "8/255"'),
            (ENTRY, '"venue"', '"place"', "venue is missing"),
            (ENTRY, "{", "[", "not valid JSON"),
            ("mix.json", '"n_iter": 100', '"n_iter": 10', "attacked with 10 steps"),
            ("mix.json", '"alpha": 0.9,\n  "beta"', '"alpha": 0.8,\n  "beta"', "of another mix"),
            ("mix.json", '"schema"', '"scheme"', "must have schema"),
            ("hand-in.json", "the original pixels", "some pixels", "nothing says that the pixels"),
            ("hand-in.json", '"spec": "file:', '"x": 1, "spec": "file:', "extra inputs"),
            ("hand-in.json", f'"id": "{PAPER.id}"', '"id": "../../x"', "id"),
            ("hand-in.json", '"norm": "Linf"', '"norm": "L2"', "is not its entry"),
            ("optimal_spca.yaml", "s: 2.0", "s: 3.0", "it says MixParams(s=3.0"),
            ("new-model.md", "100.00 %", "99.99 %", "is missing"),
        ],
    )
    def test_what_was_changed(self, folder, name, before, after, words):
        text = (folder / name).read_text()
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1))
        assert any(words in line for line in wrong(folder)), wrong(folder)

    @pytest.mark.parametrize("name", [ENTRY, "new-model.md", "new-evaluation.md", MODULE, "mix.json"])
    def test_what_is_missing(self, folder, name):
        (folder / name).unlink()
        assert any(name in line and "No such file" in line for line in wrong(folder))

    def test_another_entry(self, folder):
        (folder / "model_info" / "x.json").write_text("{}")
        assert any("model_info/x.json is not its entry" in line for line in wrong(folder))

    def test_a_changed_module_is_told_of_and_not_run(self, folder):
        (folder / MODULE).write_text("raise SystemExit")
        assert wrong(folder) == []
        assert any("read it before you run it" in str(each) for each in check_hand_in(folder))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda points: points.double(), "must be float32"),
            (lambda points: points[1:], f"a point for each image that was verified ({N})"),
            (lambda points: points[:, :1], "of shape (N, 3, 32, 32)"),
            (lambda points: points + 0.9, "must lie in [0, 1]"),
            (lambda points: points * torch.nan, "must lie in [0, 1]"),
            (lambda points: {"points": points}, "one plain tensor, got a dict"),
            (lambda points: torch.tensor(0.5), "got shape ()"),
        ],
    )
    def test_points_of_another_form(self, folder, change, words):
        points = torch.load(folder / "adversarial.pt", weights_only=True)
        torch.save(change(points.clone()), folder / "adversarial.pt")
        assert any(words in line for line in wrong(folder)), wrong(folder)

    def test_points_beyond_the_ball(self, folder, ground):
        points = torch.load(folder / "adversarial.pt", weights_only=True).clone()
        points[7, 0, 0, 0] = (ground.images[7, 0, 0, 0] + 0.1).clamp(max=1)
        torch.save(points, folder / "adversarial.pt")
        assert wrong(folder) == []
        assert any(
            "beyond ℓ∞, ε = 8/255 around the images: 1 point, up to" in line and "rows 7" in line
            for line in wrong(folder, ground)
        )

    def test_points_that_do_not_fool_the_mix(self, folder, ground):
        torch.save(ground.images, folder / "adversarial.pt")
        assert any("accuracy at the points is" in line for line in wrong(folder, ground))

    def test_points_where_the_attack_failed(self, folder, ground, made):
        points = torch.load(folder / "adversarial.pt", weights_only=True).clone()
        held = int(np.flatnonzero(made.config.verified.outcomes.attacked_right)[0])
        points[held, 0, 0, 0] += 1e-3
        torch.save(points, folder / "adversarial.pt")
        assert any("although the attack failed there: 1 point" in line for line in wrong(folder, ground))

    def test_other_images(self, folder, ground):
        other = ground._replace(images=ground.images.flip(0), labels=ground.labels.flip(0), models=None)
        assert any("on other images than --data's" in line for line in wrong(folder, other))
        fewer = ground._replace(images=ground.images[:5], labels=ground.labels[:5])
        assert any("the images of (5, 3, 32, 32)" in line for line in wrong(folder, fewer))

    def test_other_models(self, folder, ground):
        other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 10))
        swapped = ground._replace(models=(ground.models[0], other))
        assert any("clean accuracy is" in line for line in wrong(folder, swapped))

    def test_a_model_with_an_optimisation_loop(self, folder, ground):
        assert not any("optimisation loop" in line for line in wrong(folder, ground))
        voting = ground._replace(models=(ground.models[0], Voting(ground.models[1])))
        assert any("no optimisation loop: rob_model calls layer" in line for line in wrong(folder, voting))

    def test_no_hand_in(self, tmp_path):
        with pytest.raises(ConfigError, match="no folder at"):
            check_hand_in(tmp_path / "none")
        with pytest.raises(ConfigError, match=r"hand-in\.json"):
            check_hand_in(tmp_path)

    def test_a_leaderboard_that_there_is_not(self, folder):
        text = (folder / "hand-in.json").read_text().replace('"cifar10"', '"mnist"')
        (folder / "hand-in.json").write_text(text)
        with pytest.raises(ConfigError, match="no leaderboard mnist, Linf"):
            check_hand_in(folder)


def test_a_plain_mix_is_checked_by_its_yaml(made, tmp_path):
    plain = IDENTITY.with_(alpha=0.9, beta=0.95, temperature=1.0)
    config = MixConfig.from_params(plain, beta=0.95).model_copy(update={"verified": made.config.verified})
    config = verified_with(config, mix=str(config.params))
    write(prepare(made.bundle, config, PAPER), tmp_path / "x", force=False)
    assert [line for line in wrong(tmp_path / "x") if "optimal_spca" in line] == []
