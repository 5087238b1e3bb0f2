"""A hand-in to RobustBench for tests: two SYNTHETIC models, their mix really attacked, few images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from mnuts_core import LogitBundle, MixConfig, MixedClassifier, MixParams
from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles import leaderboard
from mnuts_core.bundles.leaderboard import ORIGINAL_PIXELS, Leaderboard
from mnuts_core.bundles.manifest import DataCard, ModelCard, ThreatModel
from mnuts_core.export.cards import AuxiliaryCard, BundleCard
from mnuts_core.export.robustbench.entry import Paper
from mnuts_core.export.robustbench.folder import prepare, write
from mnuts_core.models.predict import predict
from mnuts_core.pipeline.verify import evaluate

N, EPS = 40, 8 / 255
ORIGINAL = DataCard(name="CIFAR-10", split=f"test: all {N} images", source=f"made up, {ORIGINAL_PIXELS}")
PAPER = Paper(
    id="Doe2026Mixing",
    title="Mixing, for Tests",
    authors="Jane Doe, John Roe",
    link="https://example.org/paper",
    venue="arXiv, Nov 2026",
    architecture="Linear + Linear",
    additional_data=False,
    code="https://example.org/code",
)
OPTIONS = (
    *("--id", PAPER.id, "--title", PAPER.title, "--authors", PAPER.authors, "--link", PAPER.link),
    *("--venue", PAPER.venue, "--architecture", PAPER.architecture, "--no-additional-data"),
    *("--code", PAPER.code),
)


class Made(NamedTuple):
    """All that a hand-in is made from, and checked against."""

    bundle: LogitBundle
    config: MixConfig
    points: Path
    images: Tensor
    labels: Tensor
    models: tuple[nn.Module, nn.Module]

    def write(self, folder: Path) -> Path:
        """The hand-in, in a new folder."""
        write(prepare(self.bundle, self.config, PAPER, points=self.points), folder, force=False)
        return folder


def on(
    bundle: LogitBundle, data: DataCard, threat: ThreatModel | None = None, **cards: ModelCard
) -> LogitBundle:
    """The bundle as if it were of these data, this threat model, these models."""
    update = {"data": data, "threat": threat or bundle.manifest.threat, **cards}
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update=update))


def verified_with(config: MixConfig, **settings: object) -> MixConfig:
    """The configuration as if it had been verified with other settings."""
    assert config.verified is not None
    changed = config.verified.model_copy(update={"settings": {**config.verified.settings, **settings}})
    return config.model_copy(update={"verified": changed})


@pytest.fixture
def small_leaderboard(monkeypatch: pytest.MonkeyPatch) -> Leaderboard:
    """A leaderboard of CIFAR-10 with few images, instead of RobustBench's own."""
    board = Leaderboard("cifar10", "Linf", "8/255", N)
    monkeypatch.setattr(leaderboard, "LEADERBOARDS", (board, *leaderboard.LEADERBOARDS[1:]))
    return board


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Attacked with one step, and said to be attacked with all of them."""
    generator = torch.Generator().manual_seed(3)
    prototypes = torch.rand(10, 3 * 32 * 32, generator=generator)
    labels = torch.arange(N) % 10
    noise = torch.rand(N, 3 * 32 * 32, generator=generator)
    images = (0.5 + 0.13 * (prototypes[labels] - 0.5) + 0.3 * (noise - 0.5)).view(N, 3, 32, 32)
    models = tuple(_linear(prototypes - 0.5, scale) for scale in (0.05, 0.03))
    params = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.9, beta=0.95)
    g, h = (predict(model, images, device="cpu").numpy() for model in models)
    arrays = {"clean_labels": labels.numpy(), "clean_std_logits": g, "clean_rob_logits": h}
    cards = {
        "std_model": ModelCard(spec="file:g.pt@nets:g"),
        "rob_model": ModelCard(spec="robustbench:Roe2025Linear"),
    }
    threat = ThreatModel(norm="Linf", eps=EPS)
    bundle = on(LogitBundle.from_arrays(**arrays, name="SYNTHETIC"), ORIGINAL, threat, **cards)
    config = MixConfig.from_params(params, beta=0.95).model_copy(
        update={
            "auxiliary": AuxiliaryCard(alpha_d=0.9, beta=0.95),
            "bundle": BundleCard.of(bundle),
            "threat": threat,
        }
    )
    mix = MixedClassifier.from_config(config, *models)
    found = evaluate(mix, images, labels, plan=Plan(norm="Linf", eps=EPS, n_iter=1))
    points = found.save_points(tmp_path_factory.mktemp("points") / "points.npz")
    config = verified_with(found.into(config), n_iter=100, n_queries=5000)
    return Made(bundle, config, points, images, labels, models)


def _linear(weights: Tensor, scale: float) -> nn.Module:
    layer = nn.Linear(3 * 32 * 32, 10, bias=False)
    layer.weight = nn.Parameter(weights * scale, requires_grad=False)
    return nn.Sequential(nn.Flatten(), layer).eval()
