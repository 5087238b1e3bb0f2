"""The plan of the lesson: its steps in order, and all plots that they show."""

from __future__ import annotations

from mnuts_dashboards.lesson.step import Step
from mnuts_dashboards.lesson.steps.s1_failures import TwoFailures
from mnuts_dashboards.lesson.steps.s2_margin import ConfidenceMargin
from mnuts_dashboards.lesson.steps.s3_benign import BenignConfidence
from mnuts_dashboards.lesson.steps.s4_attack import UnderAttack
from mnuts_dashboards.lesson.steps.s5_layer_norm import LayerNorm
from mnuts_dashboards.lesson.steps.s6_clamp import Clamp
from mnuts_dashboards.lesson.steps.s7_power import PowerAndScale
from mnuts_dashboards.lesson.steps.s8_mixing import Mixing
from mnuts_dashboards.lesson.steps.s9_price import Price

NAME = "Why a robust model knows when it is wrong"
STEPS: tuple[type[Step], ...] = (
    TwoFailures,
    ConfidenceMargin,
    BenignConfidence,
    UnderAttack,
    LayerNorm,
    Clamp,
    PowerAndScale,
    Mixing,
    Price,
)
PANELS = tuple(panel for step in STEPS for panel in step.places())
