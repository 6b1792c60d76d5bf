"""Finds faces: RGB frames in, per frame the boxes, scores and five landmarks out.

The cascade of Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (IEEE SPL 2016): P-net proposes on a pyramid of shrunk frames, R-net and
O-net judge patches cut from the frame itself, so landmarks are as sharp as the frame allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.boxes import grow, nms, shift, square
from seamline.faces.halves import Halves, Pixels
from seamline.faces.networks import CELL_PX, Networks

STRIDE_PX = 2
RIM_PX = 4  # black around each level: a face at the border or filling the frame needs a cell, too
LEAST_LEVEL_PX = 7  # a face that fills the frame still fills a cell here
REFINE_GROWTH = 1.2  # room around a tracked box for the face to have moved
REFINE_THRESHOLD = 0.7


@dataclass(frozen=True)
class Cascade:
    """How finely the cascade looks and how sure it must be.

    The paper's code has a factor of 0.709, whole cells, thresholds of 0.6 0.7 0.7, and overlaps of
    0.5 in a level and 0.7 over all. ``benchmarks/faces.py`` counts what is lost by the coarser
    values here (next to nothing) and what is saved.
    """

    pyramid_factor: float = 0.55
    """Size of a level over the size of the level before."""
    smallest_in_cell: float = 0.75
    """Size of the smallest wanted face on the first level, in cells of P-net."""
    thresholds: tuple[float, float, float] = (0.8, 0.7, 0.9)
    """Least face probability after P-net, R-net and O-net; the last keeps false faces away."""
    overlaps: tuple[float, float, float] = (0.4, 0.5, 0.7)
    """Overlap at which P-net's, R-net's and O-net's boxes are one face (O-net: of the smaller)."""
    level_overlap: float | None = None
    """The same for P-net's boxes of one level, before those of all levels meet; None: left out."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face; px of the frame given, (0, 0) at the top left corner of the first pixel."""

    box: Float[np.ndarray, " 4"]
    """x0 y0 x1 y1; may reach beyond the frame."""
    score: float
    """O-net's face probability."""
    landmarks: Float[np.ndarray, "5 2"]
    """Eye, eye, nose, mouth corner, mouth corner; of each pair first the one left in the image."""


@dataclass
class _Candidates:
    """Boxes of all frames of a call, with the frame that each belongs to."""

    frame: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray

    def take(self, index: np.ndarray) -> _Candidates:
        return _Candidates(self.frame[index], self.boxes[index], self.scores[index])


class FaceDetector:
    """MTCNN over batches of frames; ``threads`` 0 uses every core."""

    def __init__(self, threads: int = 0, cascade: Cascade | None = None) -> None:
        self._nets = Networks(threads)
        self._cascade = cascade or Cascade()

    def detect(self, frames: Sequence[Pixels], min_face_px: float = 48.0) -> list[list[Face]]:
        """Finds each frame's faces whose longer side is ``min_face_px`` or more, best first."""
        if min_face_px < CELL_PX:
            raise ValueError(f"min_face_px is {min_face_px:g}; P-net sees no less than {CELL_PX}.")
        views = [Halves(frame) for frame in frames]
        found = self._propose(views, min_face_px)
        found = self._refine(views, found)
        return [
            [face for face in faces if (face.box[2:] - face.box[:2]).max() >= min_face_px]
            for faces in self._finish(views, found)
        ]

    def refine(
        self, frames: Sequence[Pixels], boxes: Sequence[Float[np.ndarray, " 4"]]
    ) -> list[Face | None]:
        """Looks for one face around each frame's box with O-net alone; None where it is gone."""
        if len(frames) != len(boxes):
            raise ValueError(f"{len(frames)} frames came with {len(boxes)} boxes; one box a frame.")
        if not boxes:
            return []
        wide = square(grow(np.stack(boxes).astype(np.float64), REFINE_GROWTH))
        views = {id(frame): Halves(frame) for frame in frames}
        patches = [views[id(f)].patch(box, 48) for f, box in zip(frames, wide, strict=True)]
        scores, offsets, points = self._nets.finish(np.stack(patches))
        faces = _faces(wide, scores, offsets, points)
        return [face if face.score > REFINE_THRESHOLD else None for face in faces]

    def _propose(self, views: list[Halves], min_face_px: float) -> _Candidates:
        parts = [_Candidates(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0))]
        by_size: dict[tuple[int, ...], list[int]] = {}
        for i, view in enumerate(views):
            by_size.setdefault(view.at(0).shape, []).append(i)
        for (height, width, *_), members in by_size.items():
            scale = CELL_PX * self._cascade.smallest_in_cell / min_face_px
            while min(height, width) * scale >= LEAST_LEVEL_PX:
                size = (round(width * scale), round(height * scale))
                level = _rimmed([views[i].resized(*size) for i in members])
                found = self._propose_level(level, np.array([width, height]) / size)
                parts.append(_Candidates(np.array(members)[found.frame], found.boxes, found.scores))
                scale *= self._cascade.pyramid_factor
        return _suppress(_join(parts), self._cascade.overlaps[0])

    def _propose_level(self, level: np.ndarray, frame_px_per_level_px: np.ndarray) -> _Candidates:
        face, offsets = self._nets.propose(level)
        frame, rows, columns = np.nonzero(face > self._cascade.thresholds[0])
        start = np.stack([columns, rows], axis=1) * float(STRIDE_PX) - RIM_PX
        boxes = np.concatenate([start, start + CELL_PX], axis=1)
        boxes = shift(boxes, offsets[frame, :, rows, columns].astype(np.float64))
        boxes *= np.tile(frame_px_per_level_px, 2)
        found = _Candidates(frame, boxes, face[frame, rows, columns])
        overlap = self._cascade.level_overlap
        return found if overlap is None else _suppress(found, overlap)

    def _refine(self, views: list[Halves], found: _Candidates) -> _Candidates:
        if not len(found.boxes):
            return found
        boxes = square(found.boxes)
        patches = [views[i].patch(box, 24) for i, box in zip(found.frame, boxes, strict=True)]
        scores, offsets = self._nets.refine(np.stack(patches))
        better = _Candidates(found.frame, shift(boxes, offsets.astype(np.float64)), scores)
        return _suppress(
            better.take(np.nonzero(scores > self._cascade.thresholds[1])[0]),
            self._cascade.overlaps[1],
        )

    def _finish(self, views: list[Halves], found: _Candidates) -> list[list[Face]]:
        result: list[list[Face]] = [[] for _ in views]
        if not len(found.boxes):
            return result
        boxes = square(found.boxes)
        patches = [views[i].patch(box, 48) for i, box in zip(found.frame, boxes, strict=True)]
        scores, offsets, points = self._nets.finish(np.stack(patches))
        faces = _faces(boxes, scores, offsets, points)
        final = np.stack([face.box for face in faces])
        for frame in range(len(views)):
            mine = np.nonzero((found.frame == frame) & (scores > self._cascade.thresholds[2]))[0]
            kept = nms(final[mine], scores[mine], self._cascade.overlaps[2], over="smaller")
            result[frame] = [faces[i] for i in mine[kept]]
        return result


def _rimmed(pictures: list[Pixels]) -> UInt8[np.ndarray, "frame height width 3"]:
    """Stacks pictures of one size with a black rim."""
    height, width = pictures[0].shape[:2]
    rimmed = np.zeros((len(pictures), height + 2 * RIM_PX, width + 2 * RIM_PX, 3), np.uint8)
    for canvas, picture in zip(rimmed, pictures, strict=True):
        canvas[RIM_PX:-RIM_PX, RIM_PX:-RIM_PX] = picture
    return rimmed


def _faces(
    boxes: np.ndarray, scores: np.ndarray, offsets: np.ndarray, points: np.ndarray
) -> list[Face]:
    shifted = shift(boxes, offsets.astype(np.float64)).astype(np.float32)
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
    landmarks = (boxes[:, None, :2] + points * sides).astype(np.float32)
    rows = zip(shifted, scores, landmarks, strict=True)
    return [Face(box, float(score), five) for box, score, five in rows]


def _join(parts: list[_Candidates]) -> _Candidates:
    return _Candidates(
        np.concatenate([part.frame for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _suppress(found: _Candidates, threshold: float) -> _Candidates:
    """Runs non-maximum suppression frame by frame."""
    kept = [np.zeros(0, np.int64)]
    for frame in np.unique(found.frame):
        mine = np.nonzero(found.frame == frame)[0]
        kept.append(mine[nms(found.boxes[mine], found.scores[mine], threshold)])
    return found.take(np.concatenate(kept))
