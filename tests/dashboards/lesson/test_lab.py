"""The lesson's computations: examples, typical rows, and the digits of a weight next to 1."""

import numpy as np

from mnuts_dashboards.lesson.lab import Lab


def test_examples_and_typical_rows_are_what_they_claim(lab, digits):
    assert (lab.examples == Lab(digits).examples).all()
    assert len(set(lab.examples.tolist())) == len(lab.examples)
    row = lab.typical(lab.unsure)
    assert lab.margins["LN"][row] <= np.median(lab.margins["LN"][lab.unsure])
    assert not lab.rob_right[row]
    assert lab.rob_right[lab.typical(lab.sure)]
    assert lab.picture(0).startswith("data:image/png;base64,")
    h, mean, spread, ln = lab.normed(5)
    np.testing.assert_allclose((h - mean) / spread, ln, rtol=1e-6)


def test_a_weight_next_to_one_has_the_digits_that_show_it(bundle):
    lab = Lab(bundle)
    lab.remix = lambda params: type("Mix", (), {"alpha": 0.999973})()
    assert lab.alpha_digits == 6
    assert lab.start_alpha == 0.999973


def test_it_opens_on_an_image_that_the_attack_turned(lesson, data):
    turned = np.flatnonzero(data["h_right"][data["index"]] & ~data["adv_h_right"])
    assert len(turned)
    assert lesson.state.pair == 1 + turned[0]
