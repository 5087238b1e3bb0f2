"""The cards of a report: an image's story, its picture."""

import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views.examples import story as story_of
from mnuts_dashboards.text.cards import story_html
from mnuts_dashboards.text.images import picture
from tests.synthetic import make_pool


@pytest.fixture(scope="module")
def story(bundle):
    engine = RemixEngine(bundle)
    return story_of(engine, engine.remix(MixParams(s=2, p=2, c=-0.3)), "clean", 0)


@pytest.mark.parametrize(
    ("margin", "threshold", "changed", "rule"),
    [
        (2.4e-5, 0.0, False, "margin (2.4e-5) reaches the threshold (0), so g cannot overrule it."),
        (9.6e-5, 1.0e-4, True, "margin (9.6e-5) is below the threshold (1.0e-4), so g overrules it."),
        (0.89779, 0.89781, False, "margin (0.89779) is below the threshold (0.89781), so g can overrule it."),
        (0.99996, 0.34, False, "margin (0.99996) reaches the threshold (0.34000), so g cannot"),
        (0.25, 0.25, False, "margin equals the threshold (0.25): a tie, and ties go to g."),
    ],
)
def test_a_margin_is_compared_with_digits_enough(story, margin, threshold, changed, rule):
    mix = "another" if changed else story.mapped
    assert rule in story_html(story._replace(margin=margin, threshold=threshold, mix=mix), None)


def test_a_bundle_keeps_pictures_of_its_first_points_alone(digits):
    assert picture(digits, 0).startswith("data:image/png;base64,")
    assert picture(digits, digits.n_clean).startswith("data:image/png;base64,")
    assert picture(digits, digits.n_clean + digits.n_adv) is None
    assert picture(make_pool(n=20, m=10), 0) is None
