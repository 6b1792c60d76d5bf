"""The chain after the forgery, the same for a genuine crop and its fake: frame, degrade, compress.

A store crop (generous margin, aligned) in; a model crop of the contract's size out. All choices of
one pair are drawn once as a `Chain`, then applied to both sides, so that only the forgery differs.
Codecs work at a scale of their own: a face of any size may have been filmed, and is brought to the
model's size only after it was coded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.data.h264 import h264

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Chain:
    """One draw of the chain's choices."""

    margin: float
    angle_degrees: float
    shift: tuple[float, float]
    flip: bool
    scale: float
    """At which the picture is degraded and coded, over the model's size."""
    blur_sigma: float | None
    noise_sigma: float | None
    h264_crf: int | None
    jpeg_quality: tuple[int, ...]
    gain: float
    offset: tuple[float, float, float]
    grey: bool
    noise_seed: int
    h264_before: int = 0
    """Pictures coded before this one, of which it is predicted, as most pictures of a video are."""
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gain of red, green and blue, as by another white balance."""
    saturation: float = 1.0
    gamma: float = 1.0
    skin_smoothing: float = 0.0
    """Grey levels within which the face's inside is smoothed, as by a beauty filter; 0: not."""


def draw_chain(
    generator: np.random.Generator,
    *,
    margin_range: tuple[float, float] = (0.95, 1.4),
    h264_share: float = 0.0,
    poor_share: float = 0.0,
    cast_share: float = 0.0,
    smooth_share: float = 0.0,
) -> Chain:
    """Draw how one pair is framed, degraded and compressed.

    ``h264_share`` of them are coded as video; ``poor_share`` come from poor footage, where small
    size, blur and coarse coding meet; ``cast_share`` have other colours throughout, as by lamps,
    cameras and grading; the skin of ``smooth_share`` is smoothed.
    """

    def maybe(probability: float, low: float, high: float) -> float | None:
        return float(generator.uniform(low, high)) if generator.random() < probability else None

    passes = int(generator.choice((0, 0, 1, 1, 2)))
    kind = generator.random()
    scale = 1.0
    if kind < 0.5:
        scale = float(generator.uniform(0.45, 0.95) if kind < 0.3 else generator.uniform(1, 1.5))
    drawn = Chain(
        margin=float(generator.uniform(*margin_range)),
        angle_degrees=float(generator.normal(0, 4)),
        shift=(float(generator.normal(0, 0.02)), float(generator.normal(0, 0.02))),
        flip=bool(generator.random() < 0.5),
        scale=scale,
        blur_sigma=maybe(0.15, 0.3, 1.2),
        noise_sigma=maybe(0.15, 1.0, 6.0),
        h264_crf=int(generator.integers(18, 41)) if generator.random() < h264_share else None,
        jpeg_quality=tuple(int(generator.integers(45, 100)) for _ in range(passes)),
        gain=float(generator.uniform(0.8, 1.2)),
        offset=tuple(float(v) for v in generator.uniform(-12, 12, 3)),  # type: ignore[arg-type]
        grey=bool(generator.random() < 0.03),
        noise_seed=int(generator.integers(1 << 31)),
    )
    if poor_share and generator.random() < poor_share:
        drawn = _poor(drawn, generator)
    if cast_share and generator.random() < cast_share:
        drawn = _cast(drawn, generator)
    if smooth_share and generator.random() < smooth_share:
        drawn = dataclasses.replace(drawn, skin_smoothing=float(generator.uniform(15, 45)))
    return drawn


def _poor(chain: Chain, generator: np.random.Generator) -> Chain:
    """Let the chain's picture come from small, blurred or coarsely coded footage."""
    coded, blurred = generator.random() < 0.7, generator.random() < 0.4
    scale = float(generator.uniform(0.35, 0.9))
    sigma = float(generator.uniform(0.6, 2.2)) * scale  # as if it was blurred before it shrank
    return dataclasses.replace(
        chain,
        scale=scale,
        blur_sigma=sigma if blurred else None,
        h264_crf=int(generator.integers(24, 39)) if coded else None,
        h264_before=int(generator.integers(0, 3)) if coded else 0,
    )


def _cast(chain: Chain, generator: np.random.Generator) -> Chain:
    """Colour the chain's whole picture, so that odd colours by themselves tell nothing."""
    red, green, blue = np.exp(generator.normal(0.0, 0.15, 3))
    return dataclasses.replace(
        chain,
        balance=(float(red), float(green), float(blue)),
        saturation=float(generator.uniform(0.3, 1.7)),
        gamma=float(np.exp(generator.uniform(-0.4, 0.4))),
    )


def plain_chain(margin: float) -> Chain:
    """The chain that only frames: what validation and the runtime see."""
    return Chain(margin, 0, (0, 0), False, 1.0, None, None, None, (), 1.0, (0, 0, 0), False, 0)


def apply_chain(crop: Image, chain: Chain, *, store_margin: float, size_px: int) -> Image:
    """Apply a drawn chain to a store crop of ``store_margin``; returns size_px × size_px × 3."""
    framed_px = round(size_px * max(1.0, chain.scale))
    image = frame_crop(crop, chain, store_margin=store_margin, size_px=framed_px)
    if chain.skin_smoothing:
        image = _smooth_skin(image, crop.shape[0], chain, store_margin=store_margin)
    if chain.scale < 1:
        small = max(8, round(size_px * chain.scale))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    if chain.blur_sigma is not None:
        image = cv2.GaussianBlur(image, (0, 0), chain.blur_sigma)
    image = _light(image, chain)
    if chain.h264_crf is not None:
        image = h264(image, chain.h264_crf, before=chain.h264_before)
    for quality in chain.jpeg_quality:
        image = jpeg(image, quality)
    if image.shape[0] != size_px:
        # INTER_AREA enlarges like INTER_NEAREST, so only shrinking takes it.
        way = cv2.INTER_AREA if image.shape[0] > size_px else cv2.INTER_LINEAR
        image = cv2.resize(image, (size_px, size_px), interpolation=way)
    return image


def frame_crop(
    crop: UInt8[np.ndarray, "store store 3"] | Float[np.ndarray, "store store"],
    chain: Chain,
    *,
    store_margin: float,
    size_px: int,
) -> UInt8[np.ndarray, "size size 3"] | Float[np.ndarray, "size size"]:
    """Cut the chain's frame (margin, rotation, shift, flip) out of a store crop or its mask."""
    side = crop.shape[0]
    wanted = side * chain.margin / store_margin
    if wanted > 1.5 * size_px:  # shrink by area first: a bilinear warp would alias
        factor = size_px / wanted
        crop = cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        side, wanted = crop.shape[0], wanted * crop.shape[0] / side
    scale = size_px / wanted
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), chain.angle_degrees, scale)
    matrix[:, 2] += size_px / 2 - side / 2 + np.array(chain.shift) * size_px
    if chain.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size_px - 1
    border = cv2.BORDER_REPLICATE
    return cv2.warpAffine(crop, matrix, (size_px, size_px), None, cv2.INTER_LINEAR, border)


def jpeg(image: Image, quality: int) -> Image:
    """Compress and decode as JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "what was just encoded decodes"
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def _smooth_skin(image: Image, store_px: int, chain: Chain, *, store_margin: float) -> Image:
    """Smooth within the face's outline, edges kept, as beauty filters of phones and calls do."""
    outline = np.zeros((store_px, store_px), np.float32)
    axes = (round(0.42 * store_px / store_margin), round(0.52 * store_px / store_margin))
    cv2.ellipse(outline, (store_px // 2, store_px // 2), axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(outline, (0, 0), 0.04 * store_px)
    size_px = image.shape[0]
    inside = frame_crop(soft, chain, store_margin=store_margin, size_px=size_px)[..., None]
    reach = 0.02 * size_px
    smooth = image
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, -1, chain.skin_smoothing, reach)
    return np.rint(image + inside * (smooth.astype(np.float32) - image)).astype(np.uint8)


def _light(image: Image, chain: Chain) -> Image:
    """Brightness, colour cast, grey and sensor noise."""
    levels = np.arange(256.0)[:, None]
    if chain.gamma != 1.0:
        levels = 255 * (levels / 255) ** chain.gamma
    levels = levels * (chain.gain * np.array(chain.balance)) + np.array(chain.offset)
    changed = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)[None])
    if chain.saturation != 1.0:
        plain = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        changed = cv2.addWeighted(changed, chain.saturation, plain, 1.0 - chain.saturation, 0)
    if chain.grey:
        changed = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if chain.noise_sigma is not None:
        draw = np.random.default_rng(chain.noise_seed).standard_normal(image.shape, np.float32)
        changed = cv2.add(changed, draw * np.float32(chain.noise_sigma), dtype=cv2.CV_8U)
    return changed
