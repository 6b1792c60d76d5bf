"""Writes tiny media for tests: pixels and tones whose truth the caller knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seamline.media.write import write_audio, write_image, write_video

GREY_STEP, GREY_LEVELS = 8, 28  # a counting video's frames: how far apart, how many differ
BRIGHTER = 20  # the left upper quarter, so that turned pictures can be told


def counting_frames(
    count: int, size: tuple[int, int] = (64, 48), first: int = 0
) -> Iterator[np.ndarray]:
    """Yield frames of (width, height) ``size``; frame i is grey at level 16 + 8·(i mod 28)."""
    width, height = size
    for i in range(first, first + count):
        frame = np.full((height, width, 3), 16 + GREY_STEP * (i % GREY_LEVELS), np.uint8)
        frame[: height // 2, : width // 2] += BRIGHTER
        yield frame


def frame_number(rgb: np.ndarray) -> int:
    """Return which frame of a counting video ``rgb`` is, modulo 28, by its plain three quarters."""
    return round((float(np.median(rgb)) - 16) / GREY_STEP)


def sine(seconds: float, hertz: float = 440.0, sample_rate_hz: int = 16000) -> np.ndarray:
    """Return a tone of amplitude 0.5."""
    times = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    return (0.5 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def tiny_video(
    path: str | Path,
    seconds: float = 2.0,
    fps: float = 10.0,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    rotation: int = 0,
    audio: bool = False,
    audio_seconds: float | None = None,
    **options: Any,
) -> Path:
    """Write a counting video; ``rotation`` is how far clockwise players turn it (mp4, mov)."""
    sound = sine(seconds if audio_seconds is None else audio_seconds) if audio else None
    frames = counting_frames(round(seconds * fps), size)
    if codec == "libx264":  # one thread: many tests may share few cores
        options["options"] = {"preset": "veryfast", "threads": "1", **options.get("options", {})}
    else:
        options.setdefault("crf", None)
    write_video(path, frames, fps, samples=sound, codec=codec, **options)
    if rotation:
        set_rotation(path, rotation)
    return Path(path)


def set_rotation(path: str | Path, degrees: int) -> None:
    """Overwrite the display matrix of an mp4's first track so that players turn it clockwise."""
    turns = {
        0: (1, 0, 0, 1),
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }
    a, b, c, d = (value << 16 for value in turns[degrees])
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    data = bytearray(Path(path).read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version 0: times and ids, then layer and volume
    data[at : at + 36] = matrix
    Path(path).write_bytes(bytes(data))


def tone(
    path: str | Path, seconds: float = 2.0, hertz: float = 440.0, sample_rate_hz: int = 16000
) -> Path:
    """Write a WAV file with a tone."""
    write_audio(path, sine(seconds, hertz, sample_rate_hz), sample_rate_hz)
    return Path(path)


def photo(path: str | Path, size: tuple[int, int] = (64, 48)) -> Path:
    """Write a picture of (width, height) ``size`` with a brighter left upper quarter."""
    write_image(path, next(counting_frames(1, size, first=20)))
    return Path(path)
