"""How far a picture is from its original: two videos in, differences in the face and around it out.

Coding noise is fine-grained, lies everywhere and changes from spot to spot; a forged face has other
colours, edges or lips over a whole spot. So paired frames are compared spot by spot inside the
faces, after the change of light that the rest of the frame shows is taken out, and against what
coding changed outside of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from seamline.data.labels_frames import FramePair, paired_frames
from seamline.data.self_blend import FACE, LANDMARKS
from seamline.faces.align import align_crop, aligned_to_frame, frame_px_per_crop_px
from seamline.faces.mtcnn import Face, FaceDetector
from seamline.faces.track import FaceTracker
from seamline.media.video import Frame

Image = UInt8[np.ndarray, "height width 3"]

FRAMES = (8, 24)  # least and most pairs of frames
FRAME_EVERY_SECONDS = 0.4
KEY_EVERY_PAIRS = 3  # the whole detector looks at each third, the last net at the others
LEAST_FACE_SHARE = 0.05  # of the frame's shorter side
CELLS = 16  # a side of the upright face, so that a mouth is some six by three
MARGIN = 1.3
AROUND = 1.9  # sides of the tight face box; only what lies further out is outside
UPPER_PERCENT = 90.0  # of cells outside
OUTSIDE_SHARE = 0.5  # of what changed outside is expected of a face's spots, which are averaged
# Luma and colour differences of BT.601, each row's lengths as there.
YCBCR = np.array([(0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081)], np.float32)
LEAST_OUTSIDE = 0.03  # share of the frame
UNSEEN_OUTSIDE = 3.5  # grey levels: the usual, where faces fill the frame
SSIM_SIGMA, SSIM_C1, SSIM_C2 = 1.5, (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al., 2004


@dataclass(frozen=True)
class PictureDistance:
    """What was measured of the most changed face; medians over the paired frames that show it.

    Outside is None where faces fill the frame.
    """

    frames: int
    """Pairs that show the face."""
    face_change: float
    """How far the most changed spot of the face is off, in grey levels."""
    outside_change: float | None
    """What coding changes in small cells outside of the faces, in grey levels."""
    face_psnr_db: float
    outside_psnr_db: float | None
    face_ssim: float
    outside_ssim: float | None
    frame_excess: tuple[float, ...]
    """For each pair, the face's change less half of the outside's, in grey levels."""

    @property
    def excess(self) -> float:
        """How much more the face changed than the rest, in grey levels: over time the median."""
        return float(np.median(self.frame_excess))


@dataclass(frozen=True)
class _Measured:  # a frame's share of a `PictureDistance`; nan where there is no outside
    face_change: float
    outside_change: float
    face_psnr_db: float
    outside_psnr_db: float
    face_ssim: float
    outside_ssim: float

    @property
    def excess(self) -> float:
        outside = UNSEEN_OUTSIDE if np.isnan(self.outside_change) else self.outside_change
        return self.face_change - OUTSIDE_SHARE * outside


def compare_pictures(
    path: str | Path, original: str | Path, detector: FaceDetector, *, min_face_px: float = 32.0
) -> PictureDistance | str:
    """Measure a video against its original, or say why that cannot be done."""
    pairs = paired_frames(path, original, FRAME_EVERY_SECONDS, FRAMES)
    tracker: FaceTracker | None = None
    tracks: dict[int, list[_Measured]] = {}
    for pair in pairs:
        if tracker is None:
            least_px = max(min_face_px, LEAST_FACE_SHARE * min(pair.original.shape[:2]))
            tracker = FaceTracker(
                detector,
                min_face_px=least_px,
                key_every_seconds=KEY_EVERY_PAIRS * pair.apart_seconds,
            )
        people = tracker.follow([Frame(pair.original_seconds, pair.original)])[0]
        faces = [person.face for person in people]
        for person in people:
            tracks.setdefault(person.track, []).append(measure_pair(pair, person.face, faces))
    if not tracks:
        return "no face was found in the original" if tracker else "no two frames could be paired"
    most = max(len(measured) for measured in tracks.values())
    steady = [measured for measured in tracks.values() if len(measured) >= most / 3]
    return max((_over_time(measured) for measured in steady), key=lambda one: one.excess)


def _over_time(measured: Sequence[_Measured]) -> PictureDistance:
    return PictureDistance(
        frames=len(measured),
        face_change=_median([one.face_change for one in measured]) or 0.0,
        outside_change=_median([one.outside_change for one in measured]),
        face_psnr_db=_median([one.face_psnr_db for one in measured]) or 0.0,
        outside_psnr_db=_median([one.outside_psnr_db for one in measured]),
        face_ssim=_median([one.face_ssim for one in measured]) or 0.0,
        outside_ssim=_median([one.outside_ssim for one in measured]),
        frame_excess=tuple(one.excess for one in measured),
    )


def measure_pair(pair: FramePair, face: Face, faces: Sequence[Face]) -> _Measured:
    """Measure one face in a pair of frames; ``faces`` are all of the original frame's."""
    outside = outside_mask(pair.original.shape, faces)
    relit = relight(pair.rgb, pair.original, outside)
    within = outline_mask(pair.original.shape, face)
    ours, theirs = (
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        for image in (pair.rgb, pair.original)
    )
    error, alike = np.square(ours - theirs), ssim_map(ours, theirs)
    enough = outside.mean() >= LEAST_OUTSIDE
    return _Measured(
        face_change=face_change(pair.rgb, relit, face),
        outside_change=outside_change(pair.rgb, relit, outside, face) if enough else np.nan,
        face_psnr_db=_psnr_db(error[within]),
        outside_psnr_db=_psnr_db(error[outside]) if enough else np.nan,
        face_ssim=float(alike[within].mean()),
        outside_ssim=float(alike[outside].mean()) if enough else np.nan,
    )


def face_change(ours: Image, theirs: Image, face: Face) -> float:
    """Return how far the most changed spot of a face is off, in grey levels.

    A spot is three cells wide, a fifth of the face: coding noise averages out over it, a forged
    mouth does not. Colours are apart in luma and both colour differences.
    """
    side = CELLS * 4
    crop = align_crop(ours, face.landmarks, margin=MARGIN, size_px=side)
    source = align_crop(theirs, face.landmarks, margin=MARGIN, size_px=side)
    spots = cv2.blur(_cell_difference(crop, source, (CELLS, CELLS)) @ YCBCR.T, (3, 3))
    to_crop = cv2.invertAffineTransform(
        aligned_to_frame(face.landmarks, margin=MARGIN, size_px=CELLS)
    )
    placed = face.landmarks @ to_crop[:, :2].T + to_crop[:, 2]
    within = outline_mask((CELLS, CELLS), Face(face.box, face.score, placed))
    return float(np.linalg.norm(spots, axis=2)[within].max()) if within.any() else 0.0


def outside_change(
    ours: Image, theirs: Image, outside: Bool[np.ndarray, "height width"], face: Face
) -> float:
    """Return a high percentile of the differences of single cells outside of the faces."""
    cell_px = frame_px_per_crop_px(face.landmarks, margin=MARGIN, size_px=CELLS)
    height, width = outside.shape
    rows, columns = max(1, round(height / cell_px)), max(1, round(width / cell_px))
    cells = np.sqrt(np.square(_cell_difference(ours, theirs, (rows, columns))).mean(axis=2))
    share = cv2.resize(outside.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    kept = cells[share > 0.99]
    return float(np.percentile(kept, UPPER_PERCENT)) if kept.size else np.nan


def relight(
    ours: Image, theirs: Image, outside: Bool[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Give the original the gain and offset a channel that the rest of the frame shows.

    A frame converted with other colour rules, or brightened as a whole, is not a forged face.
    """
    if outside.mean() < LEAST_OUTSIDE:
        return theirs
    x, y = theirs[outside].astype(np.float64), ours[outside].astype(np.float64)
    spread = x - x.mean(axis=0)
    # An even background says little about gain: a prior of gain 1 weighs as much as a spread of 8.
    prior = 8.0**2 * len(x)
    gain = (np.sum(spread * y, axis=0) + prior) / (np.sum(spread**2, axis=0) + prior)
    offset = y.mean(axis=0) - gain * x.mean(axis=0)
    table = np.clip(np.arange(256)[:, None] * gain + offset, 0, 255)
    return cv2.LUT(theirs, np.rint(table).astype(np.uint8)[None])


def outside_mask(shape: tuple[int, ...], faces: Sequence[Face]) -> Bool[np.ndarray, "h w"]:
    """Mark what lies well away from every face."""
    mask = np.ones(shape[:2], np.uint8)
    for face in faces:
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
        matrix = aligned_to_frame(face.landmarks, margin=AROUND, size_px=2)
        placed = (corners * 2 - 0.5) @ matrix[:, :2].T + matrix[:, 2]
        cv2.fillPoly(mask, [np.rint(placed).astype(np.int32)], 0)
    return mask.astype(bool)


def outline_mask(shape: tuple[int, ...], face: Face) -> Bool[np.ndarray, "h w"]:
    """Mark a face from brows to chin."""
    affine, *_ = np.linalg.lstsq(np.c_[LANDMARKS, np.ones(5)], face.landmarks, rcond=None)
    placed = np.c_[FACE, np.ones(len(FACE))] @ affine
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(placed).astype(np.int32)], 1)
    return mask.astype(bool)


def ssim_map(
    ours: Float[np.ndarray, "height width"], theirs: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width"]:
    """Return the structural similarity around each pixel (Wang et al., 2004)."""

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (11, 11), SSIM_SIGMA)

    mean, other = blur(ours), blur(theirs)
    power, other_power = blur(ours * ours) - mean * mean, blur(theirs * theirs) - other * other
    shared = blur(ours * theirs) - mean * other
    top = (2 * mean * other + SSIM_C1) * (2 * shared + SSIM_C2)
    return top / ((mean * mean + other * other + SSIM_C1) * (power + other_power + SSIM_C2))


def _cell_difference(
    ours: Image, theirs: Image, shape: tuple[int, int]
) -> Float32[np.ndarray, "row column 3"]:
    """Average the signed difference over cells."""
    difference = ours.astype(np.float32) - theirs.astype(np.float32)
    return cv2.resize(difference, shape[::-1], interpolation=cv2.INTER_AREA)


def _psnr_db(squared_error: Float[np.ndarray, " pixel"]) -> float:
    """Peak signal to noise ratio; 60 dB stands for no error that 8 bits could show."""
    return float(10 * np.log10(255**2 / max(float(squared_error.mean()), 255**2 / 1e6)))


def _median(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else None
