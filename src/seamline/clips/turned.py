"""Finds out that a file's picture lies on its side or stands on its head: a path in, a turn out.

A camera writes down how it was held, and upload sites, editors and screen recorders lose it; a face
that is turned by a quarter is no face to a detector of upright ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.mtcnn import Face, FaceDetector
from seamline.media.upright import CLOCKWISE, Turn
from seamline.media.video import stream_frames

LOOKS = 6
"""Frames that are looked at, spread over the windows."""
LEAST_APART_SECONDS = 0.4
LEAST_SHARE = 0.5
"""Of them, in which a turn must show a face; one alone could be a pattern that looks like one."""
MOST_TILT_DEGREES = 40.0
"""Of the line from eyes to mouth: a face that hangs more is seen better after another turn."""

TURNS: tuple[Turn, ...] = (90, 270, 180)


def find_turn(
    path: str,
    windows: Sequence[tuple[float, float]],
    detector: FaceDetector,
    *,
    is_photo: bool = False,
    min_face_px: float = 48.0,
    threads: int = 0,
) -> Turn:
    """Return the clockwise turn after which most frames show an upright face; 0 for none.

    For files in which nobody was found as they are: those are not looked at again. Raises
    `UnreadableMedia`.
    """
    frames = _looks(path, windows, is_photo, threads)
    if not frames:
        return 0
    found: dict[Turn, int] = {}
    for turn in TURNS:
        turned = [cv2.rotate(frame, CLOCKWISE[turn]) for frame in frames]
        faces = detector.detect(turned, min_face_px)
        found[turn] = sum(any(_is_upright(face) for face in some) for some in faces)
    best = max(TURNS, key=lambda turn: found[turn])
    return best if found[best] >= max(1, math.ceil(LEAST_SHARE * len(frames))) else 0


def turn_back(
    boxes: Float[np.ndarray, "time 4"], turn: Turn, width: int, height: int
) -> Float[np.ndarray, "time 4"]:
    """Give boxes of the turned picture in the picture as it is shown, ``width`` × ``height`` px."""
    left, top, right, bottom = boxes.T
    back = {
        0: (left, top, right, bottom),
        90: (top, height - right, bottom, height - left),
        180: (width - right, height - bottom, width - left, height - top),
        270: (width - bottom, left, width - top, right),
    }
    return np.stack(back[turn], axis=1)


def _looks(
    path: str, windows: Sequence[tuple[float, float]], is_photo: bool, threads: int
) -> list[UInt8[np.ndarray, "height width 3"]]:
    """The frames in the middle of windows that are spread evenly."""
    if is_photo:
        return [frame.rgb for frame in stream_frames(path, step_seconds=1.0, threads=threads)]
    step = LEAST_APART_SECONDS
    seen = sum(stop - start for start, stop in windows)
    count = max(1, min(LOOKS, math.floor(seen / step)))
    places = [(k + 0.5) / count * len(windows) for k in range(count)]
    times = [_time_in(windows, place) for place in places]
    spans = [(time, time + step) for time in sorted({math.floor(t / step) * step for t in times})]
    return [
        frame.rgb for frame in stream_frames(path, step_seconds=step, spans=spans, threads=threads)
    ]


def _time_in(windows: Sequence[tuple[float, float]], place: float) -> float:
    start, stop = windows[int(place)]
    return start + (place - int(place)) * (stop - start)


def _is_upright(face: Face) -> bool:
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    across, down = mouth - eyes
    tilt = math.degrees(math.atan2(abs(across), down))
    return tilt <= MOST_TILT_DEGREES
