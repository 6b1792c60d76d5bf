"""Watches a five-minute clip at its own speed: lag, dropped frames, memory; prints JSON.

    python benchmarks/watch.py [--minutes 5] [--size 1080p]

`seamline watch --json` runs in a process of its own, whose resident memory is read every ten
seconds. The clip is ten seconds of `benchmarks/scale.py`, repeated without coding it again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import av
import numpy as np

from scale import SIZES, write_clip

EVERY_SECONDS = 10.0
WARM_UP_SECONDS = 30.0  # until then caches fill


def repeat(clip: Path, path: Path, times: int) -> None:
    """Write a clip several times after itself, packet by packet."""
    with av.open(str(path), "w") as out:
        streams: dict[int, Any] = {}
        reached: dict[int, int] = {}
        shift_seconds = 0.0
        for _ in range(times):
            with av.open(str(clip)) as source:
                longest = source.duration / av.time_base
                for stream in source.streams:
                    if stream.index not in streams:
                        streams[stream.index] = out.add_stream_from_template(stream)
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    number = packet.stream.index
                    shift = round(shift_seconds / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    if packet.dts <= reached.get(number, packet.dts - 1):
                        continue  # the lead-in of AAC, before second 0
                    reached[number] = packet.dts
                    packet.stream = streams[number]
                    out.mux(packet)
            shift_seconds += longest


def resident_mebibytes(pid: int) -> float | None:
    """Read a process's resident memory; None once it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def run(path: Path, timeout_seconds: float) -> dict[str, Any]:
    """Watch the clip and take the measurements."""
    code = "from seamline.cli.main import app; app()"
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", code, "watch", str(path), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    guard = threading.Timer(timeout_seconds, process.kill)
    guard.start()
    memory: list[tuple[float, float]] = []

    def measure() -> None:
        while (held := resident_mebibytes(process.pid)) is not None and process.poll() is None:
            memory.append((time.monotonic() - began, held))
            time.sleep(EVERY_SECONDS)

    threading.Thread(target=measure, daemon=True).start()
    assert process.stdout is not None
    moments = [json.loads(line) for line in process.stdout]
    _, _, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    guard.cancel()
    lags = [moment["lag_seconds"] for moment in moments]
    last = moments[-1]
    due = last["frames_examined"] + last["frames_dropped"]
    warm = [(at, held) for at, held in memory if at >= WARM_UP_SECONDS]
    slope = np.polyfit([at for at, _ in warm], [held for _, held in warm], 1)[0] if warm else None
    return {
        "watched_seconds": last["stop_seconds"],
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "cores_used": round((used.ru_utime + used.ru_stime) / wall, 2),
        "verdicts": len(moments),
        "lag_seconds": {
            "median": statistics.median(lags),
            "95_percent": float(np.percentile(lags, 95)),
            "most": max(lags),
        },
        "frames_due": due,
        "frames_dropped": last["frames_dropped"],
        "dropped_percent": round(100 * last["frames_dropped"] / due, 2),
        "memory_mebibytes": [round(held) for _, held in memory],
        "memory_slope_mebibytes_a_minute": None if slope is None else round(60 * slope, 2),
        "last_label": last["label"],
    }


def main() -> None:
    """Make the clip, watch it, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--size", choices=list(SIZES), default="1080p")
    options = parser.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        clip, long = Path(folder) / "clip.mp4", Path(folder) / "long.mp4"
        write_clip(clip, SIZES[options.size])
        repeat(clip, long, round(options.minutes * 6))
        result = run(long, timeout_seconds=120 + 120 * options.minutes)
    header = {"size": options.size, "cores": os.cpu_count(), "nice": os.nice(0)}
    print(json.dumps({**header, "load_before": load, "load_after": os.getloadavg(), **result}))


if __name__ == "__main__":
    main()
