"""What models' publishers say of them."""

from __future__ import annotations

import pytest

from mnuts_core.models.listed import on_leaderboard
from mnuts_core.models.specs import load_model


@pytest.mark.parametrize(
    ("name", "dataset", "clean", "attacked", "eps"),
    [
        ("Wang2023Better_WRN-28-10", "cifar10", 0.9244, 0.6731, 8 / 255),
        ("Wang2023Better_WRN-28-10", "cifar100", 0.7258, 0.3877, 8 / 255),
        ("Standard_R50", "imagenet", 0.7652, 0.0, 4 / 255),
        ("Bai2024MixedNUTS", "cifar10", 0.9519, 0.6971, 8 / 255),
        ("Bai2024MixedNUTS/std", "cifar100", 0.9138, 0.0, 8 / 255),
        ("Bai2024MixedNUTS/rob", "cifar10", 0.9327, 0.7107, 8 / 255),
    ],
)
def test_the_leaderboard_by_name(name, dataset, clean, attacked, eps):
    found = on_leaderboard(name, dataset, "Linf")
    assert (found.clean, found.attacked) == (clean, attacked)
    assert (found.threat.norm, found.threat.eps) == ("Linf", pytest.approx(eps))


def test_what_it_does_not_know():
    assert on_leaderboard("Standard", "cifar10", "L2") is None
    assert on_leaderboard("Nobody2030", "cifar10", "Linf") is None
    assert on_leaderboard("Standard/std", "cifar10", "Linf") is None


def test_the_shipped_pairs_say_it_themselves():
    std, rob = (load_model(f"demo:digits/{role}").listed for role in ("std", "rob"))
    assert std.clean > rob.clean > rob.attacked > 0.5
    assert std.attacked is None
    assert rob.threat.eps == 3 / 16
