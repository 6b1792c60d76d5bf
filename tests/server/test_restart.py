"""The service as a process: loaded by many clients, killed without warning, started again."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from serve_process import ServeProcess, all_end
from server_fakes import wav
from typer.testing import CliRunner

from seamline import Client
from seamline.cli.main import app
from seamline.errors import ServiceError

CLIENTS, UPLOADS = 8, 40
WAIT_SECONDS = 90.0


class HealthWatch:
    """Asks /health again and again, and keeps how long each answer took."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.seconds: list[float] = []

    def __enter__(self) -> HealthWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(10)

    def _watch(self) -> None:
        with httpx.Client(base_url=self._address, timeout=30) as client:
            while not self._done.is_set():
                began = time.monotonic()
                try:
                    client.get("/health").raise_for_status()
                except httpx.TransportError:  # killed, and not up again yet
                    self._done.wait(0.05)
                    continue
                self.seconds.append(time.monotonic() - began)
                self._done.wait(0.02)


def upload(address: str, folder: Path, stop: threading.Event | None = None) -> Counter[str]:
    """Sends all files from several clients at once; gives how often each id was accepted.

    A client whose service is killed tries again, so that a file may become two jobs; each
    accepted one counts.
    """
    paths = [folder / f"{number}.wav" for number in range(UPLOADS)]
    dice = random.Random(7)
    for path in paths:
        path.write_bytes(wav(f"slow {0.05 + 0.1 * dice.random():.3f}"))
    accepted: Counter[str] = Counter()
    lock = threading.Lock()

    def send(mine: list[Path]) -> None:
        with Client(address) as client:
            for path in mine:
                until = time.monotonic() + WAIT_SECONDS
                while time.monotonic() < until:
                    try:
                        job = client.submit(path)
                    except ServiceError as error:
                        if error.status is not None:
                            raise
                        time.sleep(0.1)
                        continue
                    with lock:
                        accepted[job["id"]] += 1
                    break

    threads = [threading.Thread(target=send, args=(paths[n::CLIENTS],)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    if stop is not None:
        while sum(accepted.values()) < UPLOADS // 3:
            time.sleep(0.01)
        stop.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    return accepted


def all_ended(address: str, ids: list[str]) -> dict[str, dict[str, object]]:
    with Client(address) as client:
        jobs = {job_id: client.wait(job_id, timeout_seconds=WAIT_SECONDS) for job_id in ids}
        listed = Counter(job["id"] for job in client.list())
    assert set(listed.values()) == {1}
    assert set(ids) <= set(listed)
    return jobs


def test_forty_uploads_at_once_all_end_once_and_health_answers_throughout(tmp_path: Path) -> None:
    with ServeProcess(tmp_path, "--workers", "2") as service:
        with HealthWatch(service.address) as health:
            accepted = upload(service.address, tmp_path)
            jobs = all_ended(service.address, list(accepted))
        assert len(accepted) == UPLOADS
        assert set(accepted.values()) == {1}
        assert {(job["state"], job["attempts"]) for job in jobs.values()} == {("done", 1)}
        assert Counter(job["name"] for job in jobs.values()) == {
            f"{number}.wav": 1 for number in range(UPLOADS)
        }
        assert len(health.seconds) > 10
        assert max(health.seconds) < 1.0
        assert list((tmp_path / "data" / "incoming").iterdir()) == []
        assert service.said[1:] == [], "nothing goes wrong"


def test_a_service_killed_under_load_and_started_again_ends_every_accepted_job(
    tmp_path: Path,
) -> None:
    with ServeProcess(tmp_path, "--workers", "2") as first:
        port, children = first.port, first.children()
        third = threading.Event()
        found: list[Counter[str]] = []
        sender = threading.Thread(
            target=lambda: found.append(upload(first.address, tmp_path, third))
        )
        sender.start()
        assert third.wait(WAIT_SECONDS)
        first.kill()
        assert all_end(children), "workers must not outlive the service"
        with ServeProcess(tmp_path, "--workers", "2", port=port) as second:
            sender.join(WAIT_SECONDS)
            assert not sender.is_alive()
            (accepted,) = found
            assert len(accepted) >= UPLOADS
            assert set(accepted.values()) == {1}
            jobs = all_ended(second.address, list(accepted))
            assert {job["state"] for job in jobs.values()} == {"done"}
            assert {job["attempts"] for job in jobs.values()} == {1}


def test_ctrl_c_ends_the_service_with_its_processes_and_events(tmp_path: Path) -> None:
    with ServeProcess(tmp_path) as service:
        children = service.children()
        assert len(children) >= 3  # a worker and two that look at uploads
        with httpx.Client(base_url=service.address, timeout=30) as client:
            job = client.post("/api/v1/jobs", files={"file": ("a.wav", wav("hang"))}).json()
            with client.stream("GET", f"/api/v1/jobs/{job['id']}/events") as events:
                next(events.iter_lines())
                began = time.monotonic()
                assert service.interrupt() in (0, 130)
                assert time.monotonic() - began < 15
        assert all_end(children)
        assert "Traceback" not in "".join(service.said)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "no --token keeps them out"),
        (["--token", "short"], "8 or more ASCII characters"),
        (["--keep", "soon"], "--keep takes a span"),
        (["--max-upload", "much"], "--max-upload takes a size"),
        (["--model", "none"], "No model 'none'"),
        (["--database", "nonsense"], "SQLAlchemy URL"),
        (["--data", "/proc/none"], "cannot be used"),
        (["--host", "256.0.0.1"], "no --token keeps them out"),
    ],
)
def test_a_wrong_call_is_refused_with_what_to_try(
    tmp_path: Path, options: list[str], message: str
) -> None:
    done = CliRunner().invoke(
        app, ["serve", "--port", "0", "--data", str(tmp_path / "d"), *options]
    )
    assert done.exit_code in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with ServeProcess(tmp_path) as service:
        command = [sys.executable, "-m", "seamline", "serve", "--port", str(service.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 1
        assert f"port {service.port}" in done.stderr
        assert "Name another --port" in done.stderr
