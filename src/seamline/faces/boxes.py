"""Boxes as rows ``x0 y0 x1 y1``: overlap, suppression, squaring, growing.

Coordinates are continuous: pixel i covers [i, i + 1), so a box is half-open and its width is
``x1 - x0``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Overlap = Literal["union", "smaller"]


def areas(boxes: Float[np.ndarray, "box 4"]) -> Float[np.ndarray, " box"]:
    """Gives the areas in px²; a box turned inside out has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return sides[:, 0] * sides[:, 1]


def iou(
    boxes: Float[np.ndarray, "box 4"],
    others: Float[np.ndarray, "other 4"],
    *,
    over: Overlap = "union",
) -> Float[np.ndarray, "box other"]:
    """Divides each pair's common area by their union, or by the smaller of the two."""
    start = np.maximum(boxes[:, None, :2], others[None, :, :2])
    stop = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(stop - start, 0.0)
    common = sides[..., 0] * sides[..., 1]
    area, other = areas(boxes)[:, None], areas(others)[None, :]
    whole = area + other - common if over == "union" else np.minimum(area, other)
    return np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)


def nms(
    boxes: Float[np.ndarray, "box 4"],
    scores: Float[np.ndarray, " box"],
    threshold: float,
    *,
    over: Overlap = "union",
) -> Int[np.ndarray, " kept"]:
    """Keeps the best box of each heap: indices, best score first; ties by position.

    A box falls when it overlaps a better kept one by more than ``threshold``.
    """
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        overlap = iou(boxes[best : best + 1], boxes[rest], over=over)[0]
        waiting = rest[overlap <= threshold]
    return np.array(kept, dtype=np.int64)


def square(boxes: Float[np.ndarray, "box 4"]) -> Float[np.ndarray, "box 4"]:
    """Widens the shorter side to the longer one around the same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0.0) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def grow(boxes: Float[np.ndarray, "box 4"], factor: float) -> Float[np.ndarray, "box 4"]:
    """Multiplies both sides by ``factor`` around the same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return np.concatenate([centre - half, centre + half], axis=1)


def shift(
    boxes: Float[np.ndarray, "box 4"], offsets: Float[np.ndarray, "box 4"]
) -> Float[np.ndarray, "box 4"]:
    """Moves each edge by its offset, which is in units of the box's own width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.concatenate([sides, sides], axis=1)
