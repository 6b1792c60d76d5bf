"""What happens to pictures on their way: frames go in, frames come out as a worse way shows them.

Each ``Spoiler`` is made for one file, from its frame size and its own generator, and then takes
frame after frame. Nothing here knows of files; ``corruptions.py`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Image = UInt8[np.ndarray, "height width 3"]
Spoiler = Callable[[Image], Image]
Maker = Callable[[tuple[int, int], np.random.Generator], Spoiler]
"""Makes a spoiler for frames of (width, height)."""

BLUR_SIGMA_PX = 2.0
NOISE_SIGMA_LEVELS = 12.0
"""Of 255; a phone in a dim room."""
DARK_GAIN, BRIGHT_GAIN = 0.5, 1.5
WARM_GAINS, VIOLET_GAINS = (1.12, 1.0, 0.85), (1.1, 0.8, 1.2)
"""Of red, green and blue: a lamp's light taken for daylight, and a coloured lamp."""

RESHOT_GAMMA = 1.25
"""Screens and cameras are rarely matched: the middle tones come out darker."""
RESHOT_CORNER_SHARE = 0.05
"""Each corner of the screen lies up to so much of the side inside the camera's frame."""
RESHOT_STRIPES, RESHOT_ROWS = 0.10, 0.06
"""How deep the screen's columns of red, green and blue, and the gaps between rows, modulate."""
RESHOT_SURROUND = 24
"""Level of the dark around the screen."""


def resized(share: float) -> Maker:
    """Shrinks to a share of each side, by area, to even sizes."""

    def make(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
        width, height = (max(2, 2 * round(side * share / 2)) for side in size)
        return lambda rgb: cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)

    return make


def blurred(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
    """Blurs like a lens out of focus, with a Gaussian."""
    return lambda rgb: cv2.GaussianBlur(rgb, (0, 0), BLUR_SIGMA_PX)


def noisy(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
    """Adds noise, new in every frame, as a sensor does."""

    def spoil(rgb: Image) -> Image:
        noise = generator.standard_normal(rgb.shape, np.float32) * np.float32(NOISE_SIGMA_LEVELS)
        return cv2.add(rgb, noise, dtype=cv2.CV_8U)  # rounds, and stops at black and white

    return spoil


def brightened(gain: float) -> Maker:
    """Multiplies the levels; what exceeds white is white."""
    levels = np.clip(np.rint(np.arange(256) * gain), 0, 255).astype(np.uint8)

    def make(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
        return lambda rgb: levels[rgb]

    return make


def coloured(gains: tuple[float, float, float]) -> Maker:
    """Multiplies red, green and blue, each by its own gain; what exceeds white is white."""
    levels = np.arange(256)[:, None] * np.array(gains)
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)[None]

    def make(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
        return lambda rgb: cv2.LUT(rgb, table)

    return make


def reshot(size: tuple[int, int], generator: np.random.Generator) -> Spoiler:
    """Films a screen by hand: perspective, a dark surround, moiré and another gamma.

        +-----------------+        camera's frame
        |   .-----------. |
        |  /  the screen \\|        each corner lies a little inside
        |  \\_____________/|
        +-----------------+

    Moiré needs no drawing: the screen's stripes, one of each colour a pixel, are as fine as the
    camera's own grid, so sampled there they show as slow fringes that bend with the perspective.
    """
    matrix = reshot_matrix(size, generator)
    gains = moire(size, matrix).astype(np.float32)
    curve = (255 * (np.arange(256) / 255) ** RESHOT_GAMMA).astype(np.float32)

    def spoil(rgb: Image) -> Image:
        filmed = cv2.warpPerspective(
            rgb, matrix, size, None, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, (RESHOT_SURROUND,) * 3
        )
        return cv2.multiply(cv2.LUT(filmed, curve), gains, dtype=cv2.CV_8U)

    return spoil


def reshot_matrix(
    size: tuple[int, int], generator: np.random.Generator
) -> Float[np.ndarray, "3 3"]:
    """Draws where the screen's corners lie; maps its pixels to the camera's."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    moved = generator.uniform(0, RESHOT_CORNER_SHARE, (4, 2)) * np.array(size) * inwards
    found = cv2.getPerspectiveTransform(
        corners.astype(np.float32), (corners + moved).astype(np.float32)
    )
    return np.asarray(found, dtype=np.float64)


def moire(
    size: tuple[int, int], matrix: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "height width 3"]:
    """Gives the gain of each pixel and colour: the screen's stripes at the camera's points."""
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    u, v, w = np.einsum("ij,jyx->iyx", np.linalg.inv(matrix), np.stack([x, y, np.ones_like(x)]))
    u, v = u / w, v / w
    colours = np.arange(3) / 3  # red, green and blue stand side by side within a pixel
    stripes = np.cos(2 * pi * (u[..., None] - colours))
    rows = np.cos(2 * pi * v)[..., None]
    inside = ((u >= 0) & (u < width) & (v >= 0) & (v < height))[..., None]
    return np.where(inside, 1 + RESHOT_STRIPES * stripes + RESHOT_ROWS * rows, 1.0)
