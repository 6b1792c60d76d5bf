"""Pairs the frames of a video with those of its original: two files in, pairs in time order out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.errors import UnreadableMedia
from seamline.media.probe import probe
from seamline.media.video import Frame, stream_frames

EVERY_FRAME_SECONDS = 0.004
REACH_SECONDS = 0.1  # encoders and edit lists shift a picture by a frame or two
THUMB_PX = 96
ROUNDING = 0.006  # of the aspect, where sizes were rounded to whole macroblocks or even numbers
MOST_CROP = 0.05  # makers of fakes cut a few columns off for their networks, evenly on both sides

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class FramePair:
    """A frame, the original's frame that it was made from, and both at the smaller size."""

    seconds: float
    original_seconds: float
    rgb: Image
    original: Image
    apart_seconds: float
    """Distance between successive pairs."""


def paired_frames(
    path: str | Path, original: str | Path, every_seconds: float, least_most: tuple[int, int]
) -> Iterator[FramePair]:
    """Yield evenly spread pairs, one in ``every_seconds``, within a least and a most number.

    None where the shapes of the two do not match. Of the original's frames within 0.1 s of a frame,
    the one that looks most like it is taken.
    """
    times = _times(path, original, every_seconds, least_most)
    apart = times[1] - times[0] if len(times) > 1 else 1.0
    spans = [(t, t + REACH_SECONDS) for t in times]
    near = [(max(0.0, a - 2 * REACH_SECONDS), b + 2 * REACH_SECONDS) for a, b in spans]
    theirs = stream_frames(original, step_seconds=EVERY_FRAME_SECONDS, spans=near)
    window: deque[tuple[Frame, np.ndarray]] = deque()
    for frame in _first_after(times, path, spans):
        while not window or window[-1][0].seconds <= frame.seconds + REACH_SECONDS:
            following = next(theirs, None)
            if following is None:
                break
            window.append((following, _thumb(_cropped_like(following.rgb, frame.rgb))))
        while window and window[0][0].seconds < frame.seconds - REACH_SECONDS - 1e-3:
            window.popleft()
        if not window:
            continue
        thumb = _thumb(_cropped_like(frame.rgb, window[0][0].rgb))
        best = min(window, key=lambda item: float(np.abs(item[1] - thumb).mean()))[0]
        if not _same_shape(frame.rgb, best.rgb):
            return
        ours, source = _same_size(frame.rgb, best.rgb)
        yield FramePair(frame.seconds, best.seconds, ours, source, apart)


def _first_after(
    times: list[float], path: str | Path, spans: list[tuple[float, float]]
) -> Iterator[Frame]:
    """Yield the first frame at or after each time, each frame once."""
    due = deque(times)
    for frame in stream_frames(path, step_seconds=EVERY_FRAME_SECONDS, spans=spans):
        if due and frame.seconds >= due[0] - 1e-3:
            while due and frame.seconds >= due[0] - 1e-3:
                due.popleft()
            yield frame


def _times(
    path: str | Path, original: str | Path, every_seconds: float, least_most: tuple[int, int]
) -> list[float]:
    """Spread times over what both files hold."""
    lengths = []
    for file in (path, original):
        media = probe(file)
        if media.video is None:
            raise UnreadableMedia(file, "no video stream")
        lengths.append(media.video.duration_seconds or media.duration_seconds or 0.0)
    length = min(lengths)
    least, most = least_most
    count = min(most, max(least, round(length / every_seconds)), max(1, int(length / 0.05)))
    return [(k + 0.5) * length / count for k in range(count)] if length > 0.1 else [0.0]


def _same_shape(ours: Image, theirs: Image) -> bool:
    return abs(_aspect(ours) / _aspect(theirs) - 1) <= MOST_CROP


def _aspect(image: Image) -> float:
    return image.shape[1] / image.shape[0]


def _cropped_like(image: Image, other: Image) -> Image:
    """Cut what another image of nearly the same shape lacks, evenly on both sides.

    Columns of the wider one; rows of the higher one if both are equally wide.
    """
    height, width = image.shape[:2]
    excess = _aspect(image) / _aspect(other)
    if excess > 1 + ROUNDING and width != other.shape[1]:
        kept = round(width / excess)
        return image[:, (width - kept) // 2 : (width - kept) // 2 + kept]
    if excess < 1 - ROUNDING and width == other.shape[1]:
        kept = round(height * excess)
        return image[(height - kept) // 2 : (height - kept) // 2 + kept]
    return image


def _same_size(ours: Image, theirs: Image) -> tuple[Image, Image]:
    """Shrink the larger of two images to the size of the smaller, cropped to one aspect."""
    ours, theirs = _cropped_like(ours, theirs), _cropped_like(theirs, ours)
    height, width = min(ours.shape[:2], theirs.shape[:2])
    pair = []
    for image in (ours, theirs):
        if image.shape[:2] != (height, width):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        pair.append(image)
    return pair[0], pair[1]


def _thumb(rgb: Image) -> Float[np.ndarray, "side side"]:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
