"""Cuts one place of every tracked face out of every picture: grey pictures and faces in, crops out.

Faces are found a few times a second; between those moments their landmarks are interpolated::

    found     ◦           ◦           ◦
    cut       ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪     (held for a moment at a track's ends)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.align import Place, align_crop
from seamline.faces.track import TrackedFace
from seamline.media.video import Picture

LONGEST_HOLD_SECONDS = 0.3  # before a track's first and after its last sight
LONGEST_GAP_SECONDS = 0.8  # between two sights of a track; a face missed twice is still followed

TimedCrop = tuple[float, UInt8[np.ndarray, "size size"]]


class SteadyCutter:
    """Collects one window's crops; give it the pictures in time order, in chunks."""

    def __init__(self, *, margin: float, size_px: int, place: Place) -> None:
        self._margin, self._size_px, self._place = margin, size_px, place
        self._faces: dict[int, list[tuple[float, np.ndarray]]] = defaultdict(list)
        self._waiting: list[Picture] = []
        self._cut: dict[int, list[TimedCrop]] = defaultdict(list)
        self._known_seconds = -math.inf

    def wants(self) -> bool:
        """Tell whether the next grey picture is cut; all are, unless a kind of cutter says else."""
        return True

    def shows(
        self, landmarks: Float[np.ndarray, "5 2"], grey: UInt8[np.ndarray, "height width"]
    ) -> bool:
        """Tell whether a picture shows the place; it does, unless a kind of cutter says else."""
        return True

    def feed(self, pictures: Iterable[Picture], tracked: Iterable[Sequence[TrackedFace]]) -> None:
        """Take a chunk of pictures and the faces found in those of them that have colours."""
        for picture in pictures:
            if picture.grey is not None and self.wants():
                self._waiting.append(picture)
            if picture.rgb is not None:
                self._known_seconds = picture.seconds
        for people in tracked:
            for person in people:
                self._faces[person.track].append((person.seconds, person.face.landmarks))
        known = [p for p in self._waiting if p.seconds <= self._known_seconds]
        self._waiting = self._waiting[len(known) :]
        self._cut_all(known)

    def take_all(self) -> dict[int, list[TimedCrop]]:
        """Return the window's crops by track, in time order; what was fed so far is forgotten."""
        self._cut_all(self._waiting)
        found = dict(self._cut)
        self._waiting = []
        self._cut = defaultdict(list)
        for seen in self._faces.values():
            del seen[:-1]  # the next window's first steps may hold on to it
        return found

    def _cut_all(self, pictures: Sequence[Picture]) -> None:
        for picture in pictures:
            assert picture.grey is not None
            for track, seen in self._faces.items():
                landmarks = _landmarks_at(picture.seconds, seen)
                if landmarks is not None and self.shows(landmarks, picture.grey):
                    patch, corner = _patch(picture.grey, landmarks)
                    crop = align_crop(
                        patch,
                        landmarks - corner,
                        margin=self._margin,
                        size_px=self._size_px,
                        place=self._place,
                    )
                    self._cut[track].append((picture.seconds, crop))


def _patch(
    grey: UInt8[np.ndarray, "height width"], landmarks: Float[np.ndarray, "5 2"]
) -> tuple[UInt8[np.ndarray, "rows columns"], Float[np.ndarray, " 2"]]:
    """Cut the face's surroundings: what shrinks a picture need not touch the rest of it."""
    middle, reach = landmarks.mean(axis=0), 2.5 * float(np.ptp(landmarks, axis=0).max())
    height, width = grey.shape
    x0, x1 = (int(np.clip(middle[0] + side * reach, 0, width)) for side in (-1, 1))
    y0, y1 = (int(np.clip(middle[1] + side * reach, 0, height)) for side in (-1, 1))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return grey, np.zeros(2)
    return grey[y0:y1, x0:x1], np.array([x0, y0], np.float64)


def _landmarks_at(seconds: float, seen: Sequence[tuple[float, np.ndarray]]) -> np.ndarray | None:
    """Interpolate a track's landmarks; None where it was not seen around that time."""
    before = [entry for entry in seen if entry[0] <= seconds]
    after = [entry for entry in seen if entry[0] > seconds]
    if before and after and after[0][0] - before[-1][0] <= LONGEST_GAP_SECONDS:
        (a, from_), (b, to) = before[-1], after[0]
        return np.asarray(from_ + (to - from_) * ((seconds - a) / (b - a)))
    if before and seconds - before[-1][0] <= LONGEST_HOLD_SECONDS:
        return before[-1][1]
    if after and after[0][0] - seconds <= LONGEST_HOLD_SECONDS:
        return after[0][1]
    return None
