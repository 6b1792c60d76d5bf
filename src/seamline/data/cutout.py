"""Hides a part of a genuine crop and of its fake alike, so that the rest has to tell.

A collection of forgeries has few people, and a network soon knows by heart which of their faces is
forged; parts of them it has to look at (after Das et al., "Towards Solving the DeepFake Problem: An
Analysis on Improving DeepFake Detection using Dynamic Face Augmentation", ICCV Workshops 2021).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

Image = UInt8[np.ndarray, "height width 3"]
LEAST_LEFT = 0.3  # of the difference between the two sides that must stay in sight
DRAWS = 6
HALVES = 0.6  # of the parts; the others are rectangles


def hide_part(
    genuine: Image, fake: Image, generator: np.random.Generator
) -> tuple[Image, Image, Bool[np.ndarray, "height width"]]:
    """Give both sides with one part of them painted over, and where it is (nowhere: all False).

    Half of the crop, along a line of any slope near the middle, or a rectangle.
    """
    height, width = genuine.shape[:2]
    change = np.abs(genuine.astype(np.int16) - fake).sum(axis=2)
    for _ in range(DRAWS):
        hidden = _part(height, width, generator)
        if change[~hidden].sum() >= LEAST_LEFT * change.sum():
            break
    else:
        hidden = np.zeros((height, width), bool)
    paint = generator.integers(0, 256, 3) if generator.random() < 0.5 else genuine.mean((0, 1))
    grain = generator.normal(0, generator.uniform(0, 40), (height, width, 1))
    painted = np.clip(paint + grain, 0, 255).astype(np.uint8)
    sides = [np.where(hidden[:, :, None], painted, side) for side in (genuine, fake)]
    return sides[0], sides[1], hidden


def _part(
    height: int, width: int, generator: np.random.Generator
) -> Bool[np.ndarray, "height width"]:
    rows, columns = np.mgrid[:height, :width]
    y, x = (rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5
    if generator.random() < HALVES:
        slope = generator.uniform(0, 2 * np.pi)
        return np.cos(slope) * x + np.sin(slope) * y > generator.uniform(-0.1, 0.25)
    centre, half = generator.uniform(-0.3, 0.3, 2), generator.uniform(0.12, 0.3, 2)
    return (np.abs(x - centre[0]) < half[0]) & (np.abs(y - centre[1]) < half[1])
