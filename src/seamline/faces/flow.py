"""How a face's surface changes beyond its movement: successive grey crops in, maps of change out.

A genuine face moves smoothly, so that a frame is nearly what its two neighbours, moved along the
optical flow, foretell. A face that was made frame by frame flickers, slides and is drawn on another
grid each time; what is left over after the movement shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

LEAST_FRAMES = 5  # of a face in a window; fewer tell nothing
MOST_SECONDS = 0.15  # from the frame before to the frame after
CHANNELS = 4
# Grey levels that are one unit of each channel: the frame; what its neighbours, moved onto it,
# leave over; how these two differ; what they leave over unmoved.
_UNITS = (50.0, 6.0, 10.0, 12.0)
_MOST_UNITS = 5.0


def pick_centres(seconds: Float[np.ndarray, " time"], most: int) -> Int[np.ndarray, " centre"]:
    """Choose frames, evenly spread, whose neighbours lie close enough in time."""
    inner = np.arange(1, len(seconds) - 1)
    near = inner[seconds[inner + 1] - seconds[inner - 1] <= MOST_SECONDS]
    if len(near) <= most:
        return near
    return near[np.linspace(0, len(near) - 1, most).round().astype(int)]


def change_maps(
    crops: UInt8[np.ndarray, "time size size"], centres: Sequence[int] | Int[np.ndarray, " centre"]
) -> Float32[np.ndarray, "centre 4 size size"]:
    """Give each centre's frame and its change against the frames before and after it.

    Flow is by dense inverse search (Kroeger et al., ECCV 2016).
    """
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    crops, size = np.ascontiguousarray(crops), crops.shape[1]
    grid = np.mgrid[:size, :size].astype(np.float32)[::-1].transpose(1, 2, 0)
    shades = crops.astype(np.float32)
    maps = np.empty((len(centres), CHANNELS, size, size), np.float32)
    for row, centre in enumerate(centres):
        frame = shades[centre]
        unknown = np.zeros((size, size, 2), np.float32)
        before, after = (
            _moved(shades[i], grid + finder.calc(crops[centre], crops[i], unknown))
            for i in (centre - 1, centre + 1)
        )
        maps[row, 0] = frame - frame.mean()
        maps[row, 1] = frame - (before + after) / 2
        maps[row, 2] = before - after
        maps[row, 3] = frame - (shades[centre - 1] + shades[centre + 1]) / 2
    maps /= np.array(_UNITS, np.float32)[None, :, None, None]
    np.clip(maps[:, 1:], -_MOST_UNITS, _MOST_UNITS, out=maps[:, 1:])
    return maps


def _moved(
    shade: Float[np.ndarray, "size size"], places: Float[np.ndarray, "size size 2"]
) -> Float[np.ndarray, "size size"]:
    across, down = cv2.split(places)
    return cv2.remap(shade, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
