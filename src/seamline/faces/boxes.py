"""Boxes as rows ``x0 y0 x1 y1``: overlap, suppression, squaring, growing.

Coordinates are continuous: pixel i covers [i, i + 1), so a box is half-open and its width is
``x1 - x0``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Overlap = Literal["union", "smaller"]

NMS_BLOCK = 512


def areas(boxes: Float[np.ndarray, "box 4"]) -> Float[np.ndarray, " box"]:
    """Gives the areas in px²; a box turned inside out has none."""
    return np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)


def iou(
    boxes: Float[np.ndarray, "box 4"],
    others: Float[np.ndarray, "other 4"],
    *,
    over: Overlap = "union",
) -> Float[np.ndarray, "box other"]:
    """Divides each pair's common area by their union, or by the smaller of the two."""
    common = _common(boxes, others, 0)
    common *= _common(boxes, others, 1)
    area, other = areas(boxes)[:, None], areas(others)[None, :]
    whole = area + other - common if over == "union" else np.minimum(area, other)
    return np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)


def _common(boxes: np.ndarray, others: np.ndarray, axis: int) -> np.ndarray:
    """Measures the common stretch of each pair along one axis."""
    stretch = np.minimum.outer(boxes[:, axis + 2], others[:, axis + 2])
    stretch -= np.maximum.outer(boxes[:, axis], others[:, axis])
    return np.maximum(stretch, 0, out=stretch)


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
    order = np.argsort(-scores, kind="stable")
    kept = order[:0]
    for start in range(0, len(order), NMS_BLOCK):  # blocks bound the memory of a crowd
        block = order[start : start + NMS_BLOCK]
        rivals = np.concatenate([kept, block])
        falls = iou(boxes[rivals], boxes[block], over=over) > threshold
        fallen = np.asarray(falls[: len(kept)].any(axis=0))
        for i, against in enumerate(falls[len(kept) :]):
            if not fallen[i]:
                fallen[i + 1 :] |= against[i + 1 :]
        kept = np.concatenate([kept, block[~fallen]])
    return kept


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
