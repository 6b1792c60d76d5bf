"""Heat of a crop: mask logits with their neighbours'."""

import numpy as np
import pytest

from seamline.scoring.evidence import heat_of


def test_flat_logits_keep_their_probability_up_to_the_border():
    heat = heat_of(np.full((12, 12), 1.5, np.float32))
    assert heat.shape == (12, 12)
    assert heat == pytest.approx(1 / (1 + np.exp(-1.5)))


def test_a_stray_cell_does_not_outdo_a_forged_patch():
    logits = np.full((12, 12), -3.0, np.float32)
    logits[1, 10] = 2.5
    logits[5:8, 3:6] = 2.0
    heat = heat_of(logits)
    assert np.unravel_index(heat.argmax(), heat.shape) == (6, 4)
    assert heat[6, 4] > 0.5 > heat[1, 10]


def test_heat_stays_where_it_is():
    logits = np.full((12, 12), -4.0, np.float32)
    logits[2, 9] = 4.0
    assert np.unravel_index(heat_of(logits).argmax(), (12, 12)) == (2, 9)
