"""Maps of change: nothing left where a face only moves, something where it flickers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from seamline.faces.flow import CHANNELS, change_maps, pick_centres


def texture(size: int = 96) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, (2 * size, 2 * size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return 128 + 40 * smooth / smooth.std()


def sliding(count: int, step_px: float) -> np.ndarray:
    """A texture that moves to the left."""
    wide = texture()
    frames = []
    for index in range(count):
        shift = np.array([[1, 0, -20 - step_px * index], [0, 1, -20]], np.float64)
        frames.append(cv2.warpAffine(wide, shift, (96, 96), flags=cv2.INTER_CUBIC))
    return np.clip(np.stack(frames), 0, 255).astype(np.uint8)


def test_a_still_face_changes_nowhere() -> None:
    still = np.repeat(sliding(1, 0), 5, axis=0)
    maps = change_maps(still, [1, 3])
    assert maps.shape == (2, CHANNELS, 96, 96)
    assert maps.dtype == np.float32
    assert np.abs(maps[:, 1:]).max() == 0
    assert maps[0, 0].mean() == pytest.approx(0, abs=1e-4)
    assert maps[0, 0] * 50 + still.mean() == pytest.approx(still[0], abs=0.01)


def test_what_only_moves_is_foretold_by_its_neighbours() -> None:
    # Speeding up, or the unmoved neighbours would foretell it as well.
    moving = np.stack([sliding(1 + i, 0.8 * i)[-1] for i in range(5)])
    (maps,) = change_maps(moving, [2])
    inner = (slice(10, -10), slice(10, -10))
    unmoved = np.abs(maps[3][inner]).mean() * 12
    foretold = np.abs(maps[1][inner]).mean() * 6
    assert unmoved > 4
    assert foretold < unmoved / 3


def test_flicker_inside_shows_inside() -> None:
    moving = sliding(5, 1.0)
    flickering = moving.astype(np.float32)
    flickering[2, 30:60, 30:60] += 12
    (plain,) = change_maps(moving, [2])
    (maps,) = change_maps(np.clip(flickering, 0, 255).astype(np.uint8), [2])
    inside, outside = np.abs(maps[1, 35:55, 35:55]), np.abs(maps[1, 65:85, 65:85])
    assert inside.mean() * 6 == pytest.approx(12, abs=3)
    assert outside.mean() == pytest.approx(np.abs(plain[1, 65:85, 65:85]).mean(), abs=0.05)


def test_centres_are_spread_and_have_near_neighbours() -> None:
    even = np.arange(50) * 0.04
    assert pick_centres(even, 3).tolist() == [1, 25, 48]
    assert pick_centres(even, 99).tolist() == list(range(1, 49))
    gap = np.array([0.0, 0.04, 0.08, 1.0, 1.04, 1.08])
    assert pick_centres(gap, 9).tolist() == [1, 4]
    assert len(pick_centres(np.arange(20) * 0.1, 9)) == 0  # ten frames a second
    assert len(pick_centres(np.zeros(0), 9)) == 0
