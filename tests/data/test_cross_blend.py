"""Cross-identity blends: the nearest shape, the covered face's colours, nothing off the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_self_blend import MARKS, SIDE, picture

from seamline.data.cross_blend import cross_blend, match_colours, nearest_shape


def test_the_nearest_shape_ignores_where_and_how_large_it_is() -> None:
    wide = MARKS * (1.3, 1.0)
    same = MARKS * 2.5 + 40
    assert nearest_shape(MARKS, [wide, same, MARKS * (1.0, 1.2)]) == 1


def test_colours_under_the_mask_become_those_of_the_other_picture() -> None:
    ours, theirs = picture(1) // 2, picture(2) // 2 + 100
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[64:192, 64:192] = 1
    matched = match_colours(ours, theirs, mask)

    def lab(image: np.ndarray) -> np.ndarray:
        return cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[mask > 0].astype(float)

    assert lab(matched).mean(axis=0) == pytest.approx(lab(theirs).mean(axis=0), abs=6)
    before = np.abs(lab(ours).mean(axis=0) - lab(theirs).mean(axis=0)).max()
    after = np.abs(lab(matched).mean(axis=0) - lab(theirs).mean(axis=0)).max()
    assert after < before / 4


def test_what_the_mask_leaves_out_stays_and_the_donor_shows_inside() -> None:
    crop, donor = picture(3), picture(4)
    for seed in range(10):
        blend = cross_blend(crop, MARKS, donor, MARKS + 5, np.random.default_rng(seed))
        assert blend.mask.dtype == np.float32
        assert blend.mask.max() == pytest.approx(1.0, abs=1e-3)
        off = blend.mask == 0
        assert off.any()
        assert (blend.fake[off] == crop[off]).all()
        inside = blend.mask > 0.9
        assert np.abs(blend.fake[inside].astype(int) - crop[inside]).mean() > 10


def test_landmarks_in_one_place_do_not_fail() -> None:
    flat = np.full((5, 2), 128.0)
    blend = cross_blend(picture(5), MARKS, picture(6), flat, np.random.default_rng(0))
    assert blend.fake.shape == (SIDE, SIDE, 3)
