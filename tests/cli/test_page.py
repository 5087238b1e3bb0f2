"""`mnuts page`: what it writes, what it says, what it refuses."""

import json

import pytest

from mnuts_core import LogitBundle

WORDS = ("--s", 2, "--p", 2, "--c", -0.5, "--beta", 0.9)


@pytest.fixture
def mix(mnuts, toy, tmp_path):
    path = tmp_path / "mix.json"
    assert mnuts("export", toy, *WORDS, "--out", path).code == 0
    return path


def test_writes_one_file(mnuts, toy, mix, tmp_path):
    out = tmp_path / "page.html"
    code, text, _ = mnuts("page", toy, "digits", "--config", mix, "--title", "Our <pair>", "--out", out)
    assert code == 0
    assert str(out) in text.replace("\n", "")
    assert "1,000 clean" in text
    page = out.read_text("utf-8")
    assert "<title>Our &lt;pair&gt;</title>" in page
    assert '"file":"mix.json"' in page
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_lesson_that_leads_to_an_explorer(mnuts, toy, tmp_path):
    out = tmp_path / "lesson.html"
    words = ("--app", "lesson", "--explorer", "https://example.org/explorer.html", "--out", out)
    assert mnuts("page", toy, *words).code == 0
    page = out.read_text("utf-8")
    assert "<title>Why a robust model knows when it is wrong</title>" in page
    assert '"explorer":"https://example.org/explorer.html"' in page
    assert "$lesson$lesson" in page
    assert "$explorer$explorer" not in page, "only what the app needs"


def test_a_lesson_in_german(mnuts, toy, tmp_path):
    out = tmp_path / "lesson.html"
    assert mnuts("page", toy, "--app", "lesson", "--lang", "de", "--out", out).code == 0
    page = out.read_text("utf-8")
    assert '<html lang="de">' in page
    assert "<title>Warum ein robustes Modell weiß, wann es sich irrt</title>" in page


def test_json(mnuts, toy, tmp_path):
    out = tmp_path / "page.html"
    code, text, _ = mnuts("page", toy, "--out", out, "--json")
    answer = json.loads(text)
    assert code == 0
    assert answer["bytes"] == out.stat().st_size
    assert [one["digest"] for one in answer["bundles"]] == [LogitBundle.load(toy).digest]


def test_overwrites_with_force_alone(mnuts, toy, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("mine")
    code, _, err = mnuts("page", toy, "--out", out)
    assert (code, out.read_text()) == (2, "mine")
    assert "--force" in err
    assert mnuts("page", toy, "--out", out, "--force").code == 0
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("digits", "--out", "page.html"), "was made on bundle 'toy', the page has digits"),
        (("toy.safetensors", "--config", "mix.json", "--out", "page.html"), "is given twice"),
        (("toy.safetensors", "toy.safetensors", "--out", "page.html"), "are the same bundle"),
        (("toy.safetensors", "--out", "page.txt"), "--out must name an .html file"),
        (("toy.safetensors", "--out", "none/page.html"), "in an existing folder"),
        (("toy.safetensors", "--out", "link.html", "--force"), "it is a symbolic link"),
        (
            ("toy.safetensors", "--out", "page.html", "--app", "poster"),
            "one of explorer, lesson",
        ),
        (("toy.safetensors", "--out", "page.html", "--explorer", "x.html"), "belongs to --app lesson"),
        (
            ("toy.safetensors", "--out", "page.html", "--app", "lesson", "--explorer", "javascript:alert(1)"),
            "--explorer must be an address",
        ),
        (("toy.safetensors", "--out", "page.html", "--lang", "de"), "--lang belongs to --app lesson"),
        (
            ("toy.safetensors", "--out", "page.html", "--app", "lesson", "--lang", "xx"),
            "must be one of de, en, got 'xx'",
        ),
        (("toy.safetensors", "--out", "page.html", "--title", " "), "the title must have"),
        (("no-such", "--out", "page.html"), "neither a file nor a bundle's name"),
    ],
)
def test_refusals_are_one_line(mnuts, toy, mix, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.html").symlink_to("elsewhere.html")
    code, out, err = mnuts("page", *words, "--config", mix)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "elsewhere.html").exists()
