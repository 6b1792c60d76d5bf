"""Measures what a face's crops are good for: how sharp, how light, how turned, how surely a face.

In: the crops of one face in one window, as they were cut. Out: a `FaceQuality`, plain numbers; what
they forbid is said in `seamline.scoring.quality`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

MEASURED_PX = 80
"""Crops are shrunk to this side, or to the face's own size, before their sharpness is measured."""
LEAST_MEASURED_PX = 16
MOST_MEASURED = 8  # crops of a window; the next is a quarter of a second away
TURNED = 0.45  # offset of the nose over the distance of the eyes: a head turned by some 45 degrees
UNSURE = 0.85  # of the detector's confidence


@dataclass(frozen=True)
class FaceQuality:
    """One face over the frames of one window."""

    sharpness: float
    """Deviation of the Laplacian over that of the picture: about 0.1 is a blur, 0.5 is clear."""
    brightness: float
    """Mean grey level, 0 to 1."""
    turned_share: float
    """Share of frames in which the head is turned far aside."""
    unsure_share: float
    """Share of frames in which the detector is not sure of a face."""


def measure_quality(
    crops: UInt8[np.ndarray, "time size size 3"],
    landmarks: Float[np.ndarray, "time 5 2"],
    detection_scores: Float[np.ndarray, " time"],
    crop_px: float,
) -> FaceQuality:
    """Measure a window; ``crop_px`` is the crop's side in pixels of the frame it was cut from."""
    picked = np.linspace(0, len(crops) - 1, min(len(crops), MOST_MEASURED)).round().astype(int)
    greys = [cv2.cvtColor(crops[place], cv2.COLOR_RGB2GRAY) for place in picked]
    side = round(max(LEAST_MEASURED_PX, min(MEASURED_PX, crop_px, crops.shape[1])))
    eyes = landmarks[:, 1] - landmarks[:, 0]
    apart = np.maximum(np.linalg.norm(eyes, axis=1), 1e-6)
    nose = landmarks[:, 2] - (landmarks[:, 0] + landmarks[:, 1]) / 2
    aside = np.abs((nose * eyes).sum(axis=1)) / apart**2
    return FaceQuality(
        sharpness=float(np.median([sharpness(grey, side) for grey in greys])),
        brightness=float(np.mean(greys)) / 255,
        turned_share=float(np.mean(aside > TURNED)),
        unsure_share=float(np.mean(detection_scores < UNSURE)),
    )


def sharpness(grey: UInt8[np.ndarray, "height width"], side_px: int) -> float:
    """Compare fine detail with the picture's contrast, at the size that the face really has."""
    small = cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = cv2.Laplacian(small, cv2.CV_32F, borderType=cv2.BORDER_REFLECT)
    return float(fine.std()) / (float(small.std()) + 1.0)
