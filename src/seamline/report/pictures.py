"""Arrays become small pictures inside the page: crops, heat laid over them, spectrograms.

Every function ends in RGB pixels or in a ``data:`` address, so that the page asks no host.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

CROP_PX = 208
FRAME_PX = 416
SPECTROGRAM_PX = (1400, 160)
_JPEG_QUALITY = 88
# Opacity of the heat at probability 0 and 1: low heat lets the face through, high heat covers it.
_OPACITY = (0.12, 0.72)


def jpeg_uri(rgb: UInt8[np.ndarray, "height width 3"], quality: int = _JPEG_QUALITY) -> str:
    """The picture as a JPEG ``data:`` address."""
    return _uri(rgb, ".jpg", "image/jpeg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def png_uri(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """The picture as a PNG ``data:`` address."""
    return _uri(rgb, ".png", "image/png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def png_bytes(picture: UInt8[np.ndarray, "height width channel"]) -> bytes:
    """The RGB or RGBA picture as a PNG file."""
    return _encoded(picture, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 6])


def _uri(rgb: np.ndarray, suffix: str, kind: str, flags: Sequence[int]) -> str:
    data = _encoded(rgb, suffix, flags)
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(picture: np.ndarray, suffix: str, flags: Sequence[int]) -> bytes:
    backwards = [2, 1, 0, 3][: picture.shape[2]]  # OpenCV takes BGR and BGRA
    written, data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., backwards]), flags)
    if not written:
        raise ValueError(f"A picture of shape {picture.shape} could not be written as {suffix}.")
    return data.tobytes()


def shrunk(
    rgb: UInt8[np.ndarray, "height width 3"], longest_px: int
) -> UInt8[np.ndarray, "new_height new_width 3"]:
    """The picture with its longer side at most ``longest_px``; a smaller one stays as it is."""
    height, width = rgb.shape[:2]
    factor = longest_px / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def heat_colours(
    probability: Float[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Colours of probabilities: OpenCV's inferno, whose lightness rises evenly, in RGB."""
    level = np.round(255 * np.clip(probability, 0.0, 1.0)).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)[..., ::-1])


def heat_layer(
    heat: Float[np.ndarray, "rows columns"], size: tuple[int, int]
) -> UInt8[np.ndarray, "height width 4"]:
    """Heat alone as RGBA of (width, height) ``size``, to be laid over a grey crop.

    A line goes around what is at least even odds: it tells the same to readers who do not see
    the colours.
    """
    grid = np.ascontiguousarray(heat, dtype=np.float32)
    smooth = np.clip(cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    low, high = _OPACITY
    opacity = np.round(255 * (low + (high - low) * smooth)).astype(np.uint8)
    layer = np.ascontiguousarray(np.dstack([heat_colours(smooth), opacity]))
    # A border of zeros closes outlines that would run off the picture.
    even_odds = np.pad((smooth >= 0.5).astype(np.uint8), 1)
    outlines, _ = cv2.findContours(even_odds, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    shifted = [outline - 1 for outline in outlines]
    cv2.drawContours(layer, shifted, -1, (0, 0, 0, 255), 3, cv2.LINE_AA)
    cv2.drawContours(layer, shifted, -1, (255, 255, 255, 255), 1, cv2.LINE_AA)
    return layer


def overlay_heat(
    crop: UInt8[np.ndarray, "height width 3"], heat: Float[np.ndarray, "rows columns"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Lays heat over the grey crop.

    The crop loses its colours so that every colour left is heat.
    """
    height, width = crop.shape[:2]
    layer = heat_layer(heat, (width, height)).astype(np.float32)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    opacity = layer[..., 3:] / 255
    return np.round(grey * (1 - opacity) + layer[..., :3] * opacity).astype(np.uint8)


def heat_legend(width_px: int = 256, height_px: int = 12) -> UInt8[np.ndarray, "height width 3"]:
    """The colours from probability 0 to 1 as they look over a mid-grey face."""
    ramp = np.tile(np.linspace(0.0, 1.0, width_px, dtype=np.float32), (height_px, 1))
    low, high = _OPACITY
    opacity = (low + (high - low) * ramp)[..., None]
    mixed = 128.0 * (1 - opacity) + heat_colours(ramp).astype(np.float32) * opacity
    return np.round(mixed).astype(np.uint8)


def mark_box(
    frame: UInt8[np.ndarray, "height width 3"],
    box: tuple[float, float, float, float],
    scale: float,
) -> UInt8[np.ndarray, "height width 3"]:
    """A copy of the small frame with the face's box, given in pixels of the full frame."""
    picture = np.ascontiguousarray(frame).copy()
    x0, y0, x1, y1 = (round(value * scale) for value in box)
    cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 0, 0), 4)
    cv2.rectangle(picture, (x0, y0), (x1, y1), (255, 255, 255), 2)
    return picture


def spectrogram_picture(
    log_mel: Float[np.ndarray, "mel time"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Draws a log-mel spectrogram with the lowest band at the bottom.

    The range is the recording's own, from its 2nd to its 99.5th percentile, so that one click
    does not darken all the rest.
    """
    wide, high = SPECTROGRAM_PX
    low_level, high_level = np.percentile(log_mel, [2.0, 99.5])
    bands = np.ascontiguousarray(log_mel[::-1], dtype=np.float32)
    narrow = min(bands.shape[1], wide)
    if narrow < bands.shape[1]:
        bands = np.asarray(cv2.resize(bands, (narrow, len(bands)), interpolation=cv2.INTER_AREA))
    tall = np.asarray(cv2.resize(bands, (narrow, high), interpolation=cv2.INTER_LINEAR))
    return heat_colours((tall - low_level) / max(high_level - low_level, 1e-6))
