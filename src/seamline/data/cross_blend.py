"""Cross-identity blends: another person's face pasted over a genuine one, as face swaps do.

After Li et al., "Face X-ray for More General Face Forgery Detection" (CVPR 2020): of many faces the
one whose landmarks lie nearest is carried over by them, takes on the colours of the face that it
covers, and is mixed in under a soft mask, which is kept. Two crops and their landmarks in, blend
and mask out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float

from seamline.data.self_blend import Blend, Image, Mask, mix, region_mask, subtle_view

LEAST_SPREAD = 4.0  # grey levels: colours of a flat region are shifted, not stretched


def nearest_shape(
    landmarks: Float[np.ndarray, "5 2"], others: Sequence[Float[np.ndarray, "5 2"]]
) -> int:
    """Number the landmark set nearest to ``landmarks`` after centring and scaling both."""
    shapes = np.stack([_shape(landmarks), *map(_shape, others)])
    return int(np.argmin(np.square(shapes[1:] - shapes[0]).sum(axis=(1, 2))))


def cross_blend(
    crop: Image,
    landmarks: Float[np.ndarray, "5 2"],
    donor: Image,
    donor_landmarks: Float[np.ndarray, "5 2"],
    generator: np.random.Generator,
) -> Blend:
    """Paste the donor's face over the crop's; the mask is in 0..1, float32."""
    region = "face" if generator.random() < 0.6 else "inner"
    mask = whole_mask(region_mask(crop.shape[:2], landmarks, region, generator))
    pasted = match_colours(lay_over(donor, donor_landmarks, crop, landmarks), crop, mask)
    if generator.random() < 0.5:
        pasted = subtle_view(pasted, generator)
    return Blend(mix(pasted, crop, mask), mask)


def lay_over(
    donor: Image,
    donor_landmarks: Float[np.ndarray, "5 2"],
    crop: Image,
    landmarks: Float[np.ndarray, "5 2"],
) -> Image:
    """Carry a face to where the crop's lies, by the affine map that fits the landmarks."""
    known = np.c_[donor_landmarks, np.ones(5)]
    matrix = np.linalg.lstsq(known, landmarks, rcond=None)[0].T
    size = crop.shape[1], crop.shape[0]
    return cv2.warpAffine(donor, matrix, size, None, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)


def whole_mask(mask: Mask) -> Mask:
    """Scale a mask so that its middle covers what lies below it wholly."""
    return np.minimum(mask / max(float(mask.max()), 1e-6), 1.0).astype(np.float32)


def match_colours(image: Image, like: Image, mask: Mask) -> Image:
    """Bring each channel's mean and spread under the mask to those of another picture.

    In CIE L*a*b*, as Reinhard et al., "Color Transfer between Images" (2001).
    """
    ours, theirs = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB) for picture in (image, like))
    under = (mask > 0.5).astype(np.uint8)
    if not under.any():
        return image
    table = np.empty((1, 256, 3), np.uint8)
    means, spreads = cv2.meanStdDev(ours, mask=under)
    wanted_means, wanted_spreads = cv2.meanStdDev(theirs, mask=under)
    for channel in range(3):
        spread = max(float(spreads[channel, 0]), LEAST_SPREAD)
        gain = np.clip(max(float(wanted_spreads[channel, 0]), LEAST_SPREAD) / spread, 0.5, 2.0)
        levels = (np.arange(256) - means[channel, 0]) * gain + wanted_means[channel, 0]
        table[0, :, channel] = np.clip(np.rint(levels), 0, 255)
    return cv2.cvtColor(cv2.LUT(ours, table), cv2.COLOR_LAB2RGB)


def _shape(landmarks: Float[np.ndarray, "5 2"]) -> Float[np.ndarray, "5 2"]:
    centred = landmarks - landmarks.mean(axis=0)
    return centred / max(float(np.sqrt(np.square(centred).sum())), 1e-6)
