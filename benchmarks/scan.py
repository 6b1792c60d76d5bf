"""What a scan costs beside plain decoding, and how its memory grows; prints JSON.

    python benchmarks/scan.py                 the 10-second clip: ratio of times, with its spread
    python benchmarks/scan.py --memory        peak memory of a 1-minute and a 10-minute clip
    python benchmarks/scan.py --senses        the clip with sound and without: what hearing costs

The clips are made on the spot: 1920×1080 H.264 with sound, two copies of the demo portrait moving
over a noisy background. Times are ratios within one run, since machines differ and are shared.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from seamline.data.demo_clips import read_portrait
from seamline.media.write import write_video

WIDTH, HEIGHT, RATE = 1920, 1080, 30


def frames(seconds: float) -> Iterator[np.ndarray]:
    """Two people of about 210 px before a background with some texture and motion."""
    portrait = cv2.resize(read_portrait(), None, fx=1.6, fy=1.6, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0)
    wide = cv2.resize(noise.integers(0, 256, (40, 70, 3), dtype=np.uint8), (WIDTH + 200, HEIGHT))
    side = portrait.shape[0]
    for index in range(int(seconds * RATE)):
        shift = int(100 + 100 * np.sin(index / 40))
        frame = np.ascontiguousarray(wide[:, shift : shift + WIDTH])
        top = int(120 + 40 * np.sin(index / 25))
        for left in (100 + shift // 2, 1080 - shift // 3):
            frame[top : top + side, left : left + min(side, WIDTH - left)] = portrait[
                :, : min(side, WIDTH - left)
            ]
        yield frame


def write_clip(path: Path, seconds: float, *, silent: bool = False) -> None:
    """Write the clip with speech-like sound (a voiced pulse train in syllables), or none."""
    time_axis = np.arange(int(seconds * 16000)) / 16000
    voiced = np.sign(np.sin(2 * np.pi * 120 * time_axis)) * (np.sin(2 * np.pi * 3 * time_axis) > 0)
    options = {"preset": "veryfast"}
    sound = (0.2 * voiced).astype(np.float32)
    samples = None if silent else sound
    write_video(path, frames(seconds), RATE, samples=samples, crf=23, options=options)


def decode_all(path: Path) -> float:
    """Seconds to decode every frame with PyAV, threads as FFmpeg likes them."""
    began = time.perf_counter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        count = sum(1 for _ in container.decode(stream))
    assert count > 0
    return time.perf_counter() - began


def compare(path: Path, repeats: int) -> dict[str, object]:
    """Alternate decoding and scanning; the first of each warms up."""
    from seamline.detector import Detector

    detector = Detector.load()
    rows = []
    for _ in range(repeats + 1):
        decode = decode_all(path)
        began = time.perf_counter()
        verdict = detector.scan(path)
        rows.append((decode, time.perf_counter() - began, verdict.seconds))
    ratios = [scan / decode for decode, scan, _ in rows[1:]]
    return {
        "decode_seconds_median": statistics.median(row[0] for row in rows[1:]),
        "scan_seconds_median": statistics.median(row[1] for row in rows[1:]),
        "ratio_median": statistics.median(ratios),
        "ratio_least_and_most": [min(ratios), max(ratios)],
        "stages_of_last": rows[-1][2],
        "people": len(verdict.people),
    }


def hearing(folder: Path, repeats: int, model: str) -> dict[str, object]:
    """Alternate scans of the clip with its sound and without; the first of each warms up."""
    from seamline.detector import Detector

    detector = Detector.load(model)
    paths = {"with": folder / "sound.mp4", "without": folder / "silent.mp4"}
    for name, path in paths.items():
        write_clip(path, 10.0, silent=name == "without")
    rows: list[dict[str, float]] = []
    for _ in range(repeats + 1):
        row = {}
        for name, path in paths.items():
            began, worked = time.perf_counter(), time.process_time()
            verdict = detector.scan(path)
            row[name] = time.perf_counter() - began
            row[f"cpu_{name}"] = time.process_time() - worked
            if name == "with":
                row |= {f"stage_{k}": v for k, v in verdict.seconds.items()}
                judged = [s for s in verdict.timeline.sync if s is not None]
        rows.append(row)
    ratios = [row["with"] / row["without"] for row in rows[1:]]
    return {
        **{k: statistics.median(row[k] for row in rows[1:]) for k in rows[0]},
        "ratio_median": statistics.median(ratios),
        "ratio_least_and_most": [min(ratios), max(ratios)],
        "cpu_ratio_median": statistics.median(r["cpu_with"] / r["cpu_without"] for r in rows[1:]),
        "seconds_judged_by_sync": len(judged),
    }


def peak_mebibytes(path: Path) -> float:
    """Peak resident memory of a scan in a process of its own."""
    code = (
        "import resource, sys; from seamline.detector import Detector; "
        "Detector.load().scan(sys.argv[1]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Make the clips, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--senses", action="store_true")
    parser.add_argument("--model", default="seamline-small", help="for --senses")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    result: dict[str, object] = {
        "machine": platform.processor(),
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory() as folder:
        if options.senses:
            result |= hearing(Path(folder), options.repeats, options.model)
        elif options.memory:
            for minutes in (1, 10):
                path = Path(folder) / f"{minutes}.mp4"
                write_clip(path, 60.0 * minutes)
                result[f"peak_mebibytes_{minutes}_minutes"] = peak_mebibytes(path)
        else:
            path = Path(folder) / "ten-seconds.mp4"
            write_clip(path, 10.0)
            result |= compare(path, options.repeats)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
