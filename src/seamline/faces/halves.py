"""A frame with its halved, quartered … copies: cheap pixels at any size without aliasing.

Takes a frame in colour or in grey; gives it resized, or square patches of it at a net's input
size. Copies are made when first asked for.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Pixels = UInt8[np.ndarray, "height width *colour"]


class Halves:
    """Levels 0, 1, 2 … of one frame, each a 2×2 average of the level before."""

    def __init__(self, pixels: Pixels) -> None:
        self._levels = [np.ascontiguousarray(pixels)]

    def level_for(self, shrink: float) -> int:
        """Names the smallest level that still has to shrink (or not to grow) for ``shrink``."""
        if shrink < 2.0:
            return 0
        return min(int(math.log2(shrink)), int(math.log2(min(self._levels[0].shape[:2]))))

    def at(self, level: int) -> Pixels:
        """Returns one level, making it if needed."""
        while len(self._levels) <= level:
            below = self._levels[-1]
            height, width = below.shape[:2]
            size = (max(1, width // 2), max(1, height // 2))
            self._levels.append(cv2.resize(below, size, interpolation=cv2.INTER_AREA))
        return self._levels[level]

    def resized(self, width: int, height: int) -> Pixels:
        """Shrinks the whole frame to the given size."""
        full_height, full_width = self._levels[0].shape[:2]
        source = self.at(self.level_for(min(full_width / width, full_height / height)))
        if source.shape[:2] == (height, width):
            return source
        return cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR)

    def patch(self, box: Float[np.ndarray, " 4"], size_px: int) -> Pixels:
        """Cuts one box as a square patch; what lies beyond the frame is black."""
        x0, y0, x1, y1 = box.tolist()  # plain floats: this runs for every candidate
        level = self.level_for(min(x1 - x0, y1 - y0) / size_px)
        source = self.at(level)
        height, width = self._levels[0].shape[:2]
        across, down = source.shape[1] / width, source.shape[0] / height
        step_x, step_y = (x1 - x0) * across / size_px, (y1 - y0) * down / size_px
        # Output pixel centre u + 0.5 lies at start + (u + 0.5)·step; OpenCV counts from centres.
        origin_x, origin_y = x0 * across + 0.5 * step_x - 0.5, y0 * down + 0.5 * step_y - 0.5
        matrix = np.array([[step_x, 0.0, origin_x], [0.0, step_y, origin_y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(source, matrix, (size_px, size_px), flags=flags)
