"""What the service does under load, and when it or a worker is killed; prints JSON.

    python benchmarks/serve.py                          on the demo's two clips, again and again
    python benchmarks/serve.py --media DIR              on media below a folder, of all sizes
    python benchmarks/serve.py --pad-megabytes 50 --clients 40      long files, the first run alone;
                                                                    --uploads-alone: till accepted

Three runs of a real `seamline serve` with the shipped model: 40 uploads at once from 8 clients; a
worker killed in the middle of a job, twice; the service killed under load and started again.
``/health`` is asked all the while, and every accepted job is counted at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from seamline import Client
from seamline.cli.inputs import find_inputs
from seamline.data.demo_clips import make_demo
from seamline.errors import ServiceError

WAIT_SECONDS = 900.0


class Serve:
    """`seamline serve` as a process."""

    def __init__(self, data: Path, workers: int, port: int = 0) -> None:
        command = [sys.executable, "-m", "seamline", "serve", "--data", str(data),
                   "--port", str(port), "--workers", str(workers), "--rate", "100000"]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+:(\d+)/", line)
        if found is None:
            raise SystemExit(f"the service did not start: {line}")
        self.address, self.port = found[0], int(found[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        with httpx.Client(base_url=self.address, timeout=30) as client:
            while client.get("/ready").status_code != 200:
                time.sleep(0.1)

    def children(self) -> list[int]:
        """The service's processes."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]

    def resident_megabytes(self) -> dict[str, Any]:
        """Memory of the service and of its processes."""
        return {"service": _resident(self.process.pid),
                "processes": sorted(map(_resident, self.children()))}  # fmt: skip

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the service."""
        self.process.send_signal(how)
        self.process.wait(30)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


@contextmanager
def health_watch(address: str) -> Iterator[list[float]]:
    """Asks /health twenty times a second; keeps the seconds that answers took."""
    seconds: list[float] = []
    done = threading.Event()

    def watch() -> None:
        with httpx.Client(base_url=address, timeout=60) as client:
            while not done.is_set():
                began = time.perf_counter()
                try:
                    client.get("/health").raise_for_status()
                    seconds.append(time.perf_counter() - began)
                except httpx.TransportError:  # killed, and not up again yet
                    pass
                done.wait(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seconds
    finally:
        done.set()
        thread.join()


def upload(
    address: str, files: list[Path], clients: int, taken: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Sends all files from several clients at once; gives how often each id was accepted."""
    todo: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for path in files:
        todo.put(path)
    accepted: list[str] = []

    def send() -> None:
        with Client(address) as client:
            while True:
                try:
                    path = todo.get_nowait()
                except queue.Empty:
                    return
                while True:
                    try:
                        accepted.append(client.submit(path)["id"])
                        taken()
                        break
                    except ServiceError as error:
                        if error.status is not None:
                            raise
                        time.sleep(0.2)  # killed: try until it is there again

    threads = [threading.Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(accepted)


def account(address: str, accepted: Counter[str], uploads: int) -> dict[str, Any]:
    """Waits for every accepted job and counts what became of them."""
    with Client(address) as client:
        jobs = [client.wait(job_id, timeout_seconds=WAIT_SECONDS) for job_id in accepted]
        listed = Counter(job["id"] for job in client.list())
    return {
        "uploads": uploads,
        "accepted": len(accepted),
        "answered_twice": sum(count > 1 for count in accepted.values()),
        "lost": len(set(accepted) - set(listed)),
        "listed_twice": sum(count > 1 for count in listed.values()),
        "states": dict(Counter(job["state"] for job in jobs)),
        "attempts": dict(Counter(str(job["attempts"]) for job in jobs)),
    }


def told(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and most of how long /health took."""
    ordered = sorted(seconds)
    return {
        "asked": len(ordered),
        "median_ms": round(1000 * statistics.median(ordered), 1),
        "p99_ms": round(1000 * ordered[int(0.99 * (len(ordered) - 1))], 1),
        "most_ms": round(1000 * ordered[-1], 1),
    }


def load_run(
    folder: Path, files: list[Path], workers: int, clients: int, *, uploads_alone: bool
) -> dict[str, Any]:
    """Many uploads at once."""
    service = Serve(folder / "load", workers)
    try:
        began = time.perf_counter()
        with health_watch(service.address) as seconds:
            accepted = upload(service.address, files, clients)
            taken_in = time.perf_counter() - began
            found: dict[str, Any] = {"accepted": len(accepted)}
            if not uploads_alone:
                found = account(service.address, accepted, len(files))
                found["seconds_until_all_had_ended"] = round(time.perf_counter() - began, 1)
        found |= {
            "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 1),
            "seconds_until_all_were_accepted": round(taken_in, 2),
            "health": told(seconds),
            "resident_megabytes": service.resident_megabytes(),
            "left_in_incoming": len(list((folder / "load" / "incoming").iterdir())),
        }
        return found
    finally:
        service.stop()


def worker_run(folder: Path, file: Path) -> dict[str, Any]:
    """Kills the worker at a job, and again the one that takes the job up."""
    service = Serve(folder / "worker", 1)
    try:
        with Client(service.address) as client:
            job = client.submit(file)
            for attempt in (1, 2):
                while client.job(job["id"])["state"] != "running" or (
                    client.job(job["id"])["attempts"] < attempt
                ):
                    time.sleep(0.02)
                os.kill(max(service.children(), key=_resident), signal.SIGKILL)  # holds the model
            ended = client.wait(job["id"], timeout_seconds=WAIT_SECONDS)
            after = client.scan(file, timeout_seconds=WAIT_SECONDS)
        return {"state": ended["state"], "attempts": ended["attempts"], "reason": ended["reason"],
                "next_job": after.label}  # fmt: skip
    finally:
        service.stop()


def restart_run(folder: Path, files: list[Path], workers: int, clients: int) -> dict[str, Any]:
    """Kills the service when a third of the uploads are accepted, and starts it again."""
    services = [Serve(folder / "restart", workers)]
    reached = threading.Semaphore(0)
    found: list[Counter[str]] = []
    address = services[0].address
    sender = threading.Thread(
        target=lambda: found.append(upload(address, files, clients, reached.release))
    )
    try:
        sender.start()
        for _ in range(len(files) // 3):
            reached.acquire(timeout=WAIT_SECONDS)
        services[0].stop(signal.SIGKILL)
        began = time.perf_counter()
        services.append(Serve(folder / "restart", workers, services[0].port))
        back = time.perf_counter() - began
        sender.join(WAIT_SECONDS)
        result = account(address, found[0], len(files))
        return {**result, "seconds_until_back_and_ready": round(back, 1)}
    finally:
        services[-1].stop()


def _padded(path: Path, folder: Path, megabytes: int) -> Path:
    """Copies a file and adds zeros, which demuxers pass over."""
    longer = folder / f"long {path.name}"
    longer.write_bytes(path.read_bytes() + bytes(megabytes * 10**6))
    return longer


def main() -> None:
    """Run all three and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path)
    parser.add_argument("--uploads", type=int, default=40)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pad-megabytes", type=int, default=0)
    parser.add_argument("--uploads-alone", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.media is None:
            media = list(make_demo(folder / "demo"))
        else:
            paths = [Path(path) for path in find_inputs([str(asked.media)]).files]
            paths.sort(key=lambda path: path.stat().st_size)
            step = max(1, len(paths) // asked.uploads)
            media = paths[::step][: asked.uploads]
        if asked.pad_megabytes:
            media = [_padded(path, folder, asked.pad_megabytes) for path in media]
        files = [media[number % len(media)] for number in range(asked.uploads)]
        result = {
            "machine": {"cores": os.cpu_count(), "load_before": os.getloadavg()[0],
                        "python": platform.python_version()},
            "workers": asked.workers,
            "clients": asked.clients,
            "distinct_files": len(set(files)),
            "load": load_run(
                folder, files, asked.workers, asked.clients, uploads_alone=asked.uploads_alone
            ),
        }  # fmt: skip
        if not (asked.pad_megabytes or asked.uploads_alone):
            result["worker_killed_twice"] = worker_run(folder, media[-1])
            result["service_killed"] = restart_run(folder, files, asked.workers, asked.clients)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
