"""Streams a file's frames: a path and a time grid go in, upright pictures with times come out.

Only the frames that are yielded are converted; frames that nobody needs are not even decoded, and
long gaps between spans are crossed by seeking. Where motion matters, frames in between come in
grey: a decoder hands out brightness as it is, at a tenth of the cost of colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seamline.errors import UnreadableMedia
from seamline.media.animated_webp import animation_frames, webp_animation
from seamline.media.container import check_is_readable_file, check_size, open_media
from seamline.media.frames import FrameSource
from seamline.media.grid import SampleGrid
from seamline.media.upright import CLOCKWISE, GreyConverter, RgbConverter, Turn, grey_of


@dataclass(frozen=True)
class Frame:
    """One upright picture; ``seconds`` is its time on the file's common clock."""

    seconds: float
    rgb: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Picture:
    """One upright picture as one grid or both want it: in colour, in grey, or twice."""

    seconds: float
    rgb: UInt8[np.ndarray, "height width 3"] | None
    grey: UInt8[np.ndarray, "height width"] | None

    @property
    def nbytes(self) -> int:
        """Bytes of pixels held."""
        return sum(pixels.nbytes for pixels in (self.rgb, self.grey) if pixels is not None)


@dataclass(frozen=True)
class GreyGrid:
    """Where frames are wanted in grey: every ``step_seconds`` inside ``spans``."""

    step_seconds: float
    spans: Sequence[tuple[float, float]]


def stream_frames(
    path: str | Path,
    *,
    step_seconds: float,
    spans: Sequence[tuple[float, float]] | None = None,
    warnings: list[str] | None = None,
    threads: int = 0,
) -> Iterator[Frame]:
    """Yield the first frame to reach each grid time ``k * step_seconds`` inside ``spans``.

    Spans are half-open seconds; ``None`` stands for the whole file. A photo is one frame at zero.
    Damage is told in ``warnings`` and passed over; a file of which nothing decodes raises
    ``UnreadableMedia``. ``threads`` limits the decoder (0: one per core); with several, damage may
    also cost the frames that were in flight beside it.
    """
    pictures = stream_pictures(
        path, step_seconds=step_seconds, spans=spans, warnings=warnings, threads=threads
    )
    return (Frame(p.seconds, p.rgb) for p in pictures if p.rgb is not None)


def stream_pictures(
    path: str | Path,
    *,
    step_seconds: float,
    spans: Sequence[tuple[float, float]] | None = None,
    grey: GreyGrid | None = None,
    warnings: list[str] | None = None,
    threads: int = 0,
    turn: Turn = 0,
) -> Iterator[Picture]:
    """Yield like `stream_frames`, and beside it the frames of a second grid, in grey.

    ``turn`` is a further turn, clockwise, of what is upright by the file's account.
    """
    colours = SampleGrid(step_seconds, spans)
    greys = SampleGrid(grey.step_seconds, grey.spans) if grey else None
    notes = [] if warnings is None else warnings
    return _stream(path, _Grids(colours, greys), notes, threads, turn)


class _Grids:
    """The grid of colours and, perhaps, the one of greys, served together."""

    def __init__(self, colours: SampleGrid, greys: SampleGrid | None) -> None:
        self._colours, self._greys = colours, greys

    @property
    def next_seconds(self) -> float | None:
        """The next time that either wants; None when both are served."""
        times = [self._colours.next_seconds, self._greys.next_seconds if self._greys else None]
        return min((time for time in times if time is not None), default=None)

    def index(self, seconds: float) -> int:
        """A number that rises whenever either grid's next time is reached."""
        greys = 0 if self._greys is None else self._greys.reached(seconds)
        return self._colours.index(seconds) + greys

    def takes(self, seconds: float) -> tuple[bool, bool]:
        """Tell whether the frame is wanted in colour, and whether in grey."""
        in_grey = self._greys is not None and self._greys.takes(seconds)
        return self._colours.takes(seconds), in_grey


def _stream(
    path: str | Path, grids: _Grids, notes: list[str], threads: int, turn: Turn
) -> Iterator[Picture]:
    check_is_readable_file(path)
    animation = webp_animation(path)
    if animation is not None:
        check_size(str(path), (animation.width, animation.height))
        for seconds, rgb in animation_frames(path, animation):
            in_colour, in_grey = grids.takes(seconds)
            if in_colour or in_grey:
                rgb = cv2.rotate(rgb, CLOCKWISE[turn]) if turn else rgb
                yield Picture(
                    seconds, rgb if in_colour else None, grey_of(rgb) if in_grey else None
                )
            if grids.next_seconds is None:
                return
        return
    with open_media(path) as media:
        if media.video is None:
            raise UnreadableMedia(path, "no video stream")
        source = FrameSource(media, grids.index, notes, threads)
        to_rgb, to_grey = (
            RgbConverter(media.is_mirrored, turn),
            GreyConverter(media.is_mirrored, turn),
        )
        has_decoded = False
        for seconds, frame in source:
            has_decoded = True
            if media.is_still:
                seconds = 0.0
            in_colour, in_grey = grids.takes(seconds)
            if in_colour or in_grey:
                yield Picture(
                    seconds,
                    to_rgb(frame) if in_colour else None,
                    to_grey(frame) if in_grey else None,
                )
            if media.is_still or grids.next_seconds is None:
                return
            source.skip_to(grids.next_seconds)
        if not has_decoded and not source.has_moved:
            raise UnreadableMedia(path, "no frame of its video can be decoded")
