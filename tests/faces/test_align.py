"""Aligned crops: where things land, that turning and scaling undo, that nothing aliases."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from seamline.faces.align import (
    TEMPLATE,
    TIGHT_CENTRE,
    TIGHT_SIDE,
    align_crop,
    aligned_to_frame,
    frame_px_per_crop_px,
)


def scene(size_px: int = 400) -> np.ndarray:
    """A smooth colourful picture."""
    coarse = np.random.default_rng(5).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC)


def placed(degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """The template turned, scaled and shifted: landmarks of a made-up face."""
    turn = np.deg2rad(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (TEMPLATE - TIGHT_CENTRE) @ matrix.T + shift


def test_an_upright_face_of_the_templates_size_is_cut_out_as_it_is() -> None:
    rgb = scene()
    landmarks = placed(0, 1, (200, 190))
    side = int(TIGHT_SIDE)
    x, y = 200 - side // 2, 190 - side // 2
    crop = align_crop(rgb, landmarks, margin=1.0, size_px=side)
    assert np.abs(crop.astype(int) - rgb[y : y + side, x : x + side]).max() <= 1


def test_margin_widens_the_same_centre() -> None:
    rgb = scene()
    landmarks = placed(0, 1, (200, 190))
    wide = align_crop(rgb, landmarks, margin=2.0, size_px=2 * int(TIGHT_SIDE))
    tight = align_crop(rgb, landmarks, margin=1.0, size_px=int(TIGHT_SIDE))
    inner = wide[42:-42, 42:-42]
    assert np.abs(inner.astype(int) - tight).max() <= 1


def test_the_landmarks_land_on_the_template() -> None:
    landmarks = placed(25, 1.7, (210, 180))
    matrix = aligned_to_frame(landmarks, margin=1.3, size_px=224)
    step = TIGHT_SIDE * 1.3 / 224
    in_crop = (TEMPLATE - (TIGHT_CENTRE - TIGHT_SIDE * 1.3 / 2)) / step - 0.5
    in_frame = in_crop @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(in_frame + 0.5, landmarks, atol=1e-9)


def test_fit_is_the_least_squares_similarity() -> None:
    """Against a solve of the linear system, for landmarks that no similarity meets exactly."""
    landmarks = placed(-10, 2.0, (200, 200)) + np.random.default_rng(1).normal(0, 3, (5, 2))
    rows, right = [], []
    for (u, v), (x, y) in zip(TEMPLATE, landmarks, strict=True):
        rows += [[u, -v, 1, 0], [v, u, 0, 1]]
        right += [x, y]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    matrix = aligned_to_frame(landmarks, margin=1.0, size_px=int(TIGHT_SIDE))
    np.testing.assert_allclose(matrix[:, :2], [[a, -b], [b, a]], atol=1e-9)
    first = TIGHT_CENTRE - TIGHT_SIDE / 2 + 0.5
    centre = [a * first[0] - b * first[1] + c, b * first[0] + a * first[1] + d]
    np.testing.assert_allclose(matrix[:, 2] + 0.5, centre, atol=1e-6)


@pytest.mark.parametrize(("degrees", "scale"), [(30, 1.0), (-45, 1.4), (180, 0.8), (8, 2.2)])
def test_a_turned_and_scaled_face_gives_the_same_crop(degrees: float, scale: float) -> None:
    rgb = scene(300)
    upright = placed(0, 1.2, (150, 150))
    turn = cv2.getRotationMatrix2D((149.5, 149.5), -degrees, scale)
    turn[:, 2] += 300  # onto a larger canvas, all of it inside
    turned = cv2.warpAffine(
        rgb, turn, (900, 900), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    landmarks = (upright - 0.5) @ turn[:, :2].T + turn[:, 2] + 0.5
    crop = align_crop(rgb, upright, margin=1.3, size_px=96)
    again = align_crop(turned, landmarks, margin=1.3, size_px=96)
    assert np.abs(crop.astype(int) - again).mean() < 1.5


@pytest.mark.parametrize("scale", [1.6, 2.3, 3.3, 9.2])
def test_a_pattern_too_fine_for_the_crop_turns_grey(scale: float) -> None:
    """A one-pixel checkerboard; plain bilinear sampling would leave a moiré."""
    board = np.indices((1200, 1200)).sum(axis=0) % 2 * 255
    rgb = np.repeat(board[..., None].astype(np.uint8), 3, axis=2)
    landmarks = placed(0, scale, (600.5, 600.5))
    crop = align_crop(rgb, landmarks, margin=1.0, size_px=84)
    matrix = aligned_to_frame(landmarks, margin=1.0, size_px=84)
    plain = cv2.warpAffine(rgb, matrix, (84, 84), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    assert plain.std() > 35
    assert crop.std() < 0.5 * plain.std()
    assert abs(float(crop.mean()) - 127.5) < 3


def test_an_enlarged_crop_is_plain_bilinear_sampling() -> None:
    rgb = scene()
    landmarks = placed(12, 0.6, (200, 200))
    matrix = aligned_to_frame(landmarks, margin=1.3, size_px=112)
    plain = cv2.warpAffine(rgb, matrix, (112, 112), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    assert (align_crop(rgb, landmarks, margin=1.3, size_px=112) == plain).all()


def test_shrinking_keeps_things_in_place() -> None:
    """A disc's centre of mass, in crops of several shrinkings."""
    rgb = np.zeros((1000, 1000, 3), np.uint8)
    cv2.circle(rgb, (500, 520), 120, (255, 255, 255), -1, cv2.LINE_AA)
    landmarks = placed(0, 8.0, (500.5, 500.5))
    for size_px in (672, 400, 224, 168, 112, 64, 30):
        crop = align_crop(rgb, landmarks, margin=1.0, size_px=size_px)[..., 0].astype(float)
        y, x = (np.indices(crop.shape) * crop).sum(axis=(1, 2)) / crop.sum()
        scale = size_px / (TIGHT_SIDE * 8)
        assert abs((x + 0.5) / scale - 336) < 1.0, size_px
        assert abs((y + 0.5) / scale - 356) < 1.0, size_px


@pytest.mark.parametrize("map_px", [14, 56, 224])
def test_a_heatmap_of_any_size_goes_back_to_its_place(map_px: int) -> None:
    landmarks = placed(20, 1.5, (200, 210))
    matrix = aligned_to_frame(landmarks, margin=1.3, size_px=map_px)
    heat = np.zeros((map_px, map_px), np.float32)
    at = map_px * 5 // 14
    width = max(1, map_px // 14)
    heat[at : at + width, at : at + width] = 1
    back = cv2.warpAffine(heat, matrix, (400, 400))
    y, x = (np.indices(back.shape) * back).sum(axis=(1, 2)) / back.sum()
    centre = (at + width / 2) / map_px  # share of the crop
    place = TIGHT_CENTRE + TIGHT_SIDE * 1.3 * (centre - 0.5)
    turned = (place - TIGHT_CENTRE) @ _turn(20).T * 1.5 + [200, 210]
    np.testing.assert_allclose([x + 0.5, y + 0.5], turned, atol=0.5)


def _turn(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_beyond_the_frame_the_border_is_repeated() -> None:
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[:, 0] = (10, 20, 30)
    crop = align_crop(rgb, placed(0, 1, (0, 50)), margin=1.0, size_px=84)
    assert (crop[:, :41] == (10, 20, 30)).all()


def test_a_frame_of_one_pixel_gives_its_colour() -> None:
    rgb = np.full((1, 1, 3), 77, np.uint8)
    assert (align_crop(rgb, placed(0, 30, (0.5, 0.5)), margin=1.3, size_px=32) == 77).all()


def test_shrink_is_told_in_frame_pixels() -> None:
    assert frame_px_per_crop_px(placed(33, 4.0, (0, 0)), margin=1.5, size_px=63) == pytest.approx(
        4.0 * 84 * 1.5 / 63
    )


@pytest.mark.parametrize(("margin", "size_px"), [(0.0, 64), (1.3, 0), (-1.0, 64)])
def test_margin_and_size_must_be_positive(margin: float, size_px: int) -> None:
    with pytest.raises(ValueError, match="both must be positive"):
        aligned_to_frame(TEMPLATE, margin=margin, size_px=size_px)
