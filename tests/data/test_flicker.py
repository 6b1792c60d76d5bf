"""Flickering pseudo-fakes and their chain: forged inside alone, restless, the same for one seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from seamline.data.demo_clips import read_portrait
from seamline.data.flicker import LEAST_CHANGE, flicker_blend
from seamline.data.h264 import h264_clip
from seamline.data.motion_chain import MotionChain, apply_motion_chain, draw_motion_chain


def still_face(count: int = 7) -> np.ndarray:
    grey = cv2.cvtColor(read_portrait(), cv2.COLOR_RGB2GRAY)
    return np.repeat(cv2.resize(grey, (144, 144), interpolation=cv2.INTER_AREA)[None], count, 0)


@pytest.mark.parametrize("seed", range(8))
def test_a_pseudo_fake_changes_the_face_and_leaves_the_border(seed: int) -> None:
    face = still_face()
    fake = flicker_blend(face, np.random.default_rng(seed))
    assert (fake.shape, fake.dtype) == (face.shape, np.uint8)
    change = np.abs(fake.astype(int) - face)
    assert change.mean() > LEAST_CHANGE
    border = np.ones((144, 144), bool)
    border[4:-4, 8:-8] = False
    assert change[:, border].max() <= 2
    assert (fake == flicker_blend(face, np.random.default_rng(seed))).all()


def test_most_pseudo_fakes_of_a_still_face_move() -> None:
    face = still_face()
    moved = [
        np.abs(np.diff(flicker_blend(face, np.random.default_rng(seed)).astype(int), axis=0)).mean()
        for seed in range(20)
    ]
    assert np.mean(np.array(moved) > 0.02) > 0.7


def test_a_wider_crop_s_paste_is_smaller() -> None:
    face = still_face()
    covered = [
        np.mean(
            [
                (flicker_blend(face, np.random.default_rng(s), margin=m) != face).any(axis=0).mean()
                for s in range(12)
            ]
        )
        for m in (1.5, 3.0)
    ]
    assert covered[1] < covered[0] / 2


def test_the_plain_chain_only_frames() -> None:
    face = still_face()
    same = apply_motion_chain(face, MotionChain(1.5), store_margin=1.5, size_px=144)
    assert (same == face).all()
    inner = apply_motion_chain(face, MotionChain(1.25), store_margin=1.5, size_px=120)
    assert (inner[0] == face[0, 12:132, 12:132]).all()
    mirrored = apply_motion_chain(
        face, MotionChain(1.5, mirrored=True), store_margin=1.5, size_px=144
    )
    assert (mirrored == face[:, :, ::-1]).all()


def test_drawn_chains_stay_in_bounds_and_repeat() -> None:
    chains = [
        draw_motion_chain(np.random.default_rng(s), margin_range=(1.1, 1.4), h264_share=0.5)
        for s in range(40)
    ]
    assert all(1.1 <= chain.margin <= 1.4 for chain in chains)
    assert 8 < sum(chain.crf is not None for chain in chains) < 32
    again = draw_motion_chain(np.random.default_rng(3), margin_range=(1.1, 1.4), h264_share=0.5)
    assert again == chains[3]
    made = [
        apply_motion_chain(still_face(), chains[3], store_margin=1.5, size_px=112) for _ in "ab"
    ]
    assert made[0].shape == (7, 112, 112)
    assert (made[0] == made[1]).all()


def test_a_clip_through_h264_loses_more_the_coarser_it_is() -> None:
    face = still_face()
    fine, coarse = (np.abs(h264_clip(face, crf).astype(int) - face).mean() for crf in (16, 40))
    assert 0 < fine < 2 < coarse
    with pytest.raises(ValueError, match=r"crf is 60; H\.264 takes 0"):
        h264_clip(face, 60)
    with pytest.raises(ValueError, match=r"143×144 px; H\.264 takes even sides"):
        h264_clip(face[:, :, 1:], 20)
