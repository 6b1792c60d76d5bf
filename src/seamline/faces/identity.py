"""Tells how alike two faces are: crops and landmarks in, vectors of length 1 out.

The product of two vectors is near 1 for one person and near 0 for two. A vector is a linear
projection of what is cheap to measure: histograms of gradient directions (Dalal & Triggs, CVPR
2005) of two grids, and the grey picture itself. The projection tells people apart as well as a
linear one can (Fisher's discriminant) on the people of ``scripts/identity_fit.py``;
docs/results/identity.md has its figures: it says "this may be another person", not who it is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.align import align_crop

WEIGHTS = Path(__file__).parent / "weights" / "identity.npz"
MARGIN, SIZE_PX = 1.1, 96
DIRECTIONS = 8
FINE_CELLS, COARSE_CELLS = 12, 8
GREY_PX, GREY_WEIGHT = 20, 0.15
BRIGHTEST = 0.6  # share of its neighbourhood's contrast that one direction may have
FLOOR = 0.02  # of the mean contrast; flat skin must not be blown up


class Projection(NamedTuple):
    """The fitted numbers."""

    mean: Float[np.ndarray, " feature"]
    matrix: Float[np.ndarray, "feature dim"]
    same_person: float
    """Least product of two people's vectors, each the mean of a track, that counts as one."""


@cache
def load_projection(path: Path = WEIGHTS) -> Projection:
    """Read the numbers that the package carries."""
    with np.load(path, allow_pickle=False) as stored:
        return Projection(
            stored["mean"].astype(np.float64),
            stored["matrix"].astype(np.float64),
            float(stored["same_person"]),
        )


def same_person() -> float:
    """Give the likeness from which two faces count as one person's."""
    return load_projection().same_person


def describe_faces(
    crops: UInt8[np.ndarray, "face height width 3"],
    landmarks: Float[np.ndarray, "face 5 2"],
    projection: Projection | None = None,
) -> Float[np.ndarray, "face dim"]:
    """Describe faces by the inner part of pictures of them; ``landmarks`` in their pixels."""
    found = projection or load_projection()
    features = np.stack([measure_face(*face) for face in zip(crops, landmarks, strict=True)])
    vectors = (features - found.mean) @ found.matrix
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def measure_face(
    crop: UInt8[np.ndarray, "height width 3"], landmarks: Float[np.ndarray, "5 2"]
) -> Float[np.ndarray, " feature"]:
    """Measure one face; the mean of it and its mirror image, so that a turned head costs less."""
    inner = align_crop(crop, landmarks, margin=MARGIN, size_px=SIZE_PX)
    grey = cv2.cvtColor(inner, cv2.COLOR_RGB2GRAY)
    return (_measure(grey) + _measure(grey[:, ::-1])) / 2


def _measure(grey: UInt8[np.ndarray, "size size"]) -> Float[np.ndarray, " feature"]:
    fine = _directions(cv2.GaussianBlur(grey, (0, 0), 0.7), FINE_CELLS)
    half = (SIZE_PX // 2, SIZE_PX // 2)
    coarse = _directions(cv2.resize(grey, half, interpolation=cv2.INTER_AREA), COARSE_CELLS)
    even = cv2.createCLAHE(2.0, (4, 4)).apply(np.ascontiguousarray(grey))
    small = cv2.resize(even, (GREY_PX, GREY_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = (small - small.mean()) / (small.std() + 1e-3)
    return np.concatenate([fine.ravel(), coarse.ravel(), GREY_WEIGHT * small.ravel()])


def _directions(
    grey: UInt8[np.ndarray, "height width"], cells: int
) -> Float[np.ndarray, "cells cells direction"]:
    """Histogram the directions of edges in a grid, each cell against its neighbourhood."""
    light = grey.astype(np.float32)
    dx = cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=1)
    dy = cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=1)
    place = np.mod(np.arctan2(dy, dx), np.pi) / np.pi * DIRECTIONS
    apart = np.abs(place[..., None] - np.arange(DIRECTIONS, dtype=np.float32))
    near = np.maximum(0.0, 1.0 - np.minimum(apart, DIRECTIONS - apart))
    maps = (near * np.hypot(dx, dy)[..., None]).astype(np.float32)
    pooled = cv2.resize(maps, (cells, cells), interpolation=cv2.INTER_AREA)
    energy = cv2.blur((pooled**2).sum(axis=-1), (3, 3))
    scale = np.sqrt(energy + FLOOR * energy.mean() + 1e-6)[..., None]
    return np.sqrt(np.minimum(pooled / scale, BRIGHTEST))
