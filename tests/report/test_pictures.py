from __future__ import annotations

import base64

import cv2
import numpy as np

from seamline.report import pictures


def lightness(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 0].astype(int)


def test_heat_grows_lighter_with_probability() -> None:
    ramp = pictures.heat_colours(np.linspace(0, 1, 64, dtype=np.float32)[None])
    assert (np.diff(lightness(ramp)[0]) > 0).all()


def test_heat_lies_over_its_place_in_the_crop() -> None:
    crop = np.full((80, 120, 3), (180, 120, 90), np.uint8)
    heat = np.zeros((8, 12), np.float32)
    heat[1, 10] = 1.0
    picture = pictures.overlay_heat(crop, heat)
    colour = picture.max(axis=2).astype(int) - picture.min(axis=2)
    row, column = np.unravel_index(colour.argmax(), colour.shape)
    assert abs(row - 15) <= 6
    assert abs(column - 105) <= 6
    # Far away only the grey crop under a breath of the scale's darkest colour is left.
    assert (colour[40:, :60] <= 3).all()
    assert crop[0, 0].tolist() == [180, 120, 90]


def test_even_odds_are_outlined_without_colour() -> None:
    crop = np.full((64, 64, 3), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[:, 2:] = 1.0
    picture = pictures.overlay_heat(crop, heat)
    white = (picture > 190).all(axis=2)
    # The heat passes 0.5 at the middle; elsewhere neither crop nor scale is white.
    assert white[10:54, 31:34].any(axis=1).all()
    assert not white[:, :30].any()
    assert not (pictures.overlay_heat(crop, 0.4 * heat) > 190).all(axis=2).any()


def test_low_bands_lie_at_the_bottom_of_a_spectrogram() -> None:
    mel = np.full((40, 3000), -8.0, np.float32)
    mel[:8, 1500:] = 0.0
    picture = lightness(pictures.spectrogram_picture(mel))
    wide, high = pictures.SPECTROGRAM_PX
    assert picture.shape == (high, wide)
    loud = picture > picture.mean()
    assert loud[-high // 8 :, wide // 2 + 5 :].all()
    assert not loud[: high // 2].any()
    assert not loud[:, : wide // 2 - 5].any()


def test_silence_makes_a_picture_without_warnings() -> None:
    picture = pictures.spectrogram_picture(np.full((40, 10), -8.0, np.float32))
    assert picture.shape == (pictures.SPECTROGRAM_PX[1], 10, 3)


def test_colours_survive_the_way_into_the_page() -> None:
    rgb = np.full((20, 30, 3), (200, 80, 40), np.uint8)
    for uri, error in ((pictures.png_uri(rgb), 0), (pictures.jpeg_uri(rgb), 3)):
        data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
        back = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(back.astype(int) - rgb).max() <= error


def test_pictures_shrink_but_never_grow() -> None:
    tall = np.zeros((400, 100, 3), np.uint8)
    assert pictures.shrunk(tall, 200).shape == (200, 50, 3)
    assert pictures.shrunk(tall, 500) is tall
    assert pictures.shrunk(np.zeros((1, 900, 3), np.uint8), 90).shape == (1, 90, 3)


def test_box_is_drawn_at_the_small_frames_scale() -> None:
    frame = np.full((90, 160, 3), 50, np.uint8)
    marked = pictures.mark_box(frame, (960.0, 540.0, 1440.0, 900.0), 160 / 1920)
    assert (marked[60, 78:82] > 200).all(axis=1).any()
    assert (marked[45:48, 100] > 200).all(axis=1).any()
    assert (marked[:40, :70] == 50).all()
    assert (frame == 50).all()
