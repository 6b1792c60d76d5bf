"""Follows faces over sampled frames: frames in time order in, tracked faces out.

The whole cascade looks at key frames, after cuts, and where a track is lost; between them the last
net alone refines each face around where it was. ::

    key   .     .     .     key   .    cut=key   .
    find  refine────────▶   find  ──▶  find, all tracks new
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seamline.faces.boxes import iou
from seamline.faces.cuts import CutDetector
from seamline.faces.mtcnn import Face, FaceDetector
from seamline.media.video import Frame

LEAST_OVERLAP = 0.15  # of boxes a quarter of a second apart; a nod moves a face by half its width
NEAREST_SIDES = 0.8  # without overlap: centres closer than this many face sides are one face
LIKE_SIZE = 1.8  # and sides within this factor
SAME_FACE = 0.5  # overlap at which two tracks have run into one face
MOST_MISSES = 2


@dataclass(frozen=True)
class TrackedFace:
    """A face at a moment, with the number of its track."""

    track: int
    seconds: float
    face: Face


@dataclass(eq=False)
class _Active:
    track: int
    box: np.ndarray
    misses: int = 0


class FaceTracker:
    """Follows the faces of one file; give it the frames in time order, in chunks of any length."""

    def __init__(
        self,
        detector: FaceDetector,
        *,
        min_face_px: float = 48.0,
        key_every_seconds: float = 1.0,
    ) -> None:
        self._detector = detector
        self._min_face_px = min_face_px
        self._key_every_seconds = key_every_seconds
        self._cuts = CutDetector()
        self._active: list[_Active] = []
        self._count = 0
        self._last_key_seconds: float | None = None

    def follow(self, frames: Sequence[Frame]) -> list[list[TrackedFace]]:
        """Return each frame's faces, by track; numbers are unique over the file."""
        cuts = [self._cuts.is_cut(frame.rgb) for frame in frames]
        keys = [self._is_key(frame, cut) for frame, cut in zip(frames, cuts, strict=True)]
        looked = [frame.rgb for frame, key in zip(frames, keys, strict=True) if key]
        found = iter(self._detector.detect(looked, self._min_face_px))
        tracked = []
        for frame, cut, key in zip(frames, cuts, keys, strict=True):
            if cut:
                self._active = []
            tracked.append(self._step(frame, next(found) if key else None))
        return tracked

    def _is_key(self, frame: Frame, cut: bool) -> bool:
        last = self._last_key_seconds
        due = last is None or frame.seconds - last >= self._key_every_seconds - 1e-6
        if due or cut:
            self._last_key_seconds = frame.seconds
        return due or cut

    def _step(self, frame: Frame, faces: list[Face] | None) -> list[TrackedFace]:
        """Find the active tracks in one frame; a key frame's faces may start new ones."""
        placed: dict[int, Face] = {}
        if faces is None:
            refined = self._refine(frame, self._active)
            placed = {t.track: face for t, face in refined.items() if face is not None}
            if len(placed) < len(self._active):
                faces = self._detector.detect([frame.rgb], self._min_face_px)[0]
        if faces is not None:
            self._assign(faces, placed, frame)
        self._settle(placed)
        return [TrackedFace(track, frame.seconds, placed[track]) for track in sorted(placed)]

    def _assign(self, faces: list[Face], placed: dict[int, Face], frame: Frame) -> None:
        """Give faces to tracks, nearest pairs first; the rest start tracks or are refined."""
        free = [face for face in faces if not _covered(face, placed.values())]
        lost = [active for active in self._active if active.track not in placed]
        pairs = sorted(
            (-closeness, i, j)
            for i, active in enumerate(lost)
            for j, face in enumerate(free)
            if (closeness := _closeness(active.box, face.box)) > 0
        )
        taken: set[int] = set()
        for _, i, j in pairs:
            if lost[i].track not in placed and j not in taken:
                placed[lost[i].track] = free[j]
                taken.add(j)
        still = [active for active in lost if active.track not in placed]
        for active, face in self._refine(frame, still).items():
            if face is not None and not _covered(face, [*placed.values(), *free]):
                placed[active.track] = face
        for j, face in enumerate(free):
            if j not in taken:
                self._active.append(_Active(self._count, face.box))
                placed[self._count] = face
                self._count += 1

    def _refine(self, frame: Frame, tracks: Sequence[_Active]) -> dict[_Active, Face | None]:
        faces = self._detector.refine([frame.rgb] * len(tracks), [t.box for t in tracks])
        least = 0.8 * self._min_face_px
        kept = [face if face is not None and _side(face.box) >= least else None for face in faces]
        return dict(zip(tracks, kept, strict=True))

    def _settle(self, placed: dict[int, Face]) -> None:
        """Note what was seen, end what was missed too often or ran into an older track."""
        going = []
        for active in sorted(self._active, key=lambda a: a.track):
            face = placed.get(active.track)
            if face is None:
                active.misses += 1
                if active.misses <= MOST_MISSES:
                    going.append(active)
                continue
            if _covered(face, [placed[a.track] for a in going if a.track in placed]):
                del placed[active.track]
                continue
            active.box, active.misses = face.box, 0
            going.append(active)
        self._active = going


def _closeness(box: np.ndarray, other: np.ndarray) -> float:
    """How surely two boxes are one face moved: overlap plus one, or nearness; 0 if neither."""
    overlap = float(iou(box[None], other[None])[0, 0])
    if overlap >= LEAST_OVERLAP:
        return 1.0 + overlap
    sides = _side(box), _side(other)
    if min(sides) <= 0 or max(sides) / min(sides) > LIKE_SIZE:
        return 0.0
    apart = float(np.linalg.norm(_centre(box) - _centre(other))) / max(sides)
    return max(0.0, 1.0 - apart / NEAREST_SIDES)


def _covered(face: Face, others: Iterable[Face]) -> bool:
    boxes = [other.box for other in others]
    return bool(boxes) and float(iou(face.box[None], np.stack(boxes)).max()) > SAME_FACE


def _side(box: np.ndarray) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _centre(box: np.ndarray) -> np.ndarray:
    return (box[:2] + box[2:]) / 2
