"""The plan of the lesson: its steps in order, and all plots that they show."""

from __future__ import annotations

from mnuts_dashboards.board.board import Panel
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
PANELS = (
    Panel("accuracy", "Accuracy", 12, 400, "Bars with 95 % intervals: both models, clean and attacked."),
    Panel(
        "probabilities", "h's probabilities for this image", 12, 400, "The most probable classes (Fig. 3)."
    ),
    Panel("margins", "Confidence margins on clean images", 12, 400, "Right and wrong answers (Table 6)."),
    Panel(
        "survivors", "Confidence margins of h", 12, 400, "What the attack leaves right, and clean mistakes."
    ),
    Panel("normed", "Confidence margins, before and after layer norm", 12, 400, "The same two groups."),
    Panel("cutoff", "The clamp, and where the logits lie", 12, 400, "Densities of the clean images' logits."),
    Panel(
        "simplex", "From no idea to certainty", 12, 300, "Raw and transformed paths on the simplex (Fig. 4)."
    ),
    Panel(
        "bars", "Probabilities before and after", 12, 300, "The first three classes of both images (Fig. 3)."
    ),
    Panel(
        "flips",
        "What the mix changes on clean images",
        12,
        400,
        "Mended and broken against h, for every threshold.",
    ),
    Panel("plane", "The trade-off", 12, 400, "Clean accuracy and estimates under attack, 95 % intervals."),
)
