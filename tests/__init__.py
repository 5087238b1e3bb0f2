"""Tests, in folders that mirror the code."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
