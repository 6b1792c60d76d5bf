"""Cuts mouths on an even grid of time: grey pictures and tracked faces in, `MouthCrops` out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from seamline.clips.clip import MouthCrops
from seamline.clips.contract import MouthSettings
from seamline.clips.steady import SteadyCutter, TimedCrop
from seamline.faces.align import MOUTH

NEAREST_STEPS = 1.5  # a step shows the picture nearest to it, if within this many steps
LEAST_SEEN_STEPS = 5
MOUTH_CORNERS = slice(3, 5)  # of the five landmarks


class MouthCutter(SteadyCutter):
    """Collects one window's mouths; give it the pictures in time order, in chunks."""

    def __init__(self, settings: MouthSettings) -> None:
        super().__init__(margin=settings.margin, size_px=settings.size_px, place=MOUTH)
        self._settings = settings

    def shows(
        self, landmarks: Float[np.ndarray, "5 2"], grey: UInt8[np.ndarray, "height width"]
    ) -> bool:
        """Leave out a mouth whose corners lie beyond the picture's edge: nothing of it is seen."""
        corners = landmarks[MOUTH_CORNERS]
        return bool(((corners >= 0) & (corners < grey.shape[::-1])).all())

    def take(self, start_seconds: float, stop_seconds: float) -> dict[int, MouthCrops]:
        """Return the window's mouths by track; what was fed so far is forgotten."""
        return {
            track: mouths
            for track, cut in self.take_all().items()
            if (mouths := self._on_grid(cut, start_seconds, stop_seconds)).seen.sum()
            >= LEAST_SEEN_STEPS
        }

    def _on_grid(
        self, cut: Sequence[TimedCrop], start_seconds: float, stop_seconds: float
    ) -> MouthCrops:
        step, size = self._settings.step_seconds, self._settings.size_px
        first = math.ceil(start_seconds / step - 1e-6)
        count = max(0, math.ceil(stop_seconds / step - 1e-6) - first)
        times = np.array([seconds for seconds, _ in cut])
        wanted = (first + np.arange(count)) * step
        nearest = np.abs(times[None] - wanted[:, None]).argmin(axis=1)
        seen = np.abs(times[nearest] - wanted) <= NEAREST_STEPS * step
        crops = np.zeros((count, size, size), np.uint8)
        for index in np.flatnonzero(seen):
            crops[index] = cut[nearest[index]][1]
        return MouthCrops(first * step, step, crops, seen)
