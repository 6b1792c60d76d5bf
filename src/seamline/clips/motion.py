"""Cuts faces out of successive frames: grey pictures and tracked faces in, `MotionCrops` out."""

from __future__ import annotations

import numpy as np

from seamline.clips.clip import MotionCrops
from seamline.clips.contract import MotionSettings
from seamline.clips.steady import SteadyCutter
from seamline.faces.align import FACE
from seamline.faces.flow import LEAST_FRAMES

RUN, PERIOD = 3, 6  # of six frames in a row three are cut: one moment with its neighbours


class MotionCutter(SteadyCutter):
    """Collects one window's faces, a crop a frame; give it the pictures in time order.

    With ``sparse`` only as many frames are cut as a scan judges, in short runs.
    """

    def __init__(self, settings: MotionSettings, *, sparse: bool = False) -> None:
        super().__init__(margin=settings.margin, size_px=settings.size_px, place=FACE)
        self._sparse, self._count = sparse, 0

    def wants(self) -> bool:
        """Take the frame, or, where it is sparse, the first three of every six."""
        place = self._count % PERIOD
        self._count += 1
        return not self._sparse or place < RUN

    def take(self) -> dict[int, MotionCrops]:
        """Return the window's crops by track; what was fed so far is forgotten."""
        return {
            track: MotionCrops(np.array([s for s, _ in cut]), np.stack([crop for _, crop in cut]))
            for track, cut in self.take_all().items()
            if len(cut) >= LEAST_FRAMES
        }
