"""Shared by the lesson's tests: the digits in plain arrays, their lab, and steps with or without the page."""

import pytest

from mnuts_dashboards.lesson.app import Lesson
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.plan import STEPS
from mnuts_dashboards.lesson.state import LessonState


@pytest.fixture(scope="session")
def data(mmaa_digits):
    """The bundle in plain arrays, and who is right where."""
    b = mmaa_digits
    clean_h, adv_h = b.clean_rob_logits.astype(float), b.attacked.rob_logits.astype(float)
    y, z = b.clean_labels, b.clean_labels[b.attacked.index]
    return {
        "y": y,
        "g": b.clean_std_logits.astype(float),
        "h": clean_h,
        "adv_g": b.attacked.std_logits.astype(float),
        "adv_h": adv_h,
        "g_right": b.clean_std_logits.argmax(1) == y,
        "h_right": clean_h.argmax(1) == y,
        "adv_g_right": b.attacked.std_logits.argmax(1) == z,
        "adv_h_right": adv_h.argmax(1) == z,
        "index": b.attacked.index,
    }


@pytest.fixture(scope="session")
def lab(mmaa_digits):
    """What the steps compute on the digits, once for all tests that only read it."""
    return Lab(mmaa_digits)


@pytest.fixture
def step(lab):
    """A function that gives a step without the page, by its key, with a state of its own."""

    def make(key):
        return {step.key: step for step in STEPS}[key](lab, LessonState())

    return make


@pytest.fixture(scope="session")
def digits_file(mmaa_digits, tmp_path_factory):
    return mmaa_digits.save(tmp_path_factory.mktemp("lesson") / "digits.safetensors")


@pytest.fixture
def lesson(digits_file):
    return Lesson(digits_file)
