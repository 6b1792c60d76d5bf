"""Turns a decoded frame into upright RGB pixels: a video frame goes in, a uint8 array comes out."""

from __future__ import annotations

from typing import Literal

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from jaxtyping import UInt8

Turn = Literal[0, 90, 180, 270]

# From this height on, video that does not name its matrix is taken as BT.709, below as BT.601:
# what encoders and players do by convention (ITU-R BT.709 is the HDTV standard).
HD_HEIGHT_PX = 720
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


class RgbConverter:
    """Converts frames one after another, keeping the scaler's tables between them."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> UInt8[np.ndarray, "height width 3"]:
        """Return the frame upright as contiguous RGB."""
        matrix = None
        if frame.colorspace == _UNSPECIFIED and min(frame.width, frame.height) >= HD_HEIGHT_PX:
            matrix = Colorspace.ITU709
        rgb = self._reformatter.reformat(
            frame, format="rgb24", src_colorspace=matrix, threads=1
        ).to_ndarray()
        turn, mirrored = orientation(frame)
        if mirrored:
            rgb = rgb[:, ::-1]
        if turn:
            rgb = np.rot90(rgb, k=-(turn // 90))
        return np.ascontiguousarray(rgb)


def orientation(frame: VideoFrame) -> tuple[Turn, bool]:
    """Return how to make the frame upright: mirror left to right if set, then turn clockwise."""
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    mirrored = a * d - b * c < 0
    if mirrored:  # undo the mirror on the source's x axis; what remains is a pure turn
        a, b = -a, -b
    quarter = round(np.degrees(np.arctan2(b, a)) / 90) % 4
    return (0, 90, 180, 270)[quarter], mirrored
