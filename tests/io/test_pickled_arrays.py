"""Pickles of arrays: read in every protocol, and nothing in them runs."""

import contextlib
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.errors import BundleError
from mnuts_core.io.pickled_arrays import read_pickled_arrays

CONTENT = {
    "floats": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i8"),
    "more": [(np.array([True, False]), "text", 1.5, None)],
    "none": np.empty((0, 4), np.int64),
}


class Runs:
    """Would make a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back(tmp_path, protocol):
    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps(CONTENT, protocol))
    found = read_pickled_arrays(path, BundleError)
    for name in ("floats", "turned", "big endian", "none"):
        np.testing.assert_array_equal(found[name], CONTENT[name])
        assert found[name].dtype == CONTENT[name].dtype.newbyteorder("=")
    assert found["more"][0][0].tolist() == [True, False]
    assert found["more"][0][1:] == ["text", 1.5, None]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lambda folder: pickle.dumps(Runs(str(folder / "made"))), "it names posix.mkdir|it names nt.mkdir"),
        (lambda _: pickle.dumps({"a": np.array([object()])}), "it uses NEWOBJ"),
        (lambda _: pickle.dumps(np.array(["text"])), "must be of numbers"),
        (lambda _: pickle.dumps(np.arange(3))[:-20], "UnpicklingError|ValueError"),
        (lambda _: b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "ValueError"),
        (lambda _: b"\x80\x02r\xff\xff\xff\xff.", "Error"),
        (lambda _: pickle.dumps({1, 2}), "it holds a set|it names"),
        (lambda _: b"cnumpy\nndarray\n(I1000000000000\ntR.", "of its own accord"),
        (lambda _: b"]\x94h\x00a.", "nested more than|Error"),
        (lambda _: b"", "Error"),
        (lambda _: b"<html>", "Error"),
    ],
)
def test_everything_else_is_refused(tmp_path, content, problem):
    path = tmp_path / "a.pt"
    path.write_bytes(content(tmp_path))
    with pytest.raises(BundleError, match=problem) as caught:
        read_pickled_arrays(path, BundleError)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "made").exists()


GOOD = pickle.dumps(CONTENT)


@given(st.data())
def test_a_damaged_pickle_raises_our_error_or_is_read(tmp_path_factory, data):
    """Whatever byte is another: one error, or arrays."""
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.pt"
    path.write_bytes(content)
    with contextlib.suppress(BundleError):
        assert isinstance(read_pickled_arrays(path, BundleError), (dict, list, str, int, float, np.ndarray))
