"""A part of both sides is hidden alike, and never all that tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.data.cutout import LEAST_LEFT, hide_part

SIZE = 64


@pytest.fixture
def genuine() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def test_both_sides_lose_the_same_part_and_nothing_else(genuine: np.ndarray) -> None:
    fake = genuine.copy()
    fake[16:48, 16:48] = 255 - fake[16:48, 16:48]
    shares = []
    for seed in range(200):
        left, right, hidden = hide_part(genuine, fake, np.random.default_rng(seed))
        assert (left[hidden] == right[hidden]).all()
        assert (left[~hidden] == genuine[~hidden]).all()
        assert (right[~hidden] == fake[~hidden]).all()
        shares.append(hidden.mean())
    assert 0.2 < np.mean(shares) < 0.5  # a third of a crop, on average
    assert max(shares) < 0.8


def test_what_tells_them_apart_stays_in_sight(genuine: np.ndarray) -> None:
    fake = genuine.copy()
    fake[40:44, 40:44] ^= 255  # a small forgery, wholly inside or wholly outside of most parts
    change = np.abs(genuine.astype(int) - fake)
    covered = 0
    for seed in range(200):
        left, right, hidden = hide_part(genuine, fake, np.random.default_rng(seed))
        assert np.abs(left.astype(int) - right).sum() >= LEAST_LEFT * change.sum()
        covered += bool(hidden[40:44, 40:44].any())
    assert covered < 100  # a part over the forgery is drawn again


def test_a_draw_repeats(genuine: np.ndarray) -> None:
    first, again = (hide_part(genuine, genuine[::-1], np.random.default_rng(3)) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
