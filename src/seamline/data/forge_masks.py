"""Where a forged face was changed: masks per track in, a file out, and back over any frame.

A mask is kept once, on an upright face, with the matrices that put it over each frame: exact, and
a few kilobytes for a minute of video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

MASK_PX = 256
MASK_MARGIN = 1.7  # sides of the tight face box: room for the largest region, deformed
LONGEST_GAP_SECONDS = 0.25  # missed for longer, a face is not taken to be where it was
_ROUNDING = 1e-6


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
    strength: Float[np.ndarray, " time"] | None = None
    """How much of the mask counts in each frame, where a forgery fades in and out; None: all."""

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
        return drawn.astype(np.float32) * np.float32(self.strength_at(seconds) / 255)

    def strength_at(self, seconds: float) -> float:
        """Return how much of the mask counts at a time at which the face is forged."""
        if self.strength is None:
            return 1.0
        return float(np.interp(seconds, self.seconds, self.strength))

    def only(
        self, spans: Sequence[tuple[float, float]], ramp_seconds: float, frame_seconds: float
    ) -> FaceMask:
        """Keep what lies in spans; a forgery fades in and out over ``ramp_seconds`` inside them."""
        strength = np.zeros(len(self.seconds))
        for start, stop in spans:
            since, left = self.seconds - start + frame_seconds, stop - self.seconds
            inside = (self.seconds >= start - _ROUNDING) & (left > _ROUNDING)
            ramp = np.minimum(since, left) / max(ramp_seconds, frame_seconds)
            strength = np.where(inside, np.clip(ramp, 0.0, 1.0), strength)
        kept = strength > 0
        return FaceMask(
            self.track, self.seconds[kept], self.to_frame[kept], self.mask, strength[kept]
        )

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
        if mask.strength is not None:
            arrays[f"strength_{mask.track}"] = mask.strength
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
                arrays.get(f"strength_{track}"),
            )
            for track in arrays["tracks"]
        ]
