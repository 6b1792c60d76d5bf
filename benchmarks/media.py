"""Measures reading a 10 s 1920×1080 H.264 clip: prints JSON with medians and spreads.

Compares `stream_frames` at 0.25 s (RGB included) with decoding every frame with PyAV and
converting none. Run as `python benchmarks/media.py`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from seamline.media.audio import read_audio
from seamline.media.video import stream_frames
from seamline.media.write import write_video

REPEATS = 5
SECONDS, FRAMES_PER_SECOND, SIZE = 10, 30, (1920, 1080)


def moving_scene() -> Iterator[np.ndarray]:
    """Yield a smooth texture that drifts, with grain: about as costly as filmed material."""
    width, height = SIZE
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 8 + 80, width // 8 + 80, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(0, 6, (height, width, 3), dtype=np.uint8)
    for index in range(SECONDS * FRAMES_PER_SECOND):
        x, y = index * 2 % 600, index % 400
        window = scene[y : y + height, x : x + width]
        yield cv2.add(window, np.roll(grain, 37 * index, axis=1))


def decode_everything(path: Path) -> None:
    """Decode each frame with PyAV and drop it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return the median and the spread of ``REPEATS`` runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {
        "median_seconds": round(statistics.median(seconds), 4),
        "spread_seconds": round(max(seconds) - min(seconds), 4),
    }


def main() -> None:
    """Write the clip, run the measurements and print them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        sound = np.sin(np.arange(SECONDS * 16000) * 0.1).astype(np.float32) * 0.5
        write_video(
            path,
            moving_scene(),
            FRAMES_PER_SECOND,
            samples=sound,
            crf=23,
            options={"preset": "medium"},
        )
        everything = timed(lambda: decode_everything(path))
        sampled = timed(lambda: sum(1 for _ in stream_frames(path, step_seconds=0.25)))
        heard = timed(lambda: list(read_audio(path)))
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        report = {
            "clip": f"{SECONDS} s, {SIZE[0]}x{SIZE[1]}, H.264, {path.stat().st_size} bytes",
            "decode_every_frame": everything,
            "stream_frames_each_0.25_s": sampled,
            "read_audio": heard,
            "ratio": round(sampled["median_seconds"] / everything["median_seconds"], 3),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "pyav": av.__version__,
            "commit": commit.stdout.strip() or None,
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
