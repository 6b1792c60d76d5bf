"""Streams a file's frames: a path and a time grid go in, upright RGB frames with times come out.

Only the frames that are yielded are converted to RGB; frames that nobody needs are not even
decoded, and long gaps between spans are crossed by seeking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from seamline.errors import UnreadableMedia
from seamline.media.animated_webp import animation_frames, webp_animation
from seamline.media.container import check_is_readable_file, check_size, open_media
from seamline.media.frames import FrameSource
from seamline.media.grid import SampleGrid
from seamline.media.upright import RgbConverter


@dataclass(frozen=True)
class Frame:
    """One upright picture; ``seconds`` is its time on the file's common clock."""

    seconds: float
    rgb: UInt8[np.ndarray, "height width 3"]


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
    grid = SampleGrid(step_seconds, spans)
    return _stream(path, grid, [] if warnings is None else warnings, threads)


def _stream(path: str | Path, grid: SampleGrid, notes: list[str], threads: int) -> Iterator[Frame]:
    check_is_readable_file(path)
    animation = webp_animation(path)
    if animation is not None:
        check_size(str(path), (animation.width, animation.height))
        pictures = animation_frames(path, animation)
        for seconds, rgb in pictures:
            if grid.takes(seconds):
                yield Frame(seconds, rgb)
            if grid.next_seconds is None:
                return
        return
    with open_media(path) as media:
        if media.video is None:
            raise UnreadableMedia(path, "no video stream")
        source = FrameSource(media, grid.index, notes, threads)
        to_rgb = RgbConverter(media.is_mirrored)
        has_decoded = False
        for seconds, frame in source:
            has_decoded = True
            if media.is_still:
                seconds = 0.0
            if grid.takes(seconds):
                yield Frame(seconds, to_rgb(frame))
            if media.is_still or grid.next_seconds is None:
                return
            source.skip_to(grid.next_seconds)
        if not has_decoded and not source.has_moved:
            raise UnreadableMedia(path, "no frame of its video can be decoded")
