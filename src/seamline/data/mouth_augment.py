"""Varies a mouth's pictures in training: one draw a clip, so that nothing moves but the mouth.

Wider crops in, crops of the network's size out. Randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.random import Generator

SHIFT_PX, DRIFT_PX = 2.0, 0.6
TURN_DEGREES = 6.0
SCALE = (0.82, 1.12)


def vary_mouths(
    crops: UInt8[np.ndarray, "step store store"],
    rng: Generator,
    *,
    stored_margin: float,
    size_px: int,
) -> UInt8[np.ndarray, "step size size"]:
    """Frame, mirror, light, soften, hold and compress one clip's mouths."""
    crops = _held(crops, rng) if rng.random() < 0.15 else crops
    framed = _framed(crops, rng, stored_margin, size_px)
    levels = np.arange(256) / 255.0
    levels = 255.0 * levels ** float(rng.uniform(0.7, 1.4)) * float(rng.uniform(0.7, 1.25))
    levels = np.clip(levels + rng.uniform(-25, 25), 0, 255).astype(np.uint8)
    framed = levels[framed]
    if rng.random() < 0.4:
        small = int(rng.integers(12, size_px))
        framed = _each(framed, lambda crop: _coarse(crop, small))
    if rng.random() < 0.25:
        sigma = float(rng.uniform(0.3, 0.9))
        framed = _each(framed, lambda crop: cv2.GaussianBlur(crop, (0, 0), sigma))
    if rng.random() < 0.25:
        noise = rng.standard_normal(framed.shape, np.float32) * np.float32(rng.uniform(1, 8))
        framed = np.clip(framed + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(15, 80))
        framed = _each(framed, lambda crop: _jpeg(crop, quality))
    return framed


def plain_mouths(
    crops: UInt8[np.ndarray, "step store store"], *, stored_margin: float, size_px: int
) -> UInt8[np.ndarray, "step size size"]:
    """Frame stored crops as a scan does."""
    side = crops.shape[1]
    matrix = _matrix(side, size_px, stored_margin, 1.0, 0.0, False)
    return np.stack([_warp(crop, matrix, size_px) for crop in crops])


def _framed(
    crops: np.ndarray, rng: Generator, stored_margin: float, size_px: int
) -> UInt8[np.ndarray, "step size size"]:
    scale, turn = float(rng.uniform(*SCALE)), float(rng.normal(0, TURN_DEGREES / 2))
    matrix = _matrix(crops.shape[1], size_px, stored_margin, scale, turn, bool(rng.random() < 0.5))
    matrix[:, 2] += rng.uniform(-SHIFT_PX, SHIFT_PX, 2)
    # Landmarks found a few times a second wander; the picture then drifts beneath the mouth.
    phase, speed = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.05, 0.35, 2)
    drift = DRIFT_PX * rng.random() * np.sin(phase + speed * np.arange(len(crops))[:, None])
    framed = []
    for crop, moved in zip(crops, drift, strict=True):
        at = matrix.copy()
        at[:, 2] += moved
        framed.append(_warp(crop, at, size_px))
    return np.stack(framed)


def _matrix(
    side: int, size_px: int, stored_margin: float, scale: float, turn: float, mirrored: bool
) -> np.ndarray:
    """Map a stored crop's pixels to the network's; ``scale`` above 1 shows less."""
    middle = ((side - 1) / 2, (side - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, turn, scale * size_px * stored_margin / side)
    matrix[:, 2] += np.full(2, (size_px - side) / 2)
    if mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size_px - 1
    return matrix


def _warp(crop: np.ndarray, matrix: np.ndarray, size_px: int) -> np.ndarray:
    border = cv2.BORDER_REPLICATE
    return cv2.warpAffine(crop, matrix, (size_px, size_px), None, cv2.INTER_LINEAR, border)


def _held(crops: np.ndarray, rng: Generator) -> np.ndarray:
    """Show every second or third picture only, as cameras of few frames a second do."""
    rate = float(rng.uniform(0.45, 0.9))
    first = rng.random()
    shown = np.floor(np.arange(len(crops)) * rate + first)
    since = np.ceil((shown - first) / rate - 1e-6).astype(int)
    return crops[np.maximum(since, 0)]


def _coarse(crop: np.ndarray, small: int) -> np.ndarray:
    less = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(less, crop.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _jpeg(crop: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None, "what was just encoded decodes"
    return decoded


def _each(crops: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.stack([change(crop) for crop in crops])
