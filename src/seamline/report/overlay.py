"""A video and the judged boxes of its faces go in; the video with boxes and scores comes out."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.errors import UnreadableMedia
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import Frame, stream_frames
from seamline.media.write import write_video
from seamline.report.words import percent, person_name

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the full frame."""
TrackPoint = tuple[float, Box, float | None]
"""Seconds, box, and the probability of manipulation, None where it was not scored."""

_NOTICE = "Seamline: a probability is not a proof"
_LEVEL_RGB = ((106, 163, 222), (161, 149, 230), (209, 138, 200), (242, 128, 154), (255, 111, 97))
_UNSCORED_RGB = (200, 200, 200)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_MOST_FRAMES_PER_SECOND = 30.0
_SOUND_HZ = 16000
# Boxes are carried over gaps up to this long, and this far past a track's ends.
_BRIDGE_SECONDS = 1.5
_LINGER_SECONDS = 0.2
# Matroska rounds timestamps to a millisecond: a frame that early belongs to the tick after it.
_ROUNDING_SECONDS = 1e-3
# A picture that stands still for longer comes from a broken timestamp, not from a slide show.
_LONGEST_HOLD_SECONDS = 120.0


@dataclass(frozen=True)
class Mark:
    """One box to be drawn, with what stands over it."""

    box: Box
    name: str
    fake_probability: float | None


def annotate_frame(
    rgb: UInt8[np.ndarray, "height width 3"], marks: Sequence[Mark]
) -> UInt8[np.ndarray, "height width 3"]:
    """Gives a copy of the frame with boxes and scores, and a line that says what they are not."""
    picture = np.ascontiguousarray(rgb).copy()
    height, width = picture.shape[:2]
    scale = max(min(height, width) / 900, 0.3)
    thick = max(1, round(2.5 * scale))
    for mark in marks:
        x0, y0, x1, y1 = (round(value) for value in mark.box)
        colour = _colour(mark.fake_probability)
        cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 0, 0), 2 * thick + thick)
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thick)
        score = "not scored" if mark.fake_probability is None else percent(mark.fake_probability)
        _write(picture, f"{mark.name}: {score}", (x0, y0 - 4 * thick), scale, colour)
    _write(picture, _NOTICE, (3 * thick, height - 4 * thick), 0.8 * scale, (255, 255, 255))
    return picture


def write_annotated_video(
    source: str | Path,
    out: str | Path,
    tracks: Mapping[int, Sequence[TrackPoint]],
    *,
    warnings: list[str] | None = None,
) -> None:
    """Copies a video with its sound, with each track's box and score drawn into it.

    Between two points of a track the box moves evenly. ``out`` appears only once it is whole.
    """
    source, out = Path(source), Path(out)
    info = probe(source)
    if info.video is None:
        raise UnreadableMedia(source, "no video stream to draw into")
    rate = min(info.video.frames_per_second or 25.0, _MOST_FRAMES_PER_SECOND)
    ordered = {track: sorted(points, key=lambda p: p[0]) for track, points in tracks.items()}
    frames = stream_frames(source, step_seconds=1 / rate, warnings=warnings)
    samples = None if info.audio is None else _sound(source, warnings)
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        drawn = _hold(frames, ordered, rate)
        write_video(part, drawn, rate, samples=samples, sample_rate_hz=_SOUND_HZ)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def marks_at(tracks: Mapping[int, Sequence[TrackPoint]], seconds: float) -> list[Mark]:
    """The boxes to draw at a moment; each track's points are in order of time."""
    marks = []
    for track, points in tracks.items():
        after = bisect_right([point[0] for point in points], seconds)
        before = points[after - 1] if after else None
        following = points[after] if after < len(points) else None
        mark = _between(person_name(track), before, following, seconds)
        if mark is not None:
            marks.append(mark)
    return marks


def _between(
    name: str, before: TrackPoint | None, after: TrackPoint | None, seconds: float
) -> Mark | None:
    """The box between two points of one track, or one near the track's only neighbour in time."""
    if before and after and after[0] - before[0] <= _BRIDGE_SECONDS:
        share = (seconds - before[0]) / (after[0] - before[0])
        first, second = np.asarray(before[1], float), np.asarray(after[1], float)
        x0, y0, x1, y1 = (float(value) for value in first + share * (second - first))
        nearest = before if share < 0.5 else after
        return Mark((x0, y0, x1, y1), name, nearest[2])
    for point in (before, after):
        if point and abs(seconds - point[0]) <= _LINGER_SECONDS:
            return Mark(point[1], name, point[2])
    return None


def _hold(
    frames: Iterator[Frame], tracks: Mapping[int, Sequence[TrackPoint]], rate: float
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Turns frames at any times into an even rate: each stays until the next one's time.

    frames      a     b           c
    ticks    |  a  |  b  |  b  |  c  |
    """
    written = 0
    current = None
    for frame in frames:
        tick = int((frame.seconds + _ROUNDING_SECONDS) * rate)
        picture = annotate_frame(frame.rgb, marks_at(tracks, frame.seconds))
        # Before the first frame there is nothing to hold, so that one is shown early.
        held = picture if current is None else current
        for _ in range(min(tick - written, round(_LONGEST_HOLD_SECONDS * rate))):
            yield held
        yield picture
        written, current = tick + 1, picture


def _sound(source: Path, warnings: list[str] | None) -> Float[np.ndarray, " sample"] | None:
    """The whole sound from the file's zero on; None, with a warning, where none decodes."""
    try:
        sound = next(read_audio(source, sample_rate_hz=_SOUND_HZ, warnings=warnings))
    except UnreadableMedia as error:
        if warnings is not None:
            warnings.append(f"the annotated video has no sound: {error.reason}")
        return None
    early = round(sound.start_seconds * _SOUND_HZ)
    if early >= 0:
        return np.pad(sound.samples, (early, 0))
    return sound.samples[-early:]


def _colour(probability: float | None) -> tuple[int, int, int]:
    if probability is None:
        return _UNSCORED_RGB
    return _LEVEL_RGB[min(int(5 * probability), 4)]


def _write(
    picture: UInt8[np.ndarray, "height width 3"],
    text: str,
    corner: tuple[int, int],
    scale: float,
    colour: tuple[int, int, int],
) -> None:
    """Writes on a dark ground, moved so that all of it lies inside the picture."""
    text = text.replace("\u00a0", "")  # OpenCV's font is ASCII
    thick = max(1, round(2 * scale))
    (wide, high), below = cv2.getTextSize(text, _FONT, scale, thick)
    height, width = picture.shape[:2]
    x = max(0, min(corner[0], width - wide))
    y = max(high, min(corner[1], height - below))
    cv2.rectangle(picture, (x, y - high - 2), (x + wide, y + below), (16, 16, 16), cv2.FILLED)
    cv2.putText(picture, text, (x, y), _FONT, scale, colour, thick, cv2.LINE_AA)
