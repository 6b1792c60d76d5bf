"""Rewrites media files as a worse way would have brought them: clean files in, corrupted out.

A video becomes H.264 at a constant frame rate with its sound copied packet by packet, a picture
PNG; a file of sound alone has nothing to corrupt. The same seed gives the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from seamline.errors import UnreadableMedia, WrongUsage
from seamline.evaluation.copy_sound import copy_sound
from seamline.evaluation.spoil import (
    BRIGHT_GAIN,
    DARK_GAIN,
    VIOLET_GAINS,
    WARM_GAINS,
    Maker,
    Spoiler,
    blurred,
    brightened,
    coloured,
    noisy,
    reshot,
    resized,
)
from seamline.media.probe import probe
from seamline.media.video import stream_frames
from seamline.media.write import write_image, write_video

HIGH_QUALITY_CRF = 18
"""Where compression is not the corruption; ``recoded`` tells what it costs by itself."""
_PRESET, _QUICK_PRESET = "medium", "veryfast"
"""x264's own default where its compression is the corruption, which FaceForensics++ used too."""
_FINEST_STEP_SECONDS = 1e-3  # every frame reaches a grid time of its own
_USUAL_RATE, _HIGHEST_RATE = 25.0, 120.0

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Corruption:
    """What is done to the frames, if anything, and how they are compressed afterwards."""

    name: str
    title: str
    crf: int = HIGH_QUALITY_CRF
    spoiler: Maker | None = None


CORRUPTIONS = {
    one.name: one
    for one in (
        Corruption("recoded", "H.264 CRF 18, nothing else"),
        Corruption("crf-23", "H.264 CRF 23", 23),
        Corruption("crf-28", "H.264 CRF 28", 28),
        Corruption("crf-35", "H.264 CRF 35", 35),
        Corruption("crf-40", "H.264 CRF 40", 40),
        Corruption("half-size", "half the size", spoiler=resized(1 / 2)),
        Corruption("quarter-size", "a quarter of the size", spoiler=resized(1 / 4)),
        Corruption("blur", "Gaussian blur, 2 px", spoiler=blurred),
        Corruption("noise", "noise, 12 of 255 levels", spoiler=noisy),
        Corruption("dark", "half as bright", spoiler=brightened(DARK_GAIN)),
        Corruption("bright", "half again as bright", spoiler=brightened(BRIGHT_GAIN)),
        Corruption("warm", "warm light", spoiler=coloured(WARM_GAINS)),
        Corruption("violet", "violet light", spoiler=coloured(VIOLET_GAINS)),
        Corruption("reshot", "filmed off a screen", spoiler=reshot),
        Corruption("crf-35-half-size", "half the size, CRF 35", 35, resized(1 / 2)),
    )
}


def choose_corruptions(names: str) -> list[Corruption]:
    """Reads ``all``, or names with commas between them; raises ``WrongUsage``."""
    if names.strip() == "all":
        return list(CORRUPTIONS.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in CORRUPTIONS]
    if unknown or not wanted:
        raise WrongUsage(
            f"no corruption is named {', '.join(unknown) or repr(names)}. "
            f"Choose from: all, {', '.join(CORRUPTIONS)}."
        )
    return [CORRUPTIONS[name] for name in dict.fromkeys(wanted)]


def corrupt_files(
    files: Sequence[Path], scratch: Path, corruption: Corruption, *, seed: int, jobs: int = 1
) -> list[Path]:
    """Rewrites files into a folder, in order; where that fails, the name stands for no file.

    So whoever scans the result meets the missing file as what it is, an unreadable row.
    """

    def rewrite(numbered: tuple[int, Path]) -> Path:
        number, file = numbered
        stem = scratch / f"{corruption.name}-{number:06d}"
        try:
            return corrupt_file(file, stem, corruption, seed=seed)
        except (UnreadableMedia, av.FFmpegError):
            return stem.with_name(stem.name + file.suffix)

    with ThreadPoolExecutor(jobs) as pool:  # decoders and encoders work outside Python's lock
        return list(pool.map(rewrite, enumerate(files)))


def corrupt_file(source: Path, stem: Path, corruption: Corruption, *, seed: int) -> Path:
    """Rewrites one video or picture beside ``stem``; returns the path with its ending.

    Randomness comes from ``seed`` and the file's name. Raises ``UnreadableMedia``.
    """
    info = probe(source)
    if info.video is None:
        raise UnreadableMedia(source, "no picture in it to corrupt")
    generator = np.random.default_rng([seed, zlib.crc32(source.name.encode())])
    size = (info.video.width, info.video.height)
    spoil = None if corruption.spoiler is None else corruption.spoiler(_even(size), generator)
    if info.kind == "image":
        return _rewrite_picture(source, stem, corruption, spoil)
    rate = min(info.video.frames_per_second or _USUAL_RATE, _HIGHEST_RATE)
    silent = stem.with_name(stem.name + ".silent.mp4")
    try:
        first = _write(silent, source, corruption, spoil, rate)
        return copy_sound(silent, source, stem, picture_starts_seconds=first)
    finally:
        silent.unlink(missing_ok=True)


def _rewrite_picture(
    source: Path, stem: Path, corruption: Corruption, spoil: Spoiler | None
) -> Path:
    """Compresses as a video of one frame, and keeps that frame as PNG."""
    film, target = stem.with_name(stem.name + ".film.mp4"), stem.with_name(stem.name + ".png")
    try:
        _write(film, source, corruption, spoil, _USUAL_RATE)
        write_image(target, next(stream_frames(film, step_seconds=_FINEST_STEP_SECONDS)).rgb)
    finally:
        film.unlink(missing_ok=True)
    return target


def _write(
    target: Path, source: Path, corruption: Corruption, spoil: Spoiler | None, rate: float
) -> float:
    """Writes the corrupted frames; returns when the first of them is shown in the source."""
    frames = _steady(source, rate)
    first_seconds, first = next(frames, (0.0, None))
    if first is None:
        raise UnreadableMedia(source, "no frame of its video can be decoded")

    height, width = first.shape[:2]

    def spoilt() -> Iterator[Image]:
        for rgb in chain([first], (rgb for _, rgb in frames)):
            if rgb.shape != first.shape:  # a stream may change its size, and a file may not
                rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
            yield _cropped(rgb) if spoil is None else spoil(_cropped(rgb))

    # One thread: x264 gives other bytes for another number of them.
    preset = _QUICK_PRESET if corruption.crf == HIGH_QUALITY_CRF else _PRESET
    options = {"threads": "1", "preset": preset}
    write_video(target, spoilt(), rate, crf=corruption.crf, options=options)
    return first_seconds


def _steady(source: Path, rate: float) -> Iterator[tuple[float, Image]]:
    """Yields the frame nearest in time before each tick of a constant rate, from the first on.

    What lasts longer than a tick is repeated, what is shorter left out, as players do.
    """
    first = None
    ticks = 0
    held: Image | None = None
    for frame in stream_frames(source, step_seconds=_FINEST_STEP_SECONDS, threads=1):
        first = frame.seconds if first is None else first
        due = round((frame.seconds - first) * rate)
        while held is not None and ticks < due:
            yield first + ticks / rate, held
            ticks += 1
        held = frame.rgb
    if held is not None and first is not None:
        yield first + ticks / rate, held


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """Drops an odd last row or column, which the usual 4:2:0 sampling cannot hold."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def _cropped(rgb: Image) -> Image:
    width, height = _even((rgb.shape[1], rgb.shape[0]))
    return rgb[:height, :width]
