"""Reads animated WebP, which FFmpeg cannot decode: a path goes in, RGB frames with times come out.

The file's chunks give sizes and times (WebP container specification, "Extended File Format");
OpenCV decodes the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seamline.errors import UnreadableMedia
from seamline.media.container import plain_reasons

_ANIMATED_FLAG = 0x02
_MOST_BYTES = 200_000_000
_PIXELS_AT_ONCE = 16_000_000  # decoded together: 64 MB


@dataclass(frozen=True)
class WebpAnimation:
    """Size and frame times of an animated WebP file."""

    width: int
    height: int
    starts_seconds: tuple[float, ...]
    duration_seconds: float


def webp_animation(path: str | Path) -> WebpAnimation | None:
    """Return what an animated WebP file holds; ``None`` if it is anything else."""
    with plain_reasons(path), open(path, "rb") as file:
        head = file.read(30)
        if head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or not head[20:21]:
            return None
        if len(head) < 30 or not head[20] & _ANIMATED_FLAG:
            return None
        lengths = list(_frame_milliseconds(head + file.read(_MOST_BYTES)))
    if not lengths:
        raise UnreadableMedia(path, "an animated WebP without frames")
    ends = [milliseconds / 1000 for milliseconds in accumulate(lengths)]
    return WebpAnimation(
        width=1 + int.from_bytes(head[24:27], "little"),
        height=1 + int.from_bytes(head[27:30], "little"),
        starts_seconds=(0.0, *ends[:-1]),
        duration_seconds=ends[-1],
    )


def animation_frames(
    path: str | Path, animation: WebpAnimation
) -> Iterator[tuple[float, UInt8[np.ndarray, "height width 3"]]]:
    """Yield (seconds, frame) in order, decoding a few at a time."""
    data = np.fromfile(path, np.uint8, count=_MOST_BYTES)
    starts = animation.starts_seconds
    at_once = max(1, _PIXELS_AT_ONCE // (animation.width * animation.height))
    for first in range(0, len(starts), at_once):
        done, batch = cv2.imdecodeanimation(data, start=first, count=at_once)
        if not done or not len(batch.frames):
            if first == 0:
                raise UnreadableMedia(path, "no frame of its animation can be decoded")
            return
        for seconds, frame in zip(starts[first:], batch.frames, strict=False):
            yield seconds, np.ascontiguousarray(frame[:, :, 2::-1])  # BGR or BGRA to RGB


def _frame_milliseconds(data: bytes) -> Iterator[int]:
    """Yield for how long each complete frame chunk is shown."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"ANMF" and at + 8 + size <= len(data):
            yield int.from_bytes(data[at + 20 : at + 23], "little")
        at += 8 + size + size % 2
