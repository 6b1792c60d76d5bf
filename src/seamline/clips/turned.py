"""Finds out that a file's picture lies on its side or stands on its head.

A camera writes down how it was held, and upload sites, editors and screen recorders lose it; a face
that is turned by a quarter is no face to a detector of upright ones. Frames go in while a file is
read, and where nobody was found in it a turn comes out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.faces.mtcnn import Face, FaceDetector
from seamline.faces.networks import CELL_PX
from seamline.media.upright import CLOCKWISE, Turn
from seamline.media.video import Frame

LOOKS = 6
"""Frames that are kept, spread over the windows."""
LEAST_APART_SECONDS = 0.4
MOST_SIDE_PX = 1920
"""Frames are kept no larger, so that those of an 8K film need no more memory."""
LEAST_SHARE = 0.5
"""Of them, in which a turn must show a face; one alone could be a pattern that looks like one."""
MOST_TILT_DEGREES = 40.0
"""Of the line from eyes to mouth: a face that hangs more is seen better after another turn."""

TURNS: tuple[Turn, ...] = (90, 270, 180)


class Looks:
    """A few frames of a file, kept in case nobody is found in it.

    Somebody is found where one face is followed over ``least_frames``: a pattern that looks like a
    face for a moment is nobody.
    """

    def __init__(self, windows: Sequence[tuple[float, float]], least_frames: int = 1) -> None:
        self._least, self._followed = least_frames, Counter[int]()
        self._times = look_times(windows)
        self._frames: list[UInt8[np.ndarray, "height width 3"]] = []
        self._scale = 1.0

    @property
    def found_somebody(self) -> bool:
        """Whether a face was followed for long enough."""
        return any(count >= self._least for count in self._followed.values())

    def feed(self, frames: Sequence[Frame], tracks: Iterable[int] = ()) -> None:
        """Take a stream's next frames and the tracks of the faces in them, one a face and frame.

        Kept are the frames that are the first after a time to look at.
        """
        self._followed.update(tracks)
        if self.found_somebody:
            self._times, self._frames = [], []
        for frame in frames:
            if not self._times or frame.seconds < self._times[0]:
                continue
            while self._times and frame.seconds >= self._times[0]:
                self._times.pop(0)
            self._scale = min(1.0, MOST_SIDE_PX / max(frame.rgb.shape[:2]))
            size = tuple(max(1, round(self._scale * side)) for side in frame.rgb.shape[1::-1])
            small = self._scale < 1.0
            kept = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA) if small else frame.rgb
            self._frames.append(kept)

    def find_turn(self, detector: FaceDetector, min_face_px: float = 48.0) -> Turn:
        """Return the clockwise turn after which most frames show an upright face; 0 for none.

        ``min_face_px`` is in pixels of the full-size frame.
        """
        if not self._frames:
            return 0
        least = max(float(CELL_PX), min_face_px * self._scale)
        found: dict[Turn, int] = {}
        for turn in TURNS:
            first = self._count(self._frames[::2], turn, detector, least)
            rest = self._count(self._frames[1::2], turn, detector, least) if first else 0
            found[turn] = first + rest
        best = max(TURNS, key=lambda turn: found[turn])
        return best if found[best] >= math.ceil(LEAST_SHARE * len(self._frames)) else 0

    def _count(
        self,
        frames: Sequence[UInt8[np.ndarray, "height width 3"]],
        turn: Turn,
        detector: FaceDetector,
        min_face_px: float,
    ) -> int:
        """Count the frames that show an upright face after a turn."""
        turned = [cv2.rotate(frame, CLOCKWISE[turn]) for frame in frames]
        found = detector.detect(turned, min_face_px)
        return sum(any(_is_upright(face) for face in faces) for faces in found)


def look_times(windows: Sequence[tuple[float, float]]) -> list[float]:
    """Spread times over what lies in the windows, at their share's middle each."""
    lengths = [stop - start for start, stop in windows]
    total = sum(lengths)
    count = max(1, min(LOOKS, math.floor(total / LEAST_APART_SECONDS)))
    ends = np.cumsum([0.0, *lengths])
    times = []
    for place in (np.arange(count) + 0.5) / count * total:
        window = min(int(np.searchsorted(ends, place, side="right")) - 1, len(windows) - 1)
        times.append(windows[window][0] + float(place - ends[window]))
    return times


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


def _is_upright(face: Face) -> bool:
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    across, down = mouth - eyes
    return math.degrees(math.atan2(abs(across), down)) <= MOST_TILT_DEGREES
