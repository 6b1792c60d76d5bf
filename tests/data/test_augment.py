"""The chain: framed by margin, the same draw for both sides of a pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seamline.data.augment import apply_chain, draw_chain, frame_crop, plain_chain


def board(side: int = 256) -> np.ndarray:
    """A smooth picture: red grows to the right, green downwards."""
    y, x = np.mgrid[0:side, 0:side]
    return np.stack([x, y, np.full_like(x, 128)], axis=-1).astype(np.uint8)


def test_a_smaller_margin_shows_the_middle_of_the_store_crop() -> None:
    out = apply_chain(board(), plain_chain(1.3), store_margin=1.7, size_px=160)
    assert out.shape == (160, 160, 3)
    lost = 256 * (1 - 1.3 / 1.7) / 2
    assert out[80, 0, 0] == pytest.approx(lost, abs=2)
    assert out[80, -1, 0] == pytest.approx(256 - lost, abs=2)
    assert out[0, 80, 1] == pytest.approx(lost, abs=2)


def test_both_sides_of_a_pair_get_the_same_chain() -> None:
    for seed in range(30):
        chain = draw_chain(np.random.default_rng(seed), h264_share=0.5)
        first = apply_chain(board(), chain, store_margin=1.7, size_px=96)
        second = apply_chain(board(), chain, store_margin=1.7, size_px=96)
        assert (first == second).all()
        assert first.shape == (96, 96, 3)


def test_a_mask_is_framed_like_its_crop() -> None:
    chain = draw_chain(np.random.default_rng(3), margin_range=(1.2, 1.2))
    crop = frame_crop(board(), chain, store_margin=1.7, size_px=96)
    mask = frame_crop(board()[..., 0] / np.float32(255), chain, store_margin=1.7, size_px=96)
    assert np.abs(mask * 255 - crop[..., 0]).max() < 2


def test_a_strong_shrink_does_not_alias() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    out = apply_chain(stripes, plain_chain(1.7), store_margin=1.7, size_px=64)
    assert out.std() < 8  # even grey; a bilinear warp alone would give bands


def test_as_many_chains_pass_h264_as_asked() -> None:
    def share(asked: float) -> float:
        chains = [draw_chain(np.random.default_rng(s), h264_share=asked) for s in range(300)]
        return float(np.mean([chain.h264_crf is not None for chain in chains]))

    assert share(0.0) == 0
    assert share(0.4) == pytest.approx(0.4, abs=0.1)


def test_poor_footage_loses_detail_and_nothing_else_is_drawn_anew() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    for seed in range(20):
        plain, poor = (
            replace(draw_chain(np.random.default_rng(seed), poor_share=share), noise_sigma=None)
            for share in (0.0, 1.0)
        )
        assert poor.scale < 1
        kept = ("margin", "angle_degrees", "shift", "flip", "gain", "offset", "jpeg_quality")
        assert all(getattr(plain, name) == getattr(poor, name) for name in kept)
        fine = apply_chain(noise, plain_chain(poor.margin), store_margin=1.7, size_px=96)
        coarse = apply_chain(noise, poor, store_margin=1.7, size_px=96)
        assert coarse.std() < 0.9 * fine.std()
    shares = [draw_chain(np.random.default_rng(s), poor_share=0.2).h264_before for s in range(600)]
    assert 0 < np.mean(np.array(shares) > 0) < 0.2


def test_a_codec_works_at_the_chain_s_scale_and_the_size_is_kept() -> None:
    chain = replace(plain_chain(1.3), h264_crf=35)
    outs = []
    for scale in (0.5, 1.0, 1.5):
        scaled = replace(chain, scale=scale)
        outs.append(apply_chain(board(), scaled, store_margin=1.7, size_px=96))
    assert all(out.shape == (96, 96, 3) for out in outs)
    assert not (outs[0] == outs[1]).all()
    assert not (outs[1] == outs[2]).all()


def test_a_cast_colours_the_whole_crop_alike_and_nothing_else_is_drawn_anew() -> None:
    for seed in range(20):
        plain = draw_chain(np.random.default_rng(seed))
        cast = draw_chain(np.random.default_rng(seed), cast_share=1.0)
        drawn = {"balance": (1.0, 1.0, 1.0), "saturation": 1.0, "gamma": 1.0}
        assert replace(cast, **drawn) == plain
        assert cast.gamma != 1.0
        assert cast.saturation != 1.0
    grey = np.full((64, 64, 3), 100, np.uint8)
    lit = replace(plain_chain(1.3), balance=(1.5, 1.0, 0.5))
    out = apply_chain(grey, lit, store_margin=1.7, size_px=32)
    assert (out == [150, 100, 50]).all()


def test_saturation_and_gamma() -> None:
    red = np.full((64, 64, 3), (200, 100, 100), np.uint8)
    pale = replace(plain_chain(1.3), saturation=0.5)
    out = apply_chain(red, pale, store_margin=1.7, size_px=32)[0, 0].astype(int)
    assert out[0] - out[1] == pytest.approx(50, abs=2)
    dark = replace(plain_chain(1.3), gamma=2.0)
    out = apply_chain(red, dark, store_margin=1.7, size_px=32)[0, 0]
    assert out == pytest.approx([255 * (200 / 255) ** 2, 39.2, 39.2], abs=1)


def test_smoothed_skin_loses_texture_and_keeps_edges_and_surroundings() -> None:
    crop = np.full((256, 256, 3), 120, np.uint8)
    crop[:, 128:] = 220
    noise = np.random.default_rng(0).integers(-6, 7, crop.shape[:2])[..., None]
    crop = (crop.astype(int) + noise).astype(np.uint8)
    chain = plain_chain(1.5)
    plain = apply_chain(crop, chain, store_margin=1.7, size_px=192).astype(int)
    smooth = replace(chain, skin_smoothing=30.0)
    out = apply_chain(crop, smooth, store_margin=1.7, size_px=192).astype(int)
    skin, corner = np.s_[80:110, 60:85], np.s_[:20, :20]
    assert out[skin].std() < 0.5 * plain[skin].std()
    assert (out[corner] == plain[corner]).all()
    assert out[96, 110].mean() - out[96, 82].mean() > 90  # the edge stands


def test_as_many_chains_are_smoothed_as_asked() -> None:
    for asked in (0.0, 0.4):
        chains = [draw_chain(np.random.default_rng(s), smooth_share=asked) for s in range(300)]
        share = float(np.mean([chain.skin_smoothing > 0 for chain in chains]))
        assert share == pytest.approx(asked, abs=0.1 if asked else 0)
