"""Workers that die, hang or eat, and services that stop: what happens to the job at hand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import DyingLoader
from server_fakes import OrderedLoader, wav
from services import WAIT_SECONDS, Running, ended, running, send

from seamline.errors import UnknownModel, WrongUsage
from seamline.server.files import DataFolder


def until(found: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


def worker_pid(service: Running) -> int:
    """The process of the one worker, once it is at a job."""
    workers = service.service.pool._workers
    found = until(lambda: [w for w in workers if w.job is not None], "a worker at a job")
    return found[0]._process.pid


def test_a_crash_costs_the_job_one_retry_and_then_its_life(service: Running) -> None:
    job = ended(service.client, send(service.client, wav("die")).json()["id"])
    assert (job["state"], job["attempts"]) == ("failed", 2)
    assert job["reason"] == "the decoder crashed on this file (SIGKILL), twice"
    assert ended(service.client, send(service.client, wav("0.9")).json()["id"])["state"] == "done"


def test_a_job_whose_first_worker_crashed_is_done_by_the_second(
    service: Running, tmp_path: Path
) -> None:
    order = f"die-once {tmp_path / 'mark'}"
    job = ended(service.client, send(service.client, wav(order)).json()["id"])
    assert (job["state"], job["attempts"], job["reason"]) == ("done", 2, None)


def test_a_worker_killed_from_outside_costs_one_retry_each_time(service: Running) -> None:
    job_id = send(service.client, wav("slow 8")).json()["id"]
    first = worker_pid(service)
    os.kill(first, signal.SIGKILL)
    second = until(lambda: (pid := worker_pid(service)) != first and pid, "a second attempt")
    assert service.client.get(f"/api/v1/jobs/{job_id}").json()["attempts"] == 2
    os.kill(second, signal.SIGKILL)
    job = ended(service.client, job_id)
    assert (job["state"], job["attempts"]) == ("failed", 2)
    assert "SIGKILL" in job["reason"]


def test_a_job_that_eats_the_memory_is_ended(tmp_path: Path) -> None:
    with running(tmp_path, limits={"memory_bytes": 300_000_000}) as service:
        job = ended(service.client, send(service.client, wav("eat")).json()["id"])
        assert (job["state"], job["attempts"]) == ("failed", 2)
        assert job["reason"] == "it took more than 0.3 GB of memory, twice"
        assert ended(service.client, send(service.client, wav()).json()["id"])["state"] == "done"


def test_a_job_that_takes_too_long_is_ended_and_not_tried_again(tmp_path: Path) -> None:
    with running(tmp_path, limits={"job_seconds": 4.0}) as service:
        job = ended(service.client, send(service.client, wav("hang")).json()["id"])
        assert (job["state"], job["attempts"]) == ("failed", 1)
        assert job["reason"] == "it took longer than 4 s, the limit of this service"
        assert ended(service.client, send(service.client, wav()).json()["id"])["state"] == "done"


def test_a_running_job_that_is_deleted_is_ended_at_once(service: Running) -> None:
    job_id = send(service.client, wav("hang")).json()["id"]
    pid = worker_pid(service)
    assert service.client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    until(lambda: not Path(f"/proc/{pid}").exists(), "the worker's end")
    until(lambda: not service.service.files.job(job_id).exists(), "the files' removal")
    assert ended(service.client, send(service.client, wav()).json()["id"])["state"] == "done"


def test_after_a_stop_queued_jobs_go_on_and_running_ones_start_again(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        running_id = send(service.client, wav("slow 3")).json()["id"]
        queued = [send(service.client, wav()).json()["id"] for _ in range(2)]
        worker_pid(service)
        (service.service.files.job(queued[0]).parent / ("A" * 22)).mkdir()
        (service.service.files.incoming / "half").write_bytes(b"x")
    with running(tmp_path) as service:
        for job_id in (running_id, *queued):
            job = ended(service.client, job_id)
            assert (job["state"], job["attempts"]) == ("done", 1)
        assert not (tmp_path / "jobs" / ("A" * 22)).exists()
        assert not (tmp_path / "incoming" / "half").exists()


def test_with_zero_retention_the_verdict_alone_is_left(tmp_path: Path) -> None:
    with running(tmp_path, keep_seconds=0.0) as service:
        for order, state in (("0.9", "done"), ("bad scrambled", "failed")):
            job = ended(service.client, send(service.client, wav(order)).json()["id"])
            assert (job["state"], job["has_media"], job["has_report"]) == (state, False, False)
            assert (job["verdict"] is not None) == (state == "done")
            assert job["expires"] is not None
            assert not service.service.files.job(job["id"]).exists()
            assert service.client.get(f"/api/v1/jobs/{job['id']}/media").status_code == 404
    remains = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name.partition("-")[0] for path in remains} == {"lock", "home", "jobs.sqlite"}


def test_a_job_is_deleted_with_its_files_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seamline.server.pool.SWEEP_SECONDS", 0.1)
    with running(tmp_path, keep_seconds=0.5) as service:
        job_id = send(service.client, wav()).json()["id"]
        until(lambda: service.client.get(f"/api/v1/jobs/{job_id}").status_code == 404, "the expiry")
        assert not service.service.files.job(job_id).exists()


@dataclass(frozen=True)
class NoModelLoader(OrderedLoader):
    """Finds no model in the worker."""

    def __call__(self) -> Any:
        raise UnknownModel("No model 'x'.")


@pytest.mark.parametrize(
    ("loader", "why"), [(NoModelLoader(), "No model 'x'."), (DyingLoader(), "while it loaded")]
)
def test_a_service_whose_workers_cannot_load_says_so_and_keeps_jobs(
    tmp_path: Path, loader: Any, why: str
) -> None:
    with running(tmp_path, loader=loader) as service:
        job_id = send(service.client, wav()).json()["id"]
        until(lambda: why in service.client.get("/ready").text, "the reason")
        assert service.client.get("/ready").status_code == 503
        assert service.client.get(f"/api/v1/jobs/{job_id}").json()["state"] == "queued"
    with running(tmp_path) as service:
        assert ended(service.client, job_id)["state"] == "done"
        assert service.client.get("/ready").json() == {"status": "ready"}


def test_a_folder_serves_one_service_at_a_time(service: Running) -> None:
    with pytest.raises(WrongUsage, match="Another service runs on --data"):
        DataFolder(service.service.files.root)
