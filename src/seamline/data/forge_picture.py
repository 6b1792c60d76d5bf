"""Forges the faces of a video: a file in, its frames with self-blended faces out, and their masks.

One blend is drawn for a whole track, so that it stays the same from frame to frame as a face
swap's does: the mask is drawn once on an upright face and carried into each frame by smoothed
landmarks, and the pasted view is changed and moved in one way throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.data.forge_masks import MASK_MARGIN, MASK_PX, FaceMask
from seamline.data.self_blend import REGION_WEIGHTS, change_view, mix, region_mask
from seamline.faces.align import aligned_to_frame
from seamline.faces.mtcnn import FaceDetector
from seamline.faces.track import FaceTracker, TrackedFace
from seamline.media.video import Frame, stream_frames

EVERY_FRAME_SECONDS = 0.004  # a grid finer than any usual frame rate: every frame is taken
CHUNK_BYTES = 64_000_000
LEAST_TRACK_SECONDS = 0.4
SMOOTH_SECONDS = 0.08  # of landmarks: O-net's jitter is from frame to frame, a nod takes 0.3 s
LEAST_CHANGE = 3.0  # grey levels: less could hardly be called a fake, and its label would be wrong
MOST_DRAWS = 50  # in a black frame nothing shows

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class FacePath:
    """One track's smoothed landmarks over time."""

    track: int
    seconds: Float[np.ndarray, " time"]
    landmarks: Float[np.ndarray, "time 5 2"]


@dataclass(frozen=True)
class TrackBlend:
    """What is pasted where, for a whole track."""

    mask: FaceMask
    region: str
    view_seed: int
    scale: float
    shift: tuple[float, float]
    """Of the pasted view, in sides of the mask."""


def follow_faces(
    path: str | Path,
    detector: FaceDetector,
    *,
    min_face_px: float = 48.0,
    warnings: list[str] | None = None,
) -> list[FacePath]:
    """Track the faces over every frame of a file; tracks of under 0.4 s are left out."""
    tracker = FaceTracker(detector, min_face_px=min_face_px)
    found: dict[int, list[TrackedFace]] = {}
    frames = stream_frames(path, step_seconds=EVERY_FRAME_SECONDS, warnings=warnings)
    for chunk in _chunks(frames):
        for people in tracker.follow(chunk):
            for person in people:
                found.setdefault(person.track, []).append(person)
    paths = []
    for track, people in sorted(found.items()):
        seconds = np.array([person.seconds for person in people])
        if seconds[-1] - seconds[0] >= LEAST_TRACK_SECONDS:
            landmarks = np.stack([person.face.landmarks for person in people]).astype(np.float64)
            paths.append(FacePath(track, seconds, _smooth(seconds, landmarks)))
    return paths


def draw_blend(
    path: FacePath, frame: Frame, generator: np.random.Generator, region: str | None = None
) -> TrackBlend:
    """Draw one track's blend; ``frame`` is one of its frames, on which the change must show.

    ``region`` is one of `self_blend.REGIONS`; None draws it, too.
    """
    to_frame = np.stack(
        [aligned_to_frame(five, margin=MASK_MARGIN, size_px=MASK_PX) for five in path.landmarks]
    )
    upright = np.mean(
        [_to_crop(m, five) for m, five in zip(to_frame, path.landmarks, strict=True)], 0
    )
    if region is None:
        region = str(generator.choice(list(REGION_WEIGHTS), p=list(REGION_WEIGHTS.values())))
    drawn = region_mask((MASK_PX, MASK_PX), upright, region, generator)
    mask = FaceMask(
        path.track,
        path.seconds,
        to_frame,
        np.rint(drawn / max(float(drawn.max()), 1e-6) * 255).astype(np.uint8),
    )
    for _ in range(MOST_DRAWS):
        blend = TrackBlend(
            mask,
            region,
            view_seed=int(generator.integers(1 << 31)),
            scale=1 + float(generator.uniform(-0.04, 0.04)),
            shift=(float(generator.uniform(-0.02, 0.02)), float(generator.uniform(-0.02, 0.02))),
        )
        if _change(frame, blend) >= LEAST_CHANGE:
            break
    return blend


def forge_frame(frame: Frame, blends: Sequence[TrackBlend]) -> Image:
    """Paste each track's changed view over its face; a frame without one stays as it is."""
    rgb = frame.rgb
    for blend in blends:
        to_frame = blend.mask.matrix_at(frame.seconds)
        if to_frame is not None:
            rgb = _paste(rgb, blend, to_frame, blend.mask.strength_at(frame.seconds))
    return rgb


def forged_frames(
    path: str | Path, blends: Sequence[TrackBlend], warnings: list[str] | None = None
) -> Iterator[Frame]:
    """Stream a file's frames, forged where a blend's track is seen."""
    for frame in stream_frames(path, step_seconds=EVERY_FRAME_SECONDS, warnings=warnings):
        yield Frame(frame.seconds, forge_frame(frame, blends))


def at_steady_rate(frames: Iterable[Frame], frames_per_second: float) -> Iterator[Image]:
    """Lay frames on an even grid from 0 s on, each held until the next one, as a player shows them.

    Files of a varying frame rate, or whose picture starts late, keep their times so.
    """
    shown = 0
    held: Frame | None = None
    for frame in frames:
        due = round(frame.seconds * frames_per_second)
        while shown < due:
            yield (held or frame).rgb
            shown += 1
        held = frame
    if held is not None:
        yield held.rgb


def frame_at(path: str | Path, seconds: float) -> Frame:
    """Read the frame shown at a time that a frame of the file has."""
    spans = [(seconds - EVERY_FRAME_SECONDS, seconds + EVERY_FRAME_SECONDS)]
    frames = list(stream_frames(path, step_seconds=EVERY_FRAME_SECONDS, spans=spans))
    return min(frames, key=lambda frame: abs(frame.seconds - seconds))


def _paste(
    rgb: Image, blend: TrackBlend, to_frame: Float[np.ndarray, "2 3"], strength: float = 1.0
) -> UInt8[np.ndarray, "height width 3"]:
    height, width = rgb.shape[:2]
    corners = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * (MASK_PX - 1)
    placed = corners @ to_frame[:, :2].T + to_frame[:, 2]
    x0, y0 = np.maximum(np.floor(placed.min(axis=0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(placed.max(axis=0)).astype(int) + 1, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return rgb
    matrix = to_frame.copy()
    matrix[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    weight = cv2.warpAffine(blend.mask.mask, matrix, size, flags=cv2.INTER_LINEAR)
    kept = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    view = change_view(kept, np.random.default_rng(blend.view_seed))
    view = _moved(view, matrix, blend)
    forged = rgb.copy()
    forged[y0:y1, x0:x1] = mix(view, kept, weight.astype(np.float32) * np.float32(strength / 255))
    return forged


def _moved(view: Image, to_view: Float[np.ndarray, "2 3"], blend: TrackBlend) -> Image:
    """Scale about the face's centre and shift along the face's own axes."""
    centre = to_view @ np.array([MASK_PX / 2, MASK_PX / 2, 1.0])
    shift = to_view[:, :2] @ (np.array(blend.shift) * MASK_PX)
    matrix = np.eye(2, 3) * blend.scale
    matrix[:, 2] = centre * (1 - blend.scale) + shift
    size = (view.shape[1], view.shape[0])
    return cv2.warpAffine(view, matrix, size, None, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)


def _change(frame: Frame, blend: TrackBlend) -> float:
    """Mean absolute change of a frame inside the mask, in grey levels."""
    to_frame = blend.mask.matrix_at(frame.seconds)
    if to_frame is None:
        raise ValueError(f"track {blend.mask.track} is not seen at {frame.seconds:g} s")
    forged = _paste(frame.rgb, blend, to_frame)
    weight = blend.mask.over_frame(frame.seconds, frame.rgb.shape[:2])
    change = cv2.absdiff(forged, frame.rgb).mean(axis=2)
    return float((change * weight).sum() / max(float(weight.sum()), 1e-6))


def _to_crop(to_frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    to_crop = cv2.invertAffineTransform(to_frame)
    return landmarks @ to_crop[:, :2].T + to_crop[:, 2]


def _smooth(
    seconds: Float[np.ndarray, " time"], landmarks: Float[np.ndarray, "time 5 2"]
) -> Float[np.ndarray, "time 5 2"]:
    """Average each moment with those around it, weighted by a Gaussian."""
    reach = int(np.searchsorted(seconds, seconds[0] + 4 * SMOOTH_SECONDS)) + 1
    smooth = np.empty_like(landmarks)
    for i, now in enumerate(seconds):
        near = slice(max(0, i - reach), i + reach + 1)
        weight = np.exp(-0.5 * ((seconds[near] - now) / SMOOTH_SECONDS) ** 2)
        smooth[i] = np.tensordot(weight / weight.sum(), landmarks[near], axes=1)
    return smooth


def _chunks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    chunk: list[Frame] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) * frame.rgb.nbytes >= CHUNK_BYTES or len(chunk) == 64:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
