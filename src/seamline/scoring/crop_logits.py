"""One number a crop from all that a picture branch tells of it: its logit, its mask, its detail.

In: the network's outputs for the crops of one window, and the crops. Out: the logits that are
pooled over time and calibrated. Two things a network's own logit leaves out are weighed here:

- its mask head, which saw where each blend of training lay, and at times is surer than the rest;
- how sharp the crop is: a soft face of a genuine file looks blended, so every logit is compared
  with what genuine faces of its sharpness have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import cv2
import numpy as np
from jaxtyping import Float, UInt8

LEAST_DETAIL = 0.25  # grey levels: below, a crop is flat


@dataclass(frozen=True)
class CropWeights:
    """How much mask and sharpness count; neither, unless a bundle says so."""

    mask_share: float = 0.0
    """Share of a crop's logit that its highest mask logit makes up; the rest is the network's."""
    detail_weight: float = 0.0
    """Logits added for every e-fold of fine detail in the crop's middle."""

    @classmethod
    def from_json(cls, values: Mapping[str, float] | None) -> CropWeights:
        """Read what a bundle says of a branch; an unknown name is refused."""
        found, known = dict(values or {}), {one.name for one in fields(cls)}
        if odd := sorted(set(found) - known):
            raise ValueError(f"crops has no {', '.join(odd)}; known are {', '.join(sorted(known))}")
        return cls(**found)

    @property
    def any(self) -> bool:
        """Tell whether there is anything to weigh."""
        return bool(self.mask_share or self.detail_weight)


def weigh_crops(
    logits: Float[np.ndarray, " time"],
    masks: Float[np.ndarray, "time rows columns"],
    crops: UInt8[np.ndarray, "time size size 3"],
    weights: CropWeights,
) -> Float[np.ndarray, " time"]:
    """Weigh what a network says of crops, mask logits included, and their detail."""
    weighed = (1 - weights.mask_share) * logits.astype(np.float64)
    weighed += weights.mask_share * masks.max(axis=(1, 2))
    if weights.detail_weight:
        weighed += weights.detail_weight * np.log([fine_detail(crop) for crop in crops])
    return weighed


def fine_detail(crop: UInt8[np.ndarray, "size size 3"]) -> float:
    """Deviation of the Laplacian over the crop's middle half, in grey levels.

    Coding, shrinking and blur take it first; the middle half is face whatever the margin. Unlike
    `seamline.faces.quality.sharpness`, by which footage is refused, it is not relative to contrast
    and is measured on the crop as the network sees it.
    """
    quarter = len(crop) // 4
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[quarter:-quarter, quarter:-quarter]
    fine = cv2.Laplacian(np.ascontiguousarray(grey), cv2.CV_32F)
    return max(float(fine.std()), LEAST_DETAIL)
