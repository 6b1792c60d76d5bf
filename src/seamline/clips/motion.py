"""Cuts faces out of successive frames: grey pictures and tracked faces in, `MotionCrops` out."""

from __future__ import annotations

import numpy as np

from seamline.clips.clip import MotionCrops
from seamline.clips.contract import MotionSettings
from seamline.clips.steady import SteadyCutter
from seamline.faces.align import FACE
from seamline.faces.flow import LEAST_FRAMES


class MotionCutter(SteadyCutter):
    """Collects one window's faces, a crop a frame; give it the pictures in time order."""

    def __init__(self, settings: MotionSettings) -> None:
        super().__init__(margin=settings.margin, size_px=settings.size_px, place=FACE)

    def take(self) -> dict[int, MotionCrops]:
        """Return the window's crops by track; what was fed so far is forgotten."""
        return {
            track: MotionCrops(np.array([s for s, _ in cut]), np.stack([crop for _, crop in cut]))
            for track, cut in self.take_all().items()
            if len(cut) >= LEAST_FRAMES
        }
