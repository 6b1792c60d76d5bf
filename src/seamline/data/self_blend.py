"""Self-blended images: a genuine face pasted onto itself, so that only the forgery differs.

After Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images" (CVPR 2022): two views of
one crop that differ slightly in colour, sharpness and position are mixed under a soft face-shaped
mask. The mask is kept: it is the target of the heatmap. Crop and landmarks in, blend and mask out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

# Face outlines in a frame whose unit is the distance between the eyes, origin midway between
# them, y down: proportions of an average adult face (Farkas, 1994), good to a few per cent, which
# the random deformation below exceeds anyway.
LANDMARKS = np.array([(-0.5, 0.0), (0.5, 0.0), (0.0, 0.62), (-0.42, 1.08), (0.42, 1.08)])
FACE = np.array(
    [(-1.0, -0.25), (-0.5, -0.55), (0.0, -0.5), (0.5, -0.55), (1.0, -0.25), (1.05, 0.35)]
    + [(0.95, 0.95), (0.62, 1.5), (0.0, 1.78), (-0.62, 1.5), (-0.95, 0.95), (-1.05, 0.35)]
)
LOWER = np.array(
    [(-0.95, 0.45), (-0.3, 0.4), (0.0, 0.3), (0.3, 0.4), (0.95, 0.45), (0.95, 0.95)]
    + [(0.62, 1.5), (0.0, 1.78), (-0.62, 1.5), (-0.95, 0.95)]
)
MOUTH = np.array(
    [(-0.62, 1.05), (-0.35, 0.78), (0.0, 0.74), (0.35, 0.78), (0.62, 1.05), (0.38, 1.42)]
    + [(0.0, 1.5), (-0.38, 1.42)]
)
INNER = np.array(
    [(-0.8, -0.3), (-0.3, -0.35), (0.3, -0.35), (0.8, -0.3), (0.75, 0.4), (0.6, 1.15)]
    + [(0.3, 1.4), (-0.3, 1.4), (-0.6, 1.15), (-0.75, 0.4)]
)
REGIONS = {"face": FACE, "inner": INNER, "lower": LOWER, "mouth": MOUTH}
MASK_SHRINK = 2  # masks are smooth: drawn at half size they cost a quarter
REGION_WEIGHTS = {"face": 0.45, "inner": 0.25, "lower": 0.15, "mouth": 0.15}

Image = UInt8[np.ndarray, "height width 3"]
Mask = Float[np.ndarray, "height width"]


@dataclass(frozen=True)
class Blend:
    """A pseudo-fake and the share of each pixel that came from the pasted view."""

    fake: Image
    mask: Mask


def self_blend(
    crop: Image,
    landmarks: Float[np.ndarray, "5 2"],
    generator: np.random.Generator,
    region: str | None = None,
    change: Callable[[Image, np.random.Generator], Image] | None = None,
) -> Blend:
    """Blend a crop with a changed view of itself; the mask is in 0..1, float32.

    ``landmarks`` are the five of the detector, in pixels of the crop. ``region`` is one of
    `REGIONS`; None draws it. ``change`` makes the view, `subtle_view` unless told otherwise.
    """
    change = change or subtle_view
    if region is None:
        region = str(generator.choice(list(REGION_WEIGHTS), p=list(REGION_WEIGHTS.values())))
    mask = region_mask(crop.shape[:2], landmarks, region, generator)
    pasted, kept = crop, crop
    if generator.random() < 0.5:
        pasted = change(crop, generator)
    else:
        kept = change(crop, generator)
    pasted, mask = _move(pasted, mask, generator)
    return Blend(mix(pasted, kept, mask), mask)


def change_of(blend: Blend, original: Image) -> float:
    """Mean absolute change under the mask, in grey levels."""
    change = cv2.absdiff(blend.fake, original).mean(axis=2)
    return float((change * blend.mask).sum() / max(float(blend.mask.sum()), 1e-6))


def mix(pasted: Image, kept: Image, mask: Mask) -> Image:
    """Return mask · pasted + (1 − mask) · kept."""
    weight = cv2.merge((mask, mask, mask))
    part = cv2.multiply(pasted, weight, dtype=cv2.CV_32F)
    rest = cv2.multiply(kept, 1 - weight, dtype=cv2.CV_32F)
    return cv2.add(part, rest, dtype=cv2.CV_8U)  # rounds and saturates


def region_mask(
    shape: tuple[int, int],
    landmarks: Float[np.ndarray, "5 2"],
    region: str,
    generator: np.random.Generator,
) -> Mask:
    """Draw a soft, randomly deformed mask of a face region where the landmarks put it."""
    if region not in REGIONS:
        raise ValueError(f"Unknown face region {region!r}. Known: {', '.join(REGIONS)}.")
    points = REGIONS[region] + generator.normal(0.0, 0.06, REGIONS[region].shape)
    placed = _place(points, landmarks) / MASK_SHRINK
    drawn = np.zeros((-(-shape[0] // MASK_SHRINK), -(-shape[1] // MASK_SHRINK)), np.uint8)
    cv2.fillPoly(drawn, [np.rint(_smooth(placed) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = _elastic(drawn, generator).astype(np.float32) / 255
    eye_px = float(np.linalg.norm(landmarks[1] - landmarks[0])) / MASK_SHRINK
    mask = _soften(mask, eye_px, generator)
    mask *= np.float32(generator.choice((0.25, 0.5, 0.75, 1.0, 1.0, 1.0)))
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_LINEAR)


def change_view(crop: Image, generator: np.random.Generator) -> Image:
    """Shift colour and change sharpness, as another camera or a generator's decoder would."""
    # One table a channel: colour shift, contrast about the mean, gain.
    contrast = generator.uniform(0.85, 1.15) if generator.random() < 0.6 else 1.0
    gain = generator.uniform(0.9, 1.1)
    levels = np.arange(256)[:, None] + generator.uniform(-20, 20, 3)
    mean = np.array(cv2.mean(crop)[:3])
    table = np.clip((mean + (levels - mean) * contrast) * gain, 0, 255)
    view = cv2.LUT(crop, np.rint(table).astype(np.uint8)[None])
    if generator.random() < 0.5:
        view = _shift_hue(view, generator)
    kind = generator.random()
    if kind < 0.4:
        view = down_up(view, float(generator.uniform(0.3, 0.9)), generator)
    elif kind < 0.65:
        soft = cv2.GaussianBlur(view, (0, 0), float(generator.uniform(0.8, 2.0)))
        view = cv2.addWeighted(view, 1 + (a := float(generator.uniform(0.2, 0.8))), soft, -a, 0)
    elif kind < 0.85:
        view = cv2.GaussianBlur(view, (0, 0), float(generator.uniform(0.4, 1.4)))
    return view


def subtle_view(crop: Image, generator: np.random.Generator) -> Image:
    """Change sharpness always and colour seldom, so that what remains to be seen is the blending.

    The shares and ranges of Shiohara & Yamasaki; a view that always has other colours teaches a
    network to look for colours, which real forgeries match.
    """
    view = crop
    levels = np.repeat(np.arange(256.0)[:, None], 3, axis=1)
    if generator.random() < 0.3:
        levels += generator.uniform(-20, 20, 3)
    if generator.random() < 0.3:
        mean = np.array(cv2.mean(crop)[:3])
        contrast, gain = generator.uniform(0.9, 1.1, 2)
        levels = (mean + (levels - mean) * contrast) * gain
    view = cv2.LUT(view, np.rint(np.clip(levels, 0, 255)).astype(np.uint8)[None])
    if generator.random() < 0.3:
        view = _shift_hue(view, generator, (2, 15, 15))
    kind = generator.random()
    if kind < 0.5:
        view = down_up(view, float(generator.uniform(0.25, 0.75)), generator)
    elif kind < 0.85:
        soft = cv2.GaussianBlur(view, (0, 0), float(generator.uniform(0.8, 2.0)))
        view = cv2.addWeighted(view, 1 + (a := float(generator.uniform(0.2, 0.8))), soft, -a, 0)
    else:
        view = cv2.GaussianBlur(view, (0, 0), float(generator.uniform(0.4, 1.4)))
    return view


def down_up(image: Image, scale: float, generator: np.random.Generator) -> Image:
    """Shrink and enlarge again, with a random pair of interpolations."""
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrink = int(generator.choice((cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    enlarge = int(generator.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    small = cv2.resize(image, size, interpolation=shrink)
    return cv2.resize(small, (width, height), interpolation=enlarge)


def _place(
    points: Float[np.ndarray, "point 2"], landmarks: Float[np.ndarray, "5 2"]
) -> Float[np.ndarray, "point 2"]:
    """Carry points of the mean face into the image by the affine map that fits the landmarks."""
    known = np.c_[LANDMARKS, np.ones(5)]
    affine, *_ = np.linalg.lstsq(known, landmarks, rcond=None)
    return np.c_[points, np.ones(len(points))] @ affine


def _smooth(points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "fine 2"]:
    """Round a closed polygon by two rounds of Chaikin's corner cutting."""
    for _ in range(2):
        following = np.roll(points, -1, axis=0)
        pairs = (0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following)
        points = np.stack(pairs, axis=1).reshape(-1, 2)
    return points


def _elastic(
    mask: UInt8[np.ndarray, "height width"], generator: np.random.Generator
) -> UInt8[np.ndarray, "height width"]:
    """Warp the mask by a smooth random field of a few per cent of its size."""
    height, width = mask.shape
    field = generator.normal(0.0, 1.0, (2, 5, 5)).astype(np.float32)
    reach = np.float32(0.025 * max(height, width))
    dx, dy = (
        cv2.resize(part * reach, (width, height), interpolation=cv2.INTER_CUBIC) for part in field
    )
    dx += np.arange(width, dtype=np.float32)
    dy += np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(mask, dx, dy, cv2.INTER_LINEAR)


def _soften(mask: Mask, eye_px: float, generator: np.random.Generator) -> Mask:
    """Blur the border, sometimes after pulling it inwards, by an amount that varies widely."""
    sigma = max(0.5, eye_px * float(generator.uniform(0.02, 0.18)))
    soft = cv2.GaussianBlur(mask, (0, 0), sigma)
    if generator.random() < 0.5:  # keep the blurred border inside the region, as blenders do
        core = (soft > 0.9 * soft.max()).astype(np.float32)
        soft = cv2.GaussianBlur(core, (0, 0), sigma)
    return soft / max(float(soft.max()), 1e-6)  # a small region blurred must not fade away


def _move(image: Image, mask: Mask, generator: np.random.Generator) -> tuple[Image, Mask]:
    """Shift and scale the pasted view with its mask by up to three and five per cent."""
    height, width = mask.shape
    scale_x, scale_y = 1 + generator.uniform(-0.05, 0.05, 2)
    dx, dy = generator.uniform(-0.03, 0.03, 2) * (width, height)
    matrix = np.array(
        [
            [scale_x, 0, (1 - scale_x) * width / 2 + dx],
            [0, scale_y, (1 - scale_y) * height / 2 + dy],
        ],
        np.float32,
    )
    moved = cv2.warpAffine(image, matrix, (width, height), None, cv2.INTER_LINEAR, 2)
    return moved, cv2.warpAffine(mask, matrix, (width, height), None, cv2.INTER_LINEAR)


def _shift_hue(
    image: Image, generator: np.random.Generator, most: tuple[int, int, int] = (9, 25, 20)
) -> Image:
    hue, saturation, value = (int(generator.integers(-n, n + 1)) for n in most)
    levels = np.arange(256)
    table = np.stack(
        [
            (levels + hue) % 180,
            np.clip(levels + saturation, 0, 255),
            np.clip(levels + value, 0, 255),
        ],
        axis=1,
    ).astype(np.uint8)[None]
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), table)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
