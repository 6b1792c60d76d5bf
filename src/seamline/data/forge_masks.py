"""Where a forged face was changed: masks per track in, a file out, and back over any frame.

A mask is kept once, on an upright face, with the matrices that put it over each frame: exact, and
a few kilobytes for a minute of video.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

MASK_PX = 256
MASK_MARGIN = 1.7  # sides of the tight face box: room for the largest region, deformed
LONGEST_GAP_SECONDS = 0.25  # missed for longer, a face is not taken to be where it was


@dataclass(frozen=True)
class FaceMask:
    """How much of each pixel of one track's face was pasted."""

    track: int
    seconds: Float[np.ndarray, " time"]
    """Timestamps of the frames in which the face is forged."""
    to_frame: Float[np.ndarray, "time 2 3"]
    """For each, the matrix from mask pixels to frame pixels, counted from pixel centres."""
    mask: UInt8[np.ndarray, "side side"]
    """On the upright face; 255 is wholly pasted."""

    def matrix_at(self, seconds: float) -> Float[np.ndarray, "2 3"] | None:
        """Return the matrix at a time, between its neighbours' if needed; None where not seen."""
        after = int(np.searchsorted(self.seconds, seconds - 1e-6))
        if after == len(self.seconds):
            return None
        if abs(self.seconds[after] - seconds) <= 1e-6:
            return self.to_frame[after].copy()
        if after == 0 or self.seconds[after] - self.seconds[after - 1] > LONGEST_GAP_SECONDS:
            return None
        before, next_ = self.seconds[after - 1], self.seconds[after]
        share = (seconds - before) / (next_ - before)
        return (1 - share) * self.to_frame[after - 1] + share * self.to_frame[after]

    def over_frame(self, seconds: float, shape: tuple[int, ...]) -> Float[np.ndarray, "h w"]:
        """Draw the mask over a frame of (height, width); 0 to 1, zeros where it is not seen."""
        matrix = self.matrix_at(seconds)
        if matrix is None:
            return np.zeros(shape[:2], np.float32)
        drawn = cv2.warpAffine(self.mask, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)
        return drawn.astype(np.float32) / 255

    def spans(self, frame_seconds: float) -> list[tuple[float, float]]:
        """Return the half-open stretches in which the face is forged; a frame lasts so long."""
        breaks = np.nonzero(np.diff(self.seconds) > LONGEST_GAP_SECONDS)[0]
        firsts = [0, *(breaks + 1)]
        lasts = [*breaks, len(self.seconds) - 1]
        return [
            (float(self.seconds[a]), float(self.seconds[b]) + frame_seconds)
            for a, b in zip(firsts, lasts, strict=True)
        ]


def write_masks(path: str | Path, masks: list[FaceMask]) -> None:
    """Write a file's masks as one NumPy archive (``.npz``)."""
    arrays: dict[str, np.ndarray] = {"tracks": np.array([mask.track for mask in masks])}
    for mask in masks:
        arrays[f"seconds_{mask.track}"] = mask.seconds
        arrays[f"to_frame_{mask.track}"] = mask.to_frame
        arrays[f"mask_{mask.track}"] = mask.mask
    with Path(path).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_masks(path: str | Path) -> list[FaceMask]:
    """Read what `write_masks` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return [
            FaceMask(
                int(track),
                arrays[f"seconds_{track}"],
                arrays[f"to_frame_{track}"],
                arrays[f"mask_{track}"],
            )
            for track in arrays["tracks"]
        ]
