"""Streams a file's frames: a path and a time grid go in, upright RGB frames with times come out.

Only the frames that are yielded are converted to RGB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import UInt8

from seamline.errors import UnreadableMedia
from seamline.media.container import Media, open_media
from seamline.media.upright import RgbConverter

# Matroska rounds timestamps to a millisecond: a frame that early still counts as in time.
TOLERANCE_SECONDS = 1e-3


@dataclass(frozen=True)
class Frame:
    """One upright picture and its time on the file's common clock."""

    seconds: float
    rgb: UInt8[np.ndarray, "height width 3"]


def stream_frames(
    path: str | Path,
    *,
    step_seconds: float,
    spans: Sequence[tuple[float, float]] | None = None,
    warnings: list[str] | None = None,
) -> Iterator[Frame]:
    """Yield the first frame that reaches each grid time ``k * step_seconds`` inside ``spans``."""
    if not step_seconds > 0:
        raise ValueError(f"step_seconds must be above zero, got {step_seconds}")
    wanted = [(0.0, math.inf)] if spans is None else sorted(spans)
    notes = [] if warnings is None else warnings
    return _stream(path, step_seconds, wanted, notes)


def _stream(
    path: str | Path, step: float, spans: list[tuple[float, float]], notes: list[str]
) -> Iterator[Frame]:
    with open_media(path) as media:
        if media.video is None:
            raise UnreadableMedia(path, "no video stream")
        media.video.thread_type = "AUTO"
        to_rgb = RgbConverter()
        last_grid = -1
        seen = False
        for seconds, frame in _decode(media, notes):
            seen = True
            spans = [span for span in spans if seconds < span[1]]
            if not spans:
                return
            grid = math.floor((seconds + TOLERANCE_SECONDS) / step)
            if grid > last_grid and seconds + TOLERANCE_SECONDS >= spans[0][0]:
                last_grid = grid
                yield Frame(seconds, to_rgb(frame))
        if not seen:
            raise UnreadableMedia(path, "no frame of its video can be decoded")


def _decode(media: Media, notes: list[str]) -> Iterator[tuple[float, VideoFrame]]:
    seconds = 0.0
    for packet in media.container.demux(media.video):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            notes.append(f"damaged video near {seconds:.2f} s")
            continue
        for frame in frames:
            if frame.time is not None and not media.is_still:
                seconds = frame.time - media.origin_seconds
            yield seconds, frame
