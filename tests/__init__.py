"""Tests, in folders that mirror the code."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
CIFAR10 = os.environ.get("MNUTS_CIFAR10", "")
"""A folder with CIFAR-10 as JPEG, for `cifar10-jpeg:FOLDER`; without it what needs it is passed over."""
NEEDS_CIFAR10 = "$MNUTS_CIFAR10 does not name a folder with CIFAR-10 as JPEG (train.npz, test.npz)"
needs_cifar10 = pytest.mark.skipif(not CIFAR10, reason=NEEDS_CIFAR10)
