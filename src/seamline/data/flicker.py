"""Flickering pseudo-fakes: a genuine face in successive frames in, a restless paste on it out.

Forgers work frame by frame, so what they paste is never quite at rest: it slides and turns a
little, its light and sharpness vary, it is drawn on another grid of pixels each time, or it lags
behind. Each pseudo-fake has some of these habits; each habit has a constant part and one that moves
from frame to frame, jumpily or slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Greys = UInt8[np.ndarray, "time size size"]
Shade = Float[np.ndarray, "size size"]

# Region: centre and half axes of its ellipse, in sides of a crop of margin 1.5; how often.
REGIONS = {
    "face": ((0.5, 0.5), (0.33, 0.40), 0.45),
    "inner": ((0.5, 0.54), (0.25, 0.28), 0.20),
    "mouth": ((0.5, 0.68), (0.20, 0.13), 0.15),
    "eyes": ((0.5, 0.42), (0.30, 0.11), 0.05),
    "lower": ((0.5, 0.65), (0.27, 0.24), 0.15),
}
REGION_MARGIN = 1.5
HABITS = {
    "moves": 0.6, "light": 0.5, "sharpness": 0.5, "grid": 0.35, "jpeg": 0.25, "time": 0.3,
    "texture": 0.25,
}  # fmt: skip
"""How often each habit occurs; they are independent, and there is always one."""
PERSISTENCE = (0.0, 0.0, 0.5, 0.9)
"""Correlation of neighbouring frames' deviations, drawn from these."""
LEAST_CHANGE = 0.25  # grey levels, the mean over a crop: a fake that differs less teaches nothing
MOST_DRAWS = 6


@dataclass(frozen=True)
class _Path:
    """Deviations over the frames of one pseudo-fake."""

    rng: np.random.Generator
    count: int
    persistence: float
    unrest: float

    def __call__(self, spread: float) -> Float[np.ndarray, " time"]:
        """Draw a first-order autoregressive path of a standard deviation."""
        noise = self.rng.normal(size=self.count)
        path, keep = noise.copy(), self.persistence
        for index in range(1, self.count):
            path[index] = keep * path[index - 1] + np.sqrt(1 - keep**2) * noise[index]
        return path * spread * self.unrest


def flicker_blend(crops: Greys, generator: np.random.Generator, *, margin: float = 1.5) -> Greys:
    """Forge a genuine face in successive grey frames; ``margin`` is that of the crops.

    Draws again where nothing would show, a few times.
    """
    made = crops
    for _ in range(MOST_DRAWS):
        made = _draw(crops, generator, margin)
        if np.abs(made.astype(np.float32) - crops).mean() > LEAST_CHANGE:
            break
    return made


def _draw(crops: Greys, rng: np.random.Generator, margin: float) -> Greys:
    count, size = crops.shape[:2]
    names = list(REGIONS)
    region = str(rng.choice(names, p=[REGIONS[name][2] for name in names]))
    mask = _mask(size, region, margin, rng)
    habits = {name for name, chance in HABITS.items() if rng.random() < chance}
    if not habits:
        habits = {str(rng.choice(list(HABITS)))}
    path = _Path(rng, count, float(rng.choice(PERSISTENCE)), float(np.exp(rng.normal(0, 0.6))))
    views = crops.astype(np.float32)
    if "time" in habits:
        views = _out_of_time(views, rng)
    if "moves" in habits:
        views = _moved(views, path, rng)
    if "grid" in habits:
        views = _regridded(views, rng)
    if "sharpness" in habits:
        views = _resharpened(views, path, rng)
    if "jpeg" in habits:
        views = _through_jpeg(views, int(rng.integers(15, 70)))
    if "texture" in habits:
        views = views + np.stack([_texture(size, rng) for _ in range(count)])
    if "light" in habits:
        views = _relit(views, path, rng)
    masks = _moved_masks(mask, path, count) if "moves" in habits else np.stack([mask] * count)
    if rng.random() < 0.3:  # the paste's strength jumps
        masks = masks * np.clip(1 + path(0.25), 0.3, 1)[:, None, None].astype(np.float32)
    return np.clip(crops + masks * (views - crops), 0, 255).astype(np.uint8)


def _mask(size: int, region: str, margin: float, rng: np.random.Generator) -> Shade:
    """Draw a region's outline, bent at random, with a soft edge and a strength."""
    centre, axes, _ = REGIONS[region]
    zoom = REGION_MARGIN / margin
    middle = 0.5 + (np.array(centre) - 0.5) * zoom + rng.normal(0, 0.015, 2)
    reach = np.array(axes) * zoom * rng.uniform(0.8, 1.15, 2)
    angle = np.arange(0, 2 * np.pi, 0.25)
    radius = np.ones_like(angle)
    for waves, spread in ((2, 0.08), (3, 0.05)):
        radius += spread * rng.normal() * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    squareness = rng.uniform(0.7, 1.0)
    outline = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    outline = np.sign(outline) * np.abs(outline) ** squareness * radius[:, None] * reach
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [((middle + outline) * size).round().astype(np.int32)], 1.0)
    soft: Shade = cv2.GaussianBlur(mask, (0, 0), float(rng.choice((1.0, 2.0, 4.0, 7.0))))
    return soft * np.float32(rng.choice((0.5, 0.75, 1.0, 1.0, 1.0)))


def _out_of_time(views: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average neighbouring frames, or take one of them at random."""
    count = len(views)
    before, after = views[np.r_[0, : count - 1]], views[np.r_[1:count, count - 1]]
    if rng.random() < 0.5:
        return (before + views + after) / 3
    lag = rng.integers(-1, 2, count)
    return views[np.clip(np.arange(count) + lag, 0, count - 1)]


def _moved(views: np.ndarray, path: _Path, rng: np.random.Generator) -> np.ndarray:
    size = views.shape[1]
    shift = rng.normal(0, 1.5, 2)[:, None] + np.stack([path(0.35), path(0.35)])
    scale = 1 + rng.normal(0, 0.015) + path(0.004)
    turn = np.degrees(rng.normal(0, 0.01) + path(0.004))
    moved = np.empty_like(views)
    for index, view in enumerate(views):
        matrix = cv2.getRotationMatrix2D((size / 2, size / 2), turn[index], scale[index])
        matrix[:, 2] += shift[:, index]
        moved[index] = _warped(view, matrix)
    return moved


def _moved_masks(mask: Shade, path: _Path, count: int) -> np.ndarray:
    shift = np.stack([path(0.5), path(0.5)], axis=1)
    return np.stack(
        [_warped(mask, np.array([[1, 0, x], [0, 1, y]]), cv2.BORDER_CONSTANT) for x, y in shift]
    ).reshape(count, *mask.shape)


def _regridded(views: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shrink and enlarge, as a generator of small faces does, on a grid that may jump."""
    size, factor = views.shape[1], float(rng.uniform(1.3, 3.0))
    small = int(size / factor) + 2
    way_back = cv2.INTER_CUBIC if rng.random() < 0.3 else cv2.INTER_LINEAR
    jumps = rng.random() < 0.7
    drawn = np.empty_like(views)
    for index, view in enumerate(views):
        phase = rng.uniform(0, factor, 2) if jumps else np.zeros(2)
        matrix = np.array([[1, 0, phase[0]], [0, 1, phase[1]]]) / factor
        blurred = cv2.GaussianBlur(view, (0, 0), 0.35 * factor)
        little = cv2.warpAffine(
            blurred, matrix, (small, small), None, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        )
        flags = way_back | cv2.WARP_INVERSE_MAP
        drawn[index] = cv2.warpAffine(
            little, matrix, (size, size), None, flags, cv2.BORDER_REPLICATE
        )
    return drawn


def _resharpened(views: np.ndarray, path: _Path, rng: np.random.Generator) -> np.ndarray:
    sharpen, widths = rng.random() < 0.3, np.abs(rng.normal(0, 0.6) + path(0.3))
    made = views.copy()
    for index, width in enumerate(widths):
        if width > 0.15:
            blurred = cv2.GaussianBlur(views[index], (0, 0), float(width))
            made[index] = views[index] + 1.2 * (views[index] - blurred) if sharpen else blurred
    return made


def _through_jpeg(views: np.ndarray, quality: int) -> np.ndarray:
    made = []
    for view in np.clip(views, 0, 255).astype(np.uint8):
        coded = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        read = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
        assert read is not None, "what was just encoded can be decoded"
        made.append(read)
    return np.stack(made).astype(np.float32)


def _texture(size: int, rng: np.random.Generator) -> Shade:
    """Smooth noise of about two grey levels, new in every frame."""
    noise = rng.normal(0, 4.8, (size, size)).astype(np.float32)
    smooth: Shade = cv2.GaussianBlur(noise, (0, 0), 0.8)
    return smooth


def _relit(views: np.ndarray, path: _Path, rng: np.random.Generator) -> np.ndarray:
    level = rng.normal(0, 4) + path(2.5)
    contrast = 1 + rng.normal(0, 0.06) + path(0.03)
    means = views.mean(axis=(1, 2))
    lit = (views - means[:, None, None]) * contrast[:, None, None]
    return np.asarray(lit + (means + level)[:, None, None], np.float32)


def _warped(image: Shade, matrix: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> Shade:
    size = image.shape[::-1]
    warped: Shade = cv2.warpAffine(image, matrix, size, None, cv2.INTER_LINEAR, border)
    return warped
