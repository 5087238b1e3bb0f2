"""The lesson in other languages: catalogues are complete, and the page says nothing that is not in them."""

from __future__ import annotations

import re

import pytest

from mnuts_core.errors import ParameterError
from mnuts_dashboards.lesson.page_file import languages, lesson_app, sentences
from mnuts_dashboards.page.modules import WEB
from tests.dashboards.web.explorer.visit import DRIVER, Visit
from tests.dashboards.web.node import running

FIELD = re.compile(r"\{[^{}]+\}")
SHARED = {"controls": ("controls/words.js", "ENGLISH"), "glossary": ("controls/glossary.js", "GLOSSARY")}
DATA = {"made-1", "bundle", "CIFAR", "English", "Deutsch", "Pseudo", "GELU", "sgn", "PNG", "SVG", "CSV"}


def shared_words() -> dict[str, str]:
    """What the controls say in English, by the keys that a translation has for it."""
    found = {}
    for prefix, (module, name) in SHARED.items():
        source = (WEB / module).read_text("utf-8")
        body = re.search(rf"export const {name} = \{{\n(.*?)\n\}};", source, re.DOTALL)[1]
        for key, text in re.findall(r'^  "?([^"\n:]+)"?:\s(.*?),$', body, re.DOTALL | re.MULTILINE):
            found[f"{prefix}.{key}"] = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    return found


CITED = ("page.paper_title", "page.paper_where")
"""The paper's title and authors, which no language changes."""


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_a_catalogue_has_the_same_sentences_and_fields(language):
    english, other = sentences() | shared_words(), sentences(language)
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert set(FIELD.findall(other[key])) == set(FIELD.findall(text)), key
        assert (other[key].count("**"), other[key].count("\n\n")) == (text.count("**"), text.count("\n\n")), (
            key
        )
    same = [
        key
        for key, text in english.items()
        if re.search("[a-z]{4}.* .*[a-z]{4}", FIELD.sub("", text)) and other[key] == text
        if key not in CITED
    ]
    assert same == [], "not translated"


def pseudo(text: str) -> str:
    """A sentence in a language of one letter, its fields as they are."""
    parts = re.split(r"(\{[^{}]+\})", text)
    return "".join(part if part.startswith("{") else re.sub("[A-Za-zäöüß]", "ж", part) for part in parts)


@pytest.fixture(scope="module")
def foreign():
    """The lesson's page in that language."""
    app = lesson_app()
    made = {key: pseudo(text) for key, text in (sentences() | shared_words()).items()}
    made |= {
        "page.language": "Pseudo",
        "controls.decimal": ",",
        "controls.group": ".",
        "controls.term_margin": "жжж",
    }
    content = {**app.content, "languages": {**app.content["languages"], "xx": made}}
    with running(DRIVER) as ask:
        yield Visit(ask, app._replace(content=content))


def test_nothing_is_said_outside_of_the_catalogue(foreign, made):
    names = DATA | set(made["record"]["classes"]) | {"who", made["meta"]["dataset"]}
    said = set()
    for step in (1, 2, 4, 6, 9, 10):
        query = f"step={step}&said=failures:40,benign:-,line:40,clamp:3,norm:more,price:2&lang=xx&who=me"
        said |= set(foreign.open(made, query=query).do(["texts"])[0])
    assert len(said) > 300
    thread = lesson_app().content["thread"]
    names |= set(thread["examples"][0]["classes"]) | {thread["bundle"]}
    left = {
        text for text in said if re.search("[A-Za-z]{3}", re.sub("|".join(map(re.escape, names)), "", text))
    }
    assert {text for text in left if not re.search("bundle, step, said|^[?]bundle=", text)} == set()


def test_german_numbers(read, reference):
    reader = read("lang=de")
    reader.press("Nur zeigen")
    seen = reader.sees
    value = f"{100 * reference.base.rob_attacked.value:.1f}".replace(".", ",")
    assert seen["verdict"] == f"Unter Angriff erkennt h {value} % richtig."
    reader = read("step=4&said=line:-&lang=de")
    reader.type("cut", "0,25")
    assert reader.sees["state"]["cut"] == 0.25
    assert reader.box("cut")["value"] == "0,25"
    assert "Über 0,250:" in reader.sees["live"]
    reader.type("cut", "1,5")
    assert "zwischen 0 und 1 liegen. Meinten Sie 0,015?" in reader.sees["errors"][0]


def test_the_language_changes_in_place(read):
    reader = read("step=4&said=line:40")
    before = reader.sees
    reader.choose("Language", "Deutsch")
    seen = reader.sees
    assert (seen["title"], seen["state"]) == (
        "4. Unter Angriff: Trennt eine Linie gute Antworten von schlechten?",
        before["state"],
    )
    assert seen["address"] == before["address"] + "&lang=de"
    assert "Ihre Schätzung war 40 %" in seen["verdict"]
    reader.choose("Sprache", "English")
    assert {**reader.sees, "used": None} == {**before, "used": None}


def test_a_language_that_there_is_not(read):
    assert "lang in the link" in read("lang=tlh").sees["errors"][0]
    with pytest.raises(ParameterError, match="must be one of de, en"):
        lesson_app("../en")
