"""H.264 over single pictures: coarser with a larger factor, sizes kept, the same for the same."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.data.demo_clips import read_portrait
from seamline.data.h264 import h264

FACE = read_portrait()[60:253, 150:341]  # 193 × 191: odd on both sides


def test_a_larger_factor_loses_more() -> None:
    errors = [np.abs(h264(FACE, crf).astype(int) - FACE).mean() for crf in (10, 25, 40)]
    assert errors[0] < errors[1] < errors[2]
    assert errors[0] < 4


def test_odd_sizes_are_kept_and_colours_too() -> None:
    out = h264(FACE, 12)
    assert out.shape == FACE.shape
    assert out.dtype == np.uint8
    assert np.abs(out.mean(axis=(0, 1)) - FACE.mean(axis=(0, 1))).max() < 3


def test_the_same_picture_and_factor_give_the_same_bytes() -> None:
    assert (h264(FACE, 30) == h264(FACE, 30)).all()


def test_a_picture_after_others_is_the_same_picture_coded_otherwise() -> None:
    key, later = h264(FACE, 30), h264(FACE, 30, before=2)
    assert later.shape == FACE.shape
    assert not (key == later).all()
    assert np.abs(later.astype(int) - FACE).mean() < 2 * np.abs(key.astype(int) - FACE).mean()


def test_a_factor_out_of_range_says_what_it_takes() -> None:
    with pytest.raises(ValueError, match=r"crf is 60; H\.264 takes 0 \(best\) to 51"):
        h264(FACE, 60)
