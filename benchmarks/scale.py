"""Measures scanning with Ray's workers: files a second, scaling, a killed worker; prints JSON.

    python benchmarks/scale.py                 1080p and 720p: one worker and two, in turns
    python benchmarks/scale.py --kill          200 short clips, one worker killed: rows compared
    python benchmarks/scale.py --rows 20000    what the driver and the results file can take
    python benchmarks/scale.py --cpu           processor seconds a file in one process, by size

The clips are made on the spot: 10 s of H.264 with sound, two copies of the demo portrait moving
over a textured background. Each worker has one thread and is not pinned to a core. The rate is
taken while all workers are at work: their start and the last files are left out, and reported
beside it. On a machine that others use, ``--real-time`` (as root) lets the workers, and only them,
go before all others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # Ray's workers import this file by its name, too

import cv2
import numpy as np

from seamline.data.demo_clips import read_portrait
from seamline.media.write import write_video
from seamline.scale.examine import DetectorLoader, Outcome, Settings
from seamline.scale.ray_cluster import Crew, cluster
from seamline.scale.ray_scan import scan_with_ray
from seamline.scale.results import Results
from seamline.scale.workers import scan_files
from seamline.scoring.verdict import unreadable_verdict

SIZES = {"1080p": (1920, 1080), "720p": (1280, 720)}
RATE = 30


def write_clip(path: Path, size: tuple[int, int], seconds: float = 10.0) -> None:
    """Write two people before a background with some texture and motion, and a buzz."""
    width, height = size
    scale = 1.6 * height / 1080
    portrait = cv2.resize(read_portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    wide = cv2.resize(noise, (width + 200, height))
    side = min(portrait.shape[0], height - 10)

    def frames() -> Any:
        for index in range(int(seconds * RATE)):
            shift = int(100 + 100 * np.sin(index / 40))
            frame = np.ascontiguousarray(wide[:, shift : shift + width])
            for left in (width // 20 + shift // 2, width // 2 - shift // 3):
                room = min(side, width - left)
                frame[5 : 5 + side, left : left + room] = portrait[:side, :room]
            yield frame

    times = np.arange(int(seconds * 16000)) / 16000
    buzz = np.sign(np.sin(2 * np.pi * 120 * times)) * (np.sin(2 * np.pi * 3 * times) > 0)
    sound = (0.2 * buzz).astype(np.float32)
    write_video(path, frames(), RATE, samples=sound, options={"preset": "veryfast"}, crf=23)


class Timed:
    """A scanner that writes down when each file was begun and done, and its CPU seconds."""

    def __init__(self, scanner: Any, folder: str) -> None:
        self._scanner = scanner
        self.bundle = scanner.bundle
        self._log = Path(folder) / f"{os.getpid()}.jsonl"

    def scan(self, path: str, **asked: Any) -> Any:
        start, cpu = time.time(), time.process_time()
        verdict = self._scanner.scan(path, **asked)
        with self._log.open("a") as log:
            log.write(json.dumps([start, time.time(), time.process_time() - cpu]) + "\n")
        return verdict


@dataclass(frozen=True)
class TimedLoader(DetectorLoader):
    """Loads a timed detector with one thread."""

    folder: str = ""
    is_alone: bool = False

    def __call__(self) -> Any:
        cv2.setNumThreads(1)
        if self.is_alone:  # its threads, started from here on, too
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return Timed(super().__call__(), self.folder)


@dataclass(frozen=True)
class EmptyLoader(DetectorLoader):
    """Loads what answers at once, to see what is around it."""

    def __call__(self) -> Any:
        return Empty(super().identify())


class Empty:
    """Gives a row without opening the file."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.bundle = type("Bundle", (), {"model_id": model})

    def scan(self, path: str, **_: Any) -> Any:
        return unreadable_verdict(path, "not looked at", self._model)


def copies(clip: Path, folder: Path, count: int) -> list[str]:
    """Make as many files of one clip, each with bytes of its own on the disk."""
    made = [folder / f"{number:04d}.mp4" for number in range(count)]
    for path in made:
        shutil.copyfile(clip, path)
    return [str(path) for path in made]


def one_run(files: list[str], workers: int, is_alone: bool) -> dict[str, float]:
    """Scan the files and give the rate while all workers were at work."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        load = TimedLoader("seamline-small", 1, folder=folder, is_alone=is_alone)
        done = list(scan_with_ray(files, load, Settings(), Crew(workers)))
        whole = time.time() - began
        assert len(done) == len(files)
        assert all(outcome.verdict.error is None for _, outcome in done)
        logs = [
            [json.loads(line) for line in log.read_text().splitlines()]
            for log in Path(folder).iterdir()
        ]
    assert len(logs) == workers, "every worker had files"
    start = max(log[0][0] for log in logs)
    stop = min(log[-1][1] for log in logs)
    rate = 0.0
    for log in logs:  # of each worker, its files within the common time, shares at its ends
        for first, last, _ in log:
            inside = max(0.0, min(last, stop) - max(first, start))
            rate += inside / (last - first) / (stop - start)
    cpu = [used for log in logs for _, _, used in log[1:]]
    return {
        "files_a_second": rate,
        "cpu_seconds_a_file": statistics.mean(cpu),
        "whole_run_seconds": whole,
    }


def scaling(count: int, repeats: int, sizes: list[str], is_alone: bool) -> dict[str, Any]:
    """Measure one worker and two in turns, for each size of clip."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, cluster(Crew(2)):
        for size in sizes:
            folder = Path(name) / size
            folder.mkdir()
            write_clip(Path(name) / "clip.mp4", SIZES[size])
            files = copies(Path(name) / "clip.mp4", folder, count)
            runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
            for _ in range(repeats):
                for workers in (1, 2):
                    runs[workers].append(one_run(files, workers, is_alone))
                    print(size, workers, runs[workers][-1], os.getloadavg(), file=sys.stderr)
            rates = {w: [run["files_a_second"] for run in runs[w]] for w in runs}
            ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
            result[size] = {
                "bytes_a_file": os.path.getsize(files[0]),
                "files_a_run": count,
                "one_worker": spread(rates[1]),
                "two_workers": spread(rates[2]),
                "ratio": spread(ratios),
                "cpu_seconds_a_file": {
                    w: spread([run["cpu_seconds_a_file"] for run in runs[w]]) for w in runs
                },
                "whole_run_seconds": {
                    w: spread([run["whole_run_seconds"] for run in runs[w]]) for w in runs
                },
            }
            shutil.rmtree(folder)
    return result


def spread(values: list[float]) -> dict[str, float]:
    """Give median, least and most."""
    kept = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {name: round(value, 3) for name, value in kept.items()}


def told(outcome: Outcome) -> str:
    """A row without the times that it took."""
    row = outcome.verdict.to_json()
    del row["seconds"]
    return json.dumps(row)


def processor(count: int = 4) -> dict[str, Any]:
    """Measure processor seconds a file, and its stages."""
    from seamline.detector import Detector

    cv2.setNumThreads(1)
    detector = Detector.load(threads=1)
    result = {}
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.mp4"
            write_clip(path, size)
            used, stages = [], {}
            for _ in range(count + 1):
                start = time.process_time()
                stages = detector.scan(path).seconds
                used.append(time.process_time() - start)
            result[name] = {
                "bytes_a_file": path.stat().st_size,
                "cpu_seconds_a_file": spread(used[1:]),
                "stages_of_last": {k: round(v, 3) for k, v in stages.items()},
            }
    return result


def killed(count: int = 200) -> dict[str, Any]:
    """Scan short clips with two workers, kill one a third of the way, compare with one machine."""
    with tempfile.TemporaryDirectory() as name:
        write_clip(Path(name) / "clip.mp4", (640, 360), seconds=2.0)
        folder, logs = Path(name) / "films", Path(name) / "logs"
        folder.mkdir()
        logs.mkdir()
        files = copies(Path(name) / "clip.mp4", folder, count)
        for place in range(9, count, 50):
            Path(files[place]).write_bytes(b"")
        load = TimedLoader("seamline-small", 1, folder=str(logs))
        found: dict[int, Outcome] = {}
        pid = 0
        for place, outcome in scan_with_ray(files, load, Settings(), Crew(2)):
            assert place not in found
            found[place] = outcome
            if not pid and len(found) >= count // 3:
                pid = int(max(logs.iterdir(), key=lambda p: p.stat().st_mtime).stem)
                os.kill(pid, signal.SIGKILL)
                at = len(found)
        here = dict(scan_files(files, DetectorLoader("seamline-small", 1), Settings(), jobs=2))
        processes = len(list(logs.iterdir()))
    same = sum(told(found[place]) == told(here[place]) for place in range(count))
    return {
        "files": count,
        "killed_after_rows": at,
        "processes_that_scanned": processes,
        "rows": len(found),
        "rows_equal_to_one_machine": same,
        "rows_with_a_reason": sum(o.verdict.error is not None for o in found.values()),
    }


def driver(rows: int) -> dict[str, float]:
    """Measure what is around the scanning: shards, results, the file that keeps them."""
    with tempfile.TemporaryDirectory() as name, cluster(Crew(2)):
        load = EmptyLoader("seamline-small", 1)
        files = [f"/somewhere/{number // 1000}/{number}.mp4" for number in range(rows)]
        began = time.time()
        first = 0.0
        with Results(Path(name) / "r.jsonl", load.identify(), Settings()) as results:
            for _, outcome in scan_with_ray(files, load, Settings(), Crew(2)):
                first = first or time.time()
                results.append(outcome)
        end = time.time()
    return {
        "rows": rows,
        "seconds_to_first_row": round(first - began, 2),
        "rows_a_second_after": round(rows / (end - first), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--real-time", action="store_true")
    options = parser.parse_args()
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    sys.modules["scale"] = sys.modules["__main__"]
    for kind in (Timed, TimedLoader, EmptyLoader, Empty):
        kind.__module__ = "scale"  # not __main__, which is another file in a worker
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    result: dict[str, Any] = {
        "commit": commit.stdout.strip() or None,
        "cores": os.cpu_count(),
        "nice": os.nice(0),
        "load_before": os.getloadavg(),
    }
    if options.kill:
        result |= killed()
    elif options.cpu:
        result |= processor()
    elif options.rows:
        result |= driver(options.rows)
    else:
        result["real_time"] = options.real_time
        result |= scaling(options.files, options.repeats, options.sizes, options.real_time)
    result["load_after"] = os.getloadavg()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
