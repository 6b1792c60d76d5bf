"""Cuts a face upright and always at the same place: RGB frame and landmarks in, square crop out.

A similarity transform (turn, scale, shift; Umeyama, PAMI 1991) brings the five landmarks as near
as possible to fixed places. ::

    ┌───────────────┐ margin 1.3: forehead to below the chin
    │ ┌───────────┐ │
    │ │  ◦     ◦  │ │ margin 1.0: brow to chin, ear to ear
    │ │     ◦     │ │
    │ │   ◦   ◦   │ │
    │ └───────────┘ │
    └───────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.halves import Halves

# Places of the landmarks in a 112×112 px crop, as used by SphereFace (Liu et al., CVPR 2017; there
# 96 px wide) and ArcFace (Deng et al., CVPR 2019). Only the shape matters here; the box is ours.
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
# With the pupils 63 mm apart the template has 1.8 mm a pixel: brows lie some 25 mm above the
# pupils, the chin 115 mm below them, and the ears 150 mm apart. That is the tight box.
TIGHT_CENTRE = np.array([56.0, 77.0])
TIGHT_SIDE = 84.0


@dataclass(frozen=True)
class Place:
    """A square of the template: what a crop of margin 1.0 shows."""

    centre: tuple[float, float]
    side: float


FACE = Place((56.0, 77.0), TIGHT_SIDE)
# From the nose's tip to just below the chin; the mouth's corners lie 29 pixels apart.
MOUTH = Place((56.0, 94.0), 56.0)

SHARPEST_SHRINK = 1.25  # beyond it, bilinear sampling alone would alias


def aligned_to_frame(
    landmarks: Float[np.ndarray, "5 2"], *, margin: float, size_px: int, place: Place = FACE
) -> Float[np.ndarray, "2 3"]:
    """Gives the matrix from crop pixels to frame pixels, both counted from pixel centres.

    ``cv2.warpAffine(heatmap, matrix, (width, height))`` puts a map of ``size_px`` over the frame;
    a map coarser than the crop takes its own ``size_px``.
    """
    if margin <= 0 or size_px < 1:
        raise ValueError(f"margin is {margin:g} and size_px {size_px}; both must be positive.")
    turn, shift = _similarity(landmarks)
    step = place.side * margin / size_px
    corner = np.array(place.centre) - place.side * margin / 2
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn * step
    # Centre of crop pixel 0 is half a pixel in; the frame's centres are half a pixel in as well.
    matrix[:, 2] = turn @ (corner + step / 2) + shift - 0.5
    return matrix


def align_crop(
    rgb: UInt8[np.ndarray, "height width *colour"],
    landmarks: Float[np.ndarray, "5 2"],
    *,
    margin: float,
    size_px: int,
    place: Place = FACE,
) -> UInt8[np.ndarray, "size size *colour"]:
    """Cuts the place as ``size_px`` square; beyond the frame its border pixels are repeated.

    Shrinking is antialiased: the crop is sampled finer by a whole number and averaged.
    """
    shrink = frame_px_per_crop_px(landmarks, margin=margin, size_px=size_px, place=place)
    views = Halves(rgb)
    level = views.level_for(shrink / 2)  # a huge face is halved first; finer sampling does the rest
    source = views.at(level)
    ratio = np.array(source.shape[1::-1]) / np.array(rgb.shape[1::-1])
    shrink *= float(ratio.max())
    finer = 1 if shrink <= SHARPEST_SHRINK else int(np.ceil(shrink))
    matrix = aligned_to_frame(landmarks, margin=margin, size_px=size_px * finer, place=place)
    matrix[:, 2] += 0.5
    matrix *= ratio[:, None]
    matrix[:, 2] -= 0.5
    size = (size_px * finer, size_px * finer)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(source, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if finer > 1:
        crop = cv2.resize(crop, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return crop


def frame_px_per_crop_px(
    landmarks: Float[np.ndarray, "5 2"], *, margin: float, size_px: int, place: Place = FACE
) -> float:
    """Tells how much the crop shrinks the face; below 1 it enlarges."""
    turn, _ = _similarity(landmarks)
    return float(np.hypot(turn[0, 0], turn[1, 0])) * place.side * margin / size_px


def _fit_of(points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "4 coordinate"]:
    """Builds what fits turn·scale and shift, without mirroring, by least squares.

    In the plane that is p ↦ a·p + b over complex numbers, a = ⟨p, q⟩ / ⟨p, p⟩ about the means: its
    real and imaginary part and those of b are linear in where the points go to.
    """
    count, mean = len(points), points.mean(axis=0)
    p = (points - mean) / np.square(points - mean).sum()
    real, imaginary = p.ravel(), np.stack([-p[:, 1], p[:, 0]], axis=1).ravel()
    x, y = np.eye(2)[[0, 1] * count].T / count
    return np.stack(
        [
            real,
            imaginary,
            x - mean[0] * real + mean[1] * imaginary,
            y - mean[0] * imaginary - mean[1] * real,
        ]
    )


_TEMPLATE_FIT = _fit_of(TEMPLATE)


def _similarity(
    landmarks: Float[np.ndarray, "5 2"],
) -> tuple[Float[np.ndarray, "2 2"], Float[np.ndarray, " 2"]]:
    """Fits the template onto landmarks: turn·scale, and shift."""
    fit = _TEMPLATE_FIT @ np.asarray(landmarks, np.float64).ravel()
    real, imaginary = fit[:2]
    return np.array([[real, -imaginary], [imaginary, real]]), fit[2:]
