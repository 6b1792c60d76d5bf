"""Runs a service with a detector of tests in a thread, for as long as a test needs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from server_fakes import OrderedLoader

from seamline.server.run import listen, make_server
from seamline.server.service import Service
from seamline.server.settings import Limits, ServiceSettings

WAIT_SECONDS = 60.0  # a bound for machines that are busy; a job of tests takes milliseconds


@dataclass(frozen=True)
class Running:
    """A service that runs, and a client of it."""

    client: httpx.Client
    service: Service


@contextmanager
def running(
    data: Path,
    *,
    limits: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    loader: Any = None,
    proxy: str | None = None,
    **options: Any,
) -> Iterator[Running]:
    """Runs a service with the ordered detector in a thread of this process."""
    settings = ServiceSettings(data, limits=Limits(**(limits or {})), **options)
    with listen("127.0.0.1", 0) as listener:
        server = make_server(settings, loader or OrderedLoader(), proxy=proxy)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, timeout=30, headers=headers) as client:
                client.get("/health")
                yield Running(client, server.config.app.state.service)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the service did not stop"


def send(client: httpx.Client, content: bytes, name: str = "talk.wav") -> Any:
    return client.post("/api/v1/jobs", files={"file": (name, content)})


def ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        job = client.get(f"/api/v1/jobs/{job_id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job did not end: {job}")
