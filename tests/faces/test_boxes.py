"""Boxes against loops over single boxes."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.faces import boxes as module
from seamline.faces.boxes import grow, iou, nms, shift, square


def some_boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(0, 40, (count, 2))], axis=1)


def one_iou(a: np.ndarray, b: np.ndarray, over: str) -> float:
    """Common area of two boxes, counted by hand."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area, other = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    whole = area + other - width * height if over == "union" else min(area, other)
    return float(width * height / whole)


def naive_nms(boxes: np.ndarray, scores: np.ndarray, threshold: float, over: str) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(one_iou(boxes[i], boxes[j], over) <= threshold for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("over", ["union", "smaller"])
def test_iou_is_that_of_each_pair(over: str) -> None:
    boxes, others = some_boxes(17, 0), some_boxes(9, 1)
    expected = [[one_iou(a, b, over) for b in others] for a in boxes]
    np.testing.assert_allclose(iou(boxes, others, over=over), expected, atol=1e-12)


def test_empty_and_inverted_boxes_overlap_nothing() -> None:
    odd = np.array([[5.0, 5, 5, 5], [9, 9, 2, 2]])
    assert (iou(odd, np.array([[0.0, 0, 10, 10]])) == 0).all()
    assert iou(odd[:0], odd).shape == (0, 2)


@pytest.mark.parametrize("over", ["union", "smaller"])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("block", [7, 512])
def test_nms_keeps_what_a_naive_loop_keeps(
    monkeypatch: pytest.MonkeyPatch, over: str, threshold: float, block: int
) -> None:
    monkeypatch.setattr(module, "NMS_BLOCK", block)
    boxes = some_boxes(120, 2)
    scores = np.round(np.random.default_rng(3).uniform(0, 1, 120), 1)  # many ties
    kept = nms(boxes, scores, threshold, over=over)
    assert kept.tolist() == naive_nms(boxes, scores, threshold, over)


def test_nms_of_nothing_is_nothing() -> None:
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []


def test_square_takes_the_longer_side_around_the_same_centre() -> None:
    assert square(np.array([[0.0, 10, 20, 14]])).tolist() == [[0, 2, 20, 22]]
    assert square(np.zeros((0, 4))).shape == (0, 4)


def test_grow_keeps_the_centre() -> None:
    assert grow(np.array([[10.0, 20, 20, 40]]), 1.5).tolist() == [[7.5, 15, 22.5, 45]]


def test_shift_counts_in_the_boxes_own_sides() -> None:
    moved = shift(np.array([[10.0, 20, 20, 40]]), np.array([[0.1, -0.1, 0.2, 0.5]]))
    assert moved.tolist() == [[11, 18, 22, 50]]
