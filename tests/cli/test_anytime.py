"""A verification while it runs: the bound in words, two mixes told apart, and rivals that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mnuts_core import MixConfig, MixParams, MnutsError
from mnuts_core.cli.anytime import Ending, Rival, Running
from mnuts_core.functional.statistics import share_of
from mnuts_core.pipeline.verify import data_digest
from tests.synthetic import verified_by

N = 40
IMAGES, LABELS = torch.rand(N, 1, 2, 2), torch.zeros(N, dtype=torch.int64)


@pytest.fixture
def rival(tmp_path: Path) -> Rival:
    """Wrong at every image under its attack."""
    params = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)
    wrong = np.tile(np.array([0.0, 9.0, 0.0], np.float32), (N, 1))
    found = verified_by(params, LABELS.numpy(), wrong, wrong, data_digest=data_digest(IMAGES, LABELS))
    file = found.into(MixConfig.from_params(params)).save(tmp_path / "other.json")
    return Rival.load(file)


def test_the_bound_and_the_first_look_that_tells_apart(rival: Rival) -> None:
    shown: list[str] = []
    running = Running(60, rival, shown.append)
    right = np.arange(60) % 8 < 4
    assert not running(right[:8])
    assert shown == [f"8 of 60 images done, right at most {share_of(right[:8], 'verified')}; e-value 4.38"]
    assert running(right[:16])
    early = Ending.of(running, 16, interrupted=False)
    assert (early.reason, early.look.pair.only_first) == ("different", 8)
    assert "told apart from" in early.lines()[0]
    assert "goes on" in early.lines()[1]
    assert early.to_json()["stopped"] == "different"
    assert running(right), "of images that the rival has not met, nothing is said"
    assert running.look.pair.n == N


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    running = Running(4, None, lambda words: None)
    assert not running(np.ones(4, bool))
    ending = Ending.of(running, 4, interrupted=False)
    assert ending.lines() == []
    assert ending.to_json() == {"asked": 4, "stopped": None, "until_different": None}


def test_a_rival_on_other_images_is_refused(rival: Rival, tmp_path: Path) -> None:
    more = torch.cat([IMAGES, IMAGES])
    rival.check_images(more, torch.cat([LABELS, LABELS]))
    with pytest.raises(MnutsError, match="was verified on 40 images, and these are 39: give --n 40 or more"):
        rival.check_images(IMAGES[:39], LABELS[:39])
    with pytest.raises(MnutsError, match="was not verified on the first 40 of these images"):
        rival.check_images(IMAGES.flip(0), LABELS)
    bare = MixConfig.from_params(MixParams(s=5, p=4, c=-0.6, alpha=0.94)).save(tmp_path / "bare.json")
    with pytest.raises(MnutsError, match="must name a verified configuration that keeps which images fell"):
        Rival.load(bare)
