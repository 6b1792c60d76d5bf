"""What a clip goes through after the forgery: shrinking, H.264, noise, framing; grey crops in, out.

Genuine and forged clips of a pair pass one draw of it, so that it tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.data.h264 import h264_clip

Greys = UInt8[np.ndarray, "time size size"]
SCALES = (1.0, 1.0, 1.0, 0.75, 0.5)
NOISES = (0.0, 0.0, 0.0, 1.5, 3.0)
CRF = (16, 36)


@dataclass(frozen=True)
class MotionChain:
    """One draw of the chain."""

    margin: float
    scale: float = 1.0
    crf: int | None = None
    noise: float = 0.0
    """Standard deviation, grey levels."""
    noise_seed: int = 0
    shift: tuple[float, float] = (0.0, 0.0)
    """Of the framing, in pixels of the stored crop."""
    mirrored: bool = False


def draw_motion_chain(
    generator: np.random.Generator, *, margin_range: tuple[float, float], h264_share: float
) -> MotionChain:
    """Draw a chain."""
    coded = generator.random() < h264_share
    x, y = generator.normal(0, 1.5, 2)
    return MotionChain(
        margin=float(generator.uniform(*margin_range)),
        scale=float(generator.choice(SCALES)),
        crf=int(generator.integers(*CRF)) if coded else None,
        noise=float(generator.choice(NOISES)),
        noise_seed=int(generator.integers(1 << 30)),
        shift=(float(x), float(y)),
        mirrored=bool(generator.random() < 0.5),
    )


def apply_motion_chain(
    crops: Greys, chain: MotionChain, *, store_margin: float, size_px: int
) -> UInt8[np.ndarray, "time out_size out_size"]:
    """Pass crops of ``store_margin`` through a chain and frame them as the model's."""
    stored = crops.shape[1]
    small = int(stored * chain.scale) // 2 * 2
    if small < stored:
        crops = np.stack(
            [cv2.resize(c, (small, small), interpolation=cv2.INTER_AREA) for c in crops]
        )
    if chain.crf is not None:
        crops = h264_clip(crops, chain.crf)
    if chain.noise:
        noise = np.random.default_rng(chain.noise_seed).normal(0, chain.noise, crops.shape)
        crops = np.clip(crops + noise, 0, 255).astype(np.uint8)
    matrix = _framing(chain, crops.shape[1], stored, store_margin, size_px)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = (size_px, size_px)
    return np.stack(
        [cv2.warpAffine(c, matrix, out, None, flags, cv2.BORDER_REPLICATE) for c in crops]
    )


def _framing(
    chain: MotionChain, size: int, stored: int, store_margin: float, out_px: int
) -> Float[np.ndarray, "2 3"]:
    """The matrix from the model's pixels to those of crops of ``size``."""
    side = chain.margin / store_margin * size
    step, zoom = side / out_px, size / stored
    corner = size / 2 - side / 2 + np.array(chain.shift) * zoom
    matrix = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
    matrix[:, 2] += step / 2 - 0.5  # centres of pixels
    if chain.mirrored:
        matrix[0, 2] += step * (out_px - 1)
        matrix[0, 0] = -step
    return matrix
