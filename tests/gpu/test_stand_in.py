"""Those tests of this folder that take few seconds, under the stand-in for a GPU: on machines without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fake_cuda import fake_cuda
from tests.gpu.test_numbers import (  # noqa: F401  # collected here, too, with the device below
    test_algorithm_1,
    test_direct_search,
    test_engine,
    test_mixed_logits,
    test_transform_and_margins,
)
from tests.gpu.test_training import test_it_trains_there_and_comes_back  # noqa: F401


@pytest.fixture
def device() -> Iterator[str]:
    """In the place of `tests/conftest.py`'s."""
    with fake_cuda():
        yield "cuda"
