"""Files and JSON from strangers: only regular files are read, and JSON that says one thing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixConfig, MnutsError
from mnuts_core.bundles.importers import import_logits
from mnuts_core.bundles.library import bundles_in, is_bundle
from mnuts_core.io.untrusted import existing_file, parse_json, read_bytes, safetensors_header


class RefusedError(MnutsError):
    """What the tests give as their error."""


def parse(text):
    return parse_json(text, "the text", RefusedError)


class TestFiles:
    @pytest.fixture
    def special(self, tmp_path) -> dict[str, Path]:
        """What is no regular file, under endings that we read."""
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()
        (tmp_path / "broken").symlink_to(tmp_path / "none")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        (tmp_path / "zero").symlink_to("/dev/zero")
        (tmp_path / "proc").symlink_to("/proc/self/environ")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
        return {path.name: path for path in tmp_path.iterdir()}

    @pytest.mark.parametrize("name", ["pipe", "folder", "broken", "loop", "zero", "proc", "socket"])
    def test_only_regular_files_are_read(self, special, name):
        path = special[name]
        for read in (
            lambda: existing_file(path, RefusedError),
            lambda: read_bytes(path, 100, RefusedError),
            lambda: safetensors_header(path, RefusedError),
        ):
            with pytest.raises(RefusedError) as caught:
                read()
            assert str(path) in str(caught.value)

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"\n <!doctype HTML><p>Sign in", "an HTML page"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a pointer of Git LFS"),
        ],
    )
    def test_what_a_failed_download_leaves_is_named(self, tmp_path, content, kind):
        for ending in ("npz", "pt", "csv", "safetensors"):
            path = tmp_path / f"file.{ending}"
            path.write_bytes(content)
            with pytest.raises(RefusedError, match=f"{path} is {kind}, not the file itself: "):
                existing_file(path, RefusedError)

    @pytest.mark.parametrize("name", ["pipe", "zero", "proc"])
    def test_by_every_reader(self, special, tmp_path, name):
        for ending in ("npz", "pt", "csv", "parquet", "safetensors", "json"):
            path = tmp_path / f"{name}.{ending}"
            path.symlink_to(special[name])
            reader = {"safetensors": LogitBundle.load, "json": MixConfig.load}.get(ending, import_logits)
            with pytest.raises(MnutsError):
                reader(path)
        assert not is_bundle(special[name])
        assert bundles_in(tmp_path) == {}

    def test_sizes(self, tmp_path):
        path = tmp_path / "x"
        path.write_bytes(b"123")
        assert read_bytes(path, 3, RefusedError) == b"123"
        with pytest.raises(RefusedError, match="is larger than 0 MiB"):
            read_bytes(path, 2, RefusedError)
        path.write_bytes(b"")
        assert read_bytes(path, 3, RefusedError) == b""

    @pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
    def test_impossible_names(self, name):
        for read in (existing_file, lambda path, error: read_bytes(path, 1, error)):
            with pytest.raises(RefusedError):
                read(name, RefusedError)


class TestJson:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"a": 1, "b": {"c": 1, "c": 1}}', "'c' stands twice in one object"),
            ('{"a": 1, "\\u0061": 2}', "'a' stands twice"),
            ("1" * 5000, "integers must fit into 64 bits, got '111"),
            (str(2**70), "must fit into 64 bits, got '1180591620717411303424'"),
            (str(-(2**63) - 1), "must fit into 64 bits"),
            ("[" * 101 + "]" * 101, "nested more than 100 deep"),
            ("[" * 10**6, "nested more than 100 deep"),
            ('{"a":' * 10**5, "nested more than 100 deep"),
            ('"\\ud800"', "must be UTF-8"),
            ("\ufeff1", "begins with a byte order mark"),
            (b"\xef\xbb\xbf1", "begins with a byte order mark"),
            ('"é"'.encode("latin-1"), "must be UTF-8"),
            ('"é"'.encode("utf-16"), "must be UTF-8"),
            (b"", "Expecting value"),
            ("{'a': 1}", "Expecting property name"),
            ("1 2", "Extra data"),
        ],
    )
    def test_refusals(self, text, message):
        with pytest.raises(RefusedError, match=f"the text is not valid JSON: .*{message}") as caught:
            parse(text)
        assert len(str(caught.value)) < 400

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**63 - 1)
            | st.floats(allow_nan=False)
            | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        )
    )
    def test_all_else_is_read_as_it_is(self, value):
        import json

        assert parse(json.dumps(value)) == value
        assert parse(json.dumps(value, ensure_ascii=False).encode()) == value

    def test_brackets_in_text_are_no_nesting(self):
        assert parse('["' + "[" * 500 + '\\""]') == ["[" * 500 + '"']
