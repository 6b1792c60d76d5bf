"""Temporal self-blends: every frame is forged, and the paste moves or changes over time."""

from __future__ import annotations

import numpy as np
from test_self_blend import MARKS, SIDE, picture

from seamline.data.temporal_blend import MOST_DRIFT, temporal_self_blend

CROPS = np.stack([picture(seed) for seed in range(6)])
LANDMARKS = np.tile(MARKS, (6, 1, 1))


def centre(mask: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    return np.array([(x * mask).sum(), (y * mask).sum()]) / mask.sum()


def test_each_frame_is_changed_where_its_mask_says_so() -> None:
    blend = temporal_self_blend(CROPS, LANDMARKS, np.random.default_rng(0))
    assert blend.fakes.shape == CROPS.shape
    assert blend.masks.shape == (6, SIDE, SIDE)
    for fake, crop, mask in zip(blend.fakes, CROPS, blend.masks, strict=True):
        assert (fake[mask == 0] == crop[mask == 0]).all()
        assert (fake[mask > 0.3] != crop[mask > 0.3]).any()


def test_pastes_drift_or_flicker_within_their_bounds() -> None:
    moved, jumped = [], []
    for seed in range(24):
        blend = temporal_self_blend(CROPS, LANDMARKS, np.random.default_rng(seed))
        centres = np.stack([centre(mask) for mask in blend.masks]) / SIDE
        reach = np.abs(centres - centres[0]).max()
        assert reach <= 2 * MOST_DRIFT + 0.02
        moved.append(reach > 0.004)
        peaks = blend.masks.reshape(6, -1).max(axis=1)
        jumped.append(peaks.max() - peaks.min() > 0.05)
    assert 0.3 < np.mean(moved) < 1
    assert 0.3 < np.mean(jumped) < 1
    assert all(a or b for a, b in zip(moved, jumped, strict=True))
