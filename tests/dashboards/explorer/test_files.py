"""Files that come into the explorer."""


def test_a_configuration_is_imported(explorer, tmp_path):
    explorer.state.set(s=0.7, p=2.2, c=-0.35)
    file = explorer.config.save(tmp_path / "mine.json")
    explorer.controls.defaults.click()
    explorer.import_file(file)
    assert explorer.state.c == -0.35
    assert "mine.json loaded" in explorer.controls.toolbar.status.value


def test_a_wrong_file_is_refused_by_its_name_and_changes_nothing(explorer, tmp_path):
    before = explorer.state.params
    for name, content in (("a.json", "{"), ("b.json", '{"schema": "other"}'), ("c.safetensors", "no")):
        file = tmp_path / name
        file.write_text(content)
        explorer.import_file(file)
        assert f"{name} " in explorer.header.banner.value
        assert str(tmp_path) not in explorer.header.banner.value
    assert explorer.state.params == before


def test_a_bundle_is_imported_under_a_name_of_its_own(explorer, path, bundle):
    explorer.import_file(path)
    assert explorer.state.bundle == "made-up (2)"
    assert "made-up (2)" in explorer.controls.bundle.options
    assert not explorer.session.trusted("made-up (2)")
    assert explorer.session.trusted("made-up")
    assert explorer.link().startswith("bundle=made-up%20%282%29")


def test_the_page_file_is_saved(explorer, monkeypatch):
    saved = []
    monkeypatch.setattr(explorer.board, "download", lambda *given: saved.append(given))
    explorer.controls.page.click()
    [(name, page, kind)] = saved
    assert (name, kind) == ("mnuts-made-up.page.html", "text/html")
    assert '"bundles":[{"name":"made-up",' in page
