"""The JSON of an entry, against what the installed RobustBench says of its own."""

import dataclasses
import importlib
import json
import re

import pytest

from mnuts_core import MixConfig, MixParams
from mnuts_core.bundles.leaderboard import LEADERBOARDS
from mnuts_core.errors import ConfigError
from mnuts_core.export.cards import EstimateCard, VerifiedCard
from mnuts_core.export.robustbench.entry import (
    ACCURACIES,
    OPTIONAL,
    REQUIRED,
    accuracies,
    entry_json,
    entry_of,
    faults_of_entry,
)
from mnuts_core.functional.statistics import share
from mnuts_core.models.compat import import_robustbench
from tests.hand_ins import PAPER

BOARD = LEADERBOARDS[0]


def verified(right: int, attack: str = "transfer", **mix: float) -> MixConfig:
    card = VerifiedCard(
        accuracy=EstimateCard.of(share(right, 10_000, "verified")),
        clean=EstimateCard.of(share(9519, 10_000, "clean")),
        attack=f"the {attack} attack",
        settings={"attack": attack, "norm": "Linf", "eps": 8 / 255, "data_digest": "images"},
        digest="sha256:" + "0" * 64,
    )
    return MixConfig.from_params(MixParams(alpha=0.9, **mix)).model_copy(update={"verified": card})


def entry(**changes: object) -> dict[str, object]:
    return entry_of(verified(6971), BOARD, PAPER, None, []) | changes


@pytest.fixture(scope="module")
def theirs() -> dict[str, object]:
    """The entry that RobustBench gives as its example."""
    import_robustbench()
    template = importlib.import_module("robustbench.leaderboard.template")
    return json.loads(re.search(r"\{.*?\}", template.generate_leaderboard.__doc__, re.DOTALL)[0])


def test_fields_and_types_are_those_of_robustbench(theirs):
    assert {name: type(value) for name, value in theirs.items()} == REQUIRED
    known = {
        field.name for field in dataclasses.fields(importlib.import_module("robustbench.utils").ModelInfo)
    }
    assert set(REQUIRED) | {"footnote"} <= known
    ours = json.loads(entry_json(entry()))
    assert {name: type(value) for name, value in ours.items()} == REQUIRED | {"footnote": str}
    assert set(OPTIONAL) >= {"external", "footnote", "unreliable"}
    theirs = theirs | {"dataset": "cifar10", "eps": "8/255"}
    assert list(faults_of_entry(theirs, BOARD)) == list(faults_of_entry(ours, BOARD)) == []


def test_numbers():
    made = entry()
    assert [made.get(name) for name in ACCURACIES] == ["95.19", "69.71", "69.71", None]
    assert (made["eps"], made["number_forward_passes"], made["additional_data"]) == ("8/255", 2, False)
    assert "69.71% robust accuracy" in made["footnote"]
    assert entry_of(verified(6971), BOARD, PAPER, None, ["too few"])["footnote"].startswith(
        "DRAFT, not to be"
    )


def test_the_adaptive_attack_is_external_where_it_found_more():
    found = accuracies(verified(6971), verified(7008, "autoattack"))
    assert found == {
        "clean_acc": "95.19",
        "reported": "69.71",
        "autoattack_acc": "70.08",
        "external": "69.71",
    }
    less = accuracies(verified(6971), verified(6900, "autoattack"))
    assert less == {"clean_acc": "95.19", "reported": "69.00", "autoattack_acc": "69.00"}
    made = entry_of(verified(6971), BOARD, PAPER, verified(6900, "autoattack"), [])
    assert "69.00% robust accuracy is that of the autoattack attack" in made["footnote"]
    assert accuracies(verified(100, "autoattack"))["autoattack_acc"] == "1.00"


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (verified(7008), "verified by `mnuts evaluate --attack autoattack`"),
        (verified(7008, "autoattack", s=2.0), "the same mix"),
        (MixConfig.from_params(MixParams(alpha=0.9)), "--attack autoattack"),
    ],
)
def test_a_second_configuration_must_be_autoattacks_of_the_same_mix(second, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        accuracies(verified(6971), second)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clean_acc": 95.19}, "clean_acc must be text, got 95.19"),
        ({"clean_acc": "95.2"}, "such as \"95.19\", got '95.2'"),
        ({"reported": "0.6971"}, "two digits"),
        ({"number_forward_passes": True}, "number_forward_passes must be a whole number, got True"),
        ({"additional_data": "yes"}, "additional_data must be true or false"),
        ({"eps": "0.0314"}, 'eps must be "8/255"'),
        ({"dataset": "cifar100"}, 'dataset must be "cifar10"'),
        ({"venue": "in print"}, "venue must end in a year"),
        ({"authors": " "}, "authors must not be empty"),
        ({"robust_acc": "1.00"}, "'robust_acc' is no field of an entry"),
    ],
)
def test_faults(change, words):
    [fault] = faults_of_entry(entry(**change), BOARD)
    assert words in fault


def test_a_missing_field():
    assert list(faults_of_entry({k: v for k, v in entry().items() if k != "link"}, BOARD)) == [
        "link is missing"
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "My model"}, "NameYearWord"),
        ({"title": ""}, "title must not be empty"),
        ({"title": "two\nlines"}, "title must be one line"),
        ({"venue": "somewhere"}, "venue must end in a year"),
        ({"link": "example.org"}, "link must be an address"),
        ({"code": "ftp://x"}, "code must be an address"),
    ],
)
def test_a_paper_says_what_an_entry_needs(change, words):
    with pytest.raises(ConfigError, match=words):
        dataclasses.replace(PAPER, **change)
