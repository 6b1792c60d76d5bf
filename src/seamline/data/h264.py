"""Passes pictures through H.264, as the videos that we judge have been: pixels in, pixels out.

A single picture is coded as a key frame: its blocks, its lost chroma and its loop filter are those
of a video at that quality, without the time that a whole video takes.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from jaxtyping import UInt8

Image = UInt8[np.ndarray, "height width 3"]

# "superfast" keeps the loop filter and CABAC, which "ultrafast" drops and which leave the marks.
_OPTIONS = {"preset": "superfast", "tune": "zerolatency", "threads": "1"}


def h264(image: Image, crf: int, *, before: int = 0) -> Image:
    """Encode and decode at a constant rate factor (0 to 51, larger is coarser).

    With ``before`` that many pictures precede it, the same face a pixel or two away, and it is
    coded as what they do not foretell. Odd sides are padded by a repeated row or column and cut
    off again.
    """
    if not 0 <= crf <= 51:
        raise ValueError(f"crf is {crf}; H.264 takes 0 (best) to 51 (coarsest).")
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.height, encoder.width = even.shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {**_OPTIONS, "crf": str(crf)}
    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.options = {"threads": "1"}
    packets = []
    for index in range(before + 1):
        away = before - index
        moved = np.roll(even, (away, -2 * away), (0, 1))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="rgb24")
        frame.pts, frame.time_base = index, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    pictures += decoder.decode(None)
    rgb: Image = pictures[-1].to_ndarray(format="rgb24")
    return rgb[:height, :width]


def h264_clip(
    crops: UInt8[np.ndarray, "time height width"], crf: int
) -> UInt8[np.ndarray, "time height width"]:
    """Encode and decode successive grey pictures as one video; sides must be even."""
    if not 0 <= crf <= 51:
        raise ValueError(f"crf is {crf}; H.264 takes 0 (best) to 51 (coarsest).")
    height, width = crops.shape[1:]
    if height % 2 or width % 2:
        raise ValueError(f"pictures of {width}×{height} px; H.264 takes even sides.")
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.height, encoder.width = height, width
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {**_OPTIONS, "crf": str(crf)}
    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.options = {"threads": "1"}
    packets = []
    for index, crop in enumerate(crops):
        planes = np.full((height * 3 // 2, width), 128, np.uint8)  # no colour
        planes[:height] = crop
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = index, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    pictures += decoder.decode(None)
    return np.stack([picture.to_ndarray()[:height] for picture in pictures])
