"""Temporal self-blends: a clip whose pasted face drifts or flickers from frame to frame.

Frame-by-frame face swaps seldom sit still: the paste slides over the head, and its strength jumps.
Each frame by itself is a self-blend (`self_blend`); what tells is how it moves. The crops of one
track in; as many blends and masks out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.data.self_blend import REGION_WEIGHTS, mix, region_mask, subtle_view

DRIFT = 0.012  # standard deviation of the paste's step between frames, in sides of the crop
MOST_DRIFT = 0.04
FLICKER = (0.35, 1.0)  # strengths between which the paste jumps


@dataclass(frozen=True)
class ClipBlend:
    """A forged clip and the share of each pixel that was pasted."""

    fakes: UInt8[np.ndarray, "time height width 3"]
    masks: Float[np.ndarray, "time height width"]


def temporal_self_blend(
    crops: UInt8[np.ndarray, "time height width 3"],
    landmarks: Float[np.ndarray, "time 5 2"],
    generator: np.random.Generator,
) -> ClipBlend:
    """Blend each frame with one changed view, laid on along a path that drifts, flickers or both.

    ``landmarks`` are the detector's five, in pixels of the crops; masks are in 0..1, float32.
    """
    count, height, width = crops.shape[:3]
    region = str(generator.choice(list(REGION_WEIGHTS), p=list(REGION_WEIGHTS.values())))
    drawn = region_mask((height, width), landmarks.mean(axis=0), region, generator)
    drawn = drawn / max(float(drawn.max()), 1e-6)
    kind = str(generator.choice(("drift", "flicker", "both")))
    path = _path(count, generator) if kind != "flicker" else np.zeros((count, 2))
    least = FLICKER[0] if kind != "drift" else FLICKER[1]
    strengths = np.asarray(generator.uniform(least, FLICKER[1], count), np.float32)
    view_seed = int(generator.integers(1 << 31))
    fakes, masks = np.empty_like(crops), np.empty((count, height, width), np.float32)
    for index, crop in enumerate(crops):
        shift = np.eye(2, 3)
        shift[:, 2] = path[index] * np.array((width, height))
        view = subtle_view(crop, np.random.default_rng(view_seed))
        size, border = (width, height), cv2.BORDER_REPLICATE
        view = cv2.warpAffine(view, shift, size, None, cv2.INTER_LINEAR, border)
        mask = cv2.warpAffine(drawn, shift, size, None, cv2.INTER_LINEAR)
        masks[index] = mask * strengths[index]
        fakes[index] = mix(view, crop, masks[index])
    return ClipBlend(fakes, masks)


def _path(count: int, generator: np.random.Generator) -> Float[np.ndarray, "time 2"]:
    """A random walk from a random place, in sides of the crop."""
    steps = generator.normal(0, DRIFT, (count, 2))
    steps[0] = generator.uniform(-MOST_DRIFT / 2, MOST_DRIFT / 2, 2)
    return np.clip(np.cumsum(steps, axis=0), -MOST_DRIFT, MOST_DRIFT)
